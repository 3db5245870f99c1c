//! An import entry: duties and taxes at the customs house, in their order.
//!
//! A line's price is its assessable value. Customs and regulatory duty are on it, supplementary duty on the value with both,
//! VAT on all of that; advance income tax is on the assessable value, advance tax as configured.

use niyam_sdk::{Decimal, Effect, Finding, Line, LineTaxes, TaxItem};

use crate::amounts::{self, in_range, percentage, rounded};
use crate::config::{AdvanceTaxBase, Importer};
use crate::determine::Case;
use crate::line::{self, STANDARD, place};
use crate::rates;
use crate::tables::{self, CUSTOMS, Charge, IMPORT_INCOME_TAX, LAW_FROM, Rate, SUPPLEMENTARY_DUTY};

/// The kind of its document.
pub(crate) const KIND: &str = "import-entry";

/// The duties and taxes of the line at `index`.
pub(crate) fn taxes<'a>(case: &mut Case<'a>, index: usize, line: &'a Line) -> Option<LineTaxes> {
    if !case.purchase {
        if index == 0 {
            let message = "an import entry is a purchase";
            case.findings.push(Finding::error("direction-mismatch", message).at("/direction"));
        }
        return None;
    }
    let value = line::value(case, index, line);
    let [customs, regulatory, supplementary, income] =
        ["cd_rate", "rd_rate", "sd_rate", "ait_rate"].map(|name| percent(case, index, line, name));
    let rate = rate(case, index, line);
    let advance = advance_tax(case, index, line);
    let (Some(value), Ok(customs), Ok(regulatory), Ok(supplementary), Ok(income), Some(rate), Ok(advance)) =
        (value, customs, regulatory, supplementary, income, rate, advance)
    else {
        return None;
    };
    let mut entry =
        Entry { places: case.places, gross: rounded(value, case.places), taxes: Vec::with_capacity(6) };
    let assessable = entry.gross;
    let duties = |entry: &mut Entry, case: &mut Case| -> Option<()> {
        let cited = case.cited.index(CUSTOMS);
        entry.add("cd", customs, assessable, false, cited)?;
        entry.add("rd", regulatory, assessable, false, cited)?;
        let basis = line.attributes.get("sd_basis").unwrap_or("import");
        let cited = case.cited.article(SUPPLEMENTARY_DUTY, basis);
        entry.add("sd", supplementary, entry.gross, false, cited)?;
        let for_vat = entry.gross;
        let vat = match rate.charge {
            Charge::Percent(percent) => Some(percent),
            Charge::Zero => Some(Decimal::ZERO),
            Charge::Exempt | Charge::Specific { .. } => None,
        };
        if let Some(percent) = vat {
            let cited = case.cited.index(rate.citation);
            entry.item("vat", percent, for_vat, percent == STANDARD || percent.is_zero(), cited)?;
        }
        let cited = case.cited.index(IMPORT_INCOME_TAX);
        entry.add("ait", income, assessable, true, cited)?;
        let base = match case.config.imports.advance_tax_base {
            AdvanceTaxBase::ValueForVat => for_vat,
            AdvanceTaxBase::AssessableValue => assessable,
        };
        if let Some(levy) = advance {
            let cited = case.cited.index(levy.citation);
            entry.add("at", levy.value, base, true, cited)?;
        }
        Some(())
    };
    if duties(&mut entry, case).is_none() || !in_range(entry.gross) {
        case.findings.push(line::out_of_range("the line's duties").at(place(index, "unit_price")));
        return None;
    }
    Some(LineTaxes { line_id: line.id.clone(), net: assessable, taxes: entry.taxes, gross: entry.gross })
}

struct Entry {
    places: u32,
    gross: Decimal,
    taxes: Vec<TaxItem>,
}

impl Entry {
    fn add(
        &mut self,
        code: &str,
        rate: Decimal,
        base: Decimal,
        recoverable: bool,
        citation: u32,
    ) -> Option<()> {
        if rate.is_zero() { Some(()) } else { self.item(code, rate, base, recoverable, citation) }
    }

    fn item(
        &mut self,
        code: &str,
        rate: Decimal,
        base: Decimal,
        recoverable: bool,
        citation: u32,
    ) -> Option<()> {
        let amount = percentage(base, rate, self.places)?;
        self.gross = self.gross.checked_add(amount)?;
        let (code, effect) = (code.to_owned(), Effect::Added);
        self.taxes.push(TaxItem { code, rate: Some(rate), base, amount, effect, recoverable, citation });
        Some(())
    }
}

/// A rate that the line names; zero where it names none.
fn percent(case: &mut Case, index: usize, line: &Line, name: &str) -> Result<Decimal, ()> {
    let Some(text) = line.attributes.get(name).filter(|text| !text.trim().is_empty()) else {
        return Ok(Decimal::ZERO);
    };
    amounts::percent(text).ok_or_else(|| {
        let code = if name == "sd_rate" { "sd-rate-invalid" } else { "duty-rate-invalid" };
        let message = format!("{name} is a percentage from 0 to 10000, with at most 6 decimals");
        case.findings.push(Finding::error(code, message).at(format!("/lines/{index}/attributes/{name}")));
    })
}

fn rate(case: &mut Case, index: usize, line: &Line) -> Option<&'static Rate> {
    let day = case.document.tax_date;
    let own = case.config.supply(&line.supply_code);
    let code = own.map_or(line.supply_code.as_str(), |own| own.code.as_str());
    let variant = line.attributes.get("variant").or(own.and_then(|own| own.variant.as_deref()));
    match rates::find(code, variant, day) {
        Ok(rate) if matches!(rate.charge, Charge::Specific { .. }) => {
            let message = "an amount per unit is no tax of an import entry";
            case.findings
                .push(Finding::error("supply-code-unknown", message).at(place(index, "supply_code")));
            None
        }
        Ok(rate) => Some(rate),
        Err(rates::Unknown::Day(_)) if day < LAW_FROM => None,
        Err(unknown) => {
            case.findings.push(unknown.finding(code, day, &format!("/lines/{index}")));
            None
        }
    }
}

/// The advance tax of the importer; none where the line's attribute `advance_tax` is `no`.
fn advance_tax(case: &mut Case, index: usize, line: &Line) -> Result<Option<&'static tables::Levy>, ()> {
    let (day, at) = (case.document.tax_date, format!("/lines/{index}/attributes/advance_tax"));
    let importer = match line.attributes.get("advance_tax").map(str::trim) {
        None | Some("") => case.config.imports.importer,
        Some("commercial") => Importer::Commercial,
        Some("manufacturer") => Importer::Manufacturer,
        Some("no") => return Ok(None),
        Some(_) => {
            let message = "advance_tax is commercial, manufacturer or no";
            case.findings.push(Finding::error("advance-tax-unknown", message).at(at));
            return Err(());
        }
    };
    let key = match importer {
        Importer::Commercial => "advance-tax-commercial",
        Importer::Manufacturer => "advance-tax-manufacturer",
    };
    let levy = tables::levy(key, day);
    if let Some((levy, verified)) = levy.and_then(|levy| Some((levy, levy.verified_from?))) {
        if day < verified {
            let message = format!("{key} is read for {verified} and later; that it held on {day} is assumed");
            let finding = Finding::warning("rate-start-unverified", message).at(at);
            case.findings.push(finding.citing(tables::citation(levy.citation)));
        }
    }
    Ok(levy)
}
