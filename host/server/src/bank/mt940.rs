//! MT940, by a parser that reads it strictly.

use std::panic;

use mt940::{DebitOrCredit, ExtDebitOrCredit, InformationToAccountOwner, Message};
use niyam_domain::{Currency, NewStatement, NewStatementLine};
use niyam_values::{Date, Decimal};

use super::{STATEMENTS_MAX, Unreadable, unreadable};

/// The statements of a file. A statement that goes on in another message is one.
pub(crate) fn read(content: &str) -> Result<Vec<NewStatement>, Unreadable> {
    // What lies around the fields, as of the envelope of FIN, is none of them.
    let content = fields_of(content);
    let content = mt940::sanitizers::to_swift_charset(&content);
    // The parser panics on a day that no month has.
    let parsed = panic::catch_unwind(|| mt940::parse_mt940(&content));
    let messages = match parsed {
        Ok(Ok(messages)) => messages,
        Ok(Err(error)) => return Err(unreadable(format!("no MT940: {:.200}", error.to_string()))),
        Err(_) => return Err(unreadable("no MT940: a date does not exist")),
    };
    if messages.is_empty() {
        return Err(unreadable("no MT940: it has no statement"));
    }
    let mut statements: Vec<NewStatement> = Vec::new();
    for message in &messages {
        let part = statement(message)?;
        match statements.last_mut() {
            Some(before) if message.opening_balance.is_intermediate => go_on(before, part)?,
            _ => statements.push(part),
        }
        if statements.len() > STATEMENTS_MAX {
            return Err(unreadable(format!("a file has at most {STATEMENTS_MAX} statements")));
        }
    }
    Ok(statements)
}

/// The lines from the first field on, without the braces of an envelope, each ended as the parser wants.
fn fields_of(content: &str) -> String {
    let mut fields = String::with_capacity(content.len() + 64);
    for line in content.lines() {
        let line = line.trim_end();
        // `{4:` before the first field, `-}` after the last.
        let line = line.rfind("{4:").map_or(line, |at| &line[at + 3..]);
        if line == "-}" || line == "-" || line.starts_with('{') || (line.is_empty() && fields.is_empty()) {
            continue;
        }
        fields.push_str(line);
        fields.push_str("\r\n");
    }
    fields
}

fn go_on(before: &mut NewStatement, part: NewStatement) -> Result<(), Unreadable> {
    if before.currency != part.currency || before.closing != part.opening {
        return Err(unreadable("a statement goes on with another balance than the one before ended with"));
    }
    before.closing = part.closing;
    before.ends = before.ends.max(part.ends);
    before.lines.extend(part.lines);
    Ok(())
}

fn statement(message: &Message) -> Result<NewStatement, Unreadable> {
    let (opening, closing) = (&message.opening_balance, &message.closing_balance);
    let code = &opening.iso_currency_code;
    let currency: Currency = code.parse().map_err(|_| unreadable(format!("{code:.3} is no currency")))?;
    if closing.iso_currency_code != *code {
        return Err(unreadable("its balances are of two currencies"));
    }
    let signed = |side: &DebitOrCredit, amount: Decimal| match side {
        DebitOrCredit::Debit => -amount,
        DebitOrCredit::Credit => amount,
    };
    let mut lines = Vec::with_capacity(message.statement_lines.len());
    for line in &message.statement_lines {
        let amount = match line.ext_debit_credit_indicator {
            ExtDebitOrCredit::Credit | ExtDebitOrCredit::ReverseDebit => line.amount,
            ExtDebitOrCredit::Debit | ExtDebitOrCredit::ReverseCredit => -line.amount,
        };
        let (description, counterparty) = match &line.information_to_account_owner {
            None => (line.supplementary_details.clone(), None),
            Some(InformationToAccountOwner::Plain(text)) => (Some(text.clone()), None),
            Some(InformationToAccountOwner::Structured {
                purpose,
                posting_text,
                applicant_name,
                recipient_name,
                ..
            }) => (
                purpose.clone().or_else(|| posting_text.clone()),
                applicant_name.clone().or_else(|| recipient_name.clone()),
            ),
        };
        let references = [Some(line.customer_ref.as_str()), line.bank_ref.as_deref()];
        let known: Vec<&str> = references
            .into_iter()
            .flatten()
            .filter(|reference| !["", "NONREF"].contains(reference))
            .collect();
        lines.push(NewStatementLine {
            date: booked(date(line.value_date)?, line.entry_date.map(date).transpose()?),
            amount,
            reference: (!known.is_empty()).then(|| known.join(" ")),
            description,
            counterparty,
        });
    }
    Ok(NewStatement {
        number: Some(message.statement_no.clone()),
        currency,
        starts: None,
        ends: Some(date(closing.date)?),
        opening: signed(&opening.debit_credit_indicator, opening.amount),
        closing: signed(&closing.debit_credit_indicator, closing.amount),
        lines,
    })
}

/// The day on which the bank booked a line. A file does not say the year of it, and the parser takes that of the value
/// date: it is the year in which both lie nearest to each other.
fn booked(value: Date, entry: Option<Date>) -> Date {
    let Some(entry) = entry else { return value };
    let in_year = |year: i16| Date::new(year, entry.month(), entry.day()).ok();
    let apart = |day: &Date| day.since(value).map_or(u32::MAX, |span| span.get_days().unsigned_abs());
    let years = [entry.year(), entry.year() - 1, entry.year() + 1];
    years.into_iter().filter_map(in_year).min_by_key(apart).unwrap_or(entry)
}

/// The day as written, `2026-08-15`.
fn date(day: impl std::fmt::Display) -> Result<Date, Unreadable> {
    day.to_string().parse().map_err(|_| unreadable("a date that does not exist"))
}
