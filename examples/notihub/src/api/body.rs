//! Reading a JSON body.

use axum::extract::{FromRequest, Request};
use example_app::{read_body, says_json};
use serde_json::Value;

use super::error::Error;

const MAX: usize = 1024 * 1024;

/// A body that is JSON.
pub(super) struct Sent(pub(super) Value);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let is_json = says_json(request.headers());
        let bytes = read_body(request.into_body(), MAX).await?;
        if !is_json {
            return Err(Error::NotJson);
        }
        let value = serde_json::from_slice(&bytes).map_err(|_| Error::Invalid("Malformed JSON"))?;
        Ok(Self(value))
    }
}
