//! What holds for every document.

use niyam_sdk::{ComplianceModule, Context, Date, Decimal, Document, Effect, Line, PriceMode, round_half_up};
use proptest::prelude::*;
use vat_bd::VatBd;
use vat_bd::tables::{Charge, RATES, UNITS};

use crate::build::{invoice, line, with, with_duty, withheld};
use crate::native;

fn money() -> impl Strategy<Value = Decimal> {
    (1_i64..1_000_000_000, 0_u32..5).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale))
}

fn anything() -> impl Strategy<Value = Decimal> {
    (any::<u32>(), any::<u32>(), any::<u32>(), any::<bool>(), 0_u32..29).prop_map(
        |(low, middle, high, negative, scale)| Decimal::from_parts(low, middle, high, negative, scale),
    )
}

/// A line of any row, priced well above a specific amount.
fn supply() -> impl Strategy<Value = Line> {
    (0..RATES.len(), money(), money(), prop::option::of(1_u32..400)).prop_map(
        |(row, quantity, price, duty)| {
            let row = &RATES[row];
            let mut plain = line(row.code, "0");
            plain.quantity = quantity;
            plain.unit_price = price;
            if let Charge::Specific { unit, .. } = row.charge {
                UNITS[usize::from(unit)].name.clone_into(&mut plain.unit);
                plain.unit_price += Decimal::from(10_000);
            }
            let varied = if row.variant.is_empty() { plain } else { with(plain, "variant", row.variant) };
            duty.map_or_else(|| varied.clone(), |rate| with_duty(varied.clone(), &rate.to_string()))
        },
    )
}

/// Documents that are taxed, with the places to which they are rounded.
pub(crate) fn documents() -> impl Strategy<Value = (Document, u32)> {
    (prop::collection::vec(supply(), 1..8), any::<bool>(), any::<bool>(), 0_u32..3).prop_map(
        |(lines, inclusive, deducting, places)| {
            let mut document = invoice(lines);
            if inclusive {
                document.price_mode = PriceMode::Inclusive;
            }
            (if deducting { withheld(document) } else { document }, places)
        },
    )
}

/// Documents of one line with figures of any size, most of them refused.
pub(crate) fn wild_documents() -> impl Strategy<Value = Document> {
    let duty = prop_oneof![anything().prop_map(|rate| rate.to_string()), ".*"];
    let numbers = [anything(), anything(), anything(), anything()];
    (0..RATES.len(), numbers, duty, any::<bool>(), any::<bool>()).prop_map(
        |(row, [quantity, unit_price, discount, exchange_rate], duty, inclusive, foreign)| {
            let row = &RATES[row];
            let mut supply = with(with_duty(line(row.code, "0"), &duty), "variant", row.variant);
            if let Charge::Specific { unit, .. } = row.charge {
                UNITS[usize::from(unit)].name.clone_into(&mut supply.unit);
            }
            let mut document = withheld(invoice(vec![Line { quantity, unit_price, discount, ..supply }]));
            if inclusive {
                document.price_mode = PriceMode::Inclusive;
            }
            if foreign {
                document.currency = "USD".into();
                document.exchange_rate = Some(exchange_rate);
            }
            document
        },
    )
}

fn sum(amounts: impl Iterator<Item = Decimal>) -> Decimal {
    amounts.fold(Decimal::ZERO, |sum, amount| sum + amount)
}

proptest! {
    #[test]
    fn the_sums_agree((document, places) in documents()) {
        let config = format!(r#"{{"rounding":{{"places":{places}}}}}"#);
        let taxes = native(&config, &document).expect("it is taxed");
        let of = |effect: Effect| {
            let items = taxes.lines.iter().flat_map(|line| &line.taxes);
            sum(items.filter(|item| item.effect == effect).map(|item| item.amount))
        };
        prop_assert_eq!(taxes.gross, taxes.net + taxes.tax_added);
        prop_assert_eq!(taxes.payable, taxes.gross - taxes.tax_withheld);
        prop_assert_eq!(taxes.tax_added, of(Effect::Added));
        prop_assert_eq!(taxes.tax_withheld, of(Effect::Withheld));
        prop_assert_eq!(taxes.net, sum(taxes.lines.iter().map(|line| line.net)));
        prop_assert_eq!(taxes.gross, sum(taxes.lines.iter().map(|line| line.gross)));
        for (line, taxed) in document.lines.iter().zip(&taxes.lines) {
            let price = round_half_up(line.quantity * line.unit_price, places);
            let kept = if document.price_mode == PriceMode::Inclusive { taxed.gross } else { taxed.net };
            prop_assert_eq!(kept, price);
            let added = taxed.taxes.iter().filter(|item| item.effect == Effect::Added);
            prop_assert_eq!(taxed.gross, taxed.net + sum(added.map(|item| item.amount)));
            for amount in [taxed.net, taxed.gross].into_iter().chain(taxed.taxes.iter().map(|item| item.amount)) {
                prop_assert_eq!(amount.scale(), places);
                prop_assert!(amount >= Decimal::ZERO);
            }
            for item in &taxed.taxes {
                prop_assert!((item.citation as usize) < taxes.citations.len());
            }
        }
        for (at, citation) in taxes.citations.iter().enumerate() {
            prop_assert!(!taxes.citations[..at].contains(citation));
        }
    }

    #[test]
    fn nothing_panics(document in wild_documents()) {
        if let Ok(taxes) = native("{}", &document) {
            let context = Context::native("{}");
            let day = Date::constant(2026, 8, 20);
            drop(VatBd::prepare_issue(&context, &document, &taxes, day));
            let facts = crate::issuing::facts();
            drop(VatBd::draw_form(&context, "mushak-6.3", &document, &taxes, &facts));
        }
    }

    #[test]
    fn no_identifier_panics(kind in 0_usize..13, value in ".*", digits in "[+0-9-]{0,20}") {
        let kinds = [
            "bin", "etin", "nid", "mobile", "bkash", "nagad", "rocket", "upay", "surecash", "mcash", "tcash",
            "bank-routing", "bank-account",
        ];
        let context = Context::native("{}");
        for text in [value, digits] {
            if let Ok(normal) = VatBd::check_identifier(&context, kinds[kind], &text) {
                prop_assert_eq!(VatBd::check_identifier(&context, kinds[kind], &normal), Ok(normal.clone()));
            }
        }
    }
}
