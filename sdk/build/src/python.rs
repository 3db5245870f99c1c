//! A module in Python, by componentize-py.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::kit;
use crate::process::{find, run};

const HOW_TO_INSTALL: &str =
    "install Python 3.10 or newer: https://python.org, or on Debian `apt-get install python3-venv`";

pub(crate) fn build(folder: &Path, source: &str, world: &str, component: &Path) -> Result<()> {
    let tool = folder.join(".venv/bin/componentize-py");
    if !tool.exists() {
        let python =
            find("python3").with_context(|| format!("there is no python3 here: {HOW_TO_INSTALL}"))?;
        eprintln!("installing componentize-py with pip into {}", folder.join(".venv").display());
        run(Command::new(python).args(["-m", "venv", ".venv"]).current_dir(folder).stdout(Stdio::null()))
            .with_context(|| format!("failed to make a virtual environment: {HOW_TO_INSTALL}"))?;
        run(Command::new(folder.join(".venv/bin/python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-r",
                "requirements.txt",
            ])
            .current_dir(folder)
            .stdout(Stdio::null()))?;
    }
    let source = Path::new(source);
    let app = source.file_stem().context("the source has no name")?;
    eprintln!("building with componentize-py, which takes half a minute");
    run(Command::new(tool)
        .args(["--quiet", "--wit-path"])
        .arg(folder.join(kit::FOLDER).join("wit"))
        .args(["--world", world, "componentize", "--stub-wasi", "--python-path"])
        .arg(folder.join(source.parent().unwrap_or(Path::new("."))))
        .arg("--python-path")
        .arg(folder.join(kit::FOLDER).join("python"))
        .arg("--output")
        .arg(component)
        .arg(app)
        .current_dir(folder)
        .env_remove("PYTHONPATH")
        .stdin(Stdio::null())
        .stdout(Stdio::null()))
}
