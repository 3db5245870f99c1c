//! Puts the SDK's sources and the contract into the program: an author has the program alone.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What a module is built with, relative to the workspace's root.
const FOLDERS: [&str; 9] = [
    "wit",
    "sdk/src",
    "sdk/examples",
    "sdk/values",
    "sdk/worlds",
    "sdk/js",
    "sdk/python",
    "sdk/build/templates",
    "examples/modules/tax-13-fixtures",
];
const FILES: [&str; 5] = [
    "Cargo.toml",
    "sdk/Cargo.toml",
    "examples/modules/tax-13-rust/src/lib.rs",
    "examples/modules/tax-13-js/src/rule.js",
    "examples/modules/tax-13-python/src/rule.py",
];
const KINDS: [&str; 6] = ["rs", "toml", "wit", "js", "py", "json"];

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders below the root");
    let mut paths: Vec<PathBuf> = FILES.iter().map(|file| root.join(file)).collect();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut paths)?;
    }
    paths.sort();
    let mut table = String::from("&[\n");
    for path in &paths {
        let name = path.strip_prefix(root).expect("it was found there").display().to_string();
        writeln!(table, "    ({name:?}, include_str!({:?})),", path.display().to_string()).expect("a string");
        println!("cargo::rerun-if-changed={}", path.display());
    }
    table.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("sources.rs"), table)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|kind| KINDS.iter().any(|one| kind == *one)) {
            paths.push(path);
        }
    }
    Ok(())
}
