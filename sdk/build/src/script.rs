//! A module in JavaScript, by componentize-js.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::kit;
use crate::process::{find, output, run};

/// The oldest Node.js that componentize-js runs on.
const NODE_MAJOR_MIN: u32 = 20;

const HOW_TO_INSTALL: &str = "install Node.js 20 or newer, which brings npm: https://nodejs.org, or on Debian `apt-get install nodejs npm`";

pub(crate) fn build(folder: &Path, source: &str, world: &str, component: &Path) -> Result<()> {
    let node = find("node").with_context(|| format!("there is no node here: {HOW_TO_INSTALL}"))?;
    let version = output(Command::new(&node).arg("--version"))?;
    let major =
        version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR_MIN) {
        bail!("node here is {}: {HOW_TO_INSTALL}", version.trim());
    }
    if !folder.join("node_modules/@bytecodealliance/componentize-js/package.json").exists() {
        let npm = find("npm").with_context(|| format!("there is no npm here: {HOW_TO_INSTALL}"))?;
        eprintln!("installing componentize-js with npm into {}", folder.join("node_modules").display());
        run(Command::new(npm)
            .args(["install", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null()))?;
    }
    eprintln!("building with componentize-js, which takes half a minute");
    run(Command::new(node)
        .arg(folder.join(kit::FOLDER).join("componentize.mjs"))
        .arg(folder.join(source))
        .arg(folder.join(kit::FOLDER).join("wit"))
        .arg(world)
        .arg(component)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null()))
}
