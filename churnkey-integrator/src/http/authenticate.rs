//! Nothing behind this layer runs for a request that has not proven itself.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{extract::Request, response::Response};
use tokio::time::timeout_at;
use tracing::Span;

use super::{Shared, proven::Proven, response};
use crate::{
    context::RequestId,
    error::{Fault, HandlerError},
};

pub(super) async fn authenticate<F: Future<Output = Response>>(
    shared: Arc<Shared>,
    request: Request,
    request_id: RequestId,
    started: Instant,
    route: impl FnOnce(Arc<Shared>, Proven) -> F,
) -> Response {
    let deadline = started + shared.limits.deadline;
    let proven = match Proven::prove(&shared, request, request_id, deadline).await {
        Ok(proven) => proven,
        Err(response) => return response,
    };
    Span::current().record("mode", proven.mode().as_str());
    match timeout_at(deadline.into(), route(shared, proven)).await {
        Ok(response) => response,
        Err(_) => response::from_error(HandlerError::unavailable(
            Duration::from_secs(1),
            Fault::Deadline,
        )),
    }
}
