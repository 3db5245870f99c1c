//! `niyam module sign`: a signature beside the component, which `push` sends along.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context as _, Result};
use niyam_modules::digest_hex;

use crate::command;
use crate::component::{path_of, read};
use crate::key::PublisherKey;

pub(crate) fn run(args: &command::Sign) -> Result<()> {
    let path = path_of(&args.at.module)?;
    let component = read(&path)?;
    // What the server would refuse is not worth a signature.
    niyam_build::check(component.clone())?;
    let key = match PublisherKey::open(&args.key)? {
        Some(key) => key,
        None => make(&args.key)?,
    };
    let signature = key.sign(&component);
    let file = signature_path(&path);
    let digest = digest_hex(&component);
    let mut kept = signatures(&path, &digest)?;
    // The same key signs anew, another adds its own.
    kept.retain(|kept| kept.split(':').next() != signature.split(':').next());
    kept.push(signature);
    let lines: Vec<String> = kept.iter().map(|signature| format!("{digest} {signature}")).collect();
    niyam_build::write_if_changed(&file, format!("{}\n", lines.join("\n")).as_bytes())?;
    println!("signed {} by key {} into {}", path.display(), key.id(), file.display());
    Ok(())
}

/// A new key, and what to do with it.
fn make(path: &Path) -> Result<PublisherKey> {
    let key = PublisherKey::create(path)?;
    println!("made the key {}: keep it secret, and a copy of it", path.display());
    println!("public key {}", key.public());
    println!("whoever runs the server trusts it with:");
    println!("    niyam publisher add NAME --key {}", key.public());
    Ok(key)
}

/// The signatures of the component at `path` that are of this digest; those of another build count no longer.
pub(crate) fn signatures(path: &Path, digest: &str) -> Result<Vec<String>> {
    let file = signature_path(path);
    match fs::read_to_string(&file) {
        Ok(text) => Ok(text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(digest))
            .map(|signature| signature.trim().to_owned())
            .collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("failed to read {}", file.display())),
    }
}

fn signature_path(component: &Path) -> PathBuf {
    component.with_extension("sig")
}
