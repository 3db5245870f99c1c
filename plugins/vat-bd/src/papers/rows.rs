//! The table of a paper: a row for each line, in taka.

use niyam_sdk::{
    Cell, Decimal, Determination, Document, Finding, Grid, IssueFacts, round_half_up, with_places,
};

use super::sheet::{columns, text};
use super::{CONTRACT, Shown, TRANSFER, party_cell, party_id, taka_rate};
use crate::config::Config;
use crate::tables::Paper;

/// Places of a unit price that has no end at the places of the amounts.
const UNIT_PRICE_PLACES: u32 = 4;

/// The lines of a document with their taxes, in taka.
pub(crate) struct Rows<'a> {
    document: &'a Document,
    places: u32,
    amounts: Vec<Amounts>,
    sum: Amounts,
}

#[derive(Clone, Copy, Default)]
struct Amounts {
    net: Decimal,
    sd: Decimal,
    vat: Decimal,
    deducted: Decimal,
}

impl Amounts {
    fn gross(&self) -> Decimal {
        self.net + self.sd + self.vat
    }
}

impl<'a> Rows<'a> {
    /// The lines' amounts.
    pub(crate) fn of(
        config: &Config,
        document: &'a Document,
        taxes: &Determination,
    ) -> Result<Self, Vec<Finding>> {
        let rate = taka_rate(document)?;
        let places = config.places();
        let same = document.lines.len() == taxes.lines.len()
            && document.lines.iter().zip(&taxes.lines).all(|(line, taxed)| line.id == taxed.line_id);
        if !same {
            let message = "the determination is not that of the document's lines";
            return Err(vec![Finding::error("determination-mismatch", message).at("/lines")]);
        }
        let mut rows = Self { document, places, amounts: Vec::new(), sum: Amounts::default() };
        for (at, line) in taxes.lines.iter().enumerate() {
            let sum = |code: &str| -> Option<Decimal> {
                let items = line.taxes.iter().filter(|item| item.code == code);
                items.map(|item| item.amount).try_fold(Decimal::ZERO, Decimal::checked_add)
            };
            let taka = |amount: Option<Decimal>| Some(round_half_up(amount?.checked_mul(rate)?, places));
            let row = || -> Option<Amounts> {
                Some(Amounts {
                    net: taka(Some(line.net))?,
                    sd: taka(sum("sd"))?,
                    vat: taka(sum("vat"))?,
                    deducted: taka(sum("vds"))?,
                })
            };
            let added = row().and_then(|row| Some((row, rows.sum.plus(row)?)));
            let Some((row, sum)) = added else {
                let message = "an amount is too large for the paper";
                return Err(vec![Finding::error("amount-out-of-range", message).at(format!("/lines/{at}"))]);
            };
            rows.amounts.push(row);
            rows.sum = sum;
        }
        Ok(rows)
    }

    pub(crate) fn vat(&self) -> Decimal {
        round_half_up(self.sum.vat, self.places)
    }

    pub(crate) fn sd(&self) -> Decimal {
        round_half_up(self.sum.sd, self.places)
    }

    /// The change of VAT that a note makes.
    pub(crate) fn effect(&self) -> Decimal {
        self.sum.vat
    }

    /// What the paper `code` says in words.
    pub(crate) fn total(&self, code: &str) -> Option<Decimal> {
        match code {
            CONTRACT | TRANSFER => None,
            super::CERTIFICATE => Some(self.sum.deducted),
            super::TURNOVER_INVOICE => Some(self.sum.net),
            _ => Some(self.sum.gross()),
        }
    }

    pub(crate) fn grid(&self, paper: &'static Paper, facts: &IssueFacts, shown: &Shown) -> Grid {
        let rows = self.amounts.iter().enumerate().filter(|(_, row)| {
            // A certificate is of what was deducted alone.
            paper.code != super::CERTIFICATE || !row.deducted.is_zero()
        });
        let row = |(at, (index, amounts)): (usize, (usize, &Amounts))| -> Vec<Cell> {
            paper
                .columns
                .iter()
                .map(|column| self.cell(column.key, at, index, amounts, facts, shown))
                .collect()
        };
        let totals = paper.columns.iter().enumerate().map(|(at, column)| match column.key {
            _ if at == 0 => Cell::Text("সর্বমোট".to_owned()),
            "value" => self.amount(self.sum.net),
            "sd" => self.amount(self.sum.sd),
            "vat" => self.amount(self.sum.vat),
            "vat_deducted" => self.amount(self.sum.deducted),
            "total_incl" => self.amount(self.sum.gross()),
            _ => Cell::Empty,
        });
        Grid {
            columns: columns(paper.columns),
            rows: rows.enumerate().map(row).collect(),
            totals: totals.collect(),
        }
    }

    fn cell(
        &self,
        key: &str,
        at: usize,
        index: usize,
        amounts: &Amounts,
        facts: &IssueFacts,
        shown: &Shown,
    ) -> Cell {
        let line = &self.document.lines[index];
        match key {
            "serial" => Cell::Amount(Decimal::from(at + 1)),
            "description" => text(Some(&line.description)),
            "unit" => text(Some(&line.unit)),
            "quantity" => Cell::Amount(line.quantity),
            "unit_price" => {
                // The price of a note's unit holds its taxes.
                let whole = amounts.gross().checked_div(line.quantity);
                whole.map_or(Cell::Empty, |price| {
                    Cell::Amount(with_places(round_half_up(price, UNIT_PRICE_PLACES), self.places))
                })
            }
            "value" => self.amount(amounts.net),
            "sd" => self.amount(amounts.sd),
            "vat" => self.amount(amounts.vat),
            "vat_deducted" => self.amount(amounts.deducted),
            "total_incl" => self.amount(amounts.gross()),
            "seller_name" => party_cell(&self.document.supplier, "name"),
            "seller_id" => party_id(&self.document.supplier),
            "challan_no" => text(shown.fact("mushak_6_3")),
            "challan_date" => {
                let day = shown.fact("mushak_6_3_date").and_then(crate::dates::parse);
                Cell::Day(day.unwrap_or(self.document.tax_date))
            }
            "remarks" => text(line.attributes.get("remarks").or_else(|| facts.attributes.get("remarks"))),
            _ => Cell::Empty,
        }
    }

    fn amount(&self, amount: Decimal) -> Cell {
        Cell::Amount(round_half_up(amount, self.places))
    }
}

impl Amounts {
    fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            net: self.net.checked_add(other.net)?,
            sd: self.sd.checked_add(other.sd)?,
            vat: self.vat.checked_add(other.vat)?,
            deducted: self.deducted.checked_add(other.deducted)?,
        })
    }
}
