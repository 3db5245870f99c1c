//! `niyam audit`: proves the books, makes checkpoints, prints the key that checks them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use niyam_domain::TenantId;
use niyam_store::audit::{Audit, Progress, open_for_audit};
use niyam_store::{ChainBreak, Clock as _, Database, Verdict};
use serde::Serialize;

use super::{Where, asynchronously, progress};
use crate::app::default_database;
use crate::clock::SystemClock;
use crate::proof::checkpoint::Checkpoint;
use crate::proof::key::{CheckpointKey, KEY_FILE, PublicKeys};
use crate::proof::maker::{Checkpoints, FOLDER, Made, MakeError};
use crate::proof::sheet::{self, Sheet};

/// Not success, and not that something is broken either.
pub(super) const COULD_NOT_TRY: u8 = 2;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Computes every hash again and says what was altered, deleted, inserted, reordered, truncated or forged.
    Verify(Verify),
    /// Makes a signed checkpoint of every tenant whose history moved, after verifying what came since the last.
    Checkpoint(MakeCheckpoint),
    /// Prints the public key that checks checkpoints.
    Key(Key),
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    tenants: Tenants,
    #[command(flatten)]
    at: Where,
    /// A folder of checkpoints; may repeat. By default those of the data folder.
    #[arg(long, env = "NIYAM_CHECKPOINTS", value_delimiter = ',')]
    checkpoints: Vec<PathBuf>,
    /// A file of public keys that sign checkpoints, PEM; may repeat. By default the data folder's own.
    #[arg(long, env = "NIYAM_PUBLIC_KEY", value_delimiter = ',')]
    public_key: Vec<PathBuf>,
    /// Shows every break, not only the first of each tenant.
    #[arg(long, env = "NIYAM_ALL")]
    all: bool,
    /// Prints JSON.
    #[arg(long, env = "NIYAM_JSON")]
    json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Tenants {
    /// Whose books; may repeat.
    #[arg(long, env = "NIYAM_TENANT", value_delimiter = ',')]
    tenant: Vec<TenantId>,
    /// Everybody's, whatever --tenant says. Only this tells where an event went that was moved to another tenant.
    #[arg(long, env = "NIYAM_ALL_TENANTS")]
    all_tenants: bool,
}

#[derive(Debug, Args)]
pub(super) struct MakeCheckpoint {
    /// Whose; may repeat. By default everybody's.
    #[arg(long, env = "NIYAM_TENANT", value_delimiter = ',')]
    tenant: Vec<TenantId>,
    #[command(flatten)]
    at: Where,
}

#[derive(Debug, Args)]
pub(super) struct Key {
    /// Folder that holds the key, which is made if it is not there.
    #[arg(long, env = "NIYAM_DATA", default_value = "data")]
    data: PathBuf,
}

pub(super) fn run(command: AuditCommand) -> ExitCode {
    let done = match command {
        AuditCommand::Verify(args) => asynchronously(verify(args)),
        AuditCommand::Checkpoint(args) => asynchronously(make_checkpoints(args)),
        AuditCommand::Key(args) => print_key(&args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("niyam: {error}");
            ExitCode::from(COULD_NOT_TRY)
        }
    }
}

fn print_key(args: &Key) -> Result<bool, String> {
    let key = CheckpointKey::open(&args.data)
        .and_then(|key| key.public_pem())
        .map_err(|error| format!("failed to use the checkpoint key: {error}"))?;
    print!("{key}");
    Ok(true)
}

async fn make_checkpoints(args: MakeCheckpoint) -> Result<bool, String> {
    let database = open(&args.at).await?;
    let checkpoints = Checkpoints::open(&args.at.data)
        .map_err(|error| format!("failed to use the checkpoint key: {error}"))?;
    let known = Audit::new(&database).tenants().await.map_err(|error| error.to_string())?;
    // Nothing is made for a tenant that is not there.
    if let Some(unknown) = args.tenant.iter().find(|tenant| !known.contains(tenant)) {
        return Err(format!("tenant {unknown} has no history"));
    }
    let tenants = if args.tenant.is_empty() { known } else { args.tenant };
    let mut sound = true;
    for tenant in tenants {
        match checkpoints.make(&database, &tenant, SystemClock.now()).await {
            Ok(Made::Signed(Checkpoint { number, position, .. })) => {
                println!("{tenant}: checkpoint {number} made at position {position}");
            }
            Ok(Made::Unchanged(Some(last))) => {
                println!(
                    "{tenant}: not moved since checkpoint {} at position {}",
                    last.number, last.position
                );
            }
            Ok(Made::Unchanged(None)) => return Err(format!("tenant {tenant} has no history")),
            Err(error @ (MakeError::Broken(_) | MakeError::Sheet { .. })) => {
                println!("{tenant}: no checkpoint: {error}");
                sound = false;
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(sound)
}

async fn verify(args: Verify) -> Result<bool, String> {
    let folders = folders(&args)?;
    let keys = keys(&args)?;
    let database = open(&args.at).await?;
    let mut tenants = args.tenants.tenant.clone();
    if args.tenants.all_tenants {
        tenants = Audit::new(&database).tenants().await.map_err(|error| error.to_string())?;
        for folder in &folders {
            tenants.extend(sheet::tenants(folder).map_err(|error| cannot_read(folder, &error))?);
        }
    }
    tenants.sort();
    tenants.dedup();
    let mut audit = Audit::new(&database);
    let mut sheets = BTreeMap::new();
    for tenant in &tenants {
        let mut of_tenant = Sheets::default();
        for folder in &folders {
            let sheet = Sheet::read(folder, tenant, &keys).map_err(|error| cannot_read(folder, &error))?;
            of_tenant.add(folder, tenant, &sheet);
        }
        if of_tenant.found > 0 && keys.is_empty() {
            return Err(format!("the checkpoints of {tenant} need a public key: --public-key"));
        }
        audit = audit.anchored(tenant, of_tenant.checkpoints.iter().map(Checkpoint::anchor));
        sheets.insert(tenant.to_string(), of_tenant);
    }
    let progress = progress::bar(0);
    let verdicts = if args.tenants.all_tenants {
        audit.everything(|at| show(&progress, at)).await.map_err(|error| error.to_string())?
    } else {
        let mut verdicts = Vec::with_capacity(tenants.len());
        for tenant in &tenants {
            let verdict =
                audit.tenant(tenant, |at| show(&progress, at)).await.map_err(|error| error.to_string())?;
            verdicts.push(verdict);
        }
        verdicts
    };
    progress.finish_and_clear();
    let reports: Vec<Report> = verdicts
        .into_iter()
        .map(|verdict| {
            let sheets = sheets.remove(&verdict.tenant).unwrap_or_default();
            Report::of(verdict, sheets, args.all)
        })
        .collect();
    if reports.is_empty() {
        return Err("no tenant has a history".to_owned());
    }
    let unknown = reports.iter().find(|report| report.is_of_nobody() && !args.tenants.all_tenants);
    if let Some(unknown) = unknown {
        return Err(format!("tenant {} has neither events nor checkpoints", unknown.tenant));
    }
    let proven = reports.iter().all(|report| report.proven);
    if args.json {
        let text = serde_json::to_string_pretty(&Outcome { proven, tenants: &reports })
            .map_err(|error| error.to_string())?;
        println!("{text}");
    } else {
        reports.iter().for_each(Report::print);
    }
    Ok(proven)
}

async fn open(at: &Where) -> Result<Database, String> {
    let url = at.database_url.clone().unwrap_or_else(|| default_database(&at.data));
    open_for_audit(&url).await.map_err(|error| error.to_string())
}

fn folders(args: &Verify) -> Result<Vec<PathBuf>, String> {
    let own = args.at.data.join(FOLDER);
    if args.checkpoints.is_empty() {
        return Ok(if own.is_dir() { vec![own] } else { Vec::new() });
    }
    match args.checkpoints.iter().find(|folder| !folder.is_dir()) {
        Some(missing) => Err(format!("failed to read checkpoints: {} is no folder", missing.display())),
        None => Ok(args.checkpoints.clone()),
    }
}

fn keys(args: &Verify) -> Result<PublicKeys, String> {
    let mut keys = PublicKeys::default();
    for file in &args.public_key {
        let read = fs::read_to_string(file).and_then(|text| keys.add_pem(&text));
        read.map_err(|error| cannot_read(file, &error))?;
    }
    if args.public_key.is_empty() && args.at.data.join(KEY_FILE).exists() {
        let own = CheckpointKey::read(&args.at.data);
        return own.map(|key| key.public_keys()).map_err(|error| cannot_read(&args.at.data, &error));
    }
    Ok(keys)
}

fn cannot_read(path: &Path, error: &std::io::Error) -> String {
    format!("failed to read {}: {error}", path.display())
}

fn show(bar: &ProgressBar, at: Progress<'_>) {
    if bar.message() != at.tenant {
        bar.reset();
        bar.set_message(at.tenant.to_owned());
    }
    bar.set_length(at.last.0);
    bar.set_position(at.position.0);
}

/// What a tenant's sheets say, all together.
#[derive(Default)]
struct Sheets {
    found: usize,
    checkpoints: Vec<Checkpoint>,
    faults: Vec<String>,
    notes: Vec<String>,
}

impl Sheets {
    fn add(&mut self, folder: &Path, tenant: &TenantId, sheet: &Sheet) {
        let file = sheet::path(folder, tenant);
        self.found += sheet.checkpoints.len() + sheet.faults.len();
        self.checkpoints.extend(sheet.checkpoints.iter().cloned());
        self.faults.extend(sheet.faults.iter().map(|fault| format!("{}: {fault}", file.display())));
        self.notes.extend(sheet.notes.iter().map(|note| format!("{}: {note}", file.display())));
    }
}

#[derive(Serialize)]
struct Outcome<'a> {
    proven: bool,
    tenants: &'a [Report],
}

/// What is said of a tenant.
#[derive(Serialize)]
struct Report {
    tenant: String,
    proven: bool,
    events: u64,
    position: u64,
    hash: String,
    /// How many checkpoints there are, and the last position that one of them confirms.
    checkpoints: usize,
    confirmed_to: Option<u64>,
    breaks_found: u64,
    breaks: Vec<Break>,
    checkpoint_faults: Vec<String>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Break {
    position: u64,
    last: u64,
    kind: &'static str,
    text: String,
}

impl From<ChainBreak> for Break {
    fn from(broken: ChainBreak) -> Self {
        Self {
            position: broken.position.0,
            last: broken.last.0,
            kind: broken.fault.kind(),
            text: broken.fault.to_string(),
        }
    }
}

impl Report {
    fn of(verdict: Verdict, sheets: Sheets, all: bool) -> Self {
        let shown = if all { usize::MAX } else { 1 };
        let Sheets { checkpoints, faults, mut notes, .. } = sheets;
        if checkpoints.is_empty() {
            notes.push(
                "without a checkpoint, an end that was cut off or a rewritten history does not show"
                    .to_owned(),
            );
        }
        Self {
            proven: verdict.is_proven() && faults.is_empty(),
            tenant: verdict.tenant,
            events: verdict.events,
            position: verdict.end.position.0,
            hash: hex::encode(verdict.end.hash),
            checkpoints: checkpoints.len(),
            confirmed_to: verdict.anchored.map(|position| position.0),
            breaks_found: verdict.breaks_found,
            breaks: verdict.breaks.into_iter().take(shown).map(Break::from).collect(),
            checkpoint_faults: faults,
            notes,
        }
    }

    /// Whether nothing was ever known of such a tenant.
    fn is_of_nobody(&self) -> bool {
        self.proven && self.position == 0 && self.checkpoints == 0
    }

    fn print(&self) {
        let Self { tenant, events, position, hash, .. } = self;
        if self.proven {
            println!("{tenant}: proven: {events} events to position {position}, hash {hash}");
        } else {
            println!("{tenant}: BROKEN: {} breaks in {events} events", self.breaks_found);
        }
        for Break { position, last, text, .. } in &self.breaks {
            let place = if position == last { position.to_string() } else { format!("{position} to {last}") };
            println!("  position {place}: {text}");
        }
        let hidden = self.breaks_found.saturating_sub(self.breaks.len() as u64);
        if hidden > 0 {
            println!("  {hidden} more breaks; --all shows them (up to {})", Verdict::BREAKS_KEPT);
        }
        if let Some(confirmed) = self.confirmed_to {
            println!("  {} checkpoints, confirmed to position {confirmed}", self.checkpoints);
        }
        for fault in &self.checkpoint_faults {
            println!("  checkpoint: {fault}");
        }
        for note in &self.notes {
            println!("  note: {note}");
        }
    }
}
