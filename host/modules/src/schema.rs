//! A module's JSON Schema of its configuration. The module wrote it, and the host evaluates it outside of the sandbox:
//! so it is bounded before it is believed.

use jsonschema::{PatternOptions, Validator};
use niyam_values::Manifest;
use serde_json::Value;

use crate::lift::Invalid;
use crate::limits::{SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX, SCHEMA_UNFOLDED_MAX};

/// Most bytes that one compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 256 << 10;

/// The schema of a manifest, which its default configuration fits.
pub(crate) fn of(manifest: &Manifest) -> Result<Validator, Invalid> {
    if manifest.config_schema.len() > SCHEMA_BYTES_MAX || manifest.config_default.len() > SCHEMA_BYTES_MAX {
        return Err(format!(
            "its configuration schema, or its default, has more than {SCHEMA_BYTES_MAX} bytes"
        ));
    }
    let schema = serde_json::from_str(&manifest.config_schema)
        .map_err(|error| format!("its configuration schema is not JSON: {error}"))?;
    bounded(&schema)?;
    // Patterns in time that grows with their text alone: without references back and looking around.
    let validator = jsonschema::draft202012::options()
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
        .build(&schema)
        .map_err(|error| format!("its configuration schema is no JSON Schema: {error}"))?;
    let default = serde_json::from_str(&manifest.config_default)
        .map_err(|error| format!("its default configuration is not JSON: {error}"))?;
    if validator.is_valid(&default) {
        Ok(validator)
    } else {
        Err("its default configuration does not fit its own schema".to_owned())
    }
}

/// A schema that refers to itself, or doubles with each reference, would never be done with.
fn bounded(schema: &Value) -> Result<(), Invalid> {
    let mut left = SCHEMA_UNFOLDED_MAX;
    unfold(schema, schema, SCHEMA_DEPTH_MAX, &mut left)
}

fn unfold(root: &Value, value: &Value, depth: usize, left: &mut usize) -> Result<(), Invalid> {
    let (Some(depth), Some(fewer)) = (depth.checked_sub(1), left.checked_sub(1)) else {
        return Err("its configuration schema refers to itself, or unfolds to too much".to_owned());
    };
    *left = fewer;
    match value {
        Value::Array(values) => values.iter().try_for_each(|value| unfold(root, value, depth, left)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| match (name.as_str(), value) {
            ("$ref", Value::String(reference)) => {
                let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
                let target = target.ok_or_else(|| {
                    format!("its configuration schema refers to {reference}, which is no place in it")
                })?;
                unfold(root, target, depth, left)
            }
            ("$dynamicRef" | "$recursiveRef" | "$id" | "$anchor" | "$dynamicAnchor", Value::String(_)) => {
                Err(format!("its configuration schema says {name}; only $ref within it is offered"))
            }
            _ => unfold(root, value, depth, left),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::limits::SCHEMA_BYTES_MAX;
    use niyam_values::Manifest;
    use serde_json::{Value, json};

    fn refusal(schema: &str) -> Option<String> {
        let manifest = Manifest {
            id: "m".to_owned(),
            version: "1".to_owned(),
            title: String::new(),
            jurisdictions: Vec::new(),
            config_schema: schema.to_owned(),
            config_default: "{}".to_owned(),
        };
        of(&manifest).err()
    }

    #[test]
    fn a_schema_may_refer_to_its_own_parts() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": {"rate": {"type": "string", "pattern": "^[0-9]{1,2}$"}},
            "properties": {"low": {"$ref": "#/$defs/rate"}, "high": {"$ref": "#/$defs/rate"}}
        });
        assert_eq!(refusal(&schema.to_string()), None);
    }

    #[test]
    fn a_schema_that_never_ends_is_refused() {
        let doubling: serde_json::Map<String, Value> = (0..40)
            .map(|level| {
                let next = json!({"$ref": format!("#/$defs/{}", level + 1)});
                (level.to_string(), json!({"allOf": [next, next]}))
            })
            .chain([("40".to_owned(), json!(true))])
            .collect();
        for schema in [
            json!({"$ref": "#"}),
            json!({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}),
            json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "not": {"$ref": "#/$defs/a"}}),
            json!({"$defs": doubling, "$ref": "#/$defs/0"}),
        ] {
            let reason = refusal(&schema.to_string()).expect("refused");
            assert!(reason.contains("unfolds to too much"), "{reason}");
        }
    }

    #[test]
    fn a_schema_reaches_nothing_outside_of_itself() {
        for reference in
            ["https://example.org/schema", "file:///etc/passwd", "other", "#anchor", "#/$defs/none"]
        {
            let reason = refusal(&json!({"$ref": reference}).to_string()).expect("refused");
            assert!(reason.contains("no place in it"), "{reason}");
        }
        for word in ["$dynamicRef", "$id", "$anchor", "$dynamicAnchor", "$recursiveRef"] {
            assert!(refusal(&json!({word: "#x"}).to_string()).expect("refused").contains(word));
        }
    }

    #[test]
    fn a_schema_is_no_larger_than_it_may_be() {
        let of_bytes = |bytes: usize| format!("{{}}{}", " ".repeat(bytes - 2));
        assert_eq!(refusal(&of_bytes(SCHEMA_BYTES_MAX)), None);
        assert!(refusal(&of_bytes(SCHEMA_BYTES_MAX + 1)).is_some());
        assert!(refusal(&format!("{}{}", "[".repeat(60_000), "]".repeat(5))).is_some());
    }

    #[test]
    fn a_pattern_takes_no_more_than_it_may() {
        assert!(refusal(r#"{"properties":{"a":{"pattern":"(a{900}){900}"}}}"#).is_some());
        // What takes for ever by going back takes no time at all.
        let manifest = Manifest {
            id: "m".to_owned(),
            version: "1".to_owned(),
            title: String::new(),
            jurisdictions: Vec::new(),
            config_schema: r#"{"properties":{"a":{"pattern":"^(a+)+$"}}}"#.to_owned(),
            config_default: "{}".to_owned(),
        };
        let config = json!({"a": format!("{}!", "a".repeat(50_000))});
        assert!(!of(&manifest).expect("a schema").is_valid(&config));
    }
}
