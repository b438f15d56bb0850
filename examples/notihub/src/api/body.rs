//! Reading a JSON body.

use axum::extract::{FromRequest, Request};
use example_app::read_json;
use serde_json::Value;

use super::error::Error;

const MAX: usize = 1024 * 1024;

/// A body that is JSON. Each field is checked by its name, with the vendor's own message, so a path of `serde_path_to_error` would
/// add nothing.
pub(super) struct Sent(pub(super) Value);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let bytes = read_json(request, MAX).await?;
        let value = serde_json::from_slice(&bytes).map_err(|_| Error::Invalid("Malformed JSON"))?;
        Ok(Self(value))
    }
}
