//! Logs: structured, one line each, to standard error.

use tracing_subscriber::EnvFilter;

/// Starts logging; `NIYAM_LOG` says what (`info` by default).
pub(crate) fn start() {
    let filter = EnvFilter::try_from_env("NIYAM_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
