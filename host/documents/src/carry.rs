//! Totals that are carried from page to page.

use niyam_values::{Cell, Decimal, Grid};

use crate::options::Options;
use crate::words;

/// Which columns of a grid are carried, and what the rows of carried sums are called.
pub(crate) struct Carried {
    pub(crate) columns: Vec<usize>,
    /// The columns across which the words stand: first and number.
    pub(crate) label_at: (usize, usize),
    pub(crate) brought: String,
    pub(crate) forward: String,
}

impl Carried {
    /// The columns whose total is the sum of their rows; where it is anything else, a sum would say what the pack does not.
    /// None if there is no such column, or no place for the words.
    pub(crate) fn of(grid: &Grid, languages: &[&str]) -> Option<Self> {
        let is_sum = |index: &usize| match grid.totals.get(*index) {
            Some(Cell::Amount(total)) => sum(&grid.rows, *index).is_some_and(|sum| sum == *total),
            _ => false,
        };
        let columns: Vec<usize> = (0..grid.columns.len()).filter(is_sum).collect();
        if columns.is_empty() {
            return None;
        }
        let label_at = widest_gap(&columns, grid.columns.len())?;
        let (brought, forward) = (words::brought_forward(languages), words::carried_forward(languages));
        Some(Self { columns, label_at, brought, forward })
    }

    /// Their sums over `rows`.
    pub(crate) fn sums(&self, rows: &[Vec<Cell>]) -> Vec<Decimal> {
        // A column whose whole sum could be computed may still not have each part of it, if signs differ; it has none then.
        self.columns.iter().map(|index| sum(rows, *index).unwrap_or_default()).collect()
    }

    /// Of each column, the longest sum that any page may have to carry.
    pub(crate) fn widest(&self, rows: &[Vec<Cell>], options: &Options) -> Vec<String> {
        let widest = |index: &usize| {
            let (mut sum, mut widest) = (Decimal::ZERO, String::new());
            for row in rows {
                if let Some(Cell::Amount(amount)) = row.get(*index) {
                    sum = sum.checked_add(*amount).unwrap_or(sum);
                }
                let text = options.text(&Cell::Amount(sum));
                if text.len() > widest.len() {
                    widest = text;
                }
            }
            widest
        };
        self.columns.iter().map(widest).collect()
    }
}

/// The sum of the amounts of a column; none if it is too large.
fn sum(rows: &[Vec<Cell>], index: usize) -> Option<Decimal> {
    rows.iter().try_fold(Decimal::ZERO, |sum, row| match row.get(index) {
        Some(Cell::Amount(amount)) => sum.checked_add(*amount),
        _ => Some(sum),
    })
}

/// The longest run of columns that are not carried, the first of equals.
fn widest_gap(carried: &[usize], count: usize) -> Option<(usize, usize)> {
    let mut widest: Option<(usize, usize)> = None;
    let mut from = 0;
    for end in carried.iter().copied().chain([count]) {
        let run = (from, end - from);
        if run.1 > widest.map_or(0, |widest| widest.1) {
            widest = Some(run);
        }
        from = end + 1;
    }
    widest
}

#[cfg(test)]
mod tests {
    use niyam_values::{Cell, Column, Grid};

    use super::*;

    fn amount(text: &str) -> Cell {
        Cell::Amount(text.parse().unwrap())
    }

    fn grid(rows: Vec<Vec<Cell>>, totals: Vec<Cell>) -> Grid {
        let column = |index: usize| Column { key: format!("c{index}"), labels: Vec::new(), numeric: true };
        Grid { columns: (0..totals.len()).map(column).collect(), rows, totals }
    }

    #[test]
    fn only_a_column_that_adds_up_is_carried() {
        let rows = vec![
            vec![Cell::Text("a".into()), amount("1.50"), amount("15"), amount("7"), amount("1")],
            vec![Cell::Empty, amount("2.50"), amount("15"), Cell::Empty, amount("1")],
        ];
        // A rate is no sum, an empty total says nothing, a total that does not add up is not ours to explain.
        let totals =
            vec![Cell::Text("Total".into()), amount("4.00"), Cell::Empty, amount("7.00"), amount("3")];
        let grid = grid(rows, totals);
        let carried = Carried::of(&grid, &["en"]).unwrap();
        assert_eq!(carried.columns, [1, 3]);
        assert_eq!(carried.label_at, (0, 1));
        assert_eq!(carried.sums(&grid.rows[..1]), ["1.50".parse().unwrap(), Decimal::from(7)]);
    }

    #[test]
    fn the_words_need_a_place() {
        let all = grid(vec![vec![amount("1"), amount("2")]], vec![amount("1"), amount("2")]);
        assert!(Carried::of(&all, &[]).is_none());
        assert!(Carried::of(&grid(vec![vec![Cell::Empty]], vec![Cell::Empty]), &[]).is_none());
        assert_eq!(widest_gap(&[0, 4], 6), Some((1, 3)));
        assert_eq!(widest_gap(&[3], 7), Some((0, 3)));
    }

    #[test]
    fn a_sum_too_large_is_not_carried() {
        let large = amount("79228162514264337593543950335");
        let grid = grid(
            vec![vec![Cell::Empty, large.clone()], vec![Cell::Empty, large.clone()]],
            vec![Cell::Empty, large],
        );
        assert!(Carried::of(&grid, &[]).is_none());
    }

    #[test]
    fn the_longest_sum_may_be_before_the_end() {
        let rows = vec![vec![Cell::Empty, amount("1000000")], vec![Cell::Empty, amount("-999999")]];
        let carried = Carried::of(&grid(rows.clone(), vec![Cell::Empty, amount("1")]), &[]).unwrap();
        assert_eq!(carried.widest(&rows, &Options::default()), ["1000000"]);
    }
}
