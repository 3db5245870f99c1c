//! Puts the bundled modules into the binary: what `cargo xtask plugins` left in `target/modules`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../target/modules");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut components: Vec<PathBuf> = fs::read_dir(&folder)
        .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
        .unwrap_or_default();
    components.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    components.sort();
    if components.is_empty() {
        println!("cargo::warning=no module is bundled; `cargo xtask plugins` builds them");
    }
    let mut source = String::from("&[\n");
    for path in components {
        let path = path.canonicalize()?;
        println!("cargo::rerun-if-changed={}", path.display());
        writeln!(source, "    include_bytes!({:?}),", path.display().to_string())?;
    }
    source.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("bundled.rs"), source)?;
    Ok(())
}
