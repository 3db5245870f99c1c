//! What policies were asked about an event, told from the event, the history before it and its metadata.

use jiff::tz::TimeZone;
use niyam_domain::{
    Aggregate as _, Invoice, InvoiceEvent, Payment, PaymentEvent, Profile, TenantEvent, TenantId,
};
use niyam_store::StoreError;
use niyam_values::Date;
use niyam_values::policy::Request;

use crate::commands::metadata::Metadata;
use crate::commands::policy::{Subject, policy_request};
use crate::personal::{Opened, Opener, OpeningError};
use crate::rerun::stored::{Happened, invoice_of};

/// Why it is not told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskedError {
    /// The store failed, or personal data do not open.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// The history does not make sense.
    #[error("{0}")]
    Unreadable(String),
}

impl From<StoreError> for AskedError {
    fn from(error: StoreError) -> Self {
        Self::Opening(error.into())
    }
}

/// What a command was about to record when policies were asked.
#[derive(Debug)]
pub(crate) struct Asked {
    about: About,
    /// Who commanded, and what the policies in force said.
    pub(crate) metadata: Metadata,
    /// Whether personal data of it were erased: it cannot be asked again.
    pub(crate) erased: bool,
    recorded_at: jiff::Timestamp,
}

#[derive(Debug)]
enum About {
    Invoice { before: Option<Box<Invoice>>, event: Box<InvoiceEvent> },
    Payment { before: Option<Box<Payment>>, event: Box<PaymentEvent> },
    Profile { tenant: TenantId, profile: Profile },
}

/// Types of the events that policies are asked about before they are recorded.
pub(crate) fn types() -> Vec<String> {
    use Happened::{Approved, Cancelled, Drafted, Issued, NoteIssued, Recorded, Revised, WrittenOff};
    let mut types =
        Happened::types(&[Drafted, Revised, Approved, Issued, Cancelled, Recorded, NoteIssued, WrittenOff]);
    let of_tenant = TenantEvent::TYPES.iter().chain(TenantEvent::OLDER_TYPES);
    let profile = of_tenant.filter(|event_type| event_type.starts_with("tenant.profile-changed."));
    types.extend(profile.map(|event_type| (*event_type).to_owned()));
    let of_payments = PaymentEvent::TYPES.iter().chain(PaymentEvent::OLDER_TYPES);
    types.extend(of_payments.map(|event_type| (*event_type).to_owned()));
    types
}

impl Asked {
    /// What was asked about an event of one of [`types`].
    ///
    /// # Errors
    /// When the store fails, or the history does not make sense.
    pub(crate) async fn about(
        reader: &Opener,
        tenant: &TenantId,
        opened: &Opened,
    ) -> Result<Self, AskedError> {
        let unreadable = |error: &dyn std::fmt::Display| AskedError::Unreadable(error.to_string());
        let event = &opened.event;
        let metadata = serde_json::from_slice(&event.metadata).map_err(|error| unreadable(&error))?;
        let mut erased = opened.erased;
        let about = if invoice_of(event).is_some() {
            let happened: InvoiceEvent = opened.read().map_err(|error| unreadable(&error))?;
            let (before, before_erased) = match happened {
                InvoiceEvent::Drafted(_) | InvoiceEvent::NoteIssued(_) => (None, false),
                _ => before(reader, tenant, opened).await?,
            };
            // What leaves the document as it was is about the one before.
            let leaves = matches!(
                happened,
                InvoiceEvent::Approved(_) | InvoiceEvent::Cancelled(_) | InvoiceEvent::WrittenOff(_)
            );
            erased |= before_erased && leaves;
            About::Invoice { before: before.map(Box::new), event: Box::new(happened) }
        } else if event.event_type.starts_with("payment.") {
            let happened: PaymentEvent = opened.read().map_err(|error| unreadable(&error))?;
            let (before, before_erased) = payment_before(reader, tenant, opened).await?;
            erased |= before_erased;
            About::Payment { before: before.map(Box::new), event: Box::new(happened) }
        } else {
            match opened.read().map_err(|error| unreadable(&error))? {
                TenantEvent::ProfileChanged(changed) => {
                    About::Profile { tenant: tenant.clone(), profile: changed.profile }
                }
                _ => {
                    return Err(AskedError::Unreadable(format!(
                        "no policy is asked about {}",
                        event.event_type
                    )));
                }
            }
        };
        Ok(Self { about, metadata, erased, recorded_at: event.recorded_at })
    }

    /// The question, as it was on `today`.
    ///
    /// # Errors
    /// When the event needs an invoice or a payment and there is none.
    pub(crate) fn request(&self, today: Date) -> Result<Request, AskedError> {
        let subject = match &self.about {
            About::Invoice { before, event } => Subject::Invoice { before: before.as_deref(), event },
            About::Payment { before, event } => Subject::Payment { before: before.as_deref(), event },
            About::Profile { tenant, profile } => Subject::Profile { tenant, profile },
        };
        policy_request(subject, &self.metadata.user, &self.metadata.roles, today)
            .map_err(|error| AskedError::Unreadable(error.to_string()))
    }

    /// The day as policies were told it, or would have been in `time_zone`.
    pub(crate) fn today(&self, time_zone: &str) -> Date {
        if let Some(policy) = self.metadata.policies.first() {
            return policy.today;
        }
        let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
        self.recorded_at.to_zoned_datetime(zone).date()
    }
}

/// The invoice before the event, and whether personal data of its document were erased.
async fn before(
    reader: &Opener,
    tenant: &TenantId,
    opened: &Opened,
) -> Result<(Option<Invoice>, bool), AskedError> {
    let mut earlier = reader.books().stream(tenant, &opened.event.stream).await?;
    earlier.retain(|event| event.version < opened.event.version);
    let (mut state, mut erased) = (None, false);
    for event in reader.opening(tenant).events(earlier).await? {
        let read: InvoiceEvent = event
            .read()
            .map_err(|error: niyam_domain::UnreadableEvent| AskedError::Unreadable(error.to_string()))?;
        if matches!(read, InvoiceEvent::Drafted(_) | InvoiceEvent::Revised(_)) || read.issue().is_some() {
            erased = event.erased;
        }
        let next = Invoice::evolve(state, read);
        state = Some(next.map_err(|error| AskedError::Unreadable(error.to_string()))?);
    }
    Ok((state, erased))
}

/// The payment before the event, and whether personal data of it were erased.
async fn payment_before(
    reader: &Opener,
    tenant: &TenantId,
    opened: &Opened,
) -> Result<(Option<Payment>, bool), AskedError> {
    let mut earlier = reader.books().stream(tenant, &opened.event.stream).await?;
    earlier.retain(|event| event.version < opened.event.version);
    let (mut state, mut erased) = (None, false);
    for event in reader.opening(tenant).events(earlier).await? {
        let unreadable = |error: niyam_domain::UnreadableEvent| AskedError::Unreadable(error.to_string());
        let read: PaymentEvent = event.read().map_err(unreadable)?;
        erased |= event.erased;
        state = Some(Payment::evolve(state, read).map_err(unreadable)?);
    }
    Ok((state, erased))
}
