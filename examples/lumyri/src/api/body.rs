//! Reading a JSON body.

use axum::extract::{FromRequest, Request};
use example_app::read_json;
use serde::de::DeserializeOwned;

use super::error::Error;
use crate::object::Object;

const MAX: usize = 1024 * 1024;

/// A body that is a JSON object with these fields.
pub(super) struct Sent<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        Ok(Self(parse(&read_json(request, MAX).await?)?))
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let malformed = || Error::invalid("The body is not valid JSON");
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let Object(value) = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        match (error.is_data(), path.as_str()) {
            (false, _) => malformed(),
            (true, ".") => Error::invalid(error.to_string()),
            (true, path) => Error::invalid(format!("{path}: {error}")),
        }
    })?;
    json.end().map_err(|_| malformed())?;
    Ok(value)
}
