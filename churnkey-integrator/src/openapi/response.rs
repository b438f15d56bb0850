//! What an operation is answered (contract, section 2.6).

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::model::with;
use crate::operation::{CustomersOperation, Operation};

/// The errors of an operation.
fn errors_of(operation: Operation) -> Vec<StatusCode> {
    let mut errors = vec![
        StatusCode::BAD_REQUEST,
        StatusCode::UNAUTHORIZED,
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    // An operation that is not served is a 404, too.
    if operation != Operation::Features {
        errors.push(StatusCode::NOT_FOUND);
    }
    let looks_up = [
        CustomersOperation::FindByEmail,
        CustomersOperation::FindByPhone,
    ];
    let is_action = operation.method() == Method::POST;
    if is_action || looks_up.map(Operation::from).contains(&operation) {
        errors.push(StatusCode::CONFLICT);
    }
    if is_action {
        errors.extend([
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ]);
    }
    errors.sort();
    errors
}

/// The answers to an operation, by status. A 200 has this content, if any.
pub(super) fn of(operation: Operation, content: Option<Value>) -> Value {
    let description = match content {
        Some(_) => "What was asked for.",
        None => "It is done.",
    };
    let mut done = json!({ "description": description, "headers": of_every_answer() });
    if let Some(schema) = content {
        let content = json!({ "application/json": { "schema": schema } });
        done = with(done, "content", content);
    }
    let mut answers = Map::new();
    answers.insert("200".to_owned(), done);
    for status in errors_of(operation) {
        let reference = format!("#/components/responses/{}", name(status));
        answers.insert(status.as_str().to_owned(), json!({ "$ref": reference }));
    }
    answers.into()
}

/// The errors of all operations, by the names under which [`of`] refers to them.
pub(super) fn errors() -> Value {
    let mut errors: Vec<StatusCode> = Operation::all().flat_map(errors_of).collect();
    errors.sort();
    errors.dedup();
    let errors = errors
        .into_iter()
        .map(|status| (name(status), error(status)));
    Map::from_iter(errors).into()
}

fn error(status: StatusCode) -> Value {
    let mut headers = of_every_answer();
    let retry_after = match status {
        StatusCode::SERVICE_UNAVAILABLE => Some("RetryAfter"),
        StatusCode::CONFLICT => Some("OptionalRetryAfter"),
        _ => None,
    };
    if let Some(name) = retry_after {
        headers = with(headers, "Retry-After", header(name));
    }
    json!({
        "description": about(status),
        "headers": headers,
        "content": { "application/json": { "schema": {
            "type": "object",
            "properties": { "code": { "const": status.as_u16() }, "message": { "type": "string" } },
            "required": ["code", "message"],
            "additionalProperties": false,
        } } },
    })
}

fn name(status: StatusCode) -> String {
    status
        .canonical_reason()
        .unwrap_or_default()
        .replace(' ', "")
}

fn about(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => {
            "A parameter is not valid, or the merchant's rules don't allow it."
        }
        StatusCode::UNAUTHORIZED => "The credential is missing or not valid.",
        StatusCode::NOT_FOUND => "There is no such record, or the integration does not serve this.",
        StatusCode::REQUEST_TIMEOUT => "The body did not come in time.",
        StatusCode::CONFLICT => {
            "Several customers are found by what was looked up, or the action's first attempt still runs."
        }
        StatusCode::PAYLOAD_TOO_LARGE => "The body is larger than the integration allows.",
        StatusCode::UNPROCESSABLE_ENTITY => "The `Idempotency-Key` was used for another action.",
        StatusCode::SERVICE_UNAVAILABLE => "The integration can't answer at the moment.",
        _ => "The integration failed.",
    }
}

fn header(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

fn of_every_answer() -> Value {
    json!({ "X-Request-Id": header("RequestId"), "Cache-Control": header("CacheControl") })
}

pub(super) fn headers() -> Value {
    let retry_after = |is_required: bool| {
        json!({
            "description": "After how many seconds to try again.",
            "required": is_required,
            "schema": { "type": "integer", "minimum": 0 },
        })
    };
    json!({
        "RequestId": {
            "description": "The id of the request in the integration's log.",
            "required": true,
            "schema": { "type": "string", "minLength": 1 },
        },
        "CacheControl": {
            "description": "Answers hold personal data, and no cache may keep them.",
            "required": true,
            "schema": { "const": "no-store" },
        },
        "RetryAfter": retry_after(true),
        "OptionalRetryAfter": retry_after(false),
    })
}
