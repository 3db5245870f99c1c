//! A policy that misbehaves on demand, for tests of the sandbox: the command says how. Else the configuration rules:
//! `denied` names the command that is denied, `failing` the one that it traps at, `asking` the one that wants approval.

use std::hint::black_box;

use niyam_sdk::policy::{Request, Ruling};
use niyam_sdk::{Context, Finding, Manifest, PolicyModule};

struct UnrulyPolicy;

niyam_sdk::export_policy!(UnrulyPolicy);

impl PolicyModule for UnrulyPolicy {
    fn manifest() -> Manifest {
        Manifest {
            id: "unruly-policy".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            title: "Misbehaves on demand".into(),
            jurisdictions: Vec::new(),
            config_schema: r#"{"type":"object","maxProperties":1,"patternProperties":{"^(denied|failing|asking)$":{"type":"string","pattern":"^[a-z-]*$"}},"additionalProperties":false}"#.into(),
            config_default: "{}".into(),
        }
    }

    fn evaluate(context: &Context, request: &Request) -> Ruling {
        // The host has checked the configuration: it has one key at most.
        let mut config = context.config().split('"').skip(1).step_by(2);
        let (wish, chosen) = (config.next().unwrap_or_default(), config.next().unwrap_or_default());
        match request.command.as_str() {
            "trap" => panic!("as asked"),
            "loop" => loop {
                black_box(());
            },
            "huge" => Ruling::NeedsApproval("x".repeat(8 << 20)),
            "deny-in-silence" => Ruling::Deny(Vec::new()),
            "deny-with-a-warning" => Ruling::Deny(vec![Finding::warning("unruly", "no error")]),
            "allow-with-an-error" => Ruling::Allow(vec![Finding::error("unruly", "an error")]),
            "approval-in-silence" => Ruling::NeedsApproval(" ".into()),
            "shout" => Ruling::Allow(vec![Finding::info("NOT KEBAB", "a code that is none")]),
            command if command == chosen && wish == "failing" => panic!("as configured"),
            command if command == chosen && wish == "asking" => {
                Ruling::NeedsApproval(format!("{command} wants a second pair of eyes"))
            }
            command if command == chosen => {
                let said = format!(
                    "{} may not {command} {} with {}",
                    request.user, request.aggregate, request.body_json
                );
                Ruling::Deny(vec![Finding::error("denied", said).at("/command")])
            }
            _ if request.roles.is_empty() => Ruling::NeedsApproval(format!("{} has no role", request.user)),
            _ => Ruling::Allow(vec![Finding::info("roles", request.roles.join(" "))]),
        }
    }
}
