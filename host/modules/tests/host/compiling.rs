//! Components compiled by another program: what it gives is used, and what becomes of it is told.

use std::fs;
use std::time::{Duration, Instant};

use niyam_modules::{Compiler, LoadError, Module, ModuleHost, compile};

use crate::wicked::{ALLOWED, Wicked, request};

/// Loads a sound component with a shell that runs `script` as compiler.
fn load(script: &str, time_max: Duration) -> Result<std::sync::Arc<Module>, LoadError> {
    let folder = tempfile::tempdir().unwrap();
    let arguments = vec!["-c".into(), script.into()];
    let compiler = Compiler { program: "/bin/sh".into(), arguments, time_max };
    let host = ModuleHost::new(folder.path().to_owned()).unwrap().compiling_with(compiler);
    host.load(&Wicked::evaluating(ALLOWED).component())
}

const LONG: Duration = Duration::from_mins(2);

#[test]
fn what_another_process_compiled_answers_and_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let component = Wicked::evaluating(ALLOWED).component();
    let elsewhere = folder.path().join("compiled-elsewhere");
    fs::write(&elsewhere, compile(&component).unwrap()).unwrap();
    let script = format!("/bin/cat > /dev/null; exec /bin/cat {}", elsewhere.display());
    let arguments = vec!["-c".into(), script.into()];
    let compiler = Compiler { program: "/bin/sh".into(), arguments, time_max: LONG };
    let cache = folder.path().join("cache");
    let host = ModuleHost::new(cache.clone()).unwrap().compiling_with(compiler.clone());
    host.load(&component).unwrap().evaluate("{}", &request()).unwrap();
    // It is not compiled again.
    fs::remove_file(&elsewhere).unwrap();
    let host = ModuleHost::new(cache).unwrap().compiling_with(compiler);
    host.load(&component).unwrap().evaluate("{}", &request()).unwrap();
}

#[test]
fn one_that_compiles_for_ever_is_ended() {
    let began = Instant::now();
    let ended = load("exec /bin/sleep 600", Duration::from_millis(50)).expect_err("ended");
    assert_eq!(ended.code(), "component-not-compilable", "{ended}");
    assert!(ended.to_string().contains("longer"), "{ended}");
    assert!(began.elapsed() < Duration::from_mins(1));
}

#[test]
fn how_the_compiler_ends_says_whether_it_is_the_components_fault() {
    for (script, code, text) in [
        (
            "/bin/cat > /dev/null; echo too many of them >&2; exit 1",
            "component-not-compilable",
            "too many of them",
        ),
        ("kill -XCPU $$", "component-not-compilable", "more time or memory"),
        ("kill -ABRT $$", "component-not-compilable", "more time or memory"),
        // It is not: somebody ended it, or it is not there.
        ("kill -KILL $$", "module-load-failed", ""),
        ("kill -TERM $$", "module-load-failed", ""),
        ("exit 101", "module-load-failed", ""),
    ] {
        let refused = load(script, LONG).expect_err(script);
        assert_eq!(refused.code(), code, "{script}: {refused}");
        assert!(refused.to_string().contains(text), "{script}: {refused}");
    }
    // What is no compiled code is not run, though our own program gave it.
    assert!(load("/bin/cat > /dev/null; echo nonsense", LONG).is_err());
}
