//! Answers of any integration, as the conformance client and the command-line tool read them.

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use churnkey_conformance::Answer;
use churnkey_integrator::Operation;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

const HEADERS: &[&str] = &[
    "allow",
    "cache-control",
    "content-type",
    "retry-after",
    "x-request-id",
];

#[derive(Debug, Arbitrary)]
struct Received<'a> {
    operation: u8,
    is_known: bool,
    status: u16,
    headers: Vec<(u8, &'a [u8])>,
    is_json: bool,
    body: &'a [u8],
}

/// Any answer can be judged. One without wrong shapes passes the check of what holds for every answer.
///
/// # Panics
/// If it is not so.
pub fn answer(data: &[u8]) {
    let Ok(received) = Received::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let operations: Vec<Operation> = Operation::all().collect();
    let operation = operations[usize::from(received.operation) % operations.len()];
    let mut response = Response::new(Bytes::copy_from_slice(received.body));
    *response.status_mut() = StatusCode::from_u16(received.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    if received.is_json {
        headers.insert("content-type", HeaderValue::from_static("application/json"));
    }
    for (name, value) in &received.headers {
        let name = HeaderName::from_static(HEADERS[usize::from(*name) % HEADERS.len()]);
        let Ok(value) = HeaderValue::from_bytes(value) else {
            return;
        };
        headers.append(name, value);
    }
    let method: Method = operation.method();
    let answer = Answer::of(method, response);
    let wrong = answer.wrong_shapes(received.is_known.then_some(operation));
    for shape in &wrong {
        assert!(!shape.field().is_empty() && !shape.expected().is_empty());
    }
    let _ = answer.check();
    let _ = answer.message();
}
