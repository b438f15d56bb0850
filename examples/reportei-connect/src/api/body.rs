//! Reading a JSON body.

use axum::extract::{FromRequest, Request};
use example_app::{Unreadable, read_body, says_json};
use serde_json::{Map, Value};

use super::{error::Error, fields::Fields};

const MAX: usize = 1024 * 1024;

/// Each field is checked by its name, which its messages have as well, so a path of `serde_path_to_error` would add nothing.
///
/// JSON without fields, such as a list, and a missing body lack every required field, and the error names them.
impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let is_json = says_json(request.headers());
        let bytes = read_body(request.into_body(), MAX).await?;
        if bytes.is_empty() {
            return Ok(Self::new(Map::new()));
        }
        if !is_json {
            return Err(Unreadable::WrongType.into());
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(fields)) => Ok(Self::new(fields)),
            Ok(_) => Ok(Self::of_no_object()),
            Err(_) => Err(Error::Malformed),
        }
    }
}
