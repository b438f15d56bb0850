//! Nothing behind this layer runs for a request that has not proven itself.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    extract::{OriginalUri, Request},
    http::{StatusCode, request::Parts},
    response::Response,
};
use tokio::time::timeout_at;
use tracing::Span;

use super::{
    Shared,
    observe::Cause,
    payload::{Unread, read, unless_announced_too_large},
    response,
};
use crate::{
    auth::{MODE_HEADER, Proof, Refusal},
    context::{Mode, RequestId},
    error::{Fault, HandlerError},
};

/// A request that has proven itself. Only this file makes one, and a route runs with nothing else.
pub(super) struct Proven {
    pub(super) request: Parts,
    pub(super) body: Bytes,
    pub(super) proof: Proof,
    pub(super) request_id: RequestId,
    pub(super) mode: Mode,
    pub(super) deadline: Instant,
}

pub(super) async fn authenticate<F: Future<Output = Response>>(
    shared: Arc<Shared>,
    request: Request,
    request_id: RequestId,
    started: Instant,
    route: impl FnOnce(Arc<Shared>, Proven) -> F,
) -> Response {
    let deadline = started + shared.limits.deadline;
    let (request, body) = request.into_parts();
    let (mode, proof, body) = match prove(&shared, &request, body, deadline).await {
        Ok(proven) => proven,
        Err(response) => return response,
    };
    Span::current().record("mode", mode.as_str());
    let proven = Proven {
        request,
        body,
        proof,
        request_id,
        mode,
        deadline,
    };
    match timeout_at(deadline.into(), route(shared, proven)).await {
        Ok(response) => response,
        Err(_) => response::from_error(HandlerError::unavailable(
            Duration::from_secs(1),
            Fault::Deadline,
        )),
    }
}

/// Size, headers, timestamp, signature, mode, in this order: the cheapest check first.
async fn prove(
    shared: &Shared,
    request: &Parts,
    body: Body,
    deadline: Instant,
) -> Result<(Mode, Proof, Bytes), Response> {
    let max_bytes = shared.limits.body_bytes;
    let body = unless_announced_too_large(&request.headers, body, max_bytes);
    let body = body.await.map_err(unread)?;
    let now = (shared.clock)();
    let claim = shared
        .verifier
        .read(&request.headers, now)
        .map_err(unauthorized)?;
    let within = deadline.saturating_duration_since(Instant::now());
    let body = read(body, max_bytes, within).await.map_err(unread)?;
    let proof = claim
        .check(&request.method, path_as_sent(request), &body)
        .map_err(unauthorized)?;
    let mode = mode(request, shared.live_only).map_err(response::from_error)?;
    Ok((mode, proof, body))
}

/// The path and query that the caller sent, before any nesting took a prefix off.
pub(super) fn path_as_sent(request: &Parts) -> &str {
    let original = request.extensions.get::<OriginalUri>();
    let uri = original.map_or(&request.uri, |OriginalUri(uri)| uri);
    uri.path_and_query().map_or("/", |path| path.as_str())
}

fn unread(unread: Unread) -> Response {
    response::error(unread.status())
}

fn mode(parts: &Parts, live_only: bool) -> Result<Mode, HandlerError> {
    match parts.headers.get(&MODE_HEADER).map(|mode| mode.as_bytes()) {
        None | Some(b"live") => Ok(Mode::Live),
        Some(b"test") if live_only => Err(HandlerError::bad_request(
            "This integration serves live data only",
        )),
        Some(b"test") => Ok(Mode::Test),
        Some(_) => Err(HandlerError::bad_request(
            "X-Churnkey-Mode must be live or test",
        )),
    }
}

/// The same bytes for every cause: what was wrong is for the merchant's log alone.
fn unauthorized(refusal: Refusal) -> Response {
    let mut response = response::error(StatusCode::UNAUTHORIZED);
    response.extensions_mut().insert(Cause::Refused(refusal));
    response
}
