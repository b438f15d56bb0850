//! Request id, span and log line of a request.
//!
//! The span has the operation, the request id, the tenant and the mode, and the fields of OpenTelemetry's conventions for the
//! span of an HTTP server. Of what the caller sent, it has the ids of the caller's request and trace, if they are well-formed.
//! Nothing else that the caller sent is logged: no path parameter, e-mail address, phone number, body, token or signature. The
//! text of a merchant's error is logged at debug level only.

use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::BuildHasher,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, StatusCode},
    response::Response,
};
use tracing::{Instrument, Span, field};

use super::{
    metrics,
    response::{Cause, Said, chain},
    trace_parent::TraceParent,
};
use crate::{context::RequestId, operation::Operation};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What OpenTelemetry's conventions call a method that no standard has.
const OTHER_METHOD: &str = "_OTHER";

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
    request: Request,
    next: impl FnOnce(Request, RequestId, Instant) -> F,
) -> Response {
    let started = Instant::now();
    let _in_progress = metrics::InProgress::request();
    let sent = request.headers().get(&REQUEST_ID);
    let sent = sent.and_then(|id| RequestId::from_caller(id.to_str().ok()?));
    let request_id = sent.unwrap_or_else(|| request_ids.next());
    let span = span(operation, &request, &request_id);
    let echoed = HeaderValue::from_str(request_id.as_str());
    let mut response = next(request, request_id, started)
        .instrument(span.clone())
        .await;
    span.in_scope(|| report(&span, &response, started));
    metrics::answered(operation, response.status(), started);
    #[cfg(feature = "diagnose")]
    super::refusal::explain(&mut response, &span);
    if let Ok(id) = echoed {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The span of a request. Of a path that is not served it has no route, because the path may be anything.
///
/// At error level, so that an error has its request id even if nothing below that level is logged.
fn span(operation: Option<Operation>, request: &Request, request_id: &RequestId) -> Span {
    let method = method(request.method());
    let matched = operation.and_then(|_| request.extensions().get::<MatchedPath>());
    let route = matched.map(MatchedPath::as_str);
    let parent = TraceParent::of(request.headers());
    // With `%`, as no caller can choose these texts: quoted texts are escaped, which is slower.
    tracing::error_span!(
        "churnkey",
        operation = %operation.map_or("none", Operation::name),
        request_id = %request_id.as_str(),
        otel.name = %Name { method, route },
        otel.kind = %"server",
        http.request.method = %method,
        http.route = route.map(field::display),
        trace_id = parent.map(|parent| parent.trace_id),
        parent_id = parent.map(|parent| parent.parent_id),
        tenant = field::Empty,
        mode = field::Empty,
        http.response.status_code = field::Empty,
        error.type = field::Empty,
    )
}

/// The method, if it is one of the standards. Any other text is the caller's own.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::CONNECT => "CONNECT",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::PATCH => "PATCH",
        _ => OTHER_METHOD,
    }
}

/// The name that OpenTelemetry's conventions give the span.
struct Name<'a> {
    method: &'a str,
    route: Option<&'a str>,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.method {
            OTHER_METHOD => "HTTP",
            method => method,
        })?;
        if let Some(route) = self.route {
            f.write_str(" ")?;
            f.write_str(route)?;
        }
        Ok(())
    }
}

fn report(span: &Span, response: &Response, started: Instant) {
    if span.is_disabled() {
        return;
    }
    let status = response.status();
    // In one call, because each call looks the span up.
    tracing::record_all!(
        span,
        http.response.status_code = status.as_u16(),
        error.type = status.is_server_error().then(|| field::display(status.as_str())),
    );
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
    } else if matches!(cause, Some(Cause::Unauthenticated(_))) {
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

impl Cause {
    /// Logs the merchant's error behind a failure, at debug level only, because it may contain anything.
    pub(super) fn explain(&self) {
        if let Self::Failed(error) = self {
            // Formatted with `?`, so that a line feed or an escape sequence in it can't forge a log line.
            tracing::debug!(cause = ?chain(&**error), "the underlying error");
        }
    }
}
