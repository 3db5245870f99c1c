//! The documents that count for a period, and what each adds to a figure of its return.

use std::sync::Arc;

use niyam_domain::{Activation, InvoiceEvent, Position, ReturnPrepared, TenantId};
use niyam_values::{Block, Cell, Decimal, FiscalPeriod, Form, OpeningBalance, RegisterEntry};

use crate::app::App;
use crate::commands::CommandError;
use crate::commands::form::who_decided;
use crate::commands::return_views::ContributionView;
use crate::projections::TaxDocuments;
use crate::tenants::TenantAt;

/// Events that are read at once.
const EVENTS_AT_ONCE: usize = 500;

/// A document that counts for a period.
pub(crate) struct TaxDocument {
    /// Of the invoice.
    id: String,
    entry: RegisterEntry,
}

/// The documents of a period.
pub(crate) struct TaxDocumentsOf {
    pub(crate) documents: Vec<TaxDocument>,
    /// Whether the data of a party of one of them were erased.
    pub(crate) erased: bool,
}

impl TaxDocumentsOf {
    /// With who files it, or draws it, last.
    pub(crate) fn into_entries(self, filing: &RegisterEntry) -> Arc<Vec<RegisterEntry>> {
        let entries = self.documents.into_iter().map(|document| document.entry);
        Arc::new(entries.chain([filing.clone()]).collect())
    }
}

/// A figure of a return, and where it comes from.
pub(crate) struct Figure {
    pub(crate) total: Decimal,
    /// What comes from elsewhere than a single document.
    pub(crate) remainder: Decimal,
    /// What documents add to it, those that add nothing left out.
    pub(crate) contributions: Vec<ContributionView>,
}

impl App {
    /// What each document of a prepared return adds to one of its figures, by asking who drew it about that document
    /// alone. Each is a call in its turn, so that none holds the others up, and an abandoned request asks no more.
    pub(crate) async fn figure(
        &self,
        at: &TenantAt,
        prepared: &ReturnPrepared,
        figure: String,
    ) -> Result<Figure, CommandError> {
        let found = self.tax_documents(&at.tenant.id, &prepared.period, prepared.known_at).await?;
        let documents = found.documents;
        let filing = &prepared.filing;
        let mut entries: Vec<RegisterEntry> =
            documents.iter().map(|document| document.entry.clone()).collect();
        entries.push(filing.clone());
        let asking = Arc::new(Asking {
            activation: who_decided(at, &prepared.decision)?.clone(),
            prepared: prepared.clone(),
            figure,
        });
        let tenant = &at.tenant.id;
        let whole = self.amount_in(tenant, &asking, entries, prepared.opening.clone()).await?;
        let total = whole.ok_or(CommandError::FigureMissing)?;
        let none =
            self.amount_in(tenant, &asking, vec![filing.clone()], Vec::new()).await?.unwrap_or_default();
        let (mut remainder, mut contributions) = (total, Vec::new());
        for TaxDocument { id, entry } in documents {
            let pair = vec![entry.clone(), filing.clone()];
            // Amounts of forms are bounded, so these sums are exact.
            let amount = self.amount_in(tenant, &asking, pair, Vec::new()).await?.unwrap_or_default() - none;
            if !amount.is_zero() {
                remainder -= amount;
                contributions.push(ContributionView::new(&id, &entry, amount));
            }
        }
        Ok(Figure { total, remainder, contributions })
    }

    /// The figure, as a return of these entries has it.
    async fn amount_in(
        &self,
        tenant: &TenantId,
        asking: &Arc<Asking>,
        entries: Vec<RegisterEntry>,
        opening: Vec<OpeningBalance>,
    ) -> Result<Option<Decimal>, CommandError> {
        let asked = Arc::clone(asking);
        let drawn = self
            .packs
            .call(tenant, &asking.activation, move |module, config| {
                let ReturnPrepared { code, period, .. } = &asked.prepared;
                let drawn = module.draw_return_unproved(config, code, period, &entries, &opening)?.0;
                Ok(drawn.ok().and_then(|form| amount_of(&form, &asked.figure)))
            })
            .await?;
        Ok(drawn)
    }

    /// Positions of what was issued for a period, up to a position that the view must hold, in order.
    pub(crate) async fn tax_positions(
        &self,
        tenant: &TenantId,
        period: &FiscalPeriod,
        up_to: Position,
    ) -> Result<Vec<Position>, CommandError> {
        let days = (period.starts, period.ends);
        Ok(TaxDocuments::between(self.store.database(), tenant, days, up_to).await?)
    }

    /// What was issued for a period, in order.
    pub(crate) async fn tax_documents(
        &self,
        tenant: &TenantId,
        period: &FiscalPeriod,
        up_to: Position,
    ) -> Result<TaxDocumentsOf, CommandError> {
        let positions = self.tax_positions(tenant, period, up_to).await?;
        let mut documents = Vec::with_capacity(positions.len());
        let mut erased = false;
        let mut opening = self.vault.opening(tenant);
        for page in positions.chunks(EVENTS_AT_ONCE) {
            let events = self.vault.opener().books().at(tenant, page).await?;
            for opened in opening.events(events).await? {
                erased |= opened.erased;
                let read: InvoiceEvent = opened.read()?;
                let entry = read.into_register_entry().ok_or_else(|| {
                    let position = opened.event.position;
                    CommandError::Defect(format!("no issue at position {position}"))
                })?;
                let id = opened.event.stream.as_str().trim_start_matches("invoice/").to_owned();
                documents.push(TaxDocument { id, entry });
            }
        }
        Ok(TaxDocumentsOf { documents, erased })
    }
}

/// Who is asked for which figure of what.
struct Asking {
    activation: Activation,
    prepared: ReturnPrepared,
    figure: String,
}

/// The amount that a form shows under a name: a field's key; or what a row's first cell says and a column's key, or
/// `total` and a column's key, with a colon between.
fn amount_of(form: &Form, figure: &str) -> Option<Decimal> {
    let amount = |cell: &Cell| match cell {
        Cell::Amount(amount) => Some(*amount),
        _ => None,
    };
    let (row_name, column_key) = figure.rsplit_once(':').unwrap_or((figure, ""));
    form.blocks.iter().find_map(|block| match block {
        Block::Fields(fields) => {
            fields.iter().find(|field| field.key == figure).and_then(|field| amount(&field.value))
        }
        Block::Grid(grid) => {
            let column = grid.columns.iter().position(|column| column.key == column_key)?;
            let named = |row: &&Vec<Cell>| match row.first() {
                Some(Cell::Text(text)) => text == row_name,
                Some(Cell::Amount(number)) => number.to_string() == row_name,
                _ => false,
            };
            let row = match row_name {
                "total" => Some(&grid.totals),
                _ => grid.rows.iter().find(named),
            };
            row?.get(column).and_then(amount)
        }
        Block::Paragraph(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use niyam_values::{Column, Field, Grid};

    use super::*;

    #[test]
    fn a_figure_is_a_field_or_a_cell() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let amount = |amount: i64| Cell::Amount(Decimal::from(amount));
        let field = Field { key: "net".to_owned(), labels: Vec::new(), value: amount(7) };
        let column = |key: &str| Column { key: key.to_owned(), labels: Vec::new(), numeric: true };
        let grid = Grid {
            columns: vec![column("note"), column("vat")],
            rows: vec![vec![text("1"), amount(8)], vec![amount(2), Cell::Empty]],
            totals: vec![Cell::Empty, amount(9)],
        };
        let blocks = vec![Block::Fields(vec![field]), Block::Grid(grid)];
        let form = Form { code: "r".to_owned(), titles: Vec::new(), blocks };
        for (figure, expected) in [
            ("net", Some(7)),
            ("1:vat", Some(8)),
            ("total:vat", Some(9)),
            ("2:vat", None),
            ("3:vat", None),
            ("vat", None),
        ] {
            assert_eq!(amount_of(&form, figure), expected.map(Decimal::from), "{figure}");
        }
    }
}
