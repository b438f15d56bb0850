//! Compares an answer with the expected one.

use regex::Regex;
use serde_json::{Map, Value};

/// Where and how a body differs from the expected one; `None` if it matches.
///
/// * Objects are compared key by key, extra keys are allowed.
/// * Arrays are compared element by element and have equal length, unless the first element is `"$contains"`: then each
///   further element must match some element.
/// * `"$any"` is anything but null, `"$absent"` a key that is missing, `"$int"` an integer, `"$bool"` a boolean, `"$re:.."` a
///   text that the expression matches.
/// * Everything else is compared by equality.
#[must_use]
pub fn difference(expected: &Value, got: Option<&Value>) -> Option<String> {
    compare(expected, got, "").err()
}

fn compare(expected: &Value, got: Option<&Value>, at: &str) -> Result<(), String> {
    let place = if at.is_empty() { "the body" } else { at };
    let shown = || got.map_or_else(|| "nothing".to_owned(), Value::to_string);
    let fail = |wanted: &str| Err(format!("{place}: expected {wanted}, got {}", shown()));
    match (expected, got) {
        (Value::String(token), got) if token.starts_with('$') => match (token.as_str(), got) {
            ("$absent", None) => Ok(()),
            ("$absent", Some(_)) => fail("no such key"),
            ("$any", Some(value)) if !value.is_null() => Ok(()),
            ("$any", _) => fail("anything but null"),
            ("$int", Some(value)) if value.is_i64() || value.is_u64() => Ok(()),
            ("$int", _) => fail("an integer"),
            ("$bool", Some(value)) if value.is_boolean() => Ok(()),
            ("$bool", _) => fail("a boolean"),
            (token, got) => match token.strip_prefix("$re:") {
                Some(pattern) => {
                    let pattern = Regex::new(pattern).map_err(|error| error.to_string())?;
                    match got.and_then(Value::as_str) {
                        Some(text) if pattern.is_match(text) => Ok(()),
                        _ => fail(&format!("a text like {pattern}")),
                    }
                }
                None if got == Some(expected) => Ok(()),
                None => fail(&expected.to_string()),
            },
        },
        (Value::Object(expected), Some(Value::Object(got))) => keys(expected, got, at),
        (Value::Array(expected), Some(Value::Array(got))) => elements(expected, got, at),
        (expected, Some(got)) if same(expected, got) => Ok(()),
        (expected, _) => fail(&expected.to_string()),
    }
}

fn keys(expected: &Map<String, Value>, got: &Map<String, Value>, at: &str) -> Result<(), String> {
    for (key, expected) in expected {
        compare(expected, got.get(key), &format!("{at}/{key}"))?;
    }
    Ok(())
}

fn elements(expected: &[Value], got: &[Value], at: &str) -> Result<(), String> {
    if let Some((Value::String(token), wanted)) = expected.split_first()
        && token == "$contains"
    {
        for wanted in wanted {
            if !got.iter().any(|got| compare(wanted, Some(got), at).is_ok()) {
                return Err(format!("{at}: no element is like {wanted}"));
            }
        }
        return Ok(());
    }
    if expected.len() != got.len() {
        let (expected, got) = (expected.len(), got.len());
        return Err(format!("{at}: expected {expected} elements, got {got}"));
    }
    for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
        compare(expected, Some(got), &format!("{at}/{index}"))?;
    }
    Ok(())
}

/// Whether two values are equal. 1 and 1.0 are, as in JSON.
fn same(expected: &Value, got: &Value) -> bool {
    expected == got
        || matches!((expected.as_f64(), got.as_f64()), (Some(a), Some(b)) if a.total_cmp(&b).is_eq())
}

#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "so that a test reads without ampersands"
)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn matches(expected: Value, got: Value) {
        assert_eq!(difference(&expected, Some(&got)), None);
    }

    #[track_caller]
    fn differs(expected: Value, got: Value, how: &str) {
        assert_eq!(difference(&expected, Some(&got)).as_deref(), Some(how));
    }

    #[test]
    fn an_object_may_have_more_keys_but_not_fewer() {
        matches(json!({"a": 1}), json!({"a": 1, "b": 2}));
        matches(json!({}), json!({"a": 1}));
        differs(
            json!({"a": {"b": 1}}),
            json!({"a": {"c": 1}}),
            "/a/b: expected 1, got nothing",
        );
        differs(json!({}), json!([]), "the body: expected {}, got []");
        assert_eq!(
            difference(&json!({"a": 1}), None).as_deref(),
            Some("the body: expected {\"a\":1}, got nothing")
        );
    }

    #[test]
    fn arrays_have_equal_length_and_order() {
        matches(json!([{"a": 1}, 2]), json!([{"a": 1, "b": 1}, 2]));
        matches(json!([]), json!([]));
        differs(json!([1]), json!([1, 2]), ": expected 1 elements, got 2");
        differs(
            json!({"a": [1, 2]}),
            json!({"a": [2, 1]}),
            "/a/0: expected 1, got 2",
        );
    }

    #[test]
    fn contains_asks_for_some_elements_in_any_order() {
        matches(json!(["$contains", {"a": 2}, 1]), json!([1, 3, {"a": 2}]));
        matches(json!(["$contains"]), json!([]));
        differs(
            json!({"l": ["$contains", {"a": 2}]}),
            json!({"l": [{"a": 1}]}),
            "/l: no element is like {\"a\":2}",
        );
    }

    #[test]
    fn any_is_present_and_not_null() {
        matches(json!({"a": "$any"}), json!({"a": false}));
        differs(
            json!({"a": "$any"}),
            json!({"a": null}),
            "/a: expected anything but null, got null",
        );
        differs(
            json!({"a": "$any"}),
            json!({}),
            "/a: expected anything but null, got nothing",
        );
    }

    #[test]
    fn absent_is_a_missing_key_and_not_null() {
        matches(json!({"a": "$absent"}), json!({"b": 1}));
        differs(
            json!({"a": "$absent"}),
            json!({"a": null}),
            "/a: expected no such key, got null",
        );
    }

    #[test]
    fn int_is_an_integer_and_bool_a_boolean() {
        matches(json!("$int"), json!(-7));
        matches(json!("$int"), json!(u64::MAX));
        differs(
            json!("$int"),
            json!(1.5),
            "the body: expected an integer, got 1.5",
        );
        differs(
            json!("$int"),
            json!("1"),
            "the body: expected an integer, got \"1\"",
        );
        matches(json!("$bool"), json!(false));
        differs(
            json!("$bool"),
            json!(0),
            "the body: expected a boolean, got 0",
        );
    }

    #[test]
    fn re_is_a_text_that_the_expression_matches() {
        matches(json!("$re:^[0-9a-f]{4}$"), json!("00ff"));
        differs(
            json!("$re:^[0-9a-f]{4}$"),
            json!("00fff"),
            "the body: expected a text like ^[0-9a-f]{4}$, got \"00fff\"",
        );
        differs(
            json!("$re:1"),
            json!(1),
            "the body: expected a text like 1, got 1",
        );
        assert!(difference(&json!("$re:("), Some(&json!("("))).is_some());
    }

    #[test]
    fn everything_else_is_compared_by_equality() {
        matches(json!(null), json!(null));
        matches(json!("$5"), json!("$5"));
        matches(json!(46.80776431887119), json!(46.80776431887119));
        matches(json!(1), json!(1.0));
        differs(json!(null), json!(0), "the body: expected null, got 0");
        differs(
            json!({"a": null}),
            json!({}),
            "/a: expected null, got nothing",
        );
        differs(json!("1"), json!(1), "the body: expected \"1\", got 1");
        differs(
            json!("$5"),
            json!("$6"),
            "the body: expected \"$5\", got \"$6\"",
        );
    }
}
