//! What is different between two JSON values.

use std::collections::BTreeSet;

use serde_json::Value;

/// The paths of the values that differ, such as `status.name`, with both values.
pub(super) fn difference(before: &Value, after: &Value) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), &mut found);
    found
}

fn compare(
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<(String, String, String)>,
) {
    if before == after {
        return;
    }
    let join = |key: &str| match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    };
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for key in keys {
                compare(&join(key), before.get(key), after.get(key), found);
            }
        }
        // Each field of a new object is a line of its own.
        (None, Some(Value::Object(fields))) if !fields.is_empty() => {
            for (key, value) in fields {
                compare(&join(key), None, Some(value), found);
            }
        }
        (Some(Value::Object(fields)), None) if !fields.is_empty() => {
            for (key, value) in fields {
                compare(&join(key), Some(value), None, found);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            for at in 0..before.len().max(after.len()) {
                compare(&join(&at.to_string()), before.get(at), after.get(at), found);
            }
        }
        (before, after) => found.push((path.to_owned(), written(before), written(after))),
    }
}

fn written(value: Option<&Value>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_that_differs_is_named_by_its_path() {
        let before = json!({ "a": 1, "b": { "c": "x", "d": true }, "e": [1, 2], "f": "same" });
        let after =
            json!({ "a": 1, "b": { "c": "y" }, "e": [1, 3, { "g": 4, "h": {} }], "f": "same" });
        let expected = [
            ("b.c", "x", "y"),
            ("b.d", "true", "absent"),
            ("e.1", "2", "3"),
            ("e.2.g", "absent", "4"),
            ("e.2.h", "absent", "{}"),
        ];
        let found = difference(&before, &after);
        let found: Vec<_> = found
            .iter()
            .map(|(path, a, b)| (&**path, &**a, &**b))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(difference(&before, &before), []);
    }
}
