//! A verified webhook as an argument of an axum handler.

use std::sync::Arc;

use axum::{
    body::to_bytes,
    extract::{FromRef, FromRequest, Request},
    http::StatusCode,
    response::Response,
};

use super::response;
use crate::{
    secret::WebhookSecret,
    webhooks::{Webhook, WebhookRefusal, verify},
};

/// A session's event is some kilobytes, with whatever the customer has written.
const MAX_BYTES: usize = 1024 * 1024;

/// Answers 401 without a good signature, 413 over 1 MiB and 400 for what is signed but no event, in the contract's
/// error shape.
impl<S> FromRequest<S> for Webhook
where
    S: Send + Sync,
    Arc<[WebhookSecret]>: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let secrets: Arc<[WebhookSecret]> = FromRef::from_ref(state);
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MAX_BYTES)
            .await
            .map_err(|_| response::error(StatusCode::PAYLOAD_TOO_LARGE))?;
        verify(&secrets, &parts.headers, &body).map_err(|refusal| {
            tracing::warn!(reason = %refusal, "a webhook was refused");
            response::error(match refusal {
                WebhookRefusal::Missing | WebhookRefusal::Signature => StatusCode::UNAUTHORIZED,
                WebhookRefusal::NoEvent => StatusCode::BAD_REQUEST,
            })
        })
    }
}
