//! The components under test, and a document to ask them about.

use std::path::PathBuf;
use std::sync::Arc;

use niyam_modules::{Module, ModuleHost};
use niyam_values::{Attributes, Date, Decimal, Direction, Document, Line, Party, PriceMode};

pub fn component(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/modules").join(name);
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask plugins` makes it", path.display()))
}

/// A host with a module that misbehaves on demand; the folder goes when it is dropped.
pub struct Unruly {
    _host: ModuleHost,
    pub module: Arc<Module>,
    pub folder: tempfile::TempDir,
}

impl Unruly {
    pub fn new() -> Self {
        Self::of("guests/unruly.wasm")
    }

    pub fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = ModuleHost::new(folder.path().join("cache")).unwrap();
        let module = host.load(&component(name)).unwrap();
        Self { _host: host, module, folder }
    }
}

pub fn document(supply_code: &str) -> Document {
    let party = |name: &str| Party {
        id: String::new(),
        name: name.to_owned(),
        address: Some("12 Motijheel, Dhaka".to_owned()),
        country: "BD".to_owned(),
        identifiers: Vec::new(),
        attributes: Attributes::new(),
    };
    Document {
        kind: "invoice".to_owned(),
        direction: Direction::Sale,
        tax_date: Date::constant(2026, 8, 15),
        currency: "BDT".to_owned(),
        minor_units: 2,
        exchange_rate: None,
        price_mode: PriceMode::Exclusive,
        supplier: party("Supplier"),
        customer: party("Customer"),
        lines: vec![Line {
            id: "1".to_owned(),
            description: "Consultancy".to_owned(),
            supply_code: supply_code.to_owned(),
            quantity: Decimal::ONE,
            unit: "job".to_owned(),
            unit_price: Decimal::new(1000, 0),
            discount: Decimal::ZERO,
            attributes: Attributes::new().with("area", "12"),
        }],
        attributes: Attributes::new(),
    }
}
