//! An issue on its way: all but the serial, which only the transaction that writes it knows.

use niyam_values::IssueFacts;

use crate::decision::Assessment;
use crate::ids::InvoiceId;
use crate::invoice::commands::IssueInvoice;
use crate::invoice::events::{InvoiceEvent, InvoiceIssued};
use crate::number_series::NumberDrawn;

/// An issue that lacks only its serial.
#[derive(Debug, Clone)]
pub struct PreparedIssue {
    invoice_id: InvoiceId,
    command: IssueInvoice,
}

impl PreparedIssue {
    pub(super) fn new(invoice_id: InvoiceId, command: IssueInvoice) -> Self {
        Self { invoice_id, command }
    }

    /// The series that the serial is to be drawn from.
    #[must_use]
    pub fn series(&self) -> &str {
        &self.command.plan.series
    }

    /// What will be issued.
    #[must_use]
    pub fn assessment(&self) -> &Assessment {
        &self.command.assessment
    }

    /// What happens, with `serial` drawn: to the invoice, and to the series.
    #[must_use]
    pub fn with_serial(&self, serial: u64) -> (InvoiceEvent, NumberDrawn) {
        let IssueInvoice { assessment, plan, plan_decision, issued_on, issued_time, issued_at, attributes } =
            self.command.clone();
        let number = plan.number_pattern.replace("{serial}", &serial.to_string());
        let drawn = NumberDrawn {
            series: plan.series.clone(),
            serial,
            number: number.clone(),
            invoice_id: self.invoice_id,
        };
        let facts = IssueFacts { number, issued_on, issued_at: issued_time, attributes };
        let issued = InvoiceIssued { assessment, plan, plan_decision, serial, facts, issued_at };
        (InvoiceEvent::Issued(issued), drawn)
    }
}
