//! A verified webhook as an argument of an axum handler.

use axum::{
    extract::{FromRef, FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    payload::{Unread, read, unless_announced_too_large},
    response,
};
use crate::webhooks::{Claimed, Webhook, WebhookError, WebhookRejection, WebhookSecrets};

/// The body is read only if the header holds a well-formed signature, and only up to the cap and the deadline of the
/// [`WebhookSecrets`].
impl<S> FromRequest<S> for Webhook
where
    S: Send + Sync,
    WebhookSecrets: FromRef<S>,
{
    type Rejection = WebhookRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebhookRejection> {
        let secrets = WebhookSecrets::from_ref(state);
        let webhook = receive(&secrets, request).await;
        if let Err(rejection) = &webhook {
            tracing::warn!(reason = %rejection, "a webhook was rejected");
        }
        webhook
    }
}

async fn receive(secrets: &WebhookSecrets, request: Request) -> Result<Webhook, WebhookRejection> {
    let (parts, body) = request.into_parts();
    let claimed = Claimed::of(&parts.headers)?;
    let body = unless_announced_too_large(&parts.headers, body, secrets.max_bytes).await?;
    let body = read(body, secrets.max_bytes, secrets.deadline).await?;
    Ok(claimed.check(&secrets.secrets, &body)?)
}

impl From<Unread> for WebhookRejection {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLarge => Self::TooLarge,
            Unread::Interrupted => Self::Interrupted,
            Unread::TimedOut => Self::TimedOut,
        }
    }
}

/// In the contract's error shape, with a fixed message for each status.
impl IntoResponse for WebhookRejection {
    fn into_response(self) -> Response {
        response::error(match self {
            Self::Invalid(WebhookError::NotAnEvent) => StatusCode::BAD_REQUEST,
            Self::Invalid(_) => StatusCode::UNAUTHORIZED,
            Self::TooLarge => Unread::TooLarge.status(),
            Self::Interrupted => Unread::Interrupted.status(),
            Self::TimedOut => Unread::TimedOut.status(),
        })
    }
}
