//! The pack as it is shipped: the compiled component under the host's limits, held against the native code.
//!
//! Figures stand here again, so that a mistake which both share is one still.

use std::fmt::Debug;

use niyam_sdk::{
    AccountTemplate, Block, Cell, ComplianceModule, Context, Date, Determination, Document, Finding,
    FiscalPeriod, Form, IssuePlan, Line, PriceMode,
};
use niyam_testkit::{Answer, TestError, TestModule, assert_deterministic};
use proptest::prelude::*;
use vat_bd::VatBd;

use crate::build::{AUGUST_2026, dec, invoice, line, with, with_duty, withheld};
use crate::issuing::facts;
use crate::properties::{documents, wild_documents};
use crate::{DEFAULT, cases};

type Answered<T> = Result<T, Vec<Finding>>;

const WHOLE_TAKA: &str = r#"{"rounding":{"places":0}}"#;
const ONE_PLACE: &str = r#"{"rounding":{"places":1}}"#;

/// The component and the native code, configured alike: gives what they agree on, to the last place.
struct Pack {
    config: &'static str,
    compiled: TestModule,
}

impl Pack {
    /// Fails, and says what to do, where `cargo xtask plugins` has not built the component.
    fn configured(config: &'static str) -> Self {
        let compiled = TestModule::bundled("vat-bd").and_then(|module| module.with_config(config));
        Self { config, compiled: compiled.unwrap_or_else(|error| panic!("{error}")) }
    }

    fn determine(&self, document: &Document) -> Answered<Determination> {
        agreed(self.compiled.determine(document), VatBd::determine(&self.native(), document))
    }

    fn check_identifier(&self, kind: &str, value: &str) -> Answered<String> {
        agreed(
            self.compiled.check_identifier(kind, value),
            VatBd::check_identifier(&self.native(), kind, value),
        )
    }

    fn fiscal_period_of(&self, day: Date) -> FiscalPeriod {
        agreed(self.compiled.fiscal_period_of(day), VatBd::fiscal_period_of(&self.native(), day))
    }

    fn prepare_issue(&self, document: &Document, taxes: &Determination, day: Date) -> Answered<IssuePlan> {
        agreed(
            self.compiled.prepare_issue(document, taxes, day),
            VatBd::prepare_issue(&self.native(), document, taxes, day),
        )
    }

    fn form_codes(&self, document: &Document) -> Vec<String> {
        agreed(self.compiled.form_codes(document), VatBd::form_codes(&self.native(), document))
    }

    fn draw_form(&self, code: &str, document: &Document, taxes: &Determination) -> Answered<Form> {
        let facts = facts();
        agreed(
            self.compiled.draw_form(code, document, taxes, &facts),
            VatBd::draw_form(&self.native(), code, document, taxes, &facts),
        )
    }

    fn chart_of_accounts(&self) -> Vec<AccountTemplate> {
        agreed(self.compiled.chart_of_accounts(), VatBd::chart_of_accounts(&self.native()))
    }

    fn check_account_code(&self, code: &str) -> Answered<()> {
        agreed(self.compiled.check_account_code(code), VatBd::check_account_code(&self.native(), code))
    }

    fn native(&self) -> Context {
        Context::native(self.config)
    }
}

fn agreed<T: Debug>(compiled: Result<Answer<T>, TestError>, native: T) -> T {
    let compiled = compiled.unwrap_or_else(|failure| panic!("{failure}")).value;
    assert_eq!(shown(&compiled), shown(&native));
    compiled
}

fn taxed(document: &Document) -> Determination {
    Pack::configured(DEFAULT).determine(document).expect("it is taxed")
}

/// Equal decimals may have different places; their text has not.
fn shown(answer: &impl Debug) -> String {
    format!("{answer:#?}")
}

#[test]
fn worked_cases_come_out_as_their_sources_print_them() {
    let pack = Pack::configured(DEFAULT);
    cases::worked(|_, document| pack.determine(document));
}

#[test]
fn the_buyers_bin_is_asked_for_above_25000() {
    let pack = Pack::configured(DEFAULT);
    cases::thresholds(
        |_, document| pack.determine(document),
        |_, document, taxes, day| pack.prepare_issue(document, taxes, day),
    );
}

#[test]
fn whole_taka_is_a_configuration_and_two_places_are_the_default() {
    let document = invoice(vec![line("reduced-7.5", "333.40")]);
    let taxes = Pack::configured(WHOLE_TAKA).determine(&document).expect("it is taxed");
    let amounts = [taxes.net, taxes.tax_added, taxes.gross].map(|amount| amount.to_string());
    assert_eq!(amounts, ["333", "25", "358"]);
    let module = TestModule::bundled("vat-bd").expect("a component");
    let taxes = module.determine(&document).expect("an answer").accepted();
    assert_eq!(taxes.gross.to_string(), "358.41");
    let refused = module.with_config(r#"{"rounding":{"places":3}}"#).expect_err("three places");
    assert!(refused.to_string().contains("/rounding/places"), "{refused}");
}

#[test]
fn prices_may_hold_their_taxes() {
    let lines = vec![with_duty(line("standard", "1380"), "20"), line("reduced-10", "200")];
    let taxes = taxed(&Document { price_mode: PriceMode::Inclusive, ..invoice(lines) });
    assert_eq!(taxes.lines[0].net.to_string(), "1000.00");
    assert_eq!(taxes.lines[1].net.to_string(), "181.82");
    assert_eq!(taxes.gross.to_string(), "1580.00");
}

#[test]
fn the_same_invoice_follows_the_law_of_its_date() {
    let on = |day| Document { tax_date: day, ..invoice(vec![line("S004.00", "1000")]) };
    let june = taxed(&on(Date::constant(2025, 6, 15)));
    assert_eq!(june.tax_added.to_string(), "75.00");
    let august = taxed(&on(AUGUST_2026));
    assert_eq!(august.tax_added.to_string(), "100.00");
    assert_eq!(august.citations[0].article, "Third Schedule, Table 3");
}

#[test]
fn a_deducting_customer_keeps_the_vat_of_a_listed_service() {
    let taxes = taxed(&withheld(invoice(vec![line("S032.00", "10000"), line("standard", "1000")])));
    let amounts = [taxes.tax_added, taxes.tax_withheld, taxes.gross, taxes.payable];
    assert_eq!(amounts.map(|amount| amount.to_string()), ["1650.00", "1500.00", "12650.00", "11150.00"]);
}

#[test]
fn a_missing_variant_is_refused_at_its_place() {
    let document = invoice(vec![line("standard", "1"), line("S010.20", "1")]);
    let refused = Pack::configured(DEFAULT).determine(&document).expect_err("a flat has a size");
    let [finding] = refused.as_slice() else { panic!("one finding: {refused:?}") };
    assert_eq!(finding.code, "variant-missing");
    assert_eq!(finding.pointer.as_deref(), Some("/lines/1/attributes/variant"));
}

#[test]
fn a_foreign_currency_is_taxed_by_its_rate_in_taka() {
    let gold = Line { unit: "bhori".into(), ..line("gold", "1000") };
    let pack = Pack::configured(DEFAULT);
    let mut document = Document {
        currency: "USD".into(),
        exchange_rate: Some(dec("121.5")),
        ..invoice(vec![line("standard", "10.55"), gold])
    };
    let taxes = pack.determine(&document).expect("it is taxed");
    let vat = taxes.lines.iter().map(|line| line.taxes[0].amount.to_string());
    assert_eq!(vat.collect::<Vec<_>>(), ["1.58", "20.58"]);
    document.exchange_rate = None;
    assert_eq!(pack.determine(&document).expect_err("no rate")[0].code, "exchange-rate-missing");
}

#[test]
fn an_identifier_of_each_kind_has_its_normal_form() {
    let pack = Pack::configured(DEFAULT);
    let examples = [
        ("bin", "0008283950207", "000828395-0207", "000828395020"),
        ("etin", " 224187378587 ", "224187378587", "22418737858"),
        ("nid", "19901234567890123", "19901234567890123", "18001234567890123"),
        ("mobile", "+8801712345678", "01712345678", "01212345678"),
        ("wallet:bkash", "01712345678", "01712345678", "017123456789"),
        ("wallet:nagad", "01312345678", "01312345678", "0131234567"),
        ("wallet:rocket", "017123456789", "017123456789", "01712345678"),
        ("wallet:upay", "8801912345678", "01912345678", "0191234567"),
        ("wallet:surecash", "01912345678", "01912345678", "01912345678x"),
        ("wallet:mcash", "01912345678", "01912345678", ""),
        ("wallet:tcash", "01912345678", "01912345678", "02912345678"),
        ("bank-routing", "085260728", "085260728", "085260729"),
        ("bank-account", "1501100012345", "1501100012345", "1501-100"),
    ];
    for (kind, value, normal, wrong) in examples {
        assert_eq!(pack.check_identifier(kind, value).as_deref(), Ok(normal), "{kind}");
        let refused = pack.check_identifier(kind, wrong).expect_err(kind);
        assert_eq!(
            (refused[0].code.as_str(), refused[0].pointer.as_deref()),
            ("identifier-invalid", Some("/value"))
        );
    }
    // The refusal of an unknown kind names the known ones: none is left out above.
    let unknown = pack.check_identifier("passport", "A1").expect_err("an unknown kind");
    assert_eq!(unknown[0].code, "identifier-kind-unknown");
    let known = unknown[0].message.rsplit("known are ").next().expect("a list");
    assert_eq!(known, examples.map(|(kind, ..)| kind).join(", "));
}

#[test]
fn a_day_has_its_tax_period() {
    let pack = Pack::configured(DEFAULT);
    for (day, code) in [
        (Date::constant(2026, 6, 30), "FY2025-2026-P12"),
        (Date::constant(2026, 7, 1), "FY2026-2027-P01"),
        (Date::constant(2028, 2, 29), "FY2027-2028-P08"),
    ] {
        let period = pack.fiscal_period_of(day);
        assert_eq!(period.code, code);
        assert_eq!((period.starts, period.ends), (day.first_of_month(), day.last_of_month()));
    }
}

#[test]
fn an_invoice_is_numbered_by_fiscal_year() {
    let pack = Pack::configured(DEFAULT);
    let document = invoice(vec![line("standard", "30000")]);
    let taxes = pack.determine(&document).expect("it is taxed");
    let plan = pack.prepare_issue(&document, &taxes, AUGUST_2026).expect("it may be issued");
    assert_eq!((plan.form.as_str(), plan.series.as_str()), ("mushak-6.3", "mushak-6.3/2026-2027"));
    assert_eq!(plan.number_pattern, "{serial}/2026-2027");
}

#[test]
fn the_paper_has_every_field_of_the_mushak_6_3() {
    let pack = Pack::configured(DEFAULT);
    let document = invoice(vec![
        Line { quantity: dec("25"), ..with_duty(with(line("reduced-7.5", "160"), "brand", "Shapla"), "10") },
        Line { unit: "bhori".into(), quantity: dec("2.5"), ..line("gold", "1000") },
    ]);
    let [code] = <[_; 1]>::try_from(pack.form_codes(&document)).expect("one paper");
    let taxes = pack.determine(&document).expect("it is taxed");
    let form = pack.draw_form(&code, &document, &taxes).expect("it is drawn");
    assert_eq!(keys(&form), printed(KEY, &["header", "column", "footer"]));
    assert_eq!(form.titles[0].text, printed(BANGLA, &["title"])[0]);
    let [Block::Fields(_), Block::Grid(grid), Block::Paragraph(_), Block::Fields(_)] = form.blocks.as_slice()
    else {
        panic!("a grid, its total in words, between two groups of fields: {form:?}");
    };
    assert_eq!(grid.totals[0], Cell::Text(printed(BANGLA, &["total"])[0].clone()));
    let refused = pack.draw_form("mushak-6.1", &document, &taxes).expect_err("no such paper");
    assert_eq!(refused[0].code, "form-not-offered");
}

#[test]
fn the_same_input_costs_and_answers_the_same() {
    let module = TestModule::bundled("vat-bd").expect("a component");
    let document = withheld(invoice(vec![line("S032.00", "345000"), line("S004.00", "1000")]));
    let taxes = assert_deterministic(|| module.determine(&document)).expect("an answer");
    assert!(taxes.proof.fuel > 0);
    let (taxes, facts) = (taxes.accepted(), facts());
    let drawn = assert_deterministic(|| module.draw_form("mushak-6.3", &document, &taxes, &facts));
    assert_eq!(drawn.expect("an answer").accepted().code, "mushak-6.3");
    let refused = assert_deterministic(|| module.determine(&invoice(Vec::new()))).expect("an answer");
    assert_eq!(refused.refused()[0].code, "lines-missing");
}

#[test]
fn any_document_is_answered_as_natively() {
    let packs = [WHOLE_TAKA, ONE_PLACE, DEFAULT].map(Pack::configured);
    let cases = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) };
    proptest!(cases, |((document, places) in documents(), wild in wild_documents())| {
        let pack = &packs[places as usize];
        let mut answered = 0;
        for document in [document, wild] {
            let Ok(taxes) = pack.determine(&document) else { continue };
            answered += 1;
            drop(pack.prepare_issue(&document, &taxes, AUGUST_2026));
            drop(pack.draw_form("mushak-6.3", &document, &taxes));
        }
        prop_assert!(answered > 0);
    });
}

/// Keys of fields and columns, from top to bottom.
fn keys(form: &Form) -> Vec<String> {
    let of = |block: &Block| match block {
        Block::Fields(fields) => fields.iter().map(|field| field.key.clone()).collect(),
        Block::Grid(grid) => grid.columns.iter().map(|column| column.key.clone()).collect(),
        Block::Paragraph(_) => Vec::new(),
    };
    form.blocks.iter().flat_map(of).collect()
}

/// Columns of the paper's data.
const KEY: usize = 1;
const BANGLA: usize = 4;

/// What the paper's data has in `column` for these parts of the paper.
fn printed(column: usize, parts: &[&str]) -> Vec<String> {
    let rows = csv::Reader::from_reader(include_str!("../../data/mushak-6.3.csv").as_bytes()).into_records();
    let rows = rows.map(|row| row.expect("a row")).filter(|row| parts.contains(&&row[0]));
    rows.map(|row| row[column].to_owned()).collect()
}

#[test]
fn its_chart_of_accounts_has_what_its_taxes_are_posted_to() {
    let pack = Pack::configured(DEFAULT);
    let accounts = pack.chart_of_accounts();
    let of_role = |role: &str| {
        let found = accounts.iter().find(|account| account.role.as_deref() == Some(role));
        found.map(|account| (account.code.as_str(), account.class.as_str()))
    };
    for (role, code, class) in [
        ("receivable", "1210", "asset"),
        ("payable", "2110", "liability"),
        ("revenue", "4100", "income"),
        ("output-tax:vat", "2210", "liability"),
        ("output-tax:sd", "2220", "liability"),
        ("input-tax:vat", "1310", "asset"),
        ("tax-withheld-by-customers:vds", "1320", "asset"),
        ("wallet:bkash", "1141", "asset"),
        ("rounding", "5900", "expense"),
        ("retained-earnings", "3200", "equity"),
    ] {
        assert_eq!(of_role(role), Some((code, class)), "{role}");
    }
    assert!(pack.check_account_code("1211").is_ok());
    let refused = pack.check_account_code("7000").expect_err("no class begins with 7");
    assert_eq!(refused[0].code, "account-code-invalid");
}
