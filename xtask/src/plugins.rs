//! Builds the modules of this workspace to components.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};

use crate::component;
use crate::process;
use crate::toolchain::{TARGET, Toolchain};
use crate::workspace::{cargo, modules_dir, root, target_dir};

/// What becomes a component: a package's library, or one of its examples.
struct Guest {
    package: &'static str,
    example: Option<&'static str>,
    /// Where the component goes, under `target/modules`.
    output: &'static str,
}

const GUESTS: [Guest; 8] = [
    Guest { package: "unruly", example: None, output: "guests/unruly.wasm" },
    Guest { package: "unruly-policy", example: None, output: "guests/unruly-policy.wasm" },
    Guest { package: "unruly-workflow", example: None, output: "guests/unruly-workflow.wasm" },
    Guest { package: "niyam-sdk", example: Some("flat_tax"), output: "guests/flat-tax.wasm" },
    Guest { package: "niyam-sdk", example: Some("plain_pack"), output: "guests/plain-pack.wasm" },
    Guest { package: "niyam-sdk", example: Some("cancel_guard"), output: "guests/cancel-guard.wasm" },
    Guest { package: "niyam-sdk", example: Some("two_approvals"), output: "guests/two-approvals.wasm" },
    Guest { package: "vat-bd", example: None, output: "vat-bd.wasm" },
];

impl Guest {
    fn name(&self) -> &'static str {
        self.example.unwrap_or(self.package)
    }

    /// What cargo is told to build.
    fn selection(&self) -> Vec<&'static str> {
        match self.example {
            Some(example) => vec!["--package", self.package, "--example", example],
            // The crate is also built natively, as a library, and that would rule out link-time optimisation here.
            None => vec!["--package", self.package, "--lib", "--crate-type", "cdylib"],
        }
    }

    /// The core module that cargo then writes, under the profile's folder.
    fn module(&self) -> String {
        match self.example {
            Some(example) => format!("examples/{example}.wasm"),
            None => format!("{}.wasm", self.package.replace('-', "_")),
        }
    }
}

/// Bytes of a module's stack: it shares the first pages with the module's data, and every call pays for pages touched.
const STACK_BYTES: u32 = 16 * 1024;

/// Builds every guest that changed; the others stay as they are, to the byte.
pub(crate) fn run() -> Result<()> {
    let toolchain = Toolchain::find()?;
    eprintln!("      built with {toolchain}");
    for guest in &GUESTS {
        build(&toolchain, guest).with_context(|| format!("failed to build {}", guest.name()))?;
    }
    Ok(())
}

/// Lints the code that exists on the modules' target alone.
pub(crate) fn lint() -> Result<()> {
    // Debian's compiler brings no clippy that could drive it.
    if !matches!(Toolchain::find()?, Toolchain::Installed) {
        eprintln!("      no clippy for {TARGET} here: that side is only compiled");
        return Ok(());
    }
    let packages = ["niyam-sdk", "unruly", "unruly-policy", "unruly-workflow", "vat-bd"];
    process::run(
        Command::new(cargo())
            .args(["clippy", "--quiet", "--target", TARGET])
            .args(packages.iter().flat_map(|package| ["--package", *package]))
            .args(["--", "--deny", "warnings"])
            .current_dir(root()),
    )
}

fn build(toolchain: &Toolchain, guest: &Guest) -> Result<()> {
    let target_dir = target_dir().join(toolchain.folder());
    process::run(
        toolchain
            .cargo("rustc")?
            .args(["--quiet", "--profile", "guest"])
            .args(guest.selection())
            .arg("--target-dir")
            .arg(&target_dir)
            .current_dir(root())
            .env_remove("RUSTFLAGS")
            .env("CARGO_ENCODED_RUSTFLAGS", rust_flags(&target_dir).join("\u{1f}")),
    )?;
    let module = target_dir.join(TARGET).join("guest").join(guest.module());
    let module = fs::read(&module).with_context(|| format!("failed to read {}", module.display()))?;
    let built = component::encode(&module)?;
    let path = modules_dir().join(guest.output);
    let changed = write_if_changed(&path, &built.bytes)?;
    eprintln!(
        "      {} {} ({} KiB, memory starts at {} KiB, imports {})",
        if changed { "wrote" } else { "kept" },
        path.strip_prefix(root()).unwrap_or(&path).display(),
        built.bytes.len().div_ceil(1024),
        built.memory_pages * 64,
        built.imports.join(", "),
    );
    Ok(())
}

/// The same source gives the same bytes wherever it lies.
fn rust_flags(target_dir: &Path) -> Vec<String> {
    let mut flags = vec![format!("-Clink-arg=-zstack-size={STACK_BYTES}")];
    let cargo_home = env::var_os("CARGO_HOME")
        .map_or_else(|| PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo"), PathBuf::from);
    // The last that fits wins, and the target folder may lie within the workspace.
    for (from, to) in [(cargo_home.as_path(), "/cargo"), (root(), "/niyam"), (target_dir, "/target")] {
        flags.push(format!("--remap-path-prefix={}={to}", from.display()));
    }
    flags
}

fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    fs::create_dir_all(path.parent().expect("a file lies in a folder"))?;
    // A reader sees the old component or the new one, never a part.
    let partial = path.with_extension("wasm.partial");
    fs::write(&partial, bytes)
        .and_then(|()| fs::rename(&partial, path))
        .with_context(|| format!("failed to write {}", path.display()))?;
    Ok(true)
}
