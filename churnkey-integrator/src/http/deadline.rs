//! Ends a request at its deadline, with a 503. The deadline covers its authentication and its route. Requests beyond the
//! integration's capacity are answered 503 at once.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{extract::Request, response::Response};
use tokio::time::timeout_at;

use super::{
    Shared,
    authenticated_request::AuthenticatedRequest,
    metrics::{self, Refusal},
    response,
    span::Found,
};
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
    found: &Found,
    route: impl FnOnce(Arc<Shared>, AuthenticatedRequest) -> F,
) -> Response {
    let deadline = started + shared.limits.deadline;
    // On its own, because the route takes what all requests share.
    let capacity = Arc::clone(&shared.capacity);
    let Ok(arriving) = capacity.arrive() else {
        return over_capacity();
    };
    let authenticated = AuthenticatedRequest::authenticate(
        &shared,
        request,
        request_id,
        deadline,
        own_parameters,
        found,
    );
    let authenticated = match authenticated.await {
        Ok(authenticated) => authenticated,
        Err(response) => return response,
    };
    drop(arriving);
    found.mode(authenticated.mode());
    let Ok(_running) = capacity.run() else {
        return over_capacity();
    };
    // Pinned here, because moving a future of this size into another one costs time.
    let route = pin!(route(shared, authenticated));
    match timeout_at(deadline.into(), route).await {
        Ok(response) => response,
        Err(_) => unavailable(ContractViolation::Deadline),
    }
}

fn over_capacity() -> Response {
    metrics::refused(Refusal::OverCapacity);
    unavailable(ContractViolation::Capacity)
}

fn unavailable(why: ContractViolation) -> Response {
    response::from_error(HandlerError::unavailable(Duration::from_secs(1), why))
}
