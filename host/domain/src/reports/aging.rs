//! How long what is owed has been due.

use niyam_values::{Date, Decimal};

/// How many days overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgeBand {
    /// Not at all.
    NotDue,
    /// 1 to 30.
    UpTo30,
    /// 31 to 60.
    UpTo60,
    /// 61 to 90.
    UpTo90,
    /// More.
    Over90,
}

impl AgeBand {
    /// All of them, the youngest first.
    pub const ALL: [Self; 5] = [Self::NotDue, Self::UpTo30, Self::UpTo60, Self::UpTo90, Self::Over90];
}

/// The band of what is due on `due`, seen on `as_of`.
#[must_use]
pub fn age(due: Date, as_of: Date) -> AgeBand {
    let days = as_of.duration_since(due).as_hours() / 24;
    match days {
        ..=0 => AgeBand::NotDue,
        1..=30 => AgeBand::UpTo30,
        31..=60 => AgeBand::UpTo60,
        61..=90 => AgeBand::UpTo90,
        _ => AgeBand::Over90,
    }
}

/// What is open, by how long it has been due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Aged([Decimal; 5]);

impl Aged {
    /// Adds what is open of a document.
    pub fn add(&mut self, band: AgeBand, open: Decimal) {
        let sum = &mut self.0[band as usize];
        *sum = sum.saturating_add(open);
    }

    /// What is open in a band.
    #[must_use]
    pub fn of(&self, band: AgeBand) -> Decimal {
        self.0[band as usize]
    }

    /// What is open.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.0.iter().fold(Decimal::ZERO, |sum, open| sum.saturating_add(*open))
    }
}
