//! What any document must hold, whatever the country: checked before a module sees it.

use niyam_values::{Attributes, Date, Decimal, Direction, Document, Finding, Line, Party};

use crate::money::Currency;
use crate::personal::ERASED;

/// Most lines of one document.
pub const LINES_MAX: usize = 1_000;
/// Most characters of a description, a name, an address or an attribute's value.
const TEXT_LENGTH_MAX: usize = 500;
/// Most characters of a code, a unit or an identifier.
const CODE_LENGTH_MAX: usize = 64;
/// Most attributes of one thing.
const ATTRIBUTES_MAX: usize = 50;
/// Most identifiers of a party.
const IDENTIFIERS_MAX: usize = 20;
/// Most digits before the decimal point; with six after it a product still fits an exact decimal.
const INTEGER_DIGITS_MAX: u32 = 12;
/// Most digits after the decimal point.
const FRACTION_DIGITS_MAX: u32 = 6;

/// The attribute that says by when a document is to be paid, `YYYY-MM-DD`.
pub const DUE_DATE: &str = "due_date";

/// By when it is to be paid: the day that it names, or its own.
#[must_use]
pub fn due_date(document: &Document) -> Date {
    let named = document.attributes.get(DUE_DATE).and_then(|text| text.parse().ok());
    named.unwrap_or(document.tax_date)
}

/// The rules of [`check_document`]: the code of a finding, and what is wanted.
pub const DOCUMENT_RULES: &[(&str, &str)] = &[
    ("lines-missing", "A document has at least one line."),
    ("lines-too-many", "A document has at most 1000 lines."),
    ("text-missing", "A description, a code or a unit is not empty."),
    ("text-too-long", "A text has at most 500 characters, a code or an identifier 64."),
    ("name-reserved", "A party is not called `[erased]`, which stands for one whose data were erased."),
    ("party-id-invalid", "A party's id has at most 64 letters, digits and `-_.:@+`."),
    ("text-not-printable", "A text has no control characters but line breaks."),
    ("quantity-not-positive", "A quantity is above zero."),
    ("amount-negative", "A price or a discount is not negative."),
    ("number-out-of-range", "A number has at most 12 digits before the decimal point and 6 after it."),
    ("amount-out-of-range", "Quantity times price has at most 12 digits before the decimal point."),
    ("discount-exceeds-amount", "A discount is at most the line's amount."),
    ("date-out-of-range", "A tax date lies between 1971 and 2199."),
    (
        "due-date-invalid",
        "A document is due on a day, written YYYY-MM-DD, from its tax date on and before 2200.",
    ),
    ("currency-unknown", "A currency is a code of ISO 4217."),
    ("exchange-rate-invalid", "An exchange rate is above zero."),
    ("country-unknown", "A country is a code of ISO 3166-1 alpha-2."),
    ("identifiers-too-many", "A party has at most 20 identifiers."),
    ("attributes-too-many", "A thing has at most 50 attributes."),
    ("attribute-name-invalid", "An attribute's name has 1 to 64 letters, digits, hyphens and underscores."),
];

/// What is wrong with `document`, all of it; the pointers point into its JSON.
#[must_use]
pub fn check_document(document: &Document) -> Vec<Finding> {
    let mut check = Check::default();
    check.code("/kind", &document.kind);
    check.currency(document);
    check.year(document);
    match document.direction {
        Direction::Sale => check.party("/customer", &document.customer),
        Direction::Purchase => check.party("/supplier", &document.supplier),
    }
    check.attributes("/attributes", &document.attributes);
    match document.lines.len() {
        0 => check.refuse("lines-missing", "/lines", "a document has at least one line"),
        count if count > LINES_MAX => {
            check.refuse("lines-too-many", "/lines", &format!("a document has at most {LINES_MAX} lines"));
        }
        _ => document.lines.iter().enumerate().for_each(|(index, line)| check.line(index, line)),
    }
    check.findings
}

/// What is wrong with the attributes of a thing that lies at `pointer`.
#[must_use]
pub fn check_attributes(pointer: &str, attributes: &Attributes) -> Vec<Finding> {
    let mut check = Check::default();
    check.attributes(pointer, attributes);
    check.findings
}

/// What is wrong with a party that lies at `pointer`.
#[must_use]
pub fn check_party(pointer: &str, party: &Party) -> Vec<Finding> {
    let mut check = Check::default();
    if party.name.trim().is_empty() {
        check.refuse("text-missing", &format!("{pointer}/name"), "a party has a name");
    }
    check.party(pointer, party);
    check.findings
}

#[derive(Default)]
struct Check {
    findings: Vec<Finding>,
}

impl Check {
    fn refuse(&mut self, code: &str, pointer: &str, message: &str) {
        debug_assert!(DOCUMENT_RULES.iter().any(|(known, _)| *known == code), "{code} is no known rule");
        self.findings.push(Finding::error(code, message).at(pointer));
    }

    fn currency(&mut self, document: &Document) {
        if document.currency.parse::<Currency>().is_err() {
            self.refuse("currency-unknown", "/currency", "a currency is a code of ISO 4217, for example BDT");
        }
        if let Some(rate) = document.exchange_rate {
            if rate <= Decimal::ZERO {
                self.refuse("exchange-rate-invalid", "/exchange_rate/rate", "an exchange rate is above zero");
            }
            self.range("/exchange_rate/rate", rate);
        }
    }

    fn year(&mut self, document: &Document) {
        if !(1971..=2199).contains(&document.tax_date.year()) {
            self.refuse("date-out-of-range", "/tax_date", "a tax date lies between 1971 and 2199");
        }
        if let Some(due) = document.attributes.get(DUE_DATE) {
            let due: Option<Date> = due.parse().ok().filter(|_| due.len() == 10);
            if !due.is_some_and(|due| due >= document.tax_date && due.year() < 2200) {
                self.refuse("due-date-invalid", "/due_date", "a document is due on or after its tax date");
            }
        }
    }

    fn line(&mut self, index: usize, line: &Line) {
        let at = |field: &str| format!("/lines/{index}/{field}");
        if line.description.trim().is_empty() {
            self.refuse("text-missing", &at("description"), "a line says what is supplied");
        }
        self.text(&at("description"), &line.description);
        self.code(&at("supply_code"), &line.supply_code);
        self.code(&at("unit"), &line.unit);
        if line.quantity <= Decimal::ZERO {
            self.refuse("quantity-not-positive", &at("quantity"), "a quantity is above zero");
        }
        for (field, amount) in [("unit_price", line.unit_price), ("discount", line.discount)] {
            if amount < Decimal::ZERO {
                self.refuse("amount-negative", &at(field), "the amount may not be negative");
            }
            self.range(&at(field), amount);
        }
        self.range(&at("quantity"), line.quantity);
        let value = line.quantity.checked_mul(line.unit_price);
        if value.is_none_or(|value| integer_digits(value) > INTEGER_DIGITS_MAX) {
            self.refuse("amount-out-of-range", &at("unit_price"), "quantity times price is too large");
        } else if value.is_some_and(|value| value >= Decimal::ZERO && value < line.discount) {
            self.refuse(
                "discount-exceeds-amount",
                &at("discount"),
                "the discount is more than the line's amount",
            );
        }
        self.attributes(&at("attributes"), &line.attributes);
    }

    fn party(&mut self, pointer: &str, party: &Party) {
        let id = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@+".contains(&byte);
        if party.id.len() > CODE_LENGTH_MAX || !party.id.bytes().all(id) {
            self.refuse(
                "party-id-invalid",
                &format!("{pointer}/id"),
                "a party's id has at most 64 letters, digits and -_.:@+",
            );
        }
        if party.name == ERASED {
            self.refuse(
                "name-reserved",
                &format!("{pointer}/name"),
                "this name stands for a party whose data were erased",
            );
        }
        self.text(&format!("{pointer}/name"), &party.name);
        if let Some(address) = &party.address {
            self.text(&format!("{pointer}/address"), address);
        }
        if isocountry::CountryCode::for_alpha2(&party.country).is_err() {
            self.refuse(
                "country-unknown",
                &format!("{pointer}/country"),
                "a country is a code of ISO 3166-1 alpha-2, for example BD",
            );
        }
        if party.identifiers.len() > IDENTIFIERS_MAX {
            self.refuse(
                "identifiers-too-many",
                &format!("{pointer}/identifiers"),
                &format!("a party has at most {IDENTIFIERS_MAX} identifiers"),
            );
        }
        for (index, identifier) in party.identifiers.iter().enumerate() {
            self.code(&format!("{pointer}/identifiers/{index}/kind"), &identifier.kind);
            self.code(&format!("{pointer}/identifiers/{index}/value"), &identifier.value);
        }
        self.attributes(&format!("{pointer}/attributes"), &party.attributes);
    }

    fn attributes(&mut self, pointer: &str, attributes: &Attributes) {
        if attributes.iter().count() > ATTRIBUTES_MAX {
            self.refuse(
                "attributes-too-many",
                pointer,
                &format!("at most {ATTRIBUTES_MAX} attributes are kept"),
            );
        }
        for (name, value) in attributes.iter() {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            if name.is_empty() || name.len() > CODE_LENGTH_MAX || !name.bytes().all(plain) {
                self.refuse(
                    "attribute-name-invalid",
                    pointer,
                    "an attribute's name has 1 to 64 letters, digits, hyphens and underscores",
                );
            } else {
                self.text(&format!("{pointer}/{name}"), value);
            }
        }
    }

    fn code(&mut self, pointer: &str, text: &str) {
        if text.trim().is_empty() {
            self.refuse("text-missing", pointer, "the text may not be empty");
        } else if text.chars().count() > CODE_LENGTH_MAX {
            self.refuse("text-too-long", pointer, &format!("at most {CODE_LENGTH_MAX} characters"));
        }
        self.printable(pointer, text);
    }

    fn text(&mut self, pointer: &str, text: &str) {
        if text.chars().count() > TEXT_LENGTH_MAX {
            self.refuse("text-too-long", pointer, &format!("at most {TEXT_LENGTH_MAX} characters"));
        }
        self.printable(pointer, text);
    }

    fn printable(&mut self, pointer: &str, text: &str) {
        if text.chars().any(|character| character.is_control() && character != '\n') {
            self.refuse("text-not-printable", pointer, "the text holds control characters");
        }
    }

    fn range(&mut self, pointer: &str, number: Decimal) {
        if integer_digits(number) > INTEGER_DIGITS_MAX || number.normalize().scale() > FRACTION_DIGITS_MAX {
            self.refuse(
                "number-out-of-range",
                pointer,
                &format!(
                    "at most {INTEGER_DIGITS_MAX} digits before and {FRACTION_DIGITS_MAX} after the decimal point"
                ),
            );
        }
    }
}

fn integer_digits(number: Decimal) -> u32 {
    let whole = number.trunc().mantissa().unsigned_abs();
    whole.checked_ilog10().map_or(1, |digits| digits + 1).saturating_sub(number.trunc().scale())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invoice::tests::document;

    fn codes(change: impl Fn(&mut Document)) -> Vec<(String, String)> {
        let mut document = document();
        change(&mut document);
        check_document(&document)
            .into_iter()
            .map(|finding| (finding.code, finding.pointer.unwrap_or_default()))
            .collect()
    }

    fn one(code: &str, pointer: &str) -> Vec<(String, String)> {
        vec![(code.to_owned(), pointer.to_owned())]
    }

    #[test]
    fn a_sound_document_has_no_finding() {
        assert_eq!(codes(|_| ()), []);
    }

    #[test]
    fn refuses_a_quantity_of_zero_and_below() {
        let expected = one("quantity-not-positive", "/lines/0/quantity");
        assert_eq!(codes(|document| document.lines[0].quantity = Decimal::ZERO), expected);
        assert_eq!(codes(|document| document.lines[0].quantity = -Decimal::ONE), expected);
    }

    #[test]
    fn refuses_a_discount_above_the_amount_but_not_equal_to_it() {
        let amount = document().lines[0].quantity * document().lines[0].unit_price;
        assert_eq!(codes(|document| document.lines[0].discount = amount), []);
        assert_eq!(
            codes(|document| document.lines[0].discount = amount + Decimal::ONE),
            one("discount-exceeds-amount", "/lines/0/discount")
        );
    }

    #[test]
    fn numbers_have_at_most_twelve_digits_before_the_point() {
        let most: Decimal = "999999999999.999999".parse().unwrap();
        assert_eq!(
            codes(|document| {
                document.lines[0].quantity = Decimal::ONE;
                document.lines[0].unit_price = most;
            }),
            []
        );
        let found = codes(|document| {
            document.lines[0].quantity = Decimal::ONE;
            document.lines[0].unit_price = most + Decimal::ONE;
        });
        assert!(found.contains(&("number-out-of-range".to_owned(), "/lines/0/unit_price".to_owned())));
        assert_eq!(
            codes(|document| document.lines[0].quantity = Decimal::new(1, 7)),
            one("number-out-of-range", "/lines/0/quantity")
        );
    }

    #[test]
    fn a_document_is_due_on_its_tax_date_or_later() {
        let due = |text: &'static str| codes(move |document| document.attributes.set(DUE_DATE, text));
        assert_eq!(due("2026-08-15"), []);
        for wrong in ["2026-08-14", "2026-02-30", "tomorrow", "2200-01-01", "2026-08-15T00:00"] {
            assert_eq!(due(wrong), one("due-date-invalid", "/due_date"), "{wrong}");
        }
        let mut later = document();
        assert_eq!(due_date(&later), later.tax_date);
        later.attributes.set(DUE_DATE, "2026-09-14");
        assert_eq!(due_date(&later).to_string(), "2026-09-14");
    }

    #[test]
    fn refuses_an_unknown_currency_and_country() {
        assert_eq!(
            codes(|document| document.currency = "XXT".to_owned()),
            one("currency-unknown", "/currency")
        );
        assert_eq!(
            codes(|document| document.customer.country = "ZZ".to_owned()),
            one("country-unknown", "/customer/country")
        );
    }

    #[test]
    fn refuses_no_line_and_too_many() {
        assert_eq!(codes(|document| document.lines.clear()), one("lines-missing", "/lines"));
        let line = document().lines.remove(0);
        assert_eq!(
            codes(|document| document.lines = vec![line.clone(); LINES_MAX + 1]),
            one("lines-too-many", "/lines")
        );
    }
}
