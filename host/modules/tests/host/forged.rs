//! Compiled code that our compiler did not write for this component: not run, wherever it comes from.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use niyam_modules::{ModuleHost, digest_hex};

use crate::wicked::{Wicked, request};

const ONE: &str = "(call $tell (i32.const 1))";
const TWO: &str = "(call $tell (i32.const 2))";

/// A cache with the compiled code of two policies that tell 1 and 2.
struct Cache {
    folder: tempfile::TempDir,
    components: [Vec<u8>; 2],
}

impl Cache {
    fn new() -> Self {
        let cache = Self {
            folder: tempfile::tempdir().unwrap(),
            components: [ONE, TWO].map(|body| Wicked::evaluating(body).component()),
        };
        assert_eq!(cache.told(), [1, 2]);
        cache
    }

    /// What both tell to a host that has just begun.
    fn told(&self) -> [usize; 2] {
        let host = ModuleHost::new(self.folder.path().to_owned()).unwrap();
        self.components.each_ref().map(|component| {
            match host.load(component).unwrap().evaluate("{}", &request()).unwrap().answer {
                niyam_values::policy::Ruling::NeedsApproval(reason) => reason.len(),
                other => panic!("{other:?}"),
            }
        })
    }

    fn file(&self, component: usize) -> PathBuf {
        let digest = digest_hex(&self.components[component]);
        let mut files = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        files.find(|file| file.file_name().unwrap().to_str().unwrap().starts_with(&digest)).unwrap()
    }
}

fn is_private(file: &Path) -> bool {
    let found = fs::symlink_metadata(file).unwrap();
    found.is_file() && found.permissions().mode() & 0o777 == 0o600
}

#[test]
fn compiled_code_is_no_component() {
    let cache = Cache::new();
    let host = ModuleHost::new(cache.folder.path().to_owned()).unwrap();
    let file = fs::read(cache.file(0)).unwrap();
    // With its seal, and as the engine itself would read it.
    for forged in [&file[..], &file[32..]] {
        assert_eq!(host.load(forged).expect_err("refused").code(), "component-malformed");
    }
}

#[test]
fn changed_bytes_are_made_again() {
    let cache = Cache::new();
    let file = cache.file(0);
    let whole = fs::read(&file).unwrap();
    let places = [0, 31, 32, 40, whole.len() / 2, whole.len() - 1];
    for place in places {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        fs::write(&file, changed).unwrap();
        assert_eq!(cache.told(), [1, 2]);
        assert_eq!(fs::read(&file).unwrap(), whole, "{place}");
    }
    for cut in [0, 1, 31, 32, 33, whole.len() - 1] {
        fs::write(&file, &whole[..cut]).unwrap();
        assert_eq!(cache.told(), [1, 2]);
        assert_eq!(fs::read(&file).unwrap(), whole, "{cut}");
    }
}

#[test]
fn a_file_of_another_component_is_not_run_in_its_name() {
    let cache = Cache::new();
    let (one, two) = (cache.file(0), cache.file(1));
    let own = fs::read(&one).unwrap();
    fs::copy(&two, &one).unwrap();
    assert_eq!(cache.told(), [1, 2]);
    assert_eq!(fs::read(&one).unwrap(), own);
    let aside = one.with_extension("aside");
    fs::rename(&one, &aside).unwrap();
    fs::rename(&two, &one).unwrap();
    fs::rename(&aside, &two).unwrap();
    assert_eq!(cache.told(), [1, 2]);
}

#[test]
fn a_file_that_others_may_write_is_made_again() {
    let cache = Cache::new();
    let file = cache.file(0);
    for mode in [0o666, 0o620, 0o602, 0o644] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        assert_eq!(cache.told(), [1, 2]);
        assert!(is_private(&file), "{mode:o}");
    }
}

#[test]
fn a_folder_that_others_may_write_is_not_read() {
    let cache = Cache::new();
    let file = cache.file(0);
    let written = || fs::metadata(&file).unwrap().modified().unwrap();
    let before = written();
    assert_eq!(cache.told(), [1, 2]);
    assert_eq!(written(), before);
    fs::set_permissions(cache.folder.path(), Permissions::from_mode(0o777)).unwrap();
    assert_eq!(cache.told(), [1, 2]);
    assert_ne!(written(), before);
}

#[test]
fn a_link_is_replaced_and_what_it_shows_is_left_alone() {
    let cache = Cache::new();
    let file = cache.file(0);
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("target");
    // To the very bytes that would be right, and to somebody's file.
    let right = fs::read(&file).unwrap();
    for content in [right.as_slice(), b"not to be touched"] {
        fs::write(&target, content).unwrap();
        fs::set_permissions(&target, Permissions::from_mode(0o600)).unwrap();
        fs::remove_file(&file).unwrap();
        symlink(&target, &file).unwrap();
        assert_eq!(cache.told(), [1, 2]);
        assert!(is_private(&file));
        assert_eq!(fs::read(&target).unwrap(), content);
    }
    // A folder in its place cannot be replaced: the module runs, compiled anew each time.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(cache.told(), [1, 2]);
}
