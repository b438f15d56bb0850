//! Answers. Every body is JSON; every error is `{"code": <status>, "message": ".."}` (contract, section 2.6).

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

use super::{Shared, authenticate::Proven, observe::Cause};
use crate::{error::HandlerError, operation::Operation};

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: u16,
    message: &'a str,
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    sized(status, body, 512)
}

/// A body of about so many bytes: growing from nothing, a page would be copied over and over.
pub(super) fn sized(status: StatusCode, body: &impl Serialize, about: usize) -> Response {
    let mut bytes = Vec::with_capacity(about);
    match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => answer(status, bytes),
        Err(error) => from_error(error.into()),
    }
}

fn answer(status: StatusCode, json: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    // A signed GET has no `Authorization`, so a cache on the way would think its answer public.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An error whose message is the status's own phrase.
pub(super) fn error(status: StatusCode) -> Response {
    with_message(status, status.canonical_reason().unwrap_or("Error"))
}

fn with_message(status: StatusCode, message: &str) -> Response {
    let code = status.as_u16();
    let body = serde_json::to_vec(&ErrorBody { code, message });
    answer(status, body.unwrap_or_default())
}

pub(super) fn from_error(error: HandlerError) -> Response {
    let status = error.status_code();
    let retry_after = error.retry_after();
    let (message, source) = error.into_parts();
    let mut response = with_message(status, &message);
    if let Some(wait) = retry_after {
        let seconds = wait
            .as_secs()
            .saturating_add(u64::from(wait.subsec_nanos() > 0));
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(source) = source {
        let cause = Cause::Failed(Arc::from(source));
        response.extensions_mut().insert(cause);
    }
    response
}

pub(super) async fn not_found(_: Arc<Shared>, _: Proven) -> Response {
    error(StatusCode::NOT_FOUND)
}

pub(super) fn method_not_allowed(operation: Operation) -> Response {
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED);
    let allow = HeaderValue::from_static(operation.allow());
    response.headers_mut().insert(header::ALLOW, allow);
    response
}
