//! Which kind of file system holds a folder: one in memory makes every commit a lie.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The file system's type, which is one that outlives the power; `unknown` where the folder is another machine's or
/// another user's.
pub fn durable(folder: &Path) -> Result<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("failed to read the mounts")?;
    let Ok(folder) = folder.canonicalize() else { return Ok("unknown".to_owned()) };
    let kind = kind(&mounts, &folder).with_context(|| format!("no mount holds {}", folder.display()))?;
    if ["tmpfs", "ramfs"].contains(&kind) {
        bail!(
            "{} lies in memory ({kind}): set TMPDIR, or CARGO_TARGET_DIR, to a folder on a disk",
            folder.display()
        );
    }
    Ok(kind.to_owned())
}

/// The type of the innermost mount that holds `folder`; of two at one place, the later one hides the other.
fn kind<'a>(mounts: &'a str, folder: &Path) -> Option<&'a str> {
    mounts
        .lines()
        .filter_map(|line| {
            let (mount, kind) = line.split_once(" - ")?;
            let place = Path::new(mount.split(' ').nth(4)?);
            folder.starts_with(place).then_some((place.components().count(), kind.split(' ').next()?))
        })
        .max_by_key(|(depth, _)| *depth)
        .map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::kind;

    #[test]
    fn the_innermost_mount_counts() {
        let mounts = "\
            20 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
            21 20 0:5 / /tmp rw - tmpfs tmpfs rw\n\
            22 21 0:6 / /tmp/disk rw - xfs /dev/vdb rw\n\
            23 22 0:7 / /tmp/disk rw - btrfs /dev/vdc rw\n";
        for (folder, expected) in
            [("/home/a", "ext4"), ("/tmp/a", "tmpfs"), ("/tmpfs", "ext4"), ("/tmp/disk/a", "btrfs")]
        {
            assert_eq!(kind(mounts, Path::new(folder)), Some(expected), "{folder}");
        }
    }
}
