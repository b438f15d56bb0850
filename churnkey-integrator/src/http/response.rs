//! Answers. Every body is JSON; every error is `{"code": <status>, "message": ".."}` (contract, section 2.6).

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

use super::{
    Shared,
    authenticate::Proven,
    extract::Call,
    observe::{Cause, Said},
};
use crate::{
    error::{Fault, HandlerError, Result},
    operation::Operation,
    page::Page,
};

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

pub(super) fn with_message(status: StatusCode, message: &str) -> Response {
    let code = status.as_u16();
    let body = serde_json::to_vec(&ErrorBody { code, message });
    answer(status, body.unwrap_or_default())
}

pub(super) fn from_error(error: HandlerError) -> Response {
    let status = error.status_code();
    let retry_after = error.retry_after();
    let (message, source) = error.into_parts();
    let mut response = with_message(status, &message);
    if status.is_client_error() {
        response.extensions_mut().insert(Said(message));
    }
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

/// What an action is answered with when it was done.
pub(super) fn done() -> Response {
    let mut response = answer(StatusCode::OK, Vec::new());
    response.headers_mut().remove(header::CONTENT_TYPE);
    response
}

#[derive(Serialize)]
struct PageBody<'a, T> {
    data: &'a [T],
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A page, with the cursor of the next one sealed.
pub(super) fn paged<T: Serialize>(call: &Call, limit: usize, page: &Page<T>) -> Result<Response> {
    let held = page.data().len();
    if held > limit {
        return Err(Fault::PageOverLimit { held, limit }.into());
    }
    let seal = |cursor| call.with_binding(|to| call.shared.seal.close(cursor, to));
    let next = page.next().map(seal).transpose()?;
    let body = PageBody {
        data: page.data(),
        next,
    };
    Ok(sized(StatusCode::OK, &body, 512 * (held + 1)))
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
