//! A table of text, for a terminal.

/// Which side of its column a cell keeps to.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Rows under headings; a row may be a rule.
pub(crate) struct Table {
    sides: Vec<Side>,
    rows: Vec<Option<Vec<String>>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: &[(&str, Side)]) -> Self {
        let mut table = Self { sides: columns.iter().map(|(_, side)| *side).collect(), rows: Vec::new() };
        table.row(columns.iter().map(|(heading, _)| (*heading).to_owned()));
        table.rule();
        table
    }

    /// Adds a row; cells that it lacks are empty.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells: Vec<String> = cells.into_iter().collect();
        cells.resize(self.sides.len(), String::new());
        self.rows.push(Some(cells));
    }

    /// Adds a rule across.
    pub(crate) fn rule(&mut self) {
        self.rows.push(None);
    }

    /// The table as lines, without spaces at their ends.
    pub(crate) fn lines(&self) -> Vec<String> {
        let widths: Vec<usize> = (0..self.sides.len())
            .map(|column| {
                self.rows.iter().flatten().map(|row| row[column].chars().count()).max().unwrap_or(0)
            })
            .collect();
        let rule = widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("──");
        self.rows
            .iter()
            .map(|row| match row {
                None => rule.clone(),
                Some(row) => {
                    let cells: Vec<String> = row
                        .iter()
                        .zip(&widths)
                        .zip(&self.sides)
                        .map(|((cell, width), side)| match side {
                            Side::Left => format!("{cell:<width$}"),
                            Side::Right => format!("{cell:>width$}"),
                        })
                        .collect();
                    cells.join("  ").trim_end().to_owned()
                }
            })
            .collect()
    }
}

/// `amount` with a comma between groups of digits, as they are grouped in South Asia: 1234567.50 becomes 12,34,567.50.
pub(crate) fn grouped(amount: &str) -> String {
    let (sign, digits) = amount.strip_prefix('-').map_or(("", amount), |digits| ("-", digits));
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        // The last three digits stand together, those before them in pairs.
        if index > 0 && left >= 3 && (left - 3).is_multiple_of(2) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{sign}{grouped}.{fraction}"),
        None => format!("{sign}{grouped}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Side, Table, grouped};

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&[("Supply", Side::Left), ("Net", Side::Right)]);
        table.row(["Café chair".to_owned(), "1,250.00".to_owned()]);
        table.row(["Table".to_owned()]);
        assert_eq!(
            table.lines(),
            ["Supply           Net", "────────────────────", "Café chair  1,250.00", "Table"]
        );
    }

    #[test]
    fn digits_are_grouped_in_lakhs_and_crores() {
        let cases = [
            ("0.00", "0.00"),
            ("999", "999"),
            ("1000.5", "1,000.5"),
            ("123456.00", "1,23,456.00"),
            ("-12345678.90", "-1,23,45,678.90"),
        ];
        for (amount, expected) in cases {
            assert_eq!(grouped(amount), expected);
        }
    }
}
