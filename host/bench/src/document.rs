//! The document that is measured: the example that the project shows, and longer ones of the same make.

use anyhow::{Context, Result};
use niyam_sdk::{Attributes, Date, Decimal, Direction, Document, Identifier, Line, Party, PriceMode};
use serde::Deserialize;

/// An invoice as a client sends it.
pub const INVOICE: &str = include_str!("../../../examples/invoice.json");

/// An attribute's name and value.
type Fact = (&'static str, &'static str);

/// Supplies that the example does not have: code, unit, price and attributes.
const MORE: [(&str, &str, i64, &[Fact]); 5] = [
    ("S001.20", "meal", 400, &[]),
    ("S032.00", "job", 10_000, &[]),
    ("medicine-trade", "box", 1000, &[]),
    ("S001.10", "night", 7500, &[("variant", "AC")]),
    ("standard", "pcs", 1380, &[("sd_rate", "20"), ("sd_basis", "Second Schedule, Table 2")]),
];

#[derive(Deserialize)]
struct Example {
    lines: Vec<ExampleLine>,
}

#[derive(Deserialize)]
struct ExampleLine {
    description: String,
    supply_code: String,
    quantity: Decimal,
    unit: String,
    unit_price: Decimal,
    #[serde(default)]
    discount: Decimal,
    #[serde(default)]
    attributes: Attributes,
}

/// The example with `count` lines, as a module gets it: the example's own lines and others, again and again.
pub fn of_lines(count: usize) -> Result<Document> {
    let example: Example = serde_json::from_str(INVOICE).context("failed to read the example invoice")?;
    let own = example.lines.into_iter().map(|line| Line {
        id: String::new(),
        description: line.description,
        supply_code: line.supply_code,
        quantity: line.quantity,
        unit: line.unit,
        unit_price: line.unit_price,
        discount: line.discount,
        attributes: line.attributes,
    });
    let more = MORE.iter().map(|(code, unit, price, attributes)| Line {
        id: String::new(),
        description: format!("Supply under {code}, as agreed"),
        supply_code: (*code).to_owned(),
        quantity: Decimal::new(3, 0),
        unit: (*unit).to_owned(),
        unit_price: Decimal::new(*price, 0),
        discount: Decimal::ZERO,
        attributes: attributes.iter().fold(Attributes::new(), |all, (name, value)| all.with(*name, *value)),
    });
    let kinds: Vec<Line> = own.chain(more).collect();
    let lines = kinds.iter().cycle().take(count).enumerate();
    Ok(Document {
        kind: "invoice".to_owned(),
        direction: Direction::Sale,
        tax_date: Date::constant(2026, 8, 15),
        currency: "BDT".to_owned(),
        minor_units: 2,
        exchange_rate: None,
        price_mode: PriceMode::Exclusive,
        supplier: party(
            "Meghna Office Supplies Ltd",
            "House 22, Road 7, Dhanmondi, Dhaka 1205",
            "000828395-0207",
        ),
        customer: Party {
            attributes: Attributes::new().with("withholding_entity", "true"),
            ..party("Padma Textile Mills Ltd", "Plot 14, Block C, Tongi, Gazipur 1710", "001234567-0101")
        },
        lines: lines.map(|(index, line)| Line { id: (index + 1).to_string(), ..line.clone() }).collect(),
        attributes: Attributes::new(),
    })
}

fn party(name: &str, address: &str, bin: &str) -> Party {
    Party {
        id: String::new(),
        name: name.to_owned(),
        address: Some(address.to_owned()),
        country: "BD".to_owned(),
        identifiers: vec![Identifier { kind: "bin".to_owned(), value: bin.to_owned() }],
        attributes: Attributes::new(),
    }
}
