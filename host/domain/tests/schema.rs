//! Snapshots are told apart by the sources that made them.

use std::path::Path;
use std::{fs, io};

use niyam_domain::STATE_SCHEMA;
use sha2::{Digest, Sha256};

#[test]
fn the_schema_of_states_is_the_digest_of_the_sources_as_they_are() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<String> = Vec::new();
    for folder in ["src", "../../sdk/values/src"] {
        collect(crate_folder, folder, &mut files).unwrap();
    }
    files.sort_by_key(|file| Path::new(file).to_owned());
    assert!(files.iter().any(|file| file == "src/invoice/state.rs"));
    let mut digest = Sha256::new();
    for file in files {
        let source = fs::read(crate_folder.join(&file)).unwrap();
        for part in [file.as_bytes(), &source] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
    }
    let expected: [u8; 32] = digest.finalize().into();
    assert_eq!(STATE_SCHEMA, expected);
}

fn collect(crate_folder: &Path, folder: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(crate_folder.join(folder))? {
        let entry = entry?;
        let name = format!("{folder}/{}", entry.file_name().display());
        if entry.path().is_dir() { collect(crate_folder, &name, files)? } else { files.push(name) }
    }
    Ok(())
}
