//! How two values of JSON differ, a line for each place.

use serde_json::Value;

/// A line for each place where `found` is not `expected`, by JSON Pointer.
pub(crate) fn between(expected: &Value, found: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", expected, found, &mut lines);
    lines
}

fn compare(pointer: &str, expected: &Value, found: &Value, lines: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, expected) in left {
                let at = format!("{pointer}/{}", escaped(name));
                match right.get(name) {
                    Some(found) => compare(&at, expected, found, lines),
                    None => lines.push(format!("{at}: expected {expected}, it is not there")),
                }
            }
            for (name, found) in right.iter().filter(|(name, _)| !left.contains_key(*name)) {
                lines.push(format!("{pointer}/{}: not expected, found {found}", escaped(name)));
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            for (index, (expected, found)) in left.iter().zip(right).enumerate() {
                compare(&format!("{pointer}/{index}"), expected, found, lines);
            }
            for (index, expected) in left.iter().enumerate().skip(right.len()) {
                lines.push(format!("{pointer}/{index}: expected {expected}, it is not there"));
            }
            for (index, found) in right.iter().enumerate().skip(left.len()) {
                lines.push(format!("{pointer}/{index}: not expected, found {found}"));
            }
        }
        _ if expected == found => {}
        _ => lines.push(format!("{pointer}: expected {expected}, found {found}")),
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::between;

    #[test]
    fn tells_each_place_once() {
        let expected = json!({"a": [1, {"b/c": "x"}], "gone": true, "same": null});
        let found = json!({"a": [2, {"b/c": "y"}, 3], "same": null, "new": 0});
        assert_eq!(
            between(&expected, &found),
            [
                "/a/0: expected 1, found 2",
                "/a/1/b~1c: expected \"x\", found \"y\"",
                "/a/2: not expected, found 3",
                "/gone: expected true, it is not there",
                "/new: not expected, found 0",
            ]
        );
        assert!(between(&expected, &expected).is_empty());
    }
}
