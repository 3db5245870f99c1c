//! The papers, the notes of the return, and what is stated in it.

use crate::rows::{Row, emit, read};

pub(crate) fn write(out: &mut String) {
    write_invoice(out);
    write_forms(out);
    write_notes(out);
    write_statements(out);
}

fn write_invoice(out: &mut String) {
    let rows = read("mushak-6.3");
    for (part, name) in [
        ("title", "TITLE"),
        ("header", "HEADER"),
        ("column", "COLUMNS"),
        ("total", "TOTAL"),
        ("footer", "FOOTER"),
        ("note", "NOTE"),
    ] {
        let shown: Vec<&Row> = rows.iter().filter(|row| row.needed("part") == part).collect();
        emit(out, &format!("/// Mushak-6.3: {part}.\npub static {name}: [Printed; {}] = [", shown.len()));
        for row in shown {
            emit(out, &format!("    {},", printed(row)));
        }
        emit(out, "];");
    }
}

fn printed(row: &Row) -> String {
    row.mark();
    let needed = match row.needed("required") {
        "always" => "Needed::Always",
        "above-threshold" => "Needed::AboveThreshold",
        "goods" | "where-charged" | "by-hand" | "printed" | "optional" => "Needed::No",
        other => panic!("{}: required is {other}", row.place),
    };
    format!(
        "Printed {{ key: {:?}, bn: {:?}, en: {:?}, numeric: {}, needed: {needed} }}",
        row.needed("key"),
        row.needed("bn"),
        row.needed("en"),
        row.yes("numeric"),
    )
}

/// Papers by code, in byte order.
fn write_forms(out: &mut String) {
    let rows = read("forms");
    let mut codes: Vec<&str> = rows.iter().map(|row| row.needed("form")).collect();
    codes.sort_unstable();
    codes.dedup();
    emit(out, "/// The papers beside the invoice, by code.\npub static PAPERS: &[Paper] = &[");
    for code in codes {
        let part = |part: &str| {
            let rows = rows.iter().filter(|row| row.needed("form") == code && row.needed("part") == part);
            rows.map(printed).collect::<Vec<_>>().join(", ")
        };
        let fields = format!(
            "Paper {{ code: {code:?}, title: {}, header: &[{}], columns: &[{}], footer: &[{}] }},",
            part("title"),
            part("header"),
            part("column"),
            part("footer"),
        );
        emit(out, &fields);
    }
    emit(out, "];");
}

/// Notes 1 to 68 in order; a formula refers to notes that exist.
fn write_notes(out: &mut String) {
    emit(out, "/// The notes of Mushak-9.1: note `n` stands at `n - 1`.\npub static NOTES: [Note; 68] = [");
    let rows = read("notes");
    for (at, row) in rows.iter().enumerate() {
        row.mark();
        assert_eq!(row.needed("note"), (at + 1).to_string(), "{}: a note is missing", row.place);
        let shape = match row.needed("shape") {
            "supply" => "Shape::Supply",
            "purchase" => "Shape::Purchase",
            "amount" => "Shape::Amount",
            other => panic!("{}: {other} is no shape", row.place),
        };
        let fields = format!(
            "    Note {{ number: {}, part: {}, shape: {shape}, formula: &[{}], bn: {:?}, en: {:?} }},",
            at + 1,
            row.needed("part"),
            terms(row).join(", "),
            row.needed("bn"),
            row.needed("en"),
        );
        emit(out, &fields);
    }
    emit(out, "];\n/// The parts of Mushak-9.1 that hold notes.\npub static PARTS: &[Part] = &[");
    for row in read("parts") {
        row.mark();
        let (part, bn, en) = (row.needed("part"), row.needed("bn"), row.needed("en"));
        emit(out, &format!("    Part {{ number: {part}, bn: {bn:?}, en: {en:?} }},"));
    }
    emit(out, "];");
}

/// `9c-23b+28`: signs, numbers of notes, and the column where one is meant.
fn terms(row: &Row) -> Vec<String> {
    let text = row.text("formula").replace('-', "+-");
    let term = |term: &str| {
        let (subtracted, term) = term.strip_prefix('-').map_or((false, term), |rest| (true, rest));
        let digits = term.trim_end_matches(['a', 'b', 'c']);
        let note: u8 = digits.parse().unwrap_or_else(|_| panic!("{}: {term} is no note", row.place));
        assert!((1..=68).contains(&note), "{}: there is no note {note}", row.place);
        let column = match &term[digits.len()..] {
            "" => "None",
            "a" => "Some(0)",
            "b" => "Some(1)",
            "c" => "Some(2)",
            other => panic!("{}: {other} is no column", row.place),
        };
        format!("Term {{ subtracted: {subtracted}, note: {note}, column: {column} }}")
    };
    text.split('+').filter(|part| !part.is_empty()).map(term).collect()
}

/// What a document may state for the return, by code, in byte order.
fn write_statements(out: &mut String) {
    let mut rows = read("statements");
    rows.sort_by_key(|row| row.needed("code").to_owned());
    emit(
        out,
        "/// What a document may state for the return, by code.\npub static STATEMENTS: &[Statement] = &[",
    );
    for row in &rows {
        row.mark();
        let fields = format!(
            "    Statement {{ code: {:?}, kind: {:?}, note: {}, title: {:?} }},",
            row.needed("code"),
            row.needed("kind"),
            row.needed("note"),
            row.needed("title"),
        );
        emit(out, &fields);
    }
    emit(out, "];");
}
