//! Amounts and percentages between two days: thresholds, levies, deductions of income tax.

use crate::rows::{Citations, Row, date, decimal, emit, optional_date, read};

pub(crate) fn write(out: &mut String, citations: &mut Citations) {
    write_thresholds(out, citations);
    write_levies(out, citations);
    write_tds(out, citations);
}

fn write_thresholds(out: &mut String, citations: &mut Citations) {
    let rows = read("thresholds");
    for (at, row) in rows.iter().enumerate() {
        let (first, last) = row.days();
        for earlier in &rows[..at] {
            let (begun, ended) = earlier.days();
            let apart = ended.is_some_and(|ended| ended < first) || last.is_some_and(|last| last < begun);
            let same = earlier.needed("key") == row.needed("key");
            assert!(!same || apart, "{}: it overlaps an earlier row", row.place);
        }
    }
    emit(out, "/// Amounts from which the law asks for more.\npub static THRESHOLDS: &[Threshold] = &[");
    for row in &rows {
        let (first, last) = row.days();
        row.mark();
        emit(
            out,
            &format!(
                "    Threshold {{ key: {:?}, taka: {}, first_day: {}, last_day: {}, citation: {} }},",
                row.needed("key"),
                decimal(row.decimal("taka")),
                date(first),
                optional_date(last),
                citations.index(row, Some(first)),
            ),
        );
    }
    emit(out, "];");
}

fn write_levies(out: &mut String, citations: &mut Citations) {
    let rows = sorted(read("levies"), |row| row.needed("key").to_owned());
    emit(out, "/// Percentages and counts of the law, by key and day.\npub static LEVIES: &[Levy] = &[");
    for row in &rows {
        let (first, last) = row.days();
        let verified = row.date("verified_from");
        assert!(verified.is_none_or(|day| day > first), "{}: verified before it begins", row.place);
        row.mark();
        row.needed("says");
        let line = format!(
            "    Levy {{ key: {:?}, value: {}, first_day: {}, last_day: {}, verified_from: {}, citation: {} }},",
            row.needed("key"),
            decimal(row.decimal("value")),
            date(first),
            optional_date(last),
            optional_date(verified),
            citations.index(row, if verified.is_none() { Some(first) } else { None }),
        );
        emit(out, &line);
    }
    emit(out, "];");
}

fn write_tds(out: &mut String, citations: &mut Citations) {
    let rows = sorted(read("tds"), |row| format!("{} {}", row.needed("key"), row.needed("person")));
    emit(
        out,
        "/// Rates at which income tax is deducted, by nature of the payment.\npub static TDS: &[TdsRow] = &[",
    );
    for row in &rows {
        let (first, last) = row.days();
        row.mark();
        let person = match row.needed("person") {
            "any" => "Person::Any",
            "natural" => "Person::Natural",
            "other" => "Person::Other",
            other => panic!("{}: {other} is no person", row.place),
        };
        let line = format!(
            "    TdsRow {{ key: {:?}, person: {person}, percent: {}, first_day: {}, last_day: {}, citation: {}, \
             title: {:?} }},",
            row.needed("key"),
            decimal(row.decimal("percent")),
            date(first),
            optional_date(last),
            citations.index(row, Some(first)),
            row.needed("title"),
        );
        emit(out, &line);
    }
    emit(out, "];");
}

/// In the order of their names, oldest first; rows of one name may not overlap.
fn sorted(mut rows: Vec<Row>, name: impl Fn(&Row) -> String) -> Vec<Row> {
    rows.sort_by_key(|row| (name(row), row.days().0));
    for pair in rows.windows(2) {
        let apart = pair[0].days().1.is_some_and(|ended| ended < pair[1].days().0);
        assert!(
            name(&pair[0]) != name(&pair[1]) || apart,
            "{}: it overlaps {}",
            pair[1].place,
            pair[0].place
        );
    }
    rows
}
