//! `niyam erase`: destroys the key of a data subject.

use clap::Args;
use niyam_domain::TenantId;

use super::{Where, open_existing};
use crate::commands::data_subject::{Erasure, erase_subject};

/// Whom to erase.
#[derive(Debug, Args)]
pub(super) struct Erase {
    /// Whose books.
    #[arg(long, env = "NIYAM_TENANT")]
    tenant: TenantId,
    /// The party's id as documents give it; `invoice/` and an invoice's id for a party without one.
    #[arg(long, env = "NIYAM_SUBJECT")]
    subject: String,
    /// Why; kept for ever, so it should not name the person.
    #[arg(long, env = "NIYAM_REASON")]
    reason: Option<String>,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(Erase { tenant, subject, reason, at }: Erase) -> Result<(), String> {
    let app = open_existing(at).await?;
    let done = erase_subject(&app, &tenant, &subject, reason).await;
    app.close().await;
    match done? {
        Erasure::Erased => println!("erased: nobody can read any more what {tenant} recorded about them"),
        Erasure::AlreadyErased => println!("erased before, and nothing was recorded about them since"),
    }
    Ok(())
}
