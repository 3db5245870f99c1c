//! The QR code of a paper: what it is about, and the digest of what it says.

use qrcodegen::{QrCode, QrCodeEcc};

use crate::clean::clean;

/// Most characters of each value in the code, so that any code can be scanned.
const VALUE_LENGTH_MAX: usize = 80;

/// What a paper's QR code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// What is known about the paper by name, in this order: number, issuer's identifier, total.
    pub facts: Vec<(String, String)>,
    /// [`digest`](crate::digest) of the paper's JSON.
    pub digest: String,
}

impl Seal {
    /// A line for each fact, the digest in the last.
    #[must_use]
    pub fn text(&self) -> String {
        let line = |name: &str, value: &str| {
            let value: String = clean(value).chars().take(VALUE_LENGTH_MAX).collect();
            format!("{} {value}\n", clean(name).to_uppercase())
        };
        let mut text: String = self.facts.iter().take(8).map(|(name, value)| line(name, value)).collect();
        text.push_str("SHA256 ");
        text.push_str(&self.digest);
        text
    }

    /// The code's modules; none where it does not fit into a code.
    pub(crate) fn modules(&self) -> Option<Modules> {
        QrCode::encode_text(&self.text(), QrCodeEcc::Medium).ok().map(Modules)
    }
}

/// Black and white modules.
pub(crate) struct Modules(QrCode);

impl Modules {
    /// Modules of a side.
    pub(crate) fn side(&self) -> i32 {
        self.0.size()
    }

    /// Black runs: row, first column and number of modules.
    pub(crate) fn runs(&self) -> Vec<(i32, i32, i32)> {
        let mut runs = Vec::new();
        for row in 0..self.side() {
            let mut began = None;
            for column in 0..=self.side() {
                // Beyond the code is white.
                match (self.0.get_module(column, row), began) {
                    (true, None) => began = Some(column),
                    (false, Some(first)) => {
                        runs.push((row, first, column - first));
                        began = None;
                    }
                    _ => {}
                }
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(number: &str) -> Seal {
        let facts = [("no", number), ("bin", "000828395-0207"), ("total", "3559.00 BDT")];
        let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Seal { facts, digest: "ab".repeat(32) }
    }

    #[test]
    fn it_says_each_fact_in_a_line_of_its_own() {
        let digest = "ab".repeat(32);
        let expected = format!("NO 1/2026-2027\nBIN 000828395-0207\nTOTAL 3559.00 BDT\nSHA256 {digest}");
        assert_eq!(seal("1/2026-2027").text(), expected);
    }

    #[test]
    fn a_value_forges_no_line() {
        assert_eq!(seal("1\nTOTAL 1.00\r\nBIN x").text().lines().count(), 4);
        assert!(seal(&"9".repeat(5_000)).modules().is_some());
    }

    #[test]
    fn runs_cover_the_black_modules_and_no_other() {
        let modules = seal("1").modules().unwrap();
        let mut drawn = std::collections::BTreeSet::new();
        for (row, first, length) in modules.runs() {
            assert!(length > 0);
            drawn.extend((first..first + length).map(|column| (column, row)));
        }
        for row in 0..modules.side() {
            for column in 0..modules.side() {
                assert_eq!(modules.0.get_module(column, row), drawn.contains(&(column, row)));
            }
        }
    }
}
