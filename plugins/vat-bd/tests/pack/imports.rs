//! Import entries: duties and taxes in their order.

use niyam_sdk::{Date, Determination, Direction, Document};

use crate::build::{dec, line, purchase, with};
use crate::native;

fn entry(day: Date) -> Document {
    let mut goods = line("standard", "100000");
    for (name, rate) in [("cd_rate", "25"), ("rd_rate", "3"), ("sd_rate", "20"), ("ait_rate", "5")] {
        goods = with(goods, name, rate);
    }
    Document { kind: "import-entry".into(), tax_date: day, ..purchase(vec![goods]) }
}

fn shown(taxes: &Determination) -> String {
    let items = taxes.lines.iter().flat_map(|line| &line.taxes);
    items.map(|item| format!("{} {} {}", item.code, item.base, item.amount)).collect::<Vec<_>>().join(", ")
}

#[test]
fn each_duty_is_on_what_comes_before_it() {
    let taxes = native("{}", &entry(Date::constant(2026, 8, 15))).expect("it is taxed");
    // 100000; 25% and 3% of it; 20% of 128000; 15% and 7.5% of 153600; 5% of 100000.
    let expected = "cd 100000.00 25000.00, rd 100000.00 3000.00, sd 128000.00 25600.00, vat 153600.00 23040.00, \
                    ait 100000.00 5000.00, at 153600.00 11520.00";
    assert_eq!(shown(&taxes), expected);
    assert_eq!(taxes.gross, dec("193160"));
    let open: Vec<bool> = taxes.lines[0].taxes.iter().map(|item| item.recoverable).collect();
    assert_eq!(open, [false, false, false, true, true, true]);
}

#[test]
fn advance_tax_is_by_importer_day_and_base() {
    let at = |config: &str, day| {
        let taxes = native(config, &entry(day)).expect("it is taxed");
        let item = taxes.lines[0]
            .taxes
            .iter()
            .find(|item| item.code == "at")
            .expect("advance tax")
            .amount
            .to_string();
        (item, taxes.findings.iter().any(|finding| finding.code == "rate-start-unverified"))
    };
    let (june, july) = (Date::constant(2025, 6, 30), Date::constant(2025, 7, 1));
    let manufacturer = r#"{"imports":{"importer":"manufacturer"}}"#;
    assert_eq!(at("{}", june), ("7680.00".into(), false));
    assert_eq!(at("{}", july), ("11520.00".into(), false));
    assert_eq!(at(manufacturer, june), ("4608.00".into(), false));
    assert_eq!(at(manufacturer, july), ("3072.00".into(), false));
    assert_eq!(at("{}", Date::constant(2024, 6, 30)), ("7680.00".into(), true));
    let assessable = r#"{"imports":{"advance_tax_base":"assessable-value"}}"#;
    assert_eq!(at(assessable, july), ("7500.00".into(), false));
    let mut free = entry(july);
    free.lines[0] = with(free.lines[0].clone(), "advance_tax", "no");
    assert!(native("{}", &free).expect("it is taxed").lines[0].taxes.iter().all(|item| item.code != "at"));
}

#[test]
fn what_is_no_import_entry_is_refused() {
    let day = Date::constant(2026, 8, 15);
    let sold = Document { direction: Direction::Sale, ..entry(day) };
    assert_eq!(native("{}", &sold).expect_err("a sale")[0].code, "direction-mismatch");
    for (name, value, code) in [
        ("cd_rate", "-1", "duty-rate-invalid"),
        ("rd_rate", "many", "duty-rate-invalid"),
        ("ait_rate", "10001", "duty-rate-invalid"),
        ("sd_rate", "1.1234567", "sd-rate-invalid"),
        ("advance_tax", "maybe", "advance-tax-unknown"),
    ] {
        let mut wrong = entry(day);
        wrong.lines[0] = with(wrong.lines[0].clone(), name, value);
        let refused = native("{}", &wrong).expect_err(name);
        let place = format!("/lines/0/attributes/{name}");
        assert_eq!((refused[0].code.as_str(), refused[0].pointer.as_deref()), (code, Some(place.as_str())));
    }
    let mut gold = entry(day);
    gold.lines[0].supply_code = "gold".into();
    assert_eq!(native("{}", &gold).expect_err("an amount per unit")[0].code, "supply-code-unknown");
    let mut exempt = entry(day);
    exempt.lines[0].supply_code = "exempt".into();
    assert!(!shown(&native("{}", &exempt).expect("it is taxed")).contains("vat"));
}
