//! Given posted lines, then reports.

use jiff::Timestamp;
use jiff::civil::date;
use niyam_values::{AccountTemplate, Date, Decimal};

use super::*;
use crate::accounts::{AccountCode, Chart, ChartCreated, ChartEvent, accounts_of_template};
use crate::aggregate::Aggregate as _;
use crate::invoice::tests::decision;

/// Code, class, header, role.
type Row = (&'static str, &'static str, Option<&'static str>, Option<&'static str>);

const CHART: [Row; 18] = [
    ("1000", "asset", None, None),
    ("1100", "asset", Some("1000"), None),
    ("1110", "asset", Some("1100"), Some("cash")),
    ("1120", "asset", Some("1100"), Some("bank:city")),
    ("1210", "asset", Some("1000"), Some("receivable")),
    ("1510", "asset", Some("1000"), Some("property")),
    ("1520", "asset", Some("1000"), Some("accumulated-depreciation")),
    ("2000", "liability", None, None),
    ("2110", "liability", Some("2000"), Some("payable")),
    ("2300", "liability", Some("2000"), Some("loan")),
    ("3100", "equity", None, None),
    ("3200", "equity", None, Some("retained-earnings")),
    ("4000", "income", None, None),
    ("4100", "income", Some("4000"), Some("revenue")),
    ("4200", "income", Some("4000"), None),
    ("5000", "expense", None, None),
    ("5300", "expense", Some("5000"), None),
    ("5600", "expense", Some("5000"), Some("depreciation")),
];

pub(super) fn chart() -> Chart {
    let row = |&(code, class, parent, role): &Row| AccountTemplate {
        code: code.to_owned(),
        name: format!("Account {code}"),
        class: class.to_owned(),
        parent: parent.map(str::to_owned),
        role: role.map(str::to_owned),
    };
    let template: Vec<AccountTemplate> = CHART.iter().map(row).collect();
    let accounts = accounts_of_template(&template).unwrap();
    Chart::evolve(
        None,
        ChartEvent::Created(ChartCreated { accounts, decision: decision("chart-of-accounts") }),
    )
    .unwrap()
}

fn code(text: &str) -> AccountCode {
    text.parse().unwrap()
}

fn amount(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// `debit` to one account, `credit` to the other.
fn moved(day: i8, debit: &str, credit: &str, sum: &str) -> [PostedLine; 2] {
    let line = |account: &str, turnover| PostedLine {
        account: code(account),
        currency: "BDT".parse().unwrap(),
        date: date(2026, 8, day),
        recorded_at: Timestamp::from_second(1_800_000_000 + i64::from(day)).unwrap(),
        turnover,
        is_closing: false,
    };
    let sum = amount(sum);
    [
        line(debit, Turnover { debit: sum, credit: Decimal::ZERO }),
        line(credit, Turnover { debit: Decimal::ZERO, credit: sum }),
    ]
}

/// Capital, a loan, a machine, a sale on credit, its receipt in part, rent owed, depreciation.
fn august() -> Vec<PostedLine> {
    [
        moved(1, "1120", "3100", "1000.00"),
        moved(2, "1110", "2300", "500.00"),
        moved(3, "1510", "1120", "600.00"),
        moved(10, "1210", "4100", "300.25"),
        moved(20, "1120", "1210", "100.25"),
        moved(25, "5300", "2110", "80.00"),
        moved(31, "5600", "1520", "10.00"),
    ]
    .concat()
}

fn until(day: Date) -> Cut {
    Cut { until: Some(day), ..Cut::default() }
}

fn shown(section: &Section) -> Vec<String> {
    section
        .rows
        .iter()
        .map(|row| format!("{}{} {}", " ".repeat(row.level), row.account, row.amount))
        .collect()
}

#[test]
fn a_balance_sheet_shows_headers_with_what_is_below_them_and_balances() {
    let all = Balances::fold(&august(), &until(date(2026, 8, 31)));
    let sheets = balance_sheet(&chart(), &all).unwrap();
    let [sheet] = sheets.as_slice() else { panic!("{sheets:?}") };
    let assets = [
        "1000 1790.25",
        " 1100 1000.25",
        "  1110 500.00",
        "  1120 500.25",
        " 1210 200.00",
        " 1510 600.00",
        " 1520 -10.00",
    ];
    assert_eq!(shown(&sheet.assets), assets);
    assert_eq!(shown(&sheet.liabilities), ["2000 580.00", " 2110 80.00", " 2300 500.00"]);
    assert_eq!((sheet.equity.total, sheet.unclosed_profit), (amount("1000.00"), amount("210.25")));
    assert_eq!((sheet.assets.total, sheet.financed), (amount("1790.25"), amount("1790.25")));
}

#[test]
fn profit_and_loss_is_of_the_days_asked_for() {
    let cut = Cut { from: Some(date(2026, 8, 11)), ..until(date(2026, 8, 31)) };
    let found = profit_and_loss(&chart(), &Balances::fold(&august(), &cut)).unwrap();
    assert_eq!((found[0].income.total, found[0].profit), (Decimal::ZERO, amount("-90.00")));
    let cut = Cut { from: Some(date(2026, 8, 1)), ..until(date(2026, 8, 10)) };
    let found = profit_and_loss(&chart(), &Balances::fold(&august(), &cut)).unwrap();
    assert_eq!(shown(&found[0].income), ["4000 300.25", " 4100 300.25"]);
    assert_eq!(found[0].profit, amount("300.25"));
    assert!(
        profit_and_loss(&chart(), &Balances::fold(&august(), &until(date(2026, 8, 9)))).unwrap().is_empty()
    );
}

#[test]
fn cash_flow_explains_the_change_of_cash_by_roles() {
    let (first, last) = (date(2026, 8, 2), date(2026, 8, 31));
    let opening = Balances::fold(&august(), &until(date(2026, 8, 1)));
    let period = Balances::fold(&august(), &Cut { from: Some(first), ..until(last) });
    let flows = cash_flow(&chart(), &opening, &period).unwrap();
    let [flow] = flows.as_slice() else { panic!("{flows:?}") };
    let told = |flows: &[Flow]| {
        flows.iter().map(|flow| format!("{} {}", flow.account, flow.amount)).collect::<Vec<_>>()
    };
    assert_eq!(told(&flow.operating), ["1210 -200.00", "1520 10.00", "2110 80.00"]);
    assert_eq!(told(&flow.investing), ["1510 -600.00"]);
    assert_eq!(told(&flow.financing), ["2300 500.00"]);
    assert_eq!(flow.profit, amount("210.25"));
    assert_eq!(
        (flow.opening, flow.change, flow.closing),
        (amount("1000.00"), amount("0.25"), amount("1000.25"))
    );
}

#[test]
fn a_trial_balance_carries_forward_what_was_before() {
    let opening = Balances::fold(&august(), &until(date(2026, 8, 9)));
    let cut = Cut { from: Some(date(2026, 8, 10)), ..until(date(2026, 8, 31)) };
    let found = trial_balance(&opening, &Balances::fold(&august(), &cut));
    let bank = found[0].rows.iter().find(|row| row.account == code("1120")).unwrap();
    assert_eq!((bank.opening, bank.turnover.debit), (amount("400.00"), amount("100.25")));
    assert_eq!(bank.closing, Turnover { debit: amount("500.25"), credit: Decimal::ZERO });
    assert_eq!(found[0].closing.debit, found[0].closing.credit);
    assert_eq!(found[0].turnover.debit, amount("490.50"));
}

#[test]
fn a_line_of_an_unknown_account_is_no_line_of_a_statement() {
    let lost = Balances::fold(&moved(1, "1999", "4100", "1.00"), &Cut::default());
    assert_eq!(balance_sheet(&chart(), &lost), Err(UnknownAccount(code("1999"))));
    assert_eq!(profit_and_loss(&chart(), &lost), Err(UnknownAccount(code("1999"))));
    assert_eq!(cash_flow(&chart(), &Balances::default(), &lost), Err(UnknownAccount(code("1999"))));
}

#[test]
fn what_is_owed_grows_old_by_the_day() {
    let bands = [(-5, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (4000, 4)];
    let due = date(2026, 8, 15);
    let mut aged = Aged::default();
    for (days, band) in bands {
        let as_of = due.saturating_add(jiff::Span::new().days(days));
        assert_eq!(age(due, as_of), AgeBand::ALL[band], "{days} days");
        aged.add(age(due, as_of), amount("1.5"));
    }
    assert_eq!(AgeBand::ALL.map(|band| aged.of(band)), ["3.0"; 5].map(amount));
    assert_eq!(aged.total(), amount("15"));
}
