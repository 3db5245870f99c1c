//! Shares of an issued invoice's lines: what may still be credited of each, and what a note takes or adds.

use niyam_values::{Decimal, Determination, Document, Effect, LineTaxes, round_half_up};
use serde::{Deserialize, Serialize};

/// A share of one tax of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxShare {
    /// What the rate applies to.
    pub base: Decimal,
    /// The tax.
    pub amount: Decimal,
}

/// A share of an invoice's line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineShare {
    /// The line's id.
    pub line_id: String,
    /// How much of what was supplied; zero where the price alone changes.
    pub quantity: Decimal,
    /// Value without taxes.
    pub net: Decimal,
    /// The taxes, as many and in the order of the line's.
    pub taxes: Vec<TaxShare>,
    /// Value with added taxes.
    pub gross: Decimal,
}

impl LineShare {
    /// The whole of each line of a document, in its order.
    #[must_use]
    pub fn whole(document: &Document, taxes: &Determination) -> Vec<Self> {
        let quantity = |id: &str| {
            let line = document.lines.iter().find(|line| line.id == id);
            line.map_or(Decimal::ZERO, |line| line.quantity)
        };
        let share = |taxed: &LineTaxes| Self {
            line_id: taxed.line_id.clone(),
            quantity: quantity(&taxed.line_id),
            net: taxed.net,
            taxes: taxed.taxes.iter().map(|item| TaxShare { base: item.base, amount: item.amount }).collect(),
            gross: taxed.gross,
        };
        taxes.lines.iter().map(share).collect()
    }

    /// Whether nothing of the line is in it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let untaxed = self.taxes.iter().all(|item| item.amount.is_zero());
        untaxed && self.quantity.is_zero() && self.net.is_zero() && self.gross.is_zero()
    }

    /// The sum; `None` when it has none.
    pub(super) fn plus(&self, other: &Self) -> Option<Self> {
        self.with(other, Decimal::checked_add)
    }

    /// The difference; `None` when it has none, or would be below nothing.
    pub(super) fn minus(&self, other: &Self) -> Option<Self> {
        self.with(other, |one, other| {
            let left = one.checked_sub(other)?;
            // A negative amount, which a module may give, is taken towards nothing from below.
            let beyond = if one.is_sign_negative() { left > Decimal::ZERO } else { left < Decimal::ZERO };
            (!beyond).then_some(left)
        })
    }

    fn with(&self, other: &Self, sum: impl Fn(Decimal, Decimal) -> Option<Decimal>) -> Option<Self> {
        if self.line_id != other.line_id || self.taxes.len() != other.taxes.len() {
            return None;
        }
        let item = |(one, other): (&TaxShare, &TaxShare)| {
            Some(TaxShare { base: sum(one.base, other.base)?, amount: sum(one.amount, other.amount)? })
        };
        Some(Self {
            line_id: self.line_id.clone(),
            quantity: sum(self.quantity, other.quantity)?,
            net: sum(self.net, other.net)?,
            taxes: self.taxes.iter().zip(&other.taxes).map(item).collect::<Option<_>>()?,
            gross: sum(self.gross, other.gross)?,
        })
    }

    /// `part` of `whole` of it, each amount rounded to `places` and never more than is there; of `effects`, one for each
    /// tax, those that are added make up the gross. `None` when an amount cannot be kept exactly.
    pub(super) fn part(
        &self,
        part: Decimal,
        whole: Decimal,
        effects: &[Effect],
        places: u32,
    ) -> Option<Self> {
        let of = |amount: Decimal| {
            let share = round_half_up(scaled(amount, part, whole)?, places);
            let (low, high) =
                if amount.is_sign_negative() { (amount, Decimal::ZERO) } else { (Decimal::ZERO, amount) };
            // A part of at most the whole is never more than it, but rounding may make it so.
            Some(if part <= whole { share.clamp(low, high) } else { share })
        };
        let net = of(self.net)?;
        let item = |item: &TaxShare| Some(TaxShare { base: of(item.base)?, amount: of(item.amount)? });
        let taxes = self.taxes.iter().map(item).collect::<Option<Vec<_>>>()?;
        let added = taxes.iter().zip(effects).filter(|(_, effect)| **effect == Effect::Added);
        let gross = added.into_iter().try_fold(net, |sum, (item, _)| sum.checked_add(item.amount))?;
        // The gross of a line need not be exactly the sum of its parts.
        let gross = if part <= whole { gross.min(self.gross.max(Decimal::ZERO)) } else { gross };
        Some(Self { line_id: self.line_id.clone(), quantity: Decimal::ZERO, net, taxes, gross })
    }
}

/// `amount × part ÷ whole`.
fn scaled(amount: Decimal, part: Decimal, whole: Decimal) -> Option<Decimal> {
    match amount.checked_mul(part) {
        Some(product) => product.checked_div(whole),
        None => amount.checked_div(whole)?.checked_mul(part),
    }
}

/// What is left of each line once `taken` is; `None` when more is taken than there is.
pub(super) fn less(lines: &[LineShare], taken: &[LineShare]) -> Option<Vec<LineShare>> {
    changed(lines, taken, LineShare::minus)
}

/// Each line with what `added` adds to it; `None` when it has no sum.
pub(super) fn more(lines: &[LineShare], added: &[LineShare]) -> Option<Vec<LineShare>> {
    changed(lines, added, LineShare::plus)
}

fn changed(
    lines: &[LineShare],
    changes: &[LineShare],
    change: impl Fn(&LineShare, &LineShare) -> Option<LineShare>,
) -> Option<Vec<LineShare>> {
    let mut lines = lines.to_vec();
    for changed in changes {
        let line = lines.iter_mut().find(|line| line.line_id == changed.line_id)?;
        *line = change(line, changed)?;
    }
    Some(lines)
}

/// What is owed by these shares of a document's lines, unrounded.
pub(super) fn gross(lines: &[LineShare]) -> Option<Decimal> {
    lines.iter().try_fold(Decimal::ZERO, |sum, line| sum.checked_add(line.gross))
}
