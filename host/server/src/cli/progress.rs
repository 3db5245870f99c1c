//! How far a long command is, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over so many events, on standard error.
pub(super) fn bar(events: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} events, {per_sec}, {eta} left");
    ProgressBar::new(events).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
