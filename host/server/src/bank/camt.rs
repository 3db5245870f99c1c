//! camt.053 of ISO 20022, in any of its versions: elements are found by their names, whatever their namespace.
//!
//! A document type is refused, and with it every entity; depth and nodes are bounded before a tree is made.

use niyam_domain::{Currency, NewStatement, NewStatementLine, STATEMENT_LINES_MAX};
use niyam_values::{Date, Decimal};
use roxmltree::{Document, Node, ParsingOptions};

use super::{STATEMENTS_MAX, Unreadable, unreadable};

/// Most nodes of a file.
const NODES_MAX: u32 = 500_000;
/// Deepest nesting: camt.053 itself needs less than 20.
const DEPTH_MAX: usize = 64;
/// Most declarations of namespaces: an element that has one compares it with all that are in force.
const NAMESPACES_MAX: usize = 1_000;
/// Longest tag, bytes: its attributes are compared with each other.
const TAG_BYTES_MAX: usize = 64 * 1024;

/// The statements of a file.
pub(crate) fn read(content: &str) -> Result<Vec<NewStatement>, Unreadable> {
    check_depth(content)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(content, options)
        .map_err(|error| unreadable(format!("no XML that is read here: {:.200}", error.to_string())))?;
    let root = child(document.root_element(), "BkToCstmrStmt")
        .ok_or_else(|| unreadable("no camt.053: it has no BkToCstmrStmt"))?;
    let statements: Vec<Node<'_, '_>> = children(root, "Stmt").take(STATEMENTS_MAX + 1).collect();
    if statements.is_empty() {
        return Err(unreadable("no camt.053: it has no Stmt"));
    }
    if statements.len() > STATEMENTS_MAX {
        return Err(unreadable(format!("a file has at most {STATEMENTS_MAX} statements")));
    }
    statements.into_iter().map(statement).collect()
}

/// Refuses what is nested too deep, by the tags alone: a tree is never made of it.
fn check_depth(content: &str) -> Result<(), Unreadable> {
    if content.matches("xmlns").nth(NAMESPACES_MAX).is_some() {
        return Err(unreadable(format!("it declares more than {NAMESPACES_MAX} namespaces")));
    }
    let (mut depth, mut rest) = (0_usize, content);
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
        if let Some((begin, end)) = skipped.into_iter().find(|(begin, _)| rest.starts_with(begin)) {
            let inner = &rest[begin.len()..];
            rest = inner.find(end).map_or("", |at| &inner[at + end.len()..]);
            continue;
        }
        let Some(end) = end_of_tag(rest) else { break };
        if end > TAG_BYTES_MAX {
            return Err(unreadable(format!("a tag has at most {TAG_BYTES_MAX} bytes")));
        }
        if rest.starts_with("</") {
            depth = depth.saturating_sub(1);
        } else if !rest[..end].ends_with('/') {
            depth += 1;
            if depth > DEPTH_MAX {
                return Err(unreadable(format!("it is nested deeper than {DEPTH_MAX}")));
            }
        }
        rest = &rest[end + 1..];
    }
    Ok(())
}

/// Where the tag ends that `text` begins with: a bracket within quotes ends nothing.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (byte, quote) {
            (b'>', None) => return Some(at),
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
    }
    None
}

fn children<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &'static str) -> Option<Node<'a, 'input>> {
    children(node, name).next()
}

/// What lies below `node` by these names, one after another.
fn below<'a, 'input>(node: Node<'a, 'input>, path: &[&'static str]) -> Option<Node<'a, 'input>> {
    path.iter().try_fold(node, |node, name| child(node, name))
}

fn text(node: Node<'_, '_>, path: &[&'static str]) -> Option<String> {
    let text = below(node, path)?.text()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn statement(node: Node<'_, '_>) -> Result<NewStatement, Unreadable> {
    let balance = |codes: &[&str]| {
        codes.iter().find_map(|wanted| {
            children(node, "Bal").find(|balance| {
                text(*balance, &["Tp", "CdOrPrtry", "Cd"]).is_some_and(|code| code == *wanted)
            })
        })
    };
    let opening =
        balance(&["OPBD", "PRCD"]).ok_or_else(|| unreadable("it has no opening balance (OPBD or PRCD)"))?;
    let closing = balance(&["CLBD"]).ok_or_else(|| unreadable("it has no closing balance (CLBD)"))?;
    let (opening, currency) = amount(opening, None)?;
    let (ends, (closing, _)) = (day(closing, "Dt"), amount(closing, Some(currency))?);
    let mut lines = Vec::new();
    for entry in children(node, "Ntry") {
        // What is pending is not booked, and in no balance.
        let status = text(entry, &["Sts", "Cd"]).or_else(|| text(entry, &["Sts"]));
        if status.is_some_and(|status| status != "BOOK") {
            continue;
        }
        if lines.len() == STATEMENT_LINES_MAX {
            let message = format!("a statement has at most {STATEMENT_LINES_MAX} lines");
            return Err(Unreadable { rule: "statement-lines-count", message });
        }
        lines.push(line(entry, currency)?);
    }
    let period =
        |name| child(node, "FrToDt").and_then(|period| text(period, &[name])).and_then(|text| date(&text));
    Ok(NewStatement {
        number: text(node, &["ElctrncSeqNb"])
            .or_else(|| text(node, &["LglSeqNb"]))
            .or_else(|| text(node, &["Id"])),
        currency,
        starts: period("FrDtTm"),
        ends: period("ToDtTm").or(ends),
        opening,
        closing,
        lines,
    })
}

/// The amount of a balance or an entry, below zero where money is owed or went out, and its currency.
fn amount(node: Node<'_, '_>, wanted: Option<Currency>) -> Result<(Decimal, Currency), Unreadable> {
    let found = child(node, "Amt").ok_or_else(|| unreadable("an amount is missing"))?;
    let code = found.attribute("Ccy").unwrap_or_default();
    let currency: Currency = code.parse().map_err(|_| unreadable(format!("{code:.3} is no currency")))?;
    if wanted.is_some_and(|wanted| wanted != currency) {
        return Err(unreadable("its amounts are of two currencies"));
    }
    let digits = found.text().unwrap_or_default().trim();
    let plain = !digits.is_empty()
        && digits.len() <= 28
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let amount = if plain { Decimal::from_str_exact(digits).ok() } else { None };
    let amount = amount.ok_or_else(|| unreadable(format!("{digits:.30} is no amount")))?;
    match text(node, &["CdtDbtInd"]).as_deref() {
        Some("CRDT") => Ok((amount, currency)),
        Some("DBIT") => Ok((-amount, currency)),
        _ => Err(unreadable("an amount is neither CRDT nor DBIT")),
    }
}

fn line(entry: Node<'_, '_>, currency: Currency) -> Result<NewStatementLine, Unreadable> {
    let (amount, _) = amount(entry, Some(currency))?;
    let booked = day(entry, "BookgDt").or_else(|| day(entry, "ValDt"));
    let details = below(entry, &["NtryDtls", "TxDtls"]);
    let of = |path: &[&'static str]| details.and_then(|details| text(details, path));
    let end_to_end = of(&["Refs", "EndToEndId"]).filter(|reference| reference != "NOTPROVIDED");
    let references: Vec<String> = [
        end_to_end,
        of(&["RmtInf", "Strd", "CdtrRefInf", "Ref"]),
        text(entry, &["NtryRef"]),
        text(entry, &["AcctSvcrRef"]),
    ]
    .into_iter()
    .flatten()
    .collect();
    let other = if amount < Decimal::ZERO { "Cdtr" } else { "Dbtr" };
    let counterparty = of(&["RltdPties", other, "Nm"]).or_else(|| of(&["RltdPties", other, "Pty", "Nm"]));
    let description =
        of(&["RmtInf", "Ustrd"]).or_else(|| of(&["AddtlTxInf"])).or_else(|| text(entry, &["AddtlNtryInf"]));
    Ok(NewStatementLine {
        date: booked.ok_or_else(|| unreadable("an entry has no booking date"))?,
        amount,
        reference: (!references.is_empty()).then(|| references.join(" ")),
        description,
        counterparty,
    })
}

/// The day of an element that has a `Dt` or a `DtTm`, or the text of one.
fn day(node: Node<'_, '_>, name: &'static str) -> Option<Date> {
    let found = child(node, name)?;
    let text = text(found, &["Dt"]).or_else(|| text(found, &["DtTm"]))?;
    date(&text)
}

/// `2026-08-15`, or the day of a moment.
fn date(text: &str) -> Option<Date> {
    let day = text.get(..10)?;
    let shape = day.bytes().enumerate().all(|(index, byte)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if shape { day.parse().ok() } else { None }
}
