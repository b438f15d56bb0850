//! Request id and log line of a request.
//!
//! Nothing that the caller sent is logged, but for what is in the [span](mod@super::span): no path parameter, e-mail address,
//! phone number, body, token or signature. The text of a merchant's error is logged at debug level only.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use tracing::{Instrument, Span};

use super::{
    metrics,
    response::{Cause, Said, chain},
    span::{self, Found, RequestSpan},
};
use crate::{context::RequestId, operation::Operation};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Generates ids that differ between processes and can't be guessed from one another.
pub(crate) struct RequestIds {
    key: RandomState,
    count: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        Self {
            key: RandomState::new(),
            count: AtomicU64::new(0),
        }
    }

    fn next(&self) -> RequestId {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        RequestId::from_number(self.key.hash_one(count))
    }
}

pub(super) async fn observe<F: Future<Output = Response>>(
    operation: Option<Operation>,
    request_ids: &RequestIds,
    found: &Found,
    request: Request,
    next: impl FnOnce(Request, RequestId, Instant) -> F,
) -> Response {
    let started = Instant::now();
    let _in_progress = metrics::InProgress::request();
    let sent = request.headers().get(&REQUEST_ID);
    let sent = sent.and_then(|id| RequestId::from_caller(id.to_str().ok()?));
    let request_id = sent.unwrap_or_else(|| request_ids.next());
    let span = RequestSpan::new(operation, &request, &request_id);
    let echoed = HeaderValue::from_str(request_id.as_str());
    let mut response = next(request, request_id, started)
        .instrument(span.span().clone())
        .await;
    let is_failure = response.status().is_server_error() || is_rejected(&response);
    let echoed_id = echoed.as_ref().ok().and_then(|id| id.to_str().ok());
    let span = span.at_the_end(is_failure, echoed_id, found);
    span.in_scope(|| report(&span, &response, started));
    metrics::answered(operation, response.status(), started);
    #[cfg(feature = "diagnose")]
    super::refusal::explain(&mut response, &span);
    if let Ok(id) = echoed {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn report(span: &Span, response: &Response, started: Instant) {
    if span.is_disabled() {
        return;
    }
    let status = response.status();
    span::record_status(span, status);
    let cause = response.extensions().get::<Cause>();
    let reason = cause.and_then(Cause::safe_text);
    let reason = reason.as_deref().or(match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            Some("the controller says that its store is unavailable")
        }
        _ => None,
    });
    let duration_ms = || started.elapsed().as_secs_f64() * 1000.0;
    if status.is_server_error() {
        tracing::error!(reason, duration_ms = duration_ms(), "failed");
    } else if is_rejected(response) {
        tracing::warn!(reason, duration_ms = duration_ms(), "rejected");
    } else {
        tracing::info!(reason, duration_ms = duration_ms(), "answered");
    }
    if let Some(Said(message)) = response.extensions().get() {
        tracing::debug!(answer = ?message, "the message that the caller got");
    }
    if let Some(cause) = cause {
        cause.explain();
    }
}

fn is_rejected(response: &Response) -> bool {
    let cause = response.extensions().get::<Cause>();
    matches!(cause, Some(Cause::Unauthenticated(_)))
}

impl Cause {
    /// Logs the merchant's error behind a failure, at debug level only, because it may contain anything.
    pub(super) fn explain(&self) {
        if let Self::Failed(error) = self {
            // Formatted with `?`, so that a line feed or an escape sequence in it can't forge a log line.
            tracing::debug!(cause = ?chain(&**error), "the underlying error");
        }
    }
}
