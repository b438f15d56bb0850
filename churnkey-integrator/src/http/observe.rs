//! Request id, span and log line of a request.
//!
//! The span has the operation, tenant, mode, status, duration and request id. Nothing else that the caller sent is logged: no
//! path parameter, e-mail address, phone number, body, token or signature. The text of a merchant's error is logged at debug
//! level only.

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
use tracing::{Instrument, Span, field};

use super::response::{Cause, Said, chain};
use crate::context::RequestId;

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
    operation: &'static str,
    request_ids: &RequestIds,
    request: Request,
    next: impl FnOnce(Request, RequestId, Instant) -> F,
) -> Response {
    let started = Instant::now();
    let sent = request.headers().get(&REQUEST_ID);
    let sent = sent.and_then(|id| RequestId::from_caller(id.to_str().ok()?));
    let request_id = sent.unwrap_or_else(|| request_ids.next());
    // At error level, so that an error has its request id even if nothing below that level is logged.
    let span = tracing::error_span!(
        "churnkey",
        operation,
        request_id = request_id.as_str(),
        tenant = field::Empty,
        mode = field::Empty,
        status = field::Empty,
        duration_ms = field::Empty,
    );
    let echoed = HeaderValue::from_str(request_id.as_str());
    let mut response = next(request, request_id, started)
        .instrument(span.clone())
        .await;
    span.in_scope(|| report(&span, &response, started));
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
    span.record("status", status.as_u16());
    span.record("duration_ms", started.elapsed().as_secs_f64() * 1000.0);
    let cause = response.extensions().get::<Cause>();
    let reason = cause.and_then(Cause::safe_text);
    let reason = reason.as_deref().or(match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            Some("the controller says that its store is unavailable")
        }
        _ => None,
    });
    if status.is_server_error() {
        tracing::error!(reason, "failed");
    } else if matches!(cause, Some(Cause::Unauthenticated(_))) {
        tracing::warn!(reason, "rejected");
    } else {
        tracing::info!(reason, "answered");
    }
    if let Some(Said(message)) = response.extensions().get() {
        tracing::debug!(answer = ?message, "the message that the caller got");
    }
    if let Some(cause) = cause {
        cause.explain();
    }
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
