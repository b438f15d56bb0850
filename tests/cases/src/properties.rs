//! Shared by the property tests over arbitrary customers.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};

use churnkey_integrator::model::Customer;
use serde_json::Value;

/// Runs an async test without a runtime around it, as in a property.
///
/// # Panics
/// If the test does, or no runtime can be built.
pub fn block_on<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build();
    runtime.unwrap().block_on(test)
}

/// All records of a list, page by page. `get` answers a query, such as `?limit=2`, with status and body.
///
/// # Panics
/// If an answer is not a page, or holds more than its limit.
pub async fn crawl(limit: usize, get: impl AsyncFn(String) -> (u16, Value)) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = get(format!("?limit={limit}{cursor}")).await;
        assert_eq!(status, 200, "{page}");
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= limit, "{} records", data.len());
        all.extend(data.iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// The paths of the values that differ between two customers, such as `metadata.language`.
///
/// # Panics
/// If one is not an object.
#[must_use]
pub fn changed(before: &Value, after: &Value) -> BTreeSet<String> {
    let (before, after) = (flat(before), flat(after));
    let keys = before.keys().chain(after.keys());
    keys.filter(|key| before.get(*key) != after.get(*key))
        .cloned()
        .collect()
}

fn flat(customer: &Value) -> BTreeMap<String, &Value> {
    let mut flat = BTreeMap::new();
    for (key, value) in customer.as_object().unwrap() {
        match value {
            Value::Object(inner) => {
                flat.extend(inner.iter().map(|(k, v)| (format!("{key}.{k}"), v)));
            }
            other => {
                flat.insert(key.clone(), other);
            }
        }
    }
    flat
}

/// What is wrong with a customer's JSON, by the contract's table of fields: the id and these fields are texts, and the only other
/// field is metadata, within the default limits.
///
/// # Panics
/// If it is not an object.
#[must_use]
pub fn broken(customer: &Value, others: &[&str]) -> Option<String> {
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let fits = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| text.chars().count() <= 500)
    };
    for (key, value) in customer.as_object().unwrap() {
        let good = match key.as_str() {
            "metadata" => value.as_object().is_some_and(|entries| {
                let good = |value: &Value| text(value) && fits(value);
                entries.len() <= 50 && entries.values().all(good)
            }),
            key => (key == "id" || others.contains(&key)) && text(value),
        };
        if !good {
            return Some(key.clone());
        }
    }
    let read: Result<Customer, _> = serde_json::from_value(customer.clone());
    let again = read.ok().and_then(|read| serde_json::to_value(read).ok());
    (again.as_ref() != Some(customer)).then(|| "not the same when read".to_owned())
}

/// Paths as [`changed`] returns them.
#[must_use]
pub fn paths(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_crawl_follows_the_cursors_to_the_end() {
        let asked = RefCell::new(Vec::new());
        let all = block_on(crawl(2, async |query: String| {
            let next = (!query.contains("cursor")).then_some("c");
            asked.borrow_mut().push(query);
            (200, json!({"data": [asked.borrow().len()], "next": next}))
        }));
        assert_eq!(all, [1, 2]);
        assert_eq!(asked.into_inner(), ["?limit=2", "?limit=2&cursor=c"]);
    }

    #[test]
    #[should_panic(expected = "2 records")]
    fn a_page_holds_no_more_than_its_limit() {
        block_on(crawl(1, async |_: String| {
            (200, json!({"data": [1, 2], "next": null}))
        }));
    }

    #[test]
    fn a_violation_of_the_table_of_fields_is_named() {
        let metadata = json!({"k": "\u{eb}".repeat(500)});
        let good = json!({"id": "a", "name": "x", "metadata": metadata});
        assert_eq!(broken(&good, &["name"]), None);
        assert_eq!(broken(&good, &["email"]).as_deref(), Some("name"));
        let many: serde_json::Map<_, _> = (0..51).map(|n| (n.to_string(), "x".into())).collect();
        for (key, value) in [
            ("id", json!("")),
            ("name", json!(7)),
            ("metadata", json!({"k": "x".repeat(501)})),
            ("metadata", json!({"k": ""})),
            ("metadata", Value::Object(many)),
            ("secret", json!("x")),
        ] {
            let mut bad = good.clone();
            bad[key] = value;
            assert_eq!(broken(&bad, &["name"]).as_deref(), Some(key));
        }
        let anonymous = broken(&json!({"name": "x"}), &["name"]);
        assert_eq!(anonymous.as_deref(), Some("not the same when read"));
    }

    #[test]
    fn what_changed_is_named_by_path() {
        let before = json!({"id": "a", "name": "x", "metadata": {"k": "1", "same": "s"}});
        let after = json!({"id": "a", "phone": "1", "metadata": {"k": "2", "same": "s"}});
        let wanted = paths(&["metadata.k", "name", "phone"]);
        assert_eq!(changed(&before, &after), wanted);
        assert_eq!(changed(&after, &before), wanted);
        assert_eq!(changed(&before, &before), paths(&[]));
    }
}
