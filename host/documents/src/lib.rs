//! Papers: a pack's [`Form`](niyam_values::Form), which is free of layout, as PDF/A, HTML and JSON.
//!
//! The same form and [`Options`] give the same bytes, on any machine and at any time: fonts and template are in this crate, and
//! there is no clock, no file, no network. Nothing is kept either; whoever wants a paper again draws it again.
//!
//! [`pdf`] goes from the form to `content` (texts, cleaned and cut to what a page can take), `columns` (widths, size, orientation),
//! `pages` (what stands on which page, what is carried over) and `typesetting` (Typst). What a form says reaches Typst as values,
//! never as source.

mod carry;
mod clean;
mod columns;
mod content;
mod fonts;
mod html;
mod limits;
mod numerals;
mod options;
mod pages;
mod pdf;
mod seal;
mod typesetting;
mod view;
mod words;

pub use html::html;
pub use limits::{BLOCKS_MAX, CELLS_MAX, COLUMNS_MAX, TEXT_BYTES_MAX, TooLarge};
pub use numerals::{Digits, Grouping, Numerals, amount, digits};
pub use options::{COPY_MAX, Options, Paper};
pub use pdf::{DrawError, Pdf, pdf};
pub use seal::Seal;
pub use view::{BlockView, ColumnView, FieldView, FormView, digest, json};

#[cfg(test)]
mod tests;
