//! A component is of one world: what its author's macro said, and nothing else that the SDK knows.

use niyam_modules::{Module, ModuleFailure};
use niyam_values::Date;
use niyam_values::policy::Request;
use niyam_values::workflow::{Input, Subject};
use wasmparser::{Parser, Payload};

use crate::components::{Unruly, component, document};

/// A component of each world, and the interfaces that it exports.
const WORLDS: [(&str, &[&str]); 4] = [
    ("guests/flat-tax.wasm", &["module", "tax"]),
    ("guests/unruly.wasm", &["compliance", "module", "tax"]),
    ("guests/unruly-policy.wasm", &["module", "policy"]),
    ("guests/unruly-workflow.wasm", &["module", "workflow"]),
];

fn exports(component: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentExportSection(exports) if depth == 0 => {
                names.extend(exports.into_iter().map(|export| export.unwrap().name.name.to_owned()));
            }
            _ => {}
        }
    }
    names.sort();
    names
}

/// The module's answers to one function of each interface: offered or not.
fn offered(module: &Module) -> [bool; 4] {
    fn told<T>(answer: Result<T, ModuleFailure>) -> bool {
        match answer {
            Ok(_) => true,
            Err(ModuleFailure::NotOffered { .. }) => false,
            Err(failure) => panic!("{failure}"),
        }
    }
    let config = &module.manifest().config_default;
    let request = Request {
        command: "issue-invoice".to_owned(),
        aggregate: String::new(),
        body_json: "{}".to_owned(),
        user: String::new(),
        roles: Vec::new(),
    };
    let subject = Subject {
        kind: "invoice".to_owned(),
        id: String::new(),
        amount: None,
        facts: niyam_values::Attributes::new(),
    };
    let timer = Input::TimerFired(String::new());
    [
        told(module.determine(config, &document("plain"))),
        told(module.fiscal_period_of(config, Date::constant(2026, 8, 15))),
        told(module.evaluate(config, &request)),
        told(module.advance(config, &subject, "", &timer)),
    ]
}

#[test]
fn a_component_exports_the_interfaces_of_its_own_world_alone() {
    for (name, interfaces) in WORLDS {
        let expected = interfaces.iter().map(|interface| format!("niyam:rules/{interface}@0.1.0"));
        assert_eq!(exports(&component(name)), expected.collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_module_offers_the_functions_of_its_own_world_alone() {
    for (name, interfaces) in WORLDS {
        let module = Unruly::of(name).module;
        let expected = ["tax", "compliance", "policy", "workflow"];
        assert_eq!(offered(&module), expected.map(|interface| interfaces.contains(&interface)), "{name}");
        let said = [module.is_compliance_pack(), module.is_policy(), module.is_workflow()];
        assert_eq!(said, offered(&module)[1..], "{name}");
    }
}
