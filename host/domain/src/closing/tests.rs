//! Given what accounts hold at the end of a year, then entries that leave nothing on those of income and expense.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::accounts::tests::{chart, code};
use crate::journal::JournalLine;
use crate::reports::Turnover;

const DAY: Date = date(2027, 6, 30);

fn taka() -> Currency {
    "BDT".parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn held(rows: &[(&str, &str)]) -> Balances {
    let mut held = Balances::default();
    for (account, balance) in rows {
        let balance = decimal(balance);
        let turnover = if balance > Decimal::ZERO {
            Turnover { debit: balance, credit: Decimal::ZERO }
        } else {
            Turnover { debit: Decimal::ZERO, credit: -balance }
        };
        held.add(taka(), &code(account), turnover);
    }
    held
}

fn entries(sums: &ClosingSums) -> Vec<Entry> {
    sums.entries("2026-2027", DAY, &code("3101")).unwrap()
}

fn shown(entry: &Entry) -> Vec<String> {
    let line = |line: &JournalLine| {
        let side = if line.side == Side::Debit { "dr" } else { "cr" };
        let dimensions: Vec<String> =
            line.dimensions.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        format!("{side} {} {}{}", line.account, line.amount, dimensions.concat())
    };
    entry.lines.as_slice().iter().map(line).collect()
}

#[test]
fn the_result_goes_to_retained_earnings_and_other_accounts_stay_as_they_are() {
    let chart = chart();
    let held =
        held(&[("1101", "700"), ("4001", "-1000"), ("5001", "250.5"), ("5002", "49.5"), ("3101", "-5")]);
    let found = entries(&ClosingSums::of(&chart, &held));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].date, found[0].reference.as_deref()), (DAY, Some("2026-2027")));
    assert_eq!(shown(&found[0]), ["dr 4001 1000.00", "cr 5001 250.50", "cr 5002 49.50", "cr 3101 700.00"]);
}

#[test]
fn a_loss_stands_on_the_other_side_and_a_year_of_nothing_has_no_entry() {
    let chart = chart();
    let loss = entries(&ClosingSums::of(&chart, &held(&[("5001", "10")])));
    assert_eq!(shown(&loss[0]), ["cr 5001 10.00", "dr 3101 10.00"]);
    let even = entries(&ClosingSums::of(&chart, &held(&[("4001", "-10"), ("5001", "10")])));
    assert_eq!(shown(&even[0]), ["dr 4001 10.00", "cr 5001 10.00"]);
    assert!(entries(&ClosingSums::of(&chart, &held(&[("4001", "0"), ("1101", "3")]))).is_empty());
}

#[test]
fn what_lines_bear_of_dimensions_is_closed_apart() {
    let chart = chart();
    let mut sums = ClosingSums::of(&chart, &held(&[("4001", "-1000"), ("5001", "250")]));
    let of = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    sums.bearing(
        &chart,
        &code("4001"),
        taka(),
        of(&[("branch", "dhaka"), ("project", "x")]),
        decimal("-600"),
    );
    sums.bearing(
        &chart,
        &code("4001"),
        taka(),
        of(&[("project", "x"), ("branch", "dhaka")]),
        decimal("-100"),
    );
    // No account of income or expense.
    sums.bearing(&chart, &code("1101"), taka(), of(&[("branch", "dhaka")]), decimal("5"));
    let found = entries(&sums);
    assert_eq!(
        shown(&found[0]),
        [
            "dr 4001 300.00",
            "cr 5001 250.00",
            "cr 3101 50.00",
            "dr 4001 700.00 branch=dhaka project=x",
            "cr 3101 700.00 branch=dhaka project=x"
        ]
    );
}

#[test]
fn more_than_a_line_can_hold_is_split() {
    let chart = chart();
    let found = entries(&ClosingSums::of(&chart, &held(&[("4001", "-2000000000000.00")])));
    assert_eq!(
        shown(&found[0]),
        [
            "dr 4001 999999999999.99",
            "dr 4001 999999999999.99",
            "dr 4001 0.02",
            "cr 3101 999999999999.99",
            "cr 3101 999999999999.99",
            "cr 3101 0.02"
        ]
    );
}

#[test]
fn an_entry_of_long_dimensions_fits_an_event() {
    let chart = chart();
    let mut sums = ClosingSums::default();
    for project in 0..300 {
        let long = |name: usize| (format!("name-{name}"), format!("{project} {}", "অ".repeat(190)));
        sums.bearing(&chart, &code("4001"), taka(), (0..20).map(long).collect(), decimal("-1"));
    }
    let found = entries(&sums);
    assert!(found.len() > 1);
    for entry in &found {
        assert!(serde_json::to_vec(entry).unwrap().len() < 900 * 1024);
    }
}

#[test]
fn the_result_goes_into_equity_alone() {
    let mut chart = chart();
    assert_eq!(retained_earnings(&chart), Ok(code("3101")));
    let rule = |chart: &Chart| match retained_earnings(chart) {
        Err(Rejection::Findings(findings)) => findings[0].code.clone(),
        other => panic!("{other:?}"),
    };
    chart.roles.insert("retained-earnings".parse().unwrap(), code("4001"));
    assert_eq!(rule(&chart), "retained-earnings-not-equity");
    chart.roles.clear();
    assert_eq!(rule(&chart), "account-role-unassigned");
}

/// A currency, an account, and what lines bear.
type Held = (String, String, Vec<(String, String)>);

fn random_sums() -> impl Strategy<Value = Vec<(usize, usize, &'static str, i64)>> {
    let currency = prop::sample::select(vec!["BDT", "JPY", "KWD"]);
    prop::collection::vec(
        (0..400_usize, 0..5_usize, currency, -3_999_999_999_999_i64..3_999_999_999_999),
        0..900,
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever is held: each entry balances in each currency and each set of dimensions, none has more lines than it may,
    /// all together leave nothing, and the same sums make the same entries.
    #[test]
    fn nothing_is_left_whatever_is_held(rows in random_sums()) {
        let mut chart = chart();
        let template = chart.accounts[&code("5001")].clone();
        for number in 0..400 {
            chart.accounts.insert(code(&format!("5{number:04}")), template.clone());
        }
        let mut sums = ClosingSums::default();
        let mut expected: BTreeMap<Held, Decimal> = BTreeMap::new();
        let mut total: BTreeMap<&str, Balances> = BTreeMap::new();
        for (account, branch, currency, amount) in &rows {
            let currency: Currency = currency.parse().unwrap();
            let amount = Decimal::new(*amount, currency.minor_units().into());
            let account = code(&format!("5{account:04}"));
            let dimensions = if *branch == 0 { Vec::new() } else { vec![("branch".to_owned(), branch.to_string())] };
            let turnover = Turnover { debit: amount, credit: Decimal::ZERO };
            total.entry("all").or_default().add(currency, &account, turnover);
            *expected.entry((currency.code().to_owned(), account.to_string(), dimensions)).or_default() += amount;
        }
        if let Some(held) = total.get("all") {
            sums = ClosingSums::of(&chart, held);
        }
        for ((currency, account, dimensions), balance) in &expected {
            sums.bearing(&chart, &code(account), currency.parse().unwrap(), dimensions.clone(), *balance);
        }
        let found = entries(&sums);
        prop_assert_eq!(&entries(&sums), &found);
        let mut left = expected;
        for entry in &found {
            let lines = entry.lines.as_slice();
            prop_assert!((2..=LINES_OF_ENTRY_MAX).contains(&lines.len()));
            let mut by_set: BTreeMap<Group, Decimal> = BTreeMap::new();
            for line in lines {
                prop_assert!(line.amount > Decimal::ZERO && line.amount < AMOUNT_LIMIT);
                let signed = if line.side == Side::Debit { line.amount } else { -line.amount };
                let set: Vec<(String, String)> =
                    line.dimensions.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                *by_set.entry((line.currency.code(), set.clone())).or_default() += signed;
                if line.account != code("3101") {
                    let key = (line.currency.code().to_owned(), line.account.to_string(), set);
                    *left.entry(key).or_default() += signed;
                }
            }
            prop_assert!(by_set.values().all(Decimal::is_zero), "{:?}", by_set);
        }
        prop_assert!(left.values().all(Decimal::is_zero), "{:?}", left);
    }
}
