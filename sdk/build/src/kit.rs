//! What a module is built with besides its own source: the contract, and the SDK of its language. It lies in the
//! module's folder as `.niyam`, so that whoever has the source can build it.

use std::path::Path;

use anyhow::Result;

use crate::project::Language;
use crate::write_if_changed;

/// The folder beside a module's source.
pub const FOLDER: &str = ".niyam";

/// Files of the workspace by their path in it.
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// The workspace's dependencies that a module in Rust has a part of.
const DEPENDENCIES: [&str; 10] = [
    "jiff",
    "niyam-sdk",
    "niyam-values",
    "niyam-world-compliance",
    "niyam-world-policy",
    "niyam-world-tax",
    "niyam-world-workflow",
    "rust_decimal",
    "serde",
    "wit-bindgen",
];

/// One file of this program's workspace, for example `sdk/examples/flat_tax.rs`.
#[must_use]
pub fn source(path: &str) -> Option<&'static str> {
    SOURCES.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
}

/// The files of this program's workspace under `folder`, by their path in it.
#[must_use]
pub fn sources(folder: &str) -> Vec<(&'static str, &'static str)> {
    SOURCES.iter().filter_map(|(path, text)| Some((path.strip_prefix(folder)?, *text))).collect()
}

/// The files for `language`, by their path in [`FOLDER`].
#[must_use]
pub fn files(language: Language) -> Vec<(String, String)> {
    let under = |folder: &'static str| {
        SOURCES
            .iter()
            .filter(move |(path, _)| path.starts_with(folder))
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
    };
    let without_sdk =
        |(path, text): (String, String)| (path.strip_prefix("sdk/").unwrap_or(&path).to_owned(), text);
    let mut files: Vec<_> = under("wit/").collect();
    match language {
        Language::Rust => {
            files.push(("Cargo.toml".to_owned(), workspace_manifest()));
            for folder in ["sdk/Cargo.toml", "sdk/src/", "sdk/examples/", "sdk/values/", "sdk/worlds/"] {
                files.extend(under(folder));
            }
        }
        Language::Javascript => {
            files.extend(under("sdk/js/").map(without_sdk));
            files.push(("componentize.mjs".to_owned(), include_str!("../kit/componentize.mjs").to_owned()));
        }
        Language::Python => files.extend(under("sdk/python/").map(without_sdk)),
    }
    files
}

/// Puts the files for `language` into the module's folder, replacing those of another version.
///
/// # Errors
/// When one cannot be written.
pub fn write(module: &Path, language: Language) -> Result<()> {
    for (path, text) in files(language) {
        write_if_changed(&module.join(FOLDER).join(path), text.as_bytes())?;
    }
    Ok(())
}

/// The SDK's crates take versions and lints from their workspace: this one, cut down to what they take.
fn workspace_manifest() -> String {
    let whole = source("Cargo.toml").unwrap_or_default();
    let mut manifest = String::from(
        "[workspace]\nresolver = \"3\"\nmembers = [\"sdk\", \"sdk/values\", \"sdk/worlds/*\"]\n",
    );
    for section in
        ["workspace.package", "workspace.dependencies", "workspace.lints.rust", "workspace.lints.clippy"]
    {
        for part in ["\n[", section, "]\n"] {
            manifest.push_str(part);
        }
        let lines = whole.lines().skip_while(|line| *line != format!("[{section}]")).skip(1);
        for line in lines.take_while(|line| !line.starts_with('[')) {
            let name = line.split([' ', '.', '=']).next().unwrap_or_default();
            let wanted = section != "workspace.dependencies" || DEPENDENCIES.contains(&name);
            if wanted && !name.is_empty() && !name.starts_with('#') {
                manifest.push_str(line);
                manifest.push('\n');
            }
        }
    }
    manifest
}

#[cfg(test)]
mod tests {
    use super::{Language, files, source, workspace_manifest};

    #[test]
    fn each_language_has_the_contract_and_its_own_sdk() {
        for (language, needed) in [
            (Language::Rust, "sdk/src/lib.rs"),
            (Language::Javascript, "js/niyam.js"),
            (Language::Python, "python/niyam.py"),
        ] {
            let files = files(language);
            assert!(files.iter().any(|(path, _)| path == needed), "{language}");
            assert!(
                files.iter().any(|(path, _)| path.starts_with("wit/") && path.ends_with("tax.wit")),
                "{language}"
            );
        }
    }

    #[test]
    fn the_smallest_useful_module_fits_in_40_lines() {
        let module = source("sdk/examples/cancel_guard.rs").expect("it is part of the SDK");
        assert!(module.lines().count() <= 40);
    }

    #[test]
    fn the_sdk_alone_has_a_workspace_without_the_hosts_dependencies() {
        let manifest = workspace_manifest();
        for needed in ["niyam-values = ", "rust_decimal = ", "wit-bindgen = ", "edition = ", "pedantic = "] {
            assert!(manifest.contains(needed), "{needed} is not in\n{manifest}");
        }
        assert!(!manifest.contains("wasmtime"), "{manifest}");
    }
}
