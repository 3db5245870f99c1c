//! What processes occupy, as the kernel counts it.

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

/// The most memory that was ever mapped and present, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peak(pub u64);

/// The peak of a process that runs.
pub fn peak(process: u32) -> Result<Peak> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))
        .with_context(|| format!("failed to read what process {process} occupies"))?;
    let peak = of(&status, "VmHWM:").context("the kernel does not count VmHWM")?;
    Ok(Peak(peak.try_into()?))
}

/// Begins this process's peak anew, with what is resident now.
pub fn forget_peak() -> Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("failed to begin the peak of memory anew")
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
