//! Refuses a signed read that came before, if the integration has a store for that ([`crate::replays`]).

use std::time::{Duration, Instant};

use axum::body::Bytes;
use http::request::Parts;
use tokio::time::timeout_at;

use super::{Shared, digest::RequestDigest};
use crate::{
    auth::Credential,
    context::Mode,
    error::{ContractViolation, HandlerError},
    replays::SignedRead,
    tenants::Merchant,
    time::Timestamp,
};

/// Whether the request was answered before. A store that can't tell is a 503.
pub(super) async fn is_replay(
    shared: &Shared,
    credential: Credential,
    (request, path, body): (&Parts, &str, &Bytes),
    merchant: &Merchant,
    mode: Mode,
    now: Timestamp,
    deadline: Instant,
) -> Result<bool, HandlerError> {
    let Some(store) = &shared.replays else {
        return Ok(false);
    };
    // An action that comes again is answered by what is known of it.
    if credential != Credential::Signature || !request.method.is_safe() {
        return Ok(false);
    }
    let timestamp = request.headers.get(&shared.schemes.headers().timestamp);
    let digest = RequestDigest::new(shared, merchant)
        .part(b"read")
        .part(timestamp.map_or(b"".as_slice(), |timestamp| timestamp.as_bytes()))
        .part(request.method.as_str().as_bytes())
        .part(path.as_bytes())
        .part(mode.as_str().as_bytes())
        .part(body)
        .finish();
    // A timestamp may be ahead by the tolerance, and is valid for as long again.
    let tolerance = shared.schemes.tolerance().saturating_mul(2);
    let read = SignedRead::new(digest, now, now.saturating_add(tolerance));
    match timeout_at(deadline.into(), store.is_first(&read)).await {
        Ok(Ok(is_first)) => Ok(!is_first),
        Ok(Err(error)) => Err(unavailable(error)),
        Err(_) => Err(unavailable(ContractViolation::ReplayStoreDeadline.into())),
    }
}

fn unavailable(error: HandlerError) -> HandlerError {
    let wait = error.retry_after().unwrap_or(Duration::from_secs(1));
    let (message, source) = error.into_parts();
    let source = source.unwrap_or_else(|| message.into());
    HandlerError::unavailable(wait, source)
}
