//! What this process occupies, as the kernel counts it.

use std::fs;

use anyhow::{Context, Result};

/// Memory that is mapped and present, bytes.
#[derive(Debug, Clone, Copy)]
pub struct Resident {
    /// All of it.
    pub all: i64,
    /// The part that no file backs.
    pub anonymous: i64,
}

/// What is resident now.
pub fn resident() -> Result<Resident> {
    let status = fs::read_to_string("/proc/self/status").context("failed to read what the kernel counts")?;
    let bytes = |name: &str| of(&status, name).with_context(|| format!("the kernel does not count {name}"));
    Ok(Resident { all: bytes("VmRSS:")?, anonymous: bytes("RssAnon:")? })
}

fn of(status: &str, name: &str) -> Option<i64> {
    let kibibytes = status.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix(" kB")?;
    Some(kibibytes.parse::<i64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_kernel_s_lines_are_read() {
        let status = "Name:\tniyam\nVmRSS:\t   12 kB\nRssAnon:\t    8 kB\n";
        assert_eq!(
            [of(status, "VmRSS:"), of(status, "RssAnon:"), of(status, "Vm")],
            [Some(12_288), Some(8192), None]
        );
    }
}
