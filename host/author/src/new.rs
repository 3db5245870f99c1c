//! `niyam module new`: a module's folder with a rule that works.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use niyam_build::{Description, Language, kit};

use crate::command::{self, World};

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 64;

pub(crate) fn run(args: &command::New) -> Result<()> {
    let name = &args.name;
    check_name(name)?;
    let folder = Path::new(name);
    if folder.exists() {
        bail!("{name} is there already: choose another name, or remove it");
    }
    let language = args.lang.into();
    // Made beside and renamed, so that a failure leaves no half of a module.
    let unfinished = Path::new(".").join(format!(".{name}.unfinished"));
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)
            .with_context(|| format!("failed to remove {}", unfinished.display()))?;
    }
    for (path, text) in files(name, args.world, language)? {
        niyam_build::write_if_changed(&unfinished.join(path), text.as_bytes())?;
    }
    kit::write(&unfinished, language)?;
    fs::rename(&unfinished, folder).with_context(|| format!("failed to make {name}"))?;
    println!("made {name}: a {} in {language}", args.world.name());
    println!(
        "the rule is {name}/{}; `niyam module test {name}` builds it and runs its fixtures",
        language.source()
    );
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let good = name.len() <= NAME_BYTES_MAX
        && name.bytes().all(letters)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && !name.contains("--");
    if !good {
        bail!(
            "{name:?} is no module's name: a-z, 0-9 and single hyphens, a letter first, at most {NAME_BYTES_MAX}"
        );
    }
    if ["test", "core", "std", "alloc", "niyam-sdk", "niyam-values"].contains(&name) {
        bail!("{name:?} would be taken for a library of Rust: choose another name");
    }
    Ok(())
}

/// The author's own files, by their path in the folder.
fn files(name: &str, world: World, language: Language) -> Result<Vec<(String, String)>> {
    let description = Description {
        name: name.to_owned(),
        world: world.name().to_owned(),
        language,
        source: None,
        fixtures: None,
    };
    let mut files = vec![
        ("module.json".to_owned(), serde_json::to_string_pretty(&description)? + "\n"),
        (".gitignore".to_owned(), "build\ntarget\nnode_modules\n.venv\n*.key\n".to_owned()),
        (language.source().to_owned(), rule(name, world, language)?),
    ];
    match language {
        Language::Rust => {
            let needs_json = if world == World::Tax { "serde_json = \"1\"\n" } else { "" };
            let manifest =
                template("rust.Cargo.toml")?.replace("NAME", name).replace("DEPENDENCIES\n", needs_json);
            files.push(("Cargo.toml".to_owned(), manifest));
        }
        Language::Javascript => {
            let package = serde_json::json!({
                "name": name,
                "private": true,
                "type": "module",
                // The shim is what componentize-js loads and does not name.
                "devDependencies": {
                    "@bytecodealliance/componentize-js": "0.23.0",
                    "@bytecodealliance/preview2-shim": "0.25.0",
                },
            });
            files.push(("package.json".to_owned(), serde_json::to_string_pretty(&package)? + "\n"));
        }
        Language::Python => {
            files.push(("requirements.txt".to_owned(), "componentize-py==0.25.1\n".to_owned()));
        }
    }
    let fixtures = match world {
        World::Tax => kit::sources("examples/modules/tax-13-fixtures/"),
        World::Compliance => kit::sources("sdk/build/templates/fixtures/compliance/"),
        World::Policy => kit::sources("sdk/build/templates/fixtures/policy/"),
        World::Workflow => kit::sources("sdk/build/templates/fixtures/workflow/"),
    };
    files.extend(fixtures.into_iter().map(|(path, text)| (format!("fixtures/{path}"), text.to_owned())));
    Ok(files)
}

/// The rule of the world's example, which is tested where it stands, under the new name.
fn rule(name: &str, world: World, language: Language) -> Result<String> {
    let (path, id) = match (language, world) {
        (Language::Rust, World::Tax) => ("examples/modules/tax-13-rust/src/lib.rs", "tax-13-rust"),
        (Language::Rust, World::Compliance) => ("sdk/examples/plain_pack.rs", "plain-pack"),
        (Language::Rust, World::Policy) => ("sdk/examples/cancel_guard.rs", "cancel-guard"),
        (Language::Rust, World::Workflow) => ("sdk/examples/two_approvals.rs", "two-approvals"),
        (Language::Javascript, World::Tax) => ("examples/modules/tax-13-js/src/rule.js", "tax-13-js"),
        (Language::Python, World::Tax) => ("examples/modules/tax-13-python/src/rule.py", "tax-13-python"),
        (Language::Javascript, World::Compliance) => ("sdk/build/templates/compliance.js", "NAME"),
        (Language::Javascript, World::Policy) => ("sdk/build/templates/policy.js", "NAME"),
        (Language::Javascript, World::Workflow) => ("sdk/build/templates/workflow.js", "NAME"),
        (Language::Python, World::Compliance) => ("sdk/build/templates/compliance.py", "NAME"),
        (Language::Python, World::Policy) => ("sdk/build/templates/policy.py", "NAME"),
        (Language::Python, World::Workflow) => ("sdk/build/templates/workflow.py", "NAME"),
    };
    let text = kit::source(path).with_context(|| format!("this program lacks its template {path}"))?;
    Ok(text.replace(&format!("\"{id}\""), &format!("\"{name}\"")))
}

fn template(name: &str) -> Result<&'static str> {
    kit::source(&format!("sdk/build/templates/{name}"))
        .with_context(|| format!("this program lacks its template {name}"))
}
