//! The command line. Every option is also an environment variable, `NIYAM_…`.

mod audit;
mod carry;
mod compile;
mod erase;
mod progress;
mod projections;
mod publisher;
mod verify;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use jiff::SignedDuration;
use niyam_author::ModuleCommand;
use niyam_domain::TenantId;
use niyam_store::{Clock as _, DatabaseUrl};
use niyam_values::{Date, Identifier};
use tokio::signal::unix::{SignalKind, signal};

use self::carry::{Backup, Copy, Restore};
use self::projections::Projections;
use crate::app::{App, AppConfig, default_database, migrate_database};
use crate::auth::SigningKey;
use crate::clock::SystemClock;
use crate::commands::tenant::{NewTenant, activate_pack, create_tenant};
use crate::describe::Reference;
use crate::roles::Role;
use crate::serve::Server;
use crate::telemetry;

/// Books of many tenants, with rules that run as sandboxed modules.
#[derive(Debug, Parser)]
// Help is as written, whatever the width of a terminal: it is committed, and compared.
#[command(name = "niyam", version, term_width = 0)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the REST API.
    Serve(Serve),
    /// Compiles a component for a server, which starts it.
    #[command(hide = true)]
    CompileComponent(compile::Compile),
    /// Brings the tables of the database up to date. SQLite does it by itself.
    Migrate(Where),
    /// Writes everything into a file, while the server runs.
    Backup(Backup),
    /// Takes in what a backup holds.
    Restore(Restore),
    /// Takes over everything from another database; repeated, what is new.
    Copy(Copy),
    /// Erases a data subject for good: what is recorded about it can be read by nobody any more.
    Erase(erase::Erase),
    /// Shows, rebuilds and resumes the read models.
    #[command(subcommand)]
    Projections(Projections),
    /// Makes and changes tenants.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Says whose modules may be uploaded.
    #[command(subcommand)]
    Publisher(publisher::PublisherCommand),
    /// Prints a token for a user of a tenant.
    Token(Token),
    /// What a module's author does: from an empty folder to a module in force.
    #[command(subcommand)]
    Module(ModuleTask),
    /// Proves the books. Exit code 0: proven, 1: broken, 2: could not be tried.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Proves decisions. Exit code 0: proven, 1: something differs, 2: some could not be run again, or none was tried.
    Verify(verify::Verify),
    /// Prints a description of the program, as it is committed beside its source.
    Describe {
        /// Of what.
        #[arg(value_enum)]
        what: Reference,
    },
}

#[derive(Debug, Subcommand)]
enum ModuleTask {
    #[command(flatten)]
    Author(ModuleCommand),
    /// Writes a stored decision as a fixture: what the module was given, and what it answered.
    Replay(verify::Replay),
}

#[derive(Debug, Args)]
struct Where {
    /// Folder of keys, compiled modules and, without --database-url, the database.
    #[arg(long, env = "NIYAM_DATA", default_value = "data")]
    data: PathBuf,
    /// A `postgres://` URL; without it, SQLite in the data folder.
    #[arg(long, env = "NIYAM_DATABASE_URL")]
    database_url: Option<DatabaseUrl>,
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    at: Where,
    /// Address to listen on.
    #[arg(long, env = "NIYAM_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Takes modules that nobody signed. Whoever administers a tenant then runs any code in the sandbox.
    #[arg(long, env = "NIYAM_ALLOW_UNSIGNED")]
    allow_unsigned: bool,
}

#[derive(Debug, Subcommand)]
enum TenantCommand {
    /// Makes a tenant; a running server sees it at once.
    Create(CreateArgs),
    /// Lets a pack decide from a tax date on, with a configuration.
    Activate(ActivateArgs),
}

#[derive(Debug, Args)]
struct Pack {
    /// Id of a bundled compliance pack.
    #[arg(long = "pack", value_name = "PACK", env = "NIYAM_PACK")]
    id: String,
    /// The pack's configuration, JSON.
    #[arg(long, env = "NIYAM_CONFIG")]
    config: Option<String>,
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Its name: a-z, 0-9 and hyphens.
    #[arg(env = "NIYAM_TENANT")]
    name: TenantId,
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    pack: Pack,
    /// Legal name.
    #[arg(long, env = "NIYAM_LEGAL_NAME")]
    legal_name: Option<String>,
    /// Where papers are issued.
    #[arg(long, env = "NIYAM_ADDRESS")]
    address: Option<String>,
    /// IANA time zone that papers are dated in.
    #[arg(long, env = "NIYAM_TIME_ZONE", default_value = "Asia/Dhaka")]
    time_zone: String,
    /// A registration, KIND=VALUE; may repeat.
    #[arg(long, env = "NIYAM_IDENTIFIER", value_parser = identifier, value_delimiter = ',')]
    identifier: Vec<Identifier>,
}

#[derive(Debug, Args)]
struct ActivateArgs {
    /// The tenant's name.
    #[arg(env = "NIYAM_TENANT")]
    name: TenantId,
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    pack: Pack,
    /// First tax date that it answers for.
    #[arg(long, env = "NIYAM_EFFECTIVE_FROM")]
    effective_from: Date,
}

#[derive(Debug, Args)]
struct Token {
    /// The tenant that the token opens.
    #[arg(long, env = "NIYAM_TENANT")]
    tenant: TenantId,
    /// A role; may repeat.
    #[arg(long, env = "NIYAM_ROLE", required = true, value_enum, value_delimiter = ',')]
    role: Vec<Role>,
    /// The user.
    #[arg(long, env = "NIYAM_USER", default_value = "operator")]
    user: String,
    /// Hours until it expires.
    #[arg(long, env = "NIYAM_EXPIRES_IN_HOURS", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=8784))]
    expires_in_hours: u32,
    /// Folder that holds the signing key, which the server or `tenant create` made.
    #[arg(long, env = "NIYAM_DATA", default_value = "data")]
    data: PathBuf,
}

/// The command line. Its help leaves out what the environment holds: a database's URL may have a password.
pub(crate) fn command() -> clap::Command {
    fn hide_values(command: clap::Command) -> clap::Command {
        command.mut_args(|arg| arg.hide_env_values(true)).mut_subcommands(hide_values)
    }
    hide_values(Cli::command())
}

/// Runs what the command line says.
#[must_use]
pub fn run() -> ExitCode {
    end_with_the_reader();
    let cli = Cli::from_arg_matches(&command().get_matches()).unwrap_or_else(|error| error.exit());
    let done = match cli.command {
        Command::Describe { what } => {
            print!("{}", what.text());
            Ok(())
        }
        Command::Module(ModuleTask::Author(command)) => niyam_author::run(&command),
        Command::Module(ModuleTask::Replay(args)) => asynchronously(verify::replay(args)),
        Command::Token(token) => print_token(&token),
        Command::Migrate(at) => asynchronously(migrate(at)),
        Command::Backup(args) => asynchronously(carry::backup(args)),
        Command::Restore(args) => asynchronously(carry::restore(args)),
        Command::Copy(args) => asynchronously(carry::copy(args)),
        Command::Erase(args) => asynchronously(erase::run(args)),
        Command::Projections(command) => asynchronously(projections::run(command)),
        Command::Publisher(command) => asynchronously(publisher::run(command)),
        Command::Serve(serve) => asynchronously(self::serve(serve)),
        Command::Audit(command) => return audit::run(command),
        Command::CompileComponent(args) => return compile::run(&args),
        Command::Verify(args) => return verify::run(args),
        Command::Tenant(TenantCommand::Create(args)) => asynchronously(create(args)),
        Command::Tenant(TenantCommand::Activate(args)) => asynchronously(activate(args)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("niyam: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Of a program that its reader ended: 128 and the number of SIGPIPE, as a shell shows it.
const READER_GONE: i32 = 141;

/// Ends in silence when nobody reads any more what is printed (`niyam verify | head`), where `println!` would panic.
fn end_with_the_reader() {
    let otherwise = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let told = panic.payload_as_str().unwrap_or_default();
        if told.starts_with("failed printing to stdout") && told.contains("os error 32") {
            std::process::exit(READER_GONE);
        }
        otherwise(panic);
    }));
}

fn asynchronously<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(5));
    done
}

async fn serve(Serve { at, listen, allow_unsigned }: Serve) -> Result<(), String> {
    telemetry::start();
    let compiler = Some(compile::compiler());
    let config = AppConfig { allow_unsigned, compiler, ..AppConfig::new(at.data, at.database_url) };
    let app = App::open(config).await.map_err(|error| error.to_string())?;
    let server = Server::start(app, listen).await.map_err(|error| error.to_string())?;
    tracing::info!(address = %server.address(), "listening");
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("stopping");
    server.stop().await.map_err(|error| error.to_string())
}

async fn migrate(at: Where) -> Result<(), String> {
    let applied = migrate_database(AppConfig::new(at.data, at.database_url))
        .await
        .map_err(|error| error.to_string())?;
    for migration in &applied {
        println!("{migration}");
    }
    if applied.is_empty() {
        println!("up to date");
    }
    Ok(())
}

async fn create(args: CreateArgs) -> Result<(), String> {
    let app = open(args.at).await?;
    let new = NewTenant {
        tenant: args.name.clone(),
        pack: args.pack.id,
        config: args.pack.config,
        legal_name: args.legal_name,
        address: args.address,
        time_zone: args.time_zone,
        identifiers: args.identifier,
    };
    let created = create_tenant(&app, new).await;
    app.close().await;
    created?;
    println!("tenant {} created", args.name);
    Ok(())
}

async fn activate(args: ActivateArgs) -> Result<(), String> {
    let app = open_existing(args.at).await?;
    let Pack { id, config } = args.pack;
    let activated = activate_pack(&app, &args.name, &id, args.effective_from, config.as_deref()).await;
    app.close().await;
    activated?;
    println!("pack {id} active for {} from {}", args.name, args.effective_from);
    Ok(())
}

async fn open(at: Where) -> Result<App, String> {
    App::open(AppConfig::new(at.data, at.database_url)).await.map_err(|error| error.to_string())
}

/// The same, where there is one: a mistyped folder is no new one.
async fn open_existing(at: Where) -> Result<App, String> {
    must_exist(&at)?;
    open(at).await
}

/// Refuses a database that is not there yet. Of one on a server, the data folder has to be there.
fn must_exist(at: &Where) -> Result<(), String> {
    let path = match &at.database_url {
        None => match default_database(&at.data) {
            DatabaseUrl::Sqlite(path) => path,
            DatabaseUrl::Postgres(_) => at.data.clone(),
        },
        Some(DatabaseUrl::Sqlite(path)) => path.clone(),
        Some(DatabaseUrl::Postgres(_)) => at.data.clone(),
    };
    if path.exists() { Ok(()) } else { Err(format!("there is no {}", path.display())) }
}

fn print_token(token: &Token) -> Result<(), String> {
    let key =
        SigningKey::read(&token.data).map_err(|error| format!("failed to use the signing key: {error}"))?;
    let now = SystemClock.now();
    let expires_at = now
        .checked_add(SignedDuration::from_hours(token.expires_in_hours.into()))
        .map_err(|error| error.to_string())?;
    let signed = key
        .sign(&token.tenant, &token.user, &token.role, now, expires_at)
        .map_err(|error| format!("failed to sign: {error}"))?;
    println!("{signed}");
    Ok(())
}

fn identifier(text: &str) -> Result<Identifier, String> {
    match text.split_once('=') {
        Some((kind, value)) if !kind.is_empty() && !value.is_empty() => {
            Ok(Identifier { kind: kind.to_owned(), value: value.to_owned() })
        }
        _ => Err("an identifier is KIND=VALUE, for example bin=000828395-0207".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::command;

    fn check(command: &clap::Command) {
        for arg in command.get_arguments() {
            let Some(long) = arg.get_long().filter(|long| !["help", "version"].contains(long)) else {
                continue;
            };
            let named = format!("NIYAM_{}", long.to_uppercase().replace('-', "_"));
            assert_eq!(arg.get_env().and_then(|name| name.to_str()), Some(&*named), "{}", command.get_name());
        }
        command.get_subcommands().for_each(check);
    }

    #[test]
    fn every_option_is_also_a_variable_of_the_environment() {
        command().debug_assert();
        check(&command());
    }
}
