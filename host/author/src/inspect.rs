//! `niyam module inspect`: what a component is, as the server reads it.

use anyhow::Result;
use niyam_modules::{CONTRACT, Class, digest_hex};

use crate::command::At;
use crate::component::Loaded;

pub(crate) fn run(At { module }: &At) -> Result<()> {
    let loaded = Loaded::open(module)?;
    let component = niyam_build::check(loaded.bytes.clone())?;
    let manifest = loaded.module.manifest();
    let class = match loaded.module.class() {
        Class::Small => "small",
        Class::Large => "large (an interpreter)",
    };
    let row = |name: &str, value: &str| println!("{name:<14} {value}");
    row("id", &manifest.id);
    row("version", &manifest.version);
    row("title", &manifest.title);
    row("jurisdictions", &manifest.jurisdictions.join(", "));
    row("world", loaded.module.world().as_str());
    row("contract", CONTRACT);
    row("imports", &component.imports.join(", "));
    row("size", &format!("{} bytes", loaded.bytes.len()));
    row("memory", &format!("starts with {} KiB", component.memory_pages * 64));
    row("class", class);
    row("sha-256", &digest_hex(&loaded.bytes));
    row("config schema", &manifest.config_schema);
    row("config default", &manifest.config_default);
    Ok(())
}
