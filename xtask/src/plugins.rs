//! Builds the modules of this workspace to components.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use niyam_build::{Component, Project, RustGuest, TARGET, Toolchain, kit, process, write_if_changed};

use crate::workspace::{cargo, modules_dir, root, target_dir};

/// What becomes a component: a package's library, or one of its examples.
struct Guest {
    package: &'static str,
    example: Option<&'static str>,
    /// Where the component goes, under `target/modules`; what lies right there is bundled with the server.
    output: &'static str,
}

const GUESTS: [Guest; 10] = [
    Guest { package: "unruly", example: None, output: "guests/unruly.wasm" },
    Guest { package: "unruly-policy", example: None, output: "guests/unruly-policy.wasm" },
    Guest { package: "unruly-workflow", example: None, output: "guests/unruly-workflow.wasm" },
    Guest { package: "niyam-sdk", example: Some("flat_tax"), output: "guests/flat-tax.wasm" },
    Guest { package: "niyam-sdk", example: Some("plain_pack"), output: "guests/plain-pack.wasm" },
    Guest { package: "niyam-sdk", example: Some("cancel_guard"), output: "guests/cancel-guard.wasm" },
    Guest { package: "niyam-sdk", example: Some("two_approvals"), output: "guests/two-approvals.wasm" },
    Guest { package: "credit-guard", example: None, output: "guests/credit-guard.wasm" },
    Guest { package: "tax-13-rust", example: None, output: "examples/tax-13-rust.wasm" },
    Guest { package: "vat-bd", example: None, output: "vat-bd.wasm" },
];

/// Modules in other languages, under `examples/modules`.
const SCRIPTS: [&str; 2] = ["tax-13-js", "tax-13-python"];

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

/// Builds every module that changed; the others stay as they are, to the byte.
pub(crate) fn run() -> Result<()> {
    guests()?;
    for example in SCRIPTS {
        build_script(example).with_context(|| format!("failed to build {example}"))?;
    }
    Ok(())
}

/// The modules in Rust alone, which is all that the server needs: no Node.js, no Python.
pub(crate) fn guests() -> Result<()> {
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
    let packages =
        ["niyam-sdk", "unruly", "unruly-policy", "unruly-workflow", "credit-guard", "tax-13-rust", "vat-bd"];
    process::run(
        Command::new(cargo())
            .args(["clippy", "--quiet", "--target", TARGET])
            .args(packages.iter().flat_map(|package| ["--package", *package]))
            .args(["--", "--deny", "warnings"])
            .current_dir(root()),
    )
}

fn build(toolchain: &Toolchain, guest: &Guest) -> Result<()> {
    let built = RustGuest {
        root: root(),
        selection: &guest.selection(),
        file: guest.module(),
        target_dir: target_dir().join(toolchain.folder()),
    }
    .build(toolchain)?;
    let path = modules_dir().join(guest.output);
    let changed = write_if_changed(&path, &built.bytes)?;
    tell(&path, &built, changed);
    Ok(())
}

/// As its author would, with the SDK of this checkout.
fn build_script(name: &str) -> Result<()> {
    let project = Project::open(&root().join("examples/modules").join(name))?;
    kit::write(&project.folder, project.description.language)?;
    let path = modules_dir().join(format!("examples/{name}.wasm"));
    let built = project.build(&path)?;
    tell(&path, &built.component, built.changed);
    Ok(())
}

fn tell(path: &Path, built: &Component, changed: bool) {
    eprintln!(
        "      {} {} ({} KiB, memory starts at {} KiB, imports {})",
        if changed { "wrote" } else { "kept" },
        path.strip_prefix(root()).unwrap_or(path).display(),
        built.bytes.len().div_ceil(1024),
        built.memory_pages * 64,
        built.imports.join(", "),
    );
}
