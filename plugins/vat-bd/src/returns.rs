//! Registers and returns of a tax period, from the documents that the host keeps.
//!
//! Every amount is in taka. What cannot stand in the period is a finding, and nothing is drawn: see [`book`].

mod book;
mod collect;
mod figures;
mod input;
mod statement;
mod stock;
mod turnover;
mod vat;

use niyam_sdk::{Finding, FiscalPeriod, Form, OpeningBalance, RegisterEntry};

use crate::config::Config;
use book::Book;

/// Draws the register or return `code`.
pub(crate) fn draw(
    config: &Config,
    code: &str,
    period: &FiscalPeriod,
    entries: &[RegisterEntry],
    opening: &[OpeningBalance],
) -> Result<Form, Vec<Finding>> {
    let draw = match code {
        "mushak-6.1" => stock::purchases,
        "mushak-6.2" => stock::sales,
        "mushak-6.2.1" => stock::trade,
        "mushak-6.10" => statement::draw,
        "mushak-9.1" => vat::draw,
        "mushak-9.1-details" => vat::details,
        "mushak-9.2" => turnover::draw,
        _ => {
            let code: String = code.chars().take(32).collect();
            let message = format!(
                "the pack draws no return {code}; it draws mushak-6.1, -6.2, -6.2.1, -6.10, -9.1, -9.1-details and -9.2"
            );
            return Err(vec![Finding::error("return-not-offered", message)]);
        }
    };
    draw(&Book::of(config, period, entries, opening)?)
}
