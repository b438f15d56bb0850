//! What is said of a single answer: kept, or what should have come and what came.

use serde_json::Value;

use crate::answer::Answer;

/// Kept, or what should have come and what came.
pub(crate) type Verdict = Result<(), (String, String)>;

pub(crate) fn is_empty_page(answer: &Answer) -> bool {
    let data = answer.body().get("data").and_then(Value::as_array);
    answer.status() == 200 && data.is_some_and(Vec::is_empty)
}

pub(crate) fn status_is(answer: &Answer, status: u16, when: &str) -> Verdict {
    if answer.status() == status {
        answer
            .check()
            .map_err(|broken| ("the contract's shape".to_owned(), broken))
    } else {
        Err((format!("{status} {when}"), described(answer)))
    }
}

/// An action that can be done is answered with 200 and nothing else.
pub(crate) fn is_done(answer: &Answer, when: &str) -> Verdict {
    let expected = format!("200 with an empty body {when}");
    match answer.status() {
        200 => answer.check().map_err(|broken| (expected, broken)),
        _ => Err((expected, described(answer))),
    }
}

/// The status, and what is known of why.
pub(crate) fn described(answer: &Answer) -> String {
    match (answer.cause(), answer.message()) {
        (Some(cause), _) => format!("{}: {cause}", answer.status()),
        (None, Some(message)) => format!("{}: {message}", answer.status()),
        (None, None) => answer.status().to_string(),
    }
}

/// Two answers for one record.
pub(crate) fn same_record(one: &Value, other: &Value, of: &str) -> Verdict {
    if one == other {
        return Ok(());
    }
    let fields = |value: &Value| match value {
        Value::Object(fields) => fields.clone(),
        _ => serde_json::Map::new(),
    };
    let (one, other) = (fields(one), fields(other));
    let mut differing: Vec<&String> = one
        .keys()
        .chain(other.keys())
        .filter(|key| one.get(*key) != other.get(*key))
        .collect();
    differing.sort();
    differing.dedup();
    Err((
        format!("the same record from {of}"),
        format!("records that differ in {differing:?}"),
    ))
}
