//! `niyam publisher`: whose modules this server trusts.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use niyam_modules::signature::{key_id, public_key};

use super::{Where, must_exist};
use crate::app::open_store;
use crate::clock::SystemClock;

/// Whose modules may be uploaded.
#[derive(Debug, Subcommand)]
pub(super) enum PublisherCommand {
    /// Trusts a publisher's key.
    Add(Add),
    /// Lists the keys that were ever trusted.
    List(Where),
    /// Trusts a key no longer: what it signed is not activated anew, and what is active is flagged.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Whose key it is, as tenants name the publisher in their policies.
    #[arg(value_parser = name)]
    name: String,
    /// The public key: base64 of 32 bytes, or a file that holds it.
    #[arg(long, env = "NIYAM_KEY")]
    key: String,
    #[command(flatten)]
    at: Where,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The key's id, as `list` shows it.
    key_id: String,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: PublisherCommand) -> Result<(), String> {
    let (PublisherCommand::Add(Add { ref at, .. })
    | PublisherCommand::List(ref at)
    | PublisherCommand::Revoke(Revoke { ref at, .. })) = command;
    must_exist(at)?;
    let store = open_store(&at.data, at.database_url.clone(), std::sync::Arc::new(SystemClock))
        .await
        .map_err(|error| error.to_string())?;
    let done = match command {
        PublisherCommand::Add(Add { name, key, .. }) => {
            let key = read_key(&key)?;
            let id = key_id(&key);
            match store.add_publisher(&id, &name, &key).await {
                Ok(true) => Ok(vec![format!("publisher {name} trusted, key {id}")]),
                Ok(false) => Err(format!("publisher-exists: the key {id} is there already; see the list")),
                Err(error) => Err(error.to_string()),
            }
        }
        PublisherCommand::List(_) => store.publishers().await.map_err(|error| error.to_string()).map(|all| {
            let line = |publisher: niyam_store::Publisher| {
                let since = publisher.revoked_at.map_or_else(
                    || format!("trusted since {}", publisher.added_at),
                    |revoked_at| format!("revoked {revoked_at}"),
                );
                format!("{}  {}  {since}", publisher.key_id, publisher.name)
            };
            all.into_iter().map(line).collect()
        }),
        PublisherCommand::Revoke(Revoke { key_id, .. }) => match store.revoke_publisher(&key_id).await {
            Ok(true) => Ok(vec![format!("key {key_id} revoked")]),
            Ok(false) => Err(format!("publisher-unknown: no key {key_id} is trusted; see the list")),
            Err(error) => Err(error.to_string()),
        },
    };
    store.close().await;
    done?.iter().for_each(|line| println!("{line}"));
    Ok(())
}

fn name(text: &str) -> Result<String, String> {
    let sound = (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if sound { Ok(text.to_owned()) } else { Err("a name has 1 to 64 printable characters".to_owned()) }
}

/// The key itself, or the file's content.
fn read_key(text: &str) -> Result<[u8; 32], String> {
    if let Some(key) = public_key(text) {
        return Ok(key);
    }
    let path = PathBuf::from(text);
    let content = std::fs::read_to_string(&path)
        .map_err(|error| format!("key-invalid: {text} is no public key, and no file: {error}"))?;
    public_key(&content).ok_or_else(|| format!("key-invalid: {text} holds no ed25519 public key in base64"))
}
