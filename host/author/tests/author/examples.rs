//! One module in three languages: the same fixtures, the same answers.

use crate::harness::{Author, component, root};

fn passes(language: &str) {
    let author = Author::new();
    let component = component(&format!("examples/tax-13-{language}.wasm"));
    let fixtures = root().join("examples/modules/tax-13-fixtures");
    let out = author.does(&["test", component.to_str().unwrap(), "--fixtures", fixtures.to_str().unwrap()]);
    assert!(out.contains("9 fixtures passed"), "{out}");
}

#[test]
fn the_example_in_rust_answers_as_expected() {
    passes("rust");
}

#[test]
fn the_example_in_javascript_answers_as_expected() {
    passes("js");
}

#[test]
fn the_example_in_python_answers_as_expected() {
    passes("python");
}

#[test]
fn an_example_of_each_world_answers_as_its_template_expects() {
    let author = Author::new();
    let templates = root().join("sdk/build/templates/fixtures");
    for (world, example) in
        [("compliance", "plain-pack"), ("policy", "cancel-guard"), ("workflow", "two-approvals")]
    {
        let component = component(&format!("guests/{example}.wasm"));
        let fixtures = templates.join(world);
        author.does(&["test", component.to_str().unwrap(), "--fixtures", fixtures.to_str().unwrap()]);
    }
}
