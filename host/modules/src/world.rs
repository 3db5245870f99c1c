//! Which world a component exports, and of which version of the contract: by names alone, before it is compiled. Whether
//! its functions have the contract's types is seen when it is linked.

use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;

use crate::error::LoadError;
use crate::limits::CONTRACT;

/// The package of the contract, whatever the version.
const PACKAGE: &str = "niyam:rules/";

/// An interface of the contract, and its functions.
type Interface = (&'static str, &'static [&'static str]);

const MODULE: Interface = ("module", &["describe"]);
const TAX: Interface = ("tax", &["determine"]);
const COMPLIANCE: Interface = (
    "compliance",
    &[
        "check-identifier",
        "fiscal-period-of",
        "obligations",
        "prepare-issue",
        "form-codes",
        "draw-form",
        "draw-return",
        "chart-of-accounts",
        "check-account-code",
    ],
);
const POLICY: Interface = ("policy", &["evaluate"]);
const WORKFLOW: Interface = ("workflow", &["advance"]);

/// The worlds, each by the interfaces that make it what it is besides `module`; the first that fits is a component's.
const WORLDS: [&[Interface]; 4] = [&[TAX, COMPLIANCE], &[TAX], &[POLICY], &[WORKFLOW]];

/// Refuses a component that exports no world of this contract whole.
pub(crate) fn check(exports: &[String], types: &Types) -> Result<(), LoadError> {
    let (_, version) = CONTRACT.split_once('@').unwrap_or_default();
    let of_this = |name: &str| format!("{PACKAGE}{name}@{version}");
    let has = |&(name, _): &Interface| exports.contains(&of_this(name));
    let Some(world) = WORLDS.iter().find(|world| world.iter().all(has)).filter(|_| has(&MODULE)) else {
        let of_contract = |export: &&String| export.starts_with(PACKAGE);
        let other =
            exports.iter().filter(of_contract).find(|export| !export.ends_with(&format!("@{version}")));
        if let Some(other) = other {
            return Err(LoadError::ContractUnknown(other.clone()));
        }
        let found: Vec<&str> = exports.iter().map(String::as_str).collect();
        let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
        return Err(missing(format!("it exports {found}")));
    };
    for (interface, functions) in std::iter::once(&MODULE).chain(*world) {
        let name = of_this(interface);
        let found = types.as_ref().component_item_for_export(&name).map(|item| item.ty);
        let Some(ComponentEntityType::Instance(id)) = found else {
            return Err(missing(format!("{name} is no interface")));
        };
        let lacks = functions.iter().find(|function| {
            let found = types[id].exports.get(**function);
            !found.is_some_and(|item| matches!(item.ty, ComponentEntityType::Func(_)))
        });
        if let Some(function) = lacks {
            return Err(missing(format!("{name} has no function {function}")));
        }
    }
    Ok(())
}

fn missing(reason: String) -> LoadError {
    LoadError::WorldMissing { reason }
}
