//! [`AuthenticatedRequest`]: checks a request's size, credential and mode. A wrong signature or token is answered 401 here.

use std::time::Instant;

use axum::{
    body::Bytes,
    extract::{OriginalUri, Request},
    http::{HeaderMap, Method, StatusCode, request::Parts},
    response::Response,
};

use super::{
    Shared,
    payload::{Unread, read, unless_announced_too_large},
    response::{self, Cause},
};
use crate::{
    auth::{AuthenticationError, Credential, MODE_HEADER},
    context::{Mode, RequestId},
    error::HandlerError,
};

/// A request with a valid credential. Routes take nothing else, and only [`authenticate`](Self::authenticate) creates one.
pub(super) struct AuthenticatedRequest {
    request: Parts,
    body: Bytes,
    credential: Credential,
    request_id: RequestId,
    mode: Mode,
    deadline: Instant,
}

impl AuthenticatedRequest {
    /// Size, headers, timestamp, signature, mode, in this order: the cheapest check first.
    pub(super) async fn authenticate(
        shared: &Shared,
        request: Request,
        request_id: RequestId,
        deadline: Instant,
    ) -> Result<Self, Response> {
        let (request, body) = request.into_parts();
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
        let credential = claim
            .check(&request.method, path_as_sent(&request), &body)
            .map_err(unauthorized)?;
        let mode = mode(&request, shared.live_only).map_err(response::from_error)?;
        Ok(Self {
            request,
            body,
            credential,
            request_id,
            mode,
            deadline,
        })
    }

    pub(super) fn method(&self) -> &Method {
        &self.request.method
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.request.headers
    }

    /// The path and query that the caller sent, before an outer router removed a prefix.
    pub(super) fn path_as_sent(&self) -> &str {
        path_as_sent(&self.request)
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn is_signed(&self) -> bool {
        self.credential == Credential::Signature
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// For axum's extractors, which take the parts by a mutable reference.
    pub(super) fn parts_mut(&mut self) -> &mut Parts {
        &mut self.request
    }

    pub(super) fn into_parts(self) -> (Parts, Bytes, RequestId) {
        (self.request, self.body, self.request_id)
    }
}

fn path_as_sent(request: &Parts) -> &str {
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

/// The same bytes for every error: the reason is for the merchant's log only.
fn unauthorized(error: AuthenticationError) -> Response {
    let mut response = response::error(StatusCode::UNAUTHORIZED);
    response
        .extensions_mut()
        .insert(Cause::Unauthenticated(error));
    response
}
