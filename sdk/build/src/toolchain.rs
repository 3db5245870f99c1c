//! A compiler with the standard library of WebAssembly, found or set up.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fmt, fs};

use anyhow::{Context, Result, bail};

use crate::cargo;
use crate::process::{find, has_debian, install_debian, output, run_quietly};

/// What modules are built for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Forces one way (`rustup`, `debian`) instead of the first that works.
const CHOICE: &str = "NIYAM_GUEST_TOOLCHAIN";

const RUSTUP_LIMIT: Duration = Duration::from_mins(2);
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_SOURCE: &str = "/usr/lib/rustlib/src/rust/library";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-19";

/// How modules are built.
pub enum Toolchain {
    /// The compiler in use has the target's standard library.
    Installed,
    /// Debian's compiler builds the standard library from Debian's source, driven by this cargo.
    Debian(PathBuf),
}

impl fmt::Display for Toolchain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => write!(formatter, "the compiler's own standard library for {TARGET}"),
            Self::Debian(cargo) => {
                write!(
                    formatter,
                    "Debian's compiler and standard library from source, by {}",
                    cargo.display()
                )
            }
        }
    }
}

impl Toolchain {
    /// The first way that works here: what is installed, what rustup can add, Debian's packages.
    ///
    /// # Errors
    /// When none works.
    pub fn find() -> Result<Self> {
        match env::var(CHOICE).as_deref() {
            Err(_) | Ok("") => {}
            Ok("rustup") => return Self::by_rustup(),
            Ok("debian") => return Self::by_debian(),
            Ok(other) => bail!("{CHOICE} is {other}; it may be rustup or debian"),
        }
        if has_target()? {
            return Ok(Self::Installed);
        }
        // What an earlier run set up is tried before a network.
        if has_debian_packages() {
            return Self::by_debian();
        }
        Self::by_rustup().or_else(|rustup| {
            eprintln!("      {rustup:#}");
            Self::by_debian().with_context(|| format!("failed to find a standard library for {TARGET}"))
        })
    }

    /// A cargo command (`rustc`, `build`) for the target, which goes on to take arguments.
    ///
    /// # Errors
    /// When the path of programs cannot be written down.
    pub fn cargo(&self, subcommand: &str) -> Result<Command> {
        match self {
            Self::Installed => {
                let mut command = Command::new(cargo());
                command.args([subcommand, "--target", TARGET]);
                Ok(command)
            }
            Self::Debian(cargo) => {
                let path = env::var_os("PATH").unwrap_or_default();
                let path = env::join_paths(["/usr/bin".into()].into_iter().chain(env::split_paths(&path)))?;
                let mut command = Command::new(cargo);
                command
                    .args([subcommand, "-Zbuild-std=std,panic_abort", "--target", TARGET])
                    .env("PATH", path)
                    .env("RUSTC", DEBIAN_RUSTC)
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER)
                    // A wrapper or a toolchain that was meant for the host's own compiler.
                    .env_remove("RUSTC_WRAPPER")
                    .env_remove("RUSTUP_TOOLCHAIN");
                Ok(command)
            }
        }
    }

    /// The folder of intermediate builds, one for each compiler so that they do not undo each other's.
    #[must_use]
    pub const fn folder(&self) -> &'static str {
        match self {
            Self::Installed => "guests",
            Self::Debian(_) => "guests/debian",
        }
    }

    fn by_rustup() -> Result<Self> {
        if has_target()? {
            return Ok(Self::Installed);
        }
        let rustup = find("rustup").context("no rustup here to add the target")?;
        run_quietly(Command::new(rustup).args(["target", "add", TARGET]), RUSTUP_LIMIT)?;
        if !has_target()? {
            bail!("rustup added {TARGET} to another compiler than the one in use");
        }
        Ok(Self::Installed)
    }

    fn by_debian() -> Result<Self> {
        if !has_debian_packages() {
            install_debian(&["rustc-web", "rust-web-src", "lld-19"])?;
        }
        let running = cargo();
        // A cargo drives compilers of its own age or a little older and newer; Debian's own is the sure one.
        if Path::new(DEBIAN_CARGO).exists() {
            return Ok(Self::Debian(DEBIAN_CARGO.into()));
        }
        if minor_version(&running)?.abs_diff(minor_version(Path::new(DEBIAN_RUSTC))?) > 1 {
            install_debian(&["cargo-web"])?;
            return Ok(Self::Debian(DEBIAN_CARGO.into()));
        }
        Ok(Self::Debian(running))
    }
}

fn has_target() -> Result<bool> {
    let sysroot =
        output(Command::new(env::var_os("RUSTC").unwrap_or("rustc".into())).args(["--print", "sysroot"]))?;
    let libraries = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("lib");
    Ok(fs::read_dir(libraries).is_ok_and(|mut entries| entries.next().is_some()))
}

fn has_debian_packages() -> bool {
    has_debian("rustc-web")
        && [DEBIAN_RUSTC, DEBIAN_SOURCE, DEBIAN_LINKER].iter().all(|path| Path::new(path).exists())
}

/// 96 of `rustc 1.96.0 (…)`.
fn minor_version(program: &Path) -> Result<u32> {
    let said = output(Command::new(program).arg("--version"))?;
    said.split([' ', '.'])
        .nth(2)
        .and_then(|minor| minor.parse().ok())
        .with_context(|| format!("failed to read the version of {}", program.display()))
}
