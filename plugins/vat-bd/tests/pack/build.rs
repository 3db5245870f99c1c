//! Documents of a few words.

use niyam_sdk::{Attributes, Date, Decimal, Direction, Document, Identifier, Line, Party, PriceMode};

/// A day on which every row of the table is in force.
pub const AUGUST_2026: Date = Date::constant(2026, 8, 15);

/// A decimal from its text.
pub fn dec(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

/// A document with these lines, in taka, prices without taxes, between two registered parties.
pub fn invoice(lines: Vec<Line>) -> Document {
    Document {
        kind: "invoice".into(),
        direction: Direction::Sale,
        tax_date: AUGUST_2026,
        currency: "BDT".into(),
        minor_units: 2,
        exchange_rate: None,
        price_mode: PriceMode::Exclusive,
        supplier: party("Padma Traders Ltd", "12 Motijheel, Dhaka", "000828395-0207"),
        customer: party("Meghna Stores", "7 Agrabad, Chattogram", "001234567-0101"),
        lines: lines
            .into_iter()
            .enumerate()
            .map(|(at, line)| Line { id: format!("l{at}"), ..line })
            .collect(),
        attributes: Attributes::new(),
    }
}

/// The same bought, by a complete Mushak-6.3 of the supplier, paid through a bank.
pub fn purchase(lines: Vec<Line>) -> Document {
    let sold = invoice(lines);
    let attributes =
        sold.attributes.clone().with("mushak_6_3", "77/2026-2027").with("payment_channel", "bank");
    Document { direction: Direction::Purchase, attributes, ..sold }
}

/// One of a supply at a price.
pub fn line(code: &str, price: &str) -> Line {
    Line {
        id: String::new(),
        description: format!("supply {code}"),
        supply_code: code.into(),
        quantity: Decimal::ONE,
        unit: "pcs".into(),
        unit_price: dec(price),
        discount: Decimal::ZERO,
        attributes: Attributes::new(),
    }
}

/// The line with a fact.
pub fn with(line: Line, name: &str, value: &str) -> Line {
    Line { attributes: line.attributes.with(name, value), ..line }
}

/// The line with supplementary duty.
pub fn with_duty(line: Line, rate: &str) -> Line {
    with(with(line, "sd_rate", rate), "sd_basis", "Second Schedule, Table 2")
}

/// The document with a customer that deducts tax at source.
pub fn withheld(mut document: Document) -> Document {
    document.customer.attributes.set("withholding_entity", "true");
    document
}

fn party(name: &str, address: &str, bin: &str) -> Party {
    Party {
        id: String::new(),
        name: name.into(),
        address: Some(address.into()),
        country: "BD".into(),
        identifiers: vec![Identifier { kind: "bin".into(), value: bin.into() }],
        attributes: Attributes::new(),
    }
}
