//! Responses. Every body is JSON; every error is `{"code": <status>, "message": ".."}` (contract, section 2.6).

use std::{borrow::Cow, cell::RefCell, error::Error, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

use crate::{
    auth::AuthenticationError,
    error::{ContractViolation, HandlerError, causes, is_invalid_value},
    operation::Operation,
    page::InvalidCursorKey,
};

/// Why a request failed, as an extension of its response: for the log and for tests.
#[derive(Clone)]
pub(crate) enum Cause {
    Unauthenticated(AuthenticationError),
    Failed(Arc<dyn Error + Send + Sync>),
}

impl Cause {
    /// A text without any data, which may be logged at any level.
    pub(crate) fn safe_text(&self) -> Option<String> {
        match self {
            Self::Unauthenticated(error) => Some(error.to_string()),
            Self::Failed(error) => causes(&**error)
                .find(|error| holds_no_data(*error))
                .map(ToString::to_string),
        }
    }
}

/// Whether the error is one of the crate's own, whose texts hold no data of anybody.
fn holds_no_data(error: &(dyn Error + 'static)) -> bool {
    error.is::<ContractViolation>() || error.is::<InvalidCursorKey>() || is_invalid_value(error)
}

/// All that is known of why a request ended as it did, for the merchant's own tests.
#[cfg(feature = "testing")]
pub(crate) fn full_cause(extensions: &http::Extensions) -> Option<String> {
    let cause: &Cause = extensions.get()?;
    Some(match cause {
        Cause::Unauthenticated(error) => error.to_string(),
        Cause::Failed(error) => chain(&**error),
    })
}

/// The message of an error, as an extension of its response: for the log at debug level. A merchant's text may contain
/// anything.
#[derive(Clone)]
pub(super) struct Said(pub(super) Cow<'static, str>);

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: u16,
    message: &'a str,
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let written = WRITTEN.with_borrow_mut(|written| {
        written.clear();
        serde_json::to_writer(&mut *written, body)?;
        let body = Bytes::copy_from_slice(written);
        written.shrink_to(KEPT_BYTES);
        Ok::<_, serde_json::Error>(body)
    });
    match written {
        Ok(body) => answer(status, body),
        Err(error) => from_error(error.into()),
    }
}

/// A page of 100 customers has 30,000 bytes.
const KEPT_BYTES: usize = 64 * 1024;

thread_local! {
    /// Where bodies are written, to be copied when their size is known. A buffer that grew for each page would be copied
    /// several times, and one of a size that was guessed would hold memory for as long as the caller reads.
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn answer(status: StatusCode, json: Bytes) -> Response {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    // A signed GET has no `Authorization`, so a shared cache would store its response.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An error whose message is the reason phrase of the status.
pub(super) fn error(status: StatusCode) -> Response {
    with_message(status, status.canonical_reason().unwrap_or("Error"))
}

pub(super) fn with_message(status: StatusCode, message: &str) -> Response {
    let code = status.as_u16();
    let body = serde_json::to_vec(&ErrorBody { code, message });
    answer(status, body.unwrap_or_default().into())
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

/// The answer to an action that was done.
pub(super) fn done() -> Response {
    let mut response = answer(StatusCode::OK, Bytes::new());
    response.headers_mut().remove(header::CONTENT_TYPE);
    response
}

pub(super) fn method_not_allowed(operation: Operation) -> Response {
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED);
    let allow = HeaderValue::from_static(operation.allow());
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

/// The error and its sources, in one line.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    texts.join(": ")
}
