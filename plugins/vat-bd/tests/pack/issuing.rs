//! Given a taxed invoice, when it is issued or printed, then: plan, paper, refusals.

use niyam_sdk::{
    Attributes, Block, Cell, ComplianceModule, Context, Date, Direction, Document, Finding, Form, Grid,
    IssueFacts, IssuePlan, Line,
};
use vat_bd::VatBd;

use crate::build::{AUGUST_2026, dec, invoice, line, with, with_duty};
use crate::{DEFAULT, native};

/// Facts of an issue, complete.
pub fn facts() -> IssueFacts {
    IssueFacts {
        number: "1/2026-2027".into(),
        issued_on: AUGUST_2026,
        issued_at: "14:05:09".into(),
        attributes: Attributes::new().with("responsible_person", "R. Karim").with("designation", "Manager"),
    }
}

fn prepare(document: &Document) -> Result<IssuePlan, Vec<Finding>> {
    let taxes = native(DEFAULT, document).expect("it is taxed");
    VatBd::prepare_issue(&Context::native(DEFAULT), document, &taxes, AUGUST_2026)
}

fn draw(document: &Document, facts: &IssueFacts) -> Result<Form, Vec<Finding>> {
    let taxes = native(DEFAULT, document).expect("it is taxed");
    VatBd::draw_form(&Context::native(DEFAULT), "mushak-6.3", document, &taxes, facts)
}

fn places(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings.iter().map(|finding| (finding.code.as_str(), finding.pointer.as_deref().unwrap_or(""))).collect()
}

fn grid(form: &Form) -> &Grid {
    form.blocks
        .iter()
        .find_map(|block| if let Block::Grid(grid) = block { Some(grid) } else { None })
        .expect("the paper has a grid")
}

fn field<'a>(form: &'a Form, key: &str) -> &'a Cell {
    let fields = form
        .blocks
        .iter()
        .filter_map(|block| if let Block::Fields(fields) = block { Some(fields) } else { None });
    &fields.flatten().find(|field| field.key == key).expect(key).value
}

fn shown(cells: &[Cell]) -> Vec<String> {
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::Amount(amount) => amount.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Empty => String::new(),
    };
    cells.iter().map(text).collect()
}

#[test]
fn an_invoice_is_numbered_by_fiscal_year() {
    let plan = prepare(&invoice(vec![line("standard", "30000")])).expect("it may be issued");
    assert_eq!(plan.form, "mushak-6.3");
    assert_eq!(plan.series, "mushak-6.3/2026-2027");
    assert_eq!(plan.number_pattern, "{serial}/2026-2027");
}

#[test]
fn above_the_threshold_the_buyer_is_named_in_full() {
    let mut document = invoice(vec![line("standard", "25000.01")]);
    document.customer.name = " ".into();
    document.customer.address = None;
    document.customer.identifiers.clear();
    let findings = prepare(&document).expect_err("the buyer is incomplete");
    let expected = [
        ("buyer-incomplete", "/customer/name"),
        ("buyer-incomplete", "/customer/address"),
        ("buyer-incomplete", "/customer/identifiers"),
    ];
    assert_eq!(places(&findings), expected);
    assert!(findings[0].citation.as_ref().is_some_and(|citation| citation.article.starts_with("s.51")));
    document.lines[0].unit_price = dec("25000");
    prepare(&document).expect("at the threshold itself nothing is asked");
}

#[test]
fn the_threshold_counts_taka() {
    let mut document = invoice(vec![line("standard", "250")]);
    document.customer.identifiers.clear();
    document.currency = "USD".into();
    document.exchange_rate = Some(dec("120"));
    assert_eq!(
        places(&prepare(&document).expect_err("30,000 taka")),
        [("buyer-incomplete", "/customer/identifiers")]
    );
    document.customer.country = "US".into();
    prepare(&document).expect("a buyer abroad has no BIN");
}

#[test]
fn the_supplier_is_always_named_in_full() {
    let mut document = invoice(vec![line("standard", "1")]);
    document.supplier.address = Some("  ".into());
    document.supplier.identifiers.clear();
    let expected =
        [("supplier-incomplete", "/supplier/address"), ("supplier-incomplete", "/supplier/identifiers")];
    assert_eq!(places(&prepare(&document).expect_err("the supplier is incomplete")), expected);
}

#[test]
fn only_a_sale_invoice_has_a_paper() {
    let sale = invoice(vec![line("standard", "1")]);
    let context = Context::native(DEFAULT);
    assert_eq!(VatBd::form_codes(&context, &sale), ["mushak-6.3"]);
    let other = Document { kind: "pro-forma".into(), ..sale.clone() };
    let purchase = Document { direction: Direction::Purchase, ..sale };
    assert_eq!(VatBd::form_codes(&context, &purchase), [""; 0]);
    for (document, place) in [(other, "/kind"), (purchase, "/direction")] {
        assert_eq!(places(&prepare(&document).expect_err("no paper")), [("kind-not-offered", place)]);
        assert_eq!(places(&draw(&document, &facts()).expect_err("no paper")), [("kind-not-offered", place)]);
    }
}

#[test]
fn the_paper_has_every_field_in_its_order() {
    let form = draw(&invoice(vec![line("standard", "1000")]), &facts()).expect("it is drawn");
    let mut keys = Vec::new();
    for block in &form.blocks {
        match block {
            Block::Fields(fields) => keys.extend(fields.iter().map(|field| field.key.as_str())),
            Block::Grid(grid) => keys.extend(grid.columns.iter().map(|column| column.key.as_str())),
            Block::Paragraph(labels) => {
                let said: Vec<&str> = labels.iter().map(|label| label.text.as_str()).collect();
                let expected =
                    ["কথায়: এক হাজার এক শত পঞ্চাশ টাকা মাত্র", "In words: Taka One Thousand One Hundred Fifty Only"];
                assert_eq!(said, expected);
            }
        }
    }
    let expected = "supplier_name supplier_bin issue_address buyer_name buyer_bin buyer_address destination vehicle \
                    invoice_no issue_date issue_time serial description_brand unit qty unit_price_ex_tax total_ex_tax \
                    sd_rate sd_amount vat_rate_or_specific vat_amount total_incl responsible_person designation \
                    signature_seal footnote";
    assert_eq!(keys.join(" "), expected);
    assert_eq!(field(&form, "supplier_bin"), &Cell::Text("000828395-0207".into()));
    assert_eq!(field(&form, "destination"), &Cell::Text("7 Agrabad, Chattogram".into()));
    assert_eq!(field(&form, "issue_date"), &Cell::Day(AUGUST_2026));
    assert_eq!(field(&form, "vehicle"), &Cell::Empty);
    assert!(matches!(field(&form, "footnote"), Cell::Text(text) if text.contains("সকল প্রকার কর ব্যতীত মূল্য")));
}

#[test]
fn the_paper_shows_rates_amounts_and_totals() {
    let gold = Line { unit: "bhori".into(), quantity: dec("2.5"), ..line("gold", "1000") };
    let dutied =
        Line { quantity: dec("25"), ..with_duty(with(line("reduced-7.5", "160"), "brand", "Shapla"), "10") };
    let cut = Line { quantity: dec("3"), discount: dec("1"), ..line("exempt", "2") };
    let form = draw(&invoice(vec![dutied, gold, cut]), &facts()).expect("it is drawn");
    let grid = grid(&form);
    let rows: Vec<Vec<String>> = grid.rows.iter().map(|row| shown(row)).collect();
    let expected = [
        "1|supply reduced-7.5 (Shapla)|pcs|25|160.00|4000.00|10|400.00|7.5|330.00|4730.00",
        "2|supply gold|bhori|2.5|1000.00|2500.00|||2500 / bhori|6250.00|8750.00",
        "3|supply exempt|pcs|3|1.6667|5.00|||||5.00",
    ];
    assert_eq!(rows.iter().map(|row| row.join("|")).collect::<Vec<_>>(), expected);
    assert_eq!(shown(&grid.totals).join("|"), "সর্বমোট|||||6505.00||400.00||6580.00|13485.00");
}

#[test]
fn the_paper_is_in_taka() {
    let mut document = invoice(vec![line("standard", "10.55")]);
    document.currency = "USD".into();
    document.exchange_rate = Some(dec("121.5"));
    let form = draw(&document, &facts()).expect("it is drawn");
    let row = shown(&grid(&form).rows[0]);
    assert_eq!(row[4..].join("|"), "1281.83|1281.83|||15|191.97|1473.80");
}

#[test]
fn a_missing_field_of_the_paper_is_named() {
    let mut document = invoice(vec![line("standard", "30000")]);
    document.customer.identifiers.clear();
    document.supplier.address = None;
    let bare = IssueFacts { number: String::new(), attributes: Attributes::new(), ..facts() };
    let expected = [
        ("field-missing", "/supplier/address"),
        ("field-missing", "/customer/identifiers"),
        ("field-missing", "/facts/number"),
        ("field-missing", "/facts/attributes/responsible_person"),
        ("field-missing", "/facts/attributes/designation"),
    ];
    assert_eq!(places(&draw(&document, &bare).expect_err("fields are missing")), expected);
}

#[test]
fn a_determination_of_other_lines_is_refused() {
    let document = invoice(vec![line("standard", "1")]);
    let mut taxes = native(DEFAULT, &document).expect("it is taxed");
    taxes.lines[0].line_id = "other".into();
    let context = Context::native(DEFAULT);
    let refused =
        VatBd::draw_form(&context, "mushak-6.3", &document, &taxes, &facts()).expect_err("other lines");
    assert_eq!(places(&refused), [("determination-mismatch", "/lines")]);
    let refused =
        VatBd::draw_form(&context, "mushak-6.1", &document, &taxes, &facts()).expect_err("no such paper");
    assert_eq!(places(&refused), [("form-not-offered", "")]);
}

#[test]
fn the_manifest_and_the_calendar_are_the_countrys() {
    let manifest = VatBd::manifest();
    assert_eq!((manifest.id.as_str(), manifest.jurisdictions.as_slice()), ("vat-bd", &["BD".to_owned()][..]));
    assert!(manifest.config_schema.contains("additionalProperties"));
    let period = VatBd::fiscal_period_of(&Context::native(DEFAULT), Date::constant(2026, 7, 1));
    assert_eq!((period.code.as_str(), period.fiscal_year.as_str()), ("FY2026-2027-P01", "2026-2027"));
}
