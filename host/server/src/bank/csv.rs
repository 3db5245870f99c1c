//! CSV: each bank has its own, so the caller says which column is what.

use ::csv::{ReaderBuilder, StringRecord};
use niyam_domain::{Currency, NewStatement, NewStatementLine, STATEMENT_LINES_MAX};
use niyam_values::{Date, Decimal};

use super::{Unreadable, unreadable};

/// Most columns of a row.
const COLUMNS_MAX: usize = 100;

/// How days are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateOrder {
    /// `2026-08-15`.
    YearMonthDay,
    /// `15/08/2026`, also with dots or hyphens.
    DayMonthYear,
    /// `08/15/2026`, also with dots or hyphens.
    MonthDayYear,
}

/// Which column is what, by the names in the first row.
#[derive(Debug, Clone)]
pub(crate) struct ColumnMap {
    pub(crate) delimiter: u8,
    /// Whether a comma, and not a point, stands before the decimals.
    pub(crate) is_decimal_comma: bool,
    pub(crate) dates: DateOrder,
    pub(crate) date: String,
    /// Signed: above zero where money came in. Else `credit` and `debit`.
    pub(crate) amount: Option<String>,
    /// What came in.
    pub(crate) credit: Option<String>,
    /// What went out.
    pub(crate) debit: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) counterparty: Option<String>,
}

/// What the file itself does not say.
#[derive(Debug, Clone)]
pub(crate) struct Balances {
    pub(crate) number: Option<String>,
    pub(crate) currency: Currency,
    pub(crate) opening: Decimal,
    pub(crate) closing: Decimal,
}

/// The statement of a file.
pub(crate) fn read(content: &str, map: &ColumnMap, balances: Balances) -> Result<NewStatement, Unreadable> {
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let mut reader =
        ReaderBuilder::new().delimiter(map.delimiter).flexible(true).from_reader(content.as_bytes());
    let head = reader.headers().map_err(|error| unreadable(format!("its first row: {error}")))?.clone();
    if head.len() > COLUMNS_MAX {
        return Err(unreadable(format!("a row has at most {COLUMNS_MAX} columns")));
    }
    let columns = Columns::find(&head, map)?;
    let mut lines = Vec::new();
    for (index, record) in reader.records().enumerate() {
        // As a person counts them: the first row has the names.
        let row = index + 2;
        let record = record.map_err(|error| invalid(row, "", &error.to_string()))?;
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if lines.len() == STATEMENT_LINES_MAX {
            let message = format!("a statement has at most {STATEMENT_LINES_MAX} lines");
            return Err(Unreadable { rule: "statement-lines-count", message });
        }
        lines.push(columns.line(&record, row, map)?);
    }
    let Balances { number, currency, opening, closing } = balances;
    Ok(NewStatement { number, currency, starts: None, ends: None, opening, closing, lines })
}

fn invalid(row: usize, column: &str, what: &str) -> Unreadable {
    let place = if column.is_empty() { String::new() } else { format!(", column {column:.100}") };
    Unreadable { rule: "statement-row-invalid", message: format!("row {row}{place}: {what}") }
}

/// Where the columns of the map stand.
struct Columns {
    date: usize,
    amount: Option<usize>,
    credit: Option<usize>,
    debit: Option<usize>,
    reference: Option<usize>,
    description: Option<usize>,
    counterparty: Option<usize>,
}

impl Columns {
    fn find(head: &StringRecord, map: &ColumnMap) -> Result<Self, Unreadable> {
        let of = |name: &String| {
            let mut found = head.iter().enumerate().filter(|(_, cell)| cell.trim() == name.trim());
            match (found.next(), found.next()) {
                (Some((index, _)), None) => Ok(index),
                (None, _) => Err(invalid(1, name, "there is no such column")),
                (Some(_), Some(_)) => Err(invalid(1, name, "there are several such columns")),
            }
        };
        let maybe = |name: &Option<String>| name.as_ref().map(of).transpose();
        let found = Self {
            date: of(&map.date)?,
            amount: maybe(&map.amount)?,
            credit: maybe(&map.credit)?,
            debit: maybe(&map.debit)?,
            reference: maybe(&map.reference)?,
            description: maybe(&map.description)?,
            counterparty: maybe(&map.counterparty)?,
        };
        match (found.amount, found.credit, found.debit) {
            (Some(_), None, None) | (None, Some(_), Some(_)) => Ok(found),
            _ => Err(unreadable("the column map names amount, or credit and debit")),
        }
    }

    fn line(
        &self,
        record: &StringRecord,
        row: usize,
        map: &ColumnMap,
    ) -> Result<NewStatementLine, Unreadable> {
        let cell = |index: usize| record.get(index).unwrap_or_default().trim();
        let day = date(cell(self.date), map.dates)
            .ok_or_else(|| invalid(row, &map.date, "no date of the order that the column map says"))?;
        let amount_of = |index: usize, name: &Option<String>| {
            let text = cell(index);
            let wrong = || invalid(row, name.as_deref().unwrap_or_default(), "no amount");
            if text.is_empty() {
                Ok(None)
            } else {
                amount(text, map.is_decimal_comma).ok_or_else(wrong).map(Some)
            }
        };
        let amount = match (self.amount, self.credit, self.debit) {
            (Some(index), _, _) => amount_of(index, &map.amount)?,
            (None, Some(credit), Some(debit)) => {
                match (amount_of(credit, &map.credit)?, amount_of(debit, &map.debit)?) {
                    (None, None) => None,
                    (credit, debit) => {
                        let (credit, debit) = (credit.unwrap_or_default(), debit.unwrap_or_default());
                        Some(credit.saturating_sub(debit))
                    }
                }
            }
            _ => None,
        };
        let amount = amount.ok_or_else(|| invalid(row, "", "it has no amount"))?;
        let text = |index: Option<usize>| index.map(|index| cell(index).to_owned());
        Ok(NewStatementLine {
            date: day,
            amount,
            reference: text(self.reference),
            description: text(self.description),
            counterparty: text(self.counterparty),
        })
    }
}

fn date(text: &str, order: DateOrder) -> Option<Date> {
    let mut parts = text.split(['-', '/', '.']);
    let mut number = || -> Option<i16> {
        let part = parts.next()?;
        let plain = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if plain { part.parse().ok() } else { None }
    };
    let (one, two, three) = (number()?, number()?, number()?);
    let (year, month, day) = match order {
        DateOrder::YearMonthDay => (one, two, three),
        DateOrder::DayMonthYear => (three, two, one),
        DateOrder::MonthDayYear => (three, one, two),
    };
    if parts.next().is_some() || year < 1000 {
        return None;
    }
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// `1,234.50`, `-3.5`, `(3.50)`; with a decimal comma `1.234,50`. Groups are of two or three digits, as in lakhs.
fn amount(text: &str, is_decimal_comma: bool) -> Option<Decimal> {
    let (text, is_negative) = match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        Some(inner) => (inner, true),
        None => match text.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (rest, true),
            None => (text.strip_prefix('+').unwrap_or(text), false),
        },
    };
    let (point, group) = if is_decimal_comma { (',', '.') } else { ('.', ',') };
    let (whole, fraction) = text.split_once(point).unwrap_or((text, ""));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let groups: Vec<&str> = whole.split([group, ' ', '\u{a0}', '\'']).collect();
    let grouped = groups.iter().all(|part| digits(part))
        && groups.iter().skip(1).all(|part| (2..=3).contains(&part.len()))
        && (groups.len() == 1 || groups.last().is_some_and(|part| part.len() == 3));
    if !grouped || !(fraction.is_empty() || digits(fraction)) || text.len() > 40 {
        return None;
    }
    let plain = format!("{}.{}", groups.concat(), if fraction.is_empty() { "0" } else { fraction });
    let amount = Decimal::from_str_exact(&plain).ok()?;
    Some(if is_negative { -amount } else { amount })
}
