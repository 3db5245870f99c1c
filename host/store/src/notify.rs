//! Tells other hosts on the same PostgreSQL how far each tenant's history goes, and hears it from them.
//!
//! A notification is sent after the appends that it tells of are committed, on a connection of its own: inside their
//! transaction it would make all commits of the database wait for each other. It may be lost with its host, so whoever
//! waits also looks now and then.

use std::sync::Arc;
use std::time::Duration;

use niyam_domain::{Position, TenantId};
use sqlx::postgres::{PgConnectOptions, PgListener};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use tokio::sync::watch;

use crate::tail::Tail;

/// Where hosts tell each other.
const CHANNEL: &str = "niyam_appended";
/// PostgreSQL takes 7,999 bytes.
const PAYLOAD_BYTES_MAX: usize = 7_000;
/// Appends of this long share a notification.
const GATHER: Duration = Duration::from_millis(10);
/// Pause before a connection is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Tells what this process appended, until the store closes.
pub async fn tell(options: PgConnectOptions, tail: Arc<Tail>, mut closing: watch::Receiver<bool>) {
    let mut appended = tail.subscribe();
    let mut connection: Option<PgConnection> = None;
    loop {
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => break,
            changed = appended.changed() => if changed.is_err() { break },
        }
        let unsent = tail.take_unsent();
        if unsent.is_empty() {
            continue;
        }
        for payload in payloads(&unsent) {
            if let Err(error) = send(&options, &mut connection, &payload).await {
                // The others find it by looking.
                tracing::debug!(%error, "failed to tell other hosts of an append");
                connection = None;
                tokio::time::sleep(PAUSE).await;
                break;
            }
        }
        tokio::time::sleep(GATHER).await;
    }
    if let Some(connection) = connection {
        // Nothing is lost with it.
        let _ = connection.close().await;
    }
}

async fn send(
    options: &PgConnectOptions,
    connection: &mut Option<PgConnection>,
    payload: &str,
) -> Result<(), sqlx::Error> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(options.connect().await?),
    };
    sqlx::query("select pg_notify($1, $2)").bind(CHANNEL).bind(payload).execute(connection).await?;
    Ok(())
}

/// Hears what any process appended, until the store closes.
pub async fn hear(pool: PgPool, tail: Arc<Tail>, mut closing: watch::Receiver<bool>) {
    let listening = async {
        while !pool.is_closed() {
            if let Err(error) = listen(&pool, &tail).await {
                tracing::debug!(%error, "failed to hear of other hosts' appends");
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        _ = closing.wait_for(|closing| *closing) => {}
        () = listening => {}
    }
}

async fn listen(pool: &PgPool, tail: &Tail) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.ignore_pool_close_event(true);
    listener.listen(CHANNEL).await?;
    loop {
        // `None`: the connection was replaced; what was told meanwhile is found by looking.
        if let Some(notification) = listener.try_recv().await? {
            tail.heard(notification.payload().split(',').filter_map(parse));
        }
    }
}

/// `tenant=position` of each, separated by commas.
fn payloads(tips: &[(TenantId, Position)]) -> Vec<String> {
    let mut payloads = vec![String::new()];
    for (tenant, position) in tips {
        let item = format!("{tenant}={position}");
        let last = payloads.last_mut().expect("there is one");
        if last.is_empty() {
            *last = item;
        } else if last.len() + 1 + item.len() <= PAYLOAD_BYTES_MAX {
            last.push(',');
            last.push_str(&item);
        } else {
            payloads.push(item);
        }
    }
    payloads
}

fn parse(item: &str) -> Option<(TenantId, Position)> {
    let (tenant, position) = item.split_once('=')?;
    Some((tenant.parse().ok()?, Position(position.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use niyam_domain::{Position, TenantId};

    use super::{PAYLOAD_BYTES_MAX, parse, payloads};

    #[test]
    fn what_is_told_is_heard() {
        let tips: Vec<(TenantId, Position)> =
            (1..1000).map(|number| (format!("tenant-{number}").parse().unwrap(), Position(number))).collect();
        let payloads = payloads(&tips);
        assert!(payloads.len() > 1 && payloads.iter().all(|payload| payload.len() <= PAYLOAD_BYTES_MAX));
        let heard: Vec<_> =
            payloads.iter().flat_map(|payload| payload.split(',')).filter_map(parse).collect();
        assert_eq!(heard, tips);
    }

    #[test]
    fn what_makes_no_sense_is_not_heard() {
        for item in ["", "acme", "acme=", "acme=-1", "Acme=1", "=1"] {
            assert_eq!(parse(item), None, "{item}");
        }
    }
}
