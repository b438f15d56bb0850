//! Ends a request at its deadline, with a 503. The deadline covers its authentication and its route.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{extract::Request, response::Response};
use tokio::time::timeout_at;
use tracing::Span;

use super::{Shared, authenticated_request::AuthenticatedRequest, response};
use crate::{
    context::RequestId,
    error::{ContractViolation, HandlerError},
};

pub(super) async fn run_within_deadline<F: Future<Output = Response>>(
    shared: Arc<Shared>,
    request: Request,
    request_id: RequestId,
    started: Instant,
    own_parameters: usize,
    route: impl FnOnce(Arc<Shared>, AuthenticatedRequest) -> F,
) -> Response {
    let deadline = started + shared.limits.deadline;
    let authenticated =
        AuthenticatedRequest::authenticate(&shared, request, request_id, deadline, own_parameters);
    let authenticated = match authenticated.await {
        Ok(authenticated) => authenticated,
        Err(response) => return response,
    };
    Span::current().record("mode", authenticated.mode().as_str());
    // Pinned here, because moving a future of this size into another one costs time.
    let route = pin!(route(shared, authenticated));
    match timeout_at(deadline.into(), route).await {
        Ok(response) => response,
        Err(_) => response::from_error(HandlerError::unavailable(
            Duration::from_secs(1),
            ContractViolation::Deadline,
        )),
    }
}
