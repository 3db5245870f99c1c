use super::{Config, DEFAULT};
use niyam_sdk::{Context, Date};

fn places(text: &str) -> Option<u32> {
    Config::of(&Context::native(text)).ok().map(|config| config.places())
}

fn refused(text: &str) -> String {
    let findings = Config::of(&Context::native(text)).map(|_| ()).expect_err(text);
    assert_eq!(findings[0].code, "configuration-invalid");
    findings[0].message.clone()
}

#[test]
fn two_places_are_the_default() {
    for text in ["", "{}", r#"{"rounding":{}}"#, DEFAULT] {
        assert_eq!(places(text), Some(2), "{text}");
    }
}

#[test]
fn whole_taka_is_a_configuration() {
    assert_eq!(places(r#"{"rounding":{"places":0}}"#), Some(0));
}

#[test]
fn refuses_what_the_schema_refuses() {
    for text in
        [r#"{"rounding":{"places":3}}"#, r#"{"rounding":{"places":-1}}"#, r#"{"round":1}"#, "[", "null"]
    {
        assert_eq!(places(text), None, "{text}");
    }
}

#[test]
fn a_wrong_date_amount_or_code_is_said() {
    assert!(refused(r#"{"calendar":{"holidays":["2026-02-30"]}}"#).contains("no date"));
    assert!(refused(r#"{"penalties":{"late_return":"-1"}}"#).contains("no amount"));
    assert!(refused(r#"{"supply_codes":{"X":{"code":"S999"}}}"#).contains("no code of law"));
    let every_day = r#"{"calendar":{"weekend":["monday","tuesday","friday","saturday"]}}"#;
    assert!(refused(every_day).contains("three days"));
}

#[test]
fn friday_saturday_and_holidays_are_free() {
    let config =
        Config::of(&Context::native(r#"{"calendar":{"holidays":["2026-12-16"]}}"#)).expect("it is read");
    for (day, works) in [(10, true), (11, false), (12, false), (13, true), (16, false), (17, true)] {
        assert_eq!(config.works_on(Date::constant(2026, 12, day)), works, "{day}");
    }
}

#[test]
fn only_a_row_that_is_not_verified_gives_way() {
    let stating = |code: &str, first: &str, last: &str| {
        format!(
            r#"{{"overrides":[{{"code":"{code}","percent":"5","first_day":"{first}","last_day":"{last}","basis":"SRO"}}]}}"#
        )
    };
    for (code, first, last) in [
        ("S007.20", "2026-07-01", "2026-12-31"),
        ("reduced-10", "2020-01-01", "2025-06-30"),
        ("S004.00", "2024-07-01", "2025-06-30"),
    ] {
        let config = Config::of(&Context::native(stating(code, first, last))).expect(code);
        let day: Date = last.parse().expect("a day");
        assert!(config.overridden(code, "", day).is_some(), "{code}");
        assert!(config.overridden(code, "", day.tomorrow().expect("a day")).is_none(), "{code}");
        assert!(config.is_mapped());
    }
    assert!(refused(&stating("standard", "2026-07-01", "2026-12-31")).contains("is verified"));
    assert!(refused(&stating("reduced-10", "2020-01-01", "2025-07-01")).contains("is verified"));
    assert!(refused(&stating("nothing", "2020-01-01", "2025-07-01")).contains("no such row"));
    assert!(refused(&stating("S007.20", "2027-01-01", "2026-12-31")).contains("ends before"));
}
