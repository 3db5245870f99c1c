//! The contract is frozen once it is released: its text does not change, and a component that was built against it loads
//! in every later version.

use std::fs;
use std::path::Path;

use niyam_modules::{ModuleHost, digest_hex};

use crate::components::document;

#[test]
fn the_contracts_text_is_the_one_that_was_kept() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = fs::read_to_string(folder.join("tests/contract.sha256")).unwrap();
    let mut files: Vec<_> =
        fs::read_dir(folder.join("../../wit")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let lines: Vec<String> = files
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            format!("{}  {name}", digest_hex(&fs::read(path).unwrap()))
        })
        .collect();
    let kept: Vec<&str> = kept.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines, kept, "tests/contract.sha256 says when that may be");
}

#[test]
fn a_component_of_the_first_contract_still_answers() {
    let bytes = include_bytes!("../components/flat-tax-0.1.0.wasm");
    let folder = tempfile::tempdir().unwrap();
    let module = ModuleHost::new(folder.path().to_owned()).unwrap().load(bytes).unwrap();
    assert_eq!(module.world().as_str(), "tax-module");
    assert_eq!(module.manifest().id, "flat-tax");
    let decided = module.determine("{}", &document("any")).unwrap();
    assert_eq!(decided.decision.contract, "niyam:rules@0.1.0");
    assert!(!decided.answer.unwrap().lines.is_empty());
}
