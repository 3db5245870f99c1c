//! Registers and returns: what they refuse, and what stands in them.

use niyam_sdk::{
    Attributes, Block, Cell, ComplianceModule, Context, Date, Decimal, Direction, Document, Finding, Form,
    Grid, IssueFacts, OpeningBalance, RegisterEntry,
};
use vat_bd::VatBd;

use crate::build::{dec, invoice, line, purchase, with};

/// August 2026.
pub const AUGUST: Date = Date::constant(2026, 8, 15);

/// An issued or received document, taxed as `config` says.
pub fn entry(config: &str, number: &str, document: Document) -> RegisterEntry {
    let taxes = VatBd::determine(&Context::native(config), &document)
        .unwrap_or_else(|why| panic!("{number}: {why:?}"));
    let (issued_on, issued_at) = (document.tax_date, "10:00:00".into());
    let facts = IssueFacts { number: number.into(), issued_on, issued_at, attributes: Attributes::new() };
    RegisterEntry { document, taxes, facts }
}

/// Who files, on a day.
pub fn filing(day: Date) -> RegisterEntry {
    let document =
        Document { kind: "return".into(), lines: Vec::new(), tax_date: day, ..invoice(Vec::new()) };
    let zero = Decimal::ZERO;
    let taxes = niyam_sdk::Determination {
        lines: Vec::new(),
        net: zero,
        tax_added: zero,
        tax_withheld: zero,
        gross: zero,
        payable: zero,
        citations: Vec::new(),
        findings: Vec::new(),
    };
    let attributes = Attributes::new()
        .with("return_kind", "main")
        .with("responsible_person", "R. Karim")
        .with("designation", "Director");
    let facts = IssueFacts { number: "S-1".into(), issued_on: day, issued_at: "09:00:00".into(), attributes };
    RegisterEntry { document, taxes, facts }
}

/// A sale of a day.
pub fn sale(day: Date, document: Document) -> Document {
    Document { tax_date: day, ..document }
}

/// A purchase by an invoice of that number.
pub fn bought(day: Date, number: &str, document: Document) -> Document {
    let attributes = document.attributes.clone().with("mushak_6_3", number);
    Document { direction: Direction::Purchase, tax_date: day, attributes, ..document }
}

/// What a document states.
pub fn stating(day: Date, kind: &str, code: &str, amount: &str) -> Document {
    Document { kind: kind.into(), tax_date: day, ..invoice(vec![line(code, amount)]) }
}

/// Draws, for the period of `day`.
pub fn draw(
    config: &str,
    code: &str,
    day: Date,
    entries: &[RegisterEntry],
    opening: &[(&str, &str)],
) -> Result<Form, Vec<Finding>> {
    let context = Context::native(config);
    let period = VatBd::fiscal_period_of(&context, day);
    let balance =
        |(code, amount): &(&str, &str)| OpeningBalance { code: (*code).into(), amount: dec(amount) };
    let opening: Vec<OpeningBalance> = opening.iter().map(balance).collect();
    VatBd::draw_return(&context, code, &period, entries, &opening)
}

pub fn grids(form: &Form) -> Vec<&Grid> {
    form.blocks
        .iter()
        .filter_map(|block| if let Block::Grid(grid) = block { Some(grid) } else { None })
        .collect()
}

pub fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Amount(amount) => amount.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Empty => String::new(),
    }
}

/// The amounts of each note that is not zero: `4 600000.00 0.00 90000.00`.
pub fn notes(form: &Form) -> Vec<String> {
    let rows = grids(form).into_iter().flat_map(|grid| &grid.rows);
    let shown = rows.map(|row| (cell(&row[0]), row[2..].iter().map(cell).collect::<Vec<_>>()));
    let not_zero = shown.filter(|(_, amounts)| amounts.iter().any(|amount| dec(amount) != Decimal::ZERO));
    not_zero.map(|(note, amounts)| format!("{note} {}", amounts.join(" "))).collect()
}

fn refused(form: Result<Form, Vec<Finding>>) -> Vec<(String, String)> {
    let findings = form.expect_err("it is refused");
    assert!(findings.iter().all(|finding| finding.citation.is_some()), "{findings:?}");
    findings.into_iter().map(|finding| (finding.code, finding.pointer.unwrap_or_default())).collect()
}

fn one(code: &str, place: &str) -> Vec<(String, String)> {
    vec![(code.into(), place.into())]
}

#[test]
fn the_worked_return_comes_out_as_its_formulas_say() {
    let config = r#"{"withholding":{"vat":true},"imports":{"importer":"commercial"}}"#;
    let goods = bought(AUGUST, "1", purchase(vec![line("standard", "500000")]));
    let service = bought(AUGUST, "2", purchase(vec![line("S032.00", "100000")]));
    let mut import = Document {
        kind: "import-entry".into(),
        ..bought(AUGUST, "", purchase(vec![line("exempt", "66666.67")]))
    };
    import.attributes.set("bill_of_entry", "C-9");
    let entries = [
        filing(Date::constant(2026, 9, 10)),
        entry(config, "1", sale(AUGUST, invoice(vec![line("standard", "1000000")]))),
        entry(config, "", goods),
        entry(config, "", service),
        entry(config, "", import),
        entry(config, "6.6-1", stating(AUGUST, "withholding-certificate", "vds-certificate", "20000")),
    ];
    let form =
        draw(config, "mushak-9.1", AUGUST, &entries, &[("vat-balance", "10000")]).expect("it is drawn");
    let expected = [
        "4 1000000.00 0.00 150000.00",
        "9 1000000.00 0.00 150000.00",
        "13 66666.67 0.00",
        "14 600000.00 90000.00",
        "23 666666.67 90000.00",
        "24 15000.00",
        "28 15000.00",
        "29 20000.00",
        "30 5000.00",
        "33 25000.00",
        "34 50000.00",
        "35 40000.00",
        "50 40000.00",
        "52 10000.00",
        "65 -40000.00",
    ];
    assert_eq!(notes(&form), expected);
    let details = draw(config, "mushak-9.1-details", AUGUST, &entries, &[]).expect("it is drawn");
    let rows: Vec<String> = grids(&details)[0].rows.iter().map(|row| cell(&row[0])).collect();
    assert_eq!(rows, ["4", "13", "14", "14", "24", "29", "30"]);
}

#[test]
fn a_register_of_a_running_period_names_the_taxpayer_even_when_it_is_empty() {
    let begun = filing(Date::constant(2026, 8, 2));
    let register = draw("{}", "mushak-6.10", AUGUST, &[begun], &[]).expect("it is drawn");
    assert!(grids(&register)[0].rows.is_empty());
    assert_eq!(refused(draw("{}", "mushak-6.10", AUGUST, &[], &[]))[0].0, "field-missing");
}

#[test]
fn a_period_that_is_not_over_is_not_filed() {
    let sold = entry("{}", "1", sale(AUGUST, invoice(vec![line("standard", "1000")])));
    let on = |day| draw("{}", "mushak-9.1", AUGUST, &[filing(day), sold.clone()], &[]);
    assert_eq!(
        refused(on(Date::constant(2026, 8, 31))),
        one("period-not-over", "/entries/0/facts/issued_on")
    );
    on(Date::constant(2026, 9, 1)).expect("the day after");
    let nobody = draw("{}", "mushak-9.1", AUGUST, &[sold], &[]);
    assert_eq!(refused(nobody)[0], ("return-facts-missing".into(), "/entries".into()));
}

#[test]
fn a_return_names_who_files_it() {
    let mut who = filing(Date::constant(2026, 9, 1));
    who.facts.attributes = Attributes::new();
    who.document.supplier.identifiers.clear();
    let codes = refused(draw("{}", "mushak-9.1", AUGUST, &[who], &[]));
    assert_eq!(codes, vec![("field-missing".to_owned(), "/entries/0/facts".to_owned()); 4]);
}

#[test]
fn a_late_return_bears_its_penalty() {
    let penalty = |config: &str, day| {
        let form = draw(config, "mushak-9.1", AUGUST, &[filing(day)], &[]).expect("it is drawn");
        notes(&form).first().cloned().unwrap_or_default()
    };
    assert_eq!(penalty("{}", Date::constant(2026, 9, 15)), "");
    assert_eq!(penalty("{}", Date::constant(2026, 9, 16)), "43 10000.00");
    assert_eq!(penalty(r#"{"penalties":{"late_return":"2000"}}"#, Date::constant(2026, 9, 16)), "43 2000.00");
}

#[test]
fn a_document_stands_in_its_own_period() {
    let filed = filing(Date::constant(2026, 9, 10));
    let of = |day| entry("{}", "1", sale(day, invoice(vec![line("standard", "1000")])));
    for (day, fits) in
        [((2026, 7, 31), false), ((2026, 8, 1), true), ((2026, 8, 31), true), ((2026, 9, 1), false)]
    {
        let drawn =
            draw("{}", "mushak-9.1", AUGUST, &[filed.clone(), of(Date::constant(day.0, day.1, day.2))], &[]);
        if fits {
            drawn.expect("it stands in it");
        } else {
            assert_eq!(
                refused(drawn),
                one("entry-outside-period", "/entries/1/document/tax_date"),
                "{day:?}"
            );
        }
    }
}

#[test]
fn a_certificate_counts_once_and_within_its_window() {
    let filed = filing(Date::constant(2026, 9, 10));
    let of = |day, number: &str| {
        entry("{}", number, stating(day, "withholding-certificate", "vds-certificate", "1000"))
    };
    let draw = |entries: &[RegisterEntry]| draw("{}", "mushak-9.1", AUGUST, entries, &[]);
    let twice = [filed.clone(), of(AUGUST, "66"), of(AUGUST, "66")];
    assert_eq!(refused(draw(&twice)), one("certificate-used-twice", "/entries/2/document"));
    let mut other = of(AUGUST, "66");
    other.document.customer.identifiers[0].value = "001234567-0102".into();
    draw(&[filed.clone(), of(AUGUST, "66"), other]).expect("the same number of another customer");
    draw(&[filed.clone(), of(Date::constant(2026, 3, 1), "66")]).expect("the sixth period");
    let late = [filed.clone(), of(Date::constant(2026, 2, 28), "66")];
    assert_eq!(refused(draw(&late)), one("certificate-window-missed", "/entries/1/document/tax_date"));
    let place = "/entries/1/document/attributes/certificate";
    assert_eq!(refused(draw(&[filed, of(AUGUST, " ")])), one("field-missing", place));
}

#[test]
fn a_credit_is_claimed_once_and_within_its_window() {
    let filed = filing(Date::constant(2026, 9, 10));
    let of =
        |day, number: &str| entry("{}", "", bought(day, number, purchase(vec![line("standard", "1000")])));
    let draw = |entries: &[RegisterEntry]| draw("{}", "mushak-9.1", AUGUST, entries, &[]);
    draw(&[filed.clone(), of(Date::constant(2026, 3, 1), "1")]).expect("the sixth period");
    let late = of(Date::constant(2026, 2, 28), "1");
    let place = "/entries/1/document/tax_date";
    assert_eq!(refused(draw(&[filed.clone(), late.clone()])), one("credit-window-missed", place));
    let mut forgone = late;
    forgone.facts.attributes.set("credit", "forgone");
    assert_eq!(notes(&draw(&[filed.clone(), forgone]).expect("it is drawn"))[0], "21 1000.00 150.00");
    let twice = [filed, of(AUGUST, "1"), of(AUGUST, "2"), of(AUGUST, "1")];
    assert_eq!(refused(draw(&twice)), one("invoice-claimed-twice", "/entries/3/document"));
}

#[test]
fn what_is_not_credited_stands_apart() {
    let filed = filing(Date::constant(2026, 9, 10));
    for (change, code, expected) in [
        ("enlisted", "exempt", "19 1000.00 0.00"),
        ("unregistered", "exempt", "20 1000.00 0.00"),
        ("register", "standard", "21 1000.00 150.00"),
        ("", "reduced-10", "21 1000.00 100.00"),
        ("", "exempt", "12 1000.00 0.00"),
        ("", "export", "10 1000.00 0.00"),
        ("", "standard", "14 1000.00 150.00"),
    ] {
        let mut document = bought(AUGUST, "1", purchase(vec![line(code, "1000")]));
        match change {
            "register" => document.attributes.set("register", "none"),
            standing => document.supplier.attributes.set("registration", standing),
        }
        let form = draw("{}", "mushak-9.1", AUGUST, &[filed.clone(), entry("{}", "", document)], &[])
            .expect(expected);
        assert_eq!(notes(&form)[0], expected, "{change}");
    }
}

#[test]
fn a_suppliers_note_gives_back_what_was_credited_alone() {
    let filed = filing(Date::constant(2026, 9, 10));
    let creditable = bought(AUGUST, "1", purchase(vec![line("standard", "1000")]));
    let mut lost = creditable.clone();
    lost.attributes.set("register", "none");
    for (document, kind, figure, expected) in [
        (&creditable, "credit-note", "27 ", true),
        (&creditable, "debit-note", "32 ", true),
        (&lost, "credit-note", "27 ", false),
        (&lost, "debit-note", "32 ", false),
    ] {
        let mut noted = entry("{}", "", document.clone());
        noted.document.kind = kind.into();
        let form = draw("{}", "mushak-9.1", AUGUST, &[filed.clone(), noted], &[]).expect(kind);
        let told = notes(&form);
        let figure = told.iter().find(|note| note.starts_with(figure) && note.contains("150.00"));
        assert_eq!(figure.is_some(), expected, "{kind}: {told:?}");
    }
}

#[test]
fn supplies_that_allow_no_credit_take_it_away() {
    let filed = filing(Date::constant(2026, 9, 10));
    let input = entry("{}", "", bought(AUGUST, "1", purchase(vec![line("standard", "1000")])));
    let of = |number: &str, code: &str| entry("{}", number, sale(AUGUST, invoice(vec![line(code, "1000")])));
    for (config, codes, expected) in [
        ("{}", vec!["standard", "export"], vec!["14 1000.00 150.00"]),
        ("{}", vec!["reduced-10"], vec!["21 1000.00 150.00"]),
        ("{}", vec!["standard", "exempt", "exempt"], vec!["14 333.33 50.00", "21 666.67 100.00"]),
        (r#"{"input_credit":{"mixed":"bar"}}"#, vec!["standard", "exempt"], vec!["21 1000.00 150.00"]),
    ] {
        let mut entries = vec![filed.clone(), input.clone()];
        entries.extend(codes.iter().enumerate().map(|(at, code)| of(&at.to_string(), code)));
        let form = draw(config, "mushak-9.1", AUGUST, &entries, &[]).expect("it is drawn");
        let part4: Vec<String> = notes(&form)
            .into_iter()
            .filter(|note| note.starts_with("14") || note.starts_with("21"))
            .collect();
        assert_eq!(part4, expected, "{codes:?}");
    }
}

#[test]
fn an_old_balance_pays_thirty_percent_at_most() {
    let entries = [
        filing(Date::constant(2026, 9, 10)),
        entry("{}", "1", sale(AUGUST, invoice(vec![line("standard", "10000")]))),
    ];
    let using = |held: &str, used: &str| {
        draw(
            "{}",
            "mushak-9.1",
            AUGUST,
            &entries,
            &[("old-vat-balance", held), ("use-old-vat-balance", used)],
        )
    };
    using("9000", "450").expect("30 percent of 1500");
    assert_eq!(refused(using("9000", "450.01")), one("balance-use-exceeded", "/opening"));
    assert_eq!(refused(using("449", "450")), one("balance-use-exceeded", "/opening"));
    let unknown = draw("{}", "mushak-9.1", AUGUST, &entries, &[("gift", "1")]).expect_err("no such balance");
    assert_eq!(unknown[0].code, "opening-invalid");
}

#[test]
fn an_enlisted_person_files_its_turnover() {
    let config = r#"{"registration":"enlisted"}"#;
    let mut entries = vec![filing(Date::constant(2026, 9, 10))];
    for (number, kind, amount) in
        [("1", "invoice", "500000"), ("2", "invoice", "400000"), ("3", "credit-note", "100000")]
    {
        entries.push(entry(
            config,
            number,
            Document { kind: kind.into(), ..sale(AUGUST, invoice(vec![line("standard", amount)])) },
        ));
    }
    let form = draw(config, "mushak-9.2", AUGUST, &entries, &[]).expect("it is drawn");
    let totals: Vec<String> = grids(&form)[0].totals.iter().map(cell).collect();
    assert_eq!(totals[4..], ["800000.00", "32000.00"]);
    assert_eq!(refused(draw("{}", "mushak-9.2", AUGUST, &entries, &[]))[0].0, "return-not-offered");
}

#[test]
fn large_purchases_and_sales_are_stated() {
    let mut entries = Vec::new();
    for (number, amount) in [("1", "200000"), ("2", "200000.01")] {
        entries.push(entry("{}", number, sale(AUGUST, invoice(vec![line("standard", amount)]))));
        entries.push(entry("{}", "", bought(AUGUST, number, purchase(vec![line("standard", amount)]))));
    }
    entries[1].document.supplier.identifiers.clear();
    entries[3].document.supplier.identifiers.clear();
    let stated = |config: &str| {
        let form = draw(config, "mushak-6.10", AUGUST, &entries, &[]).expect("it is drawn");
        grids(&form)[0]
            .rows
            .iter()
            .map(|row| format!("{} {} {}", cell(&row[1]), cell(&row[2]), cell(&row[4])))
            .collect::<Vec<_>>()
    };
    assert_eq!(stated("{}"), ["বিক্রয় 2 200000.01", "ক্রয় 2 200000.01"]);
    assert_eq!(stated(r#"{"statement":{"parties":"unregistered"}}"#), ["ক্রয় 2 200000.01"]);
}

#[test]
fn goods_run_through_the_registers() {
    let goods =
        |number: &str, quantity: &str, price: &str, document: fn(Vec<niyam_sdk::Line>) -> Document| {
            let mut rice = with(line("standard", price), "item", "rice");
            rice.quantity = dec(quantity);
            bought(AUGUST, number, document(vec![rice]))
        };
    let sold = Document { direction: Direction::Sale, ..goods("", "30", "20", invoice) };
    let used = Document { kind: "stock-issue".into(), ..goods("", "40", "10", purchase) };
    let made = Document { kind: "production".into(), ..goods("", "20", "15", purchase) };
    let entries = [
        entry("{}", "", goods("77", "100", "11", purchase)),
        entry("{}", "u1", used),
        entry("{}", "p1", made),
        entry("{}", "1", sold),
    ];
    let opening = [("stock-quantity:rice", "10"), ("stock-value:rice", "110")];
    let rows = |code: &str| {
        let form = draw("{}", code, AUGUST, &entries, &opening).expect(code);
        grids(&form)[0]
            .rows
            .iter()
            .map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|"))
            .collect::<Vec<_>>()
    };
    let day = "2026-08-15";
    let supplier = "Padma Traders Ltd|12 Motijheel, Dhaka|000828395-0207";
    let customer = "Meghna Stores|7 Agrabad, Chattogram|001234567-0101";
    assert_eq!(
        rows("mushak-6.1"),
        [
            format!(
                "1|{day}|10|110.00|77|{day}|{supplier}|supply standard|100|1100.00|0.00|165.00|110|1210.00|||110|1210.00|"
            ),
            format!("2|{day}|110|1210.00||||||supply standard|||||110|1210.00|40|440.00|70|770.00|"),
        ]
    );
    assert_eq!(
        rows("mushak-6.2"),
        [
            format!("1|{day}|10|110.00|20|300.00|30|410.00||||||supply standard|||||30|410.00|"),
            format!(
                "2|{day}|30|410.00|||30|410.00|{customer}|1|{day}|supply standard|30|600.00|0.00|90.00|0|0.00|"
            ),
        ]
    );
    assert_eq!(
        rows("mushak-6.2.1"),
        [
            format!(
                "1|{day}|10|110.00|100|1100.00|110|1210.00|{supplier}|77|{day}|supply standard||||||||||110|1210.00|"
            ),
            format!(
                "2|{day}|110|1210.00|||110|1210.00||||||supply standard|30|600.00|0.00|90.00|{customer}|1|{day}|80|880.00|"
            ),
        ]
    );
    assert_eq!(
        draw("{}", "mushak-6.9", AUGUST, &entries, &[]).expect_err("no return")[0].code,
        "return-not-offered"
    );
}
