//! Reading a JSON body.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use super::error::Error;
use crate::object::Object;

const MAX: usize = 1024 * 1024;
/// How much more is read and thrown away. Who still sends when the connection is closed never sees the answer.
const DRAINED: usize = 8 * MAX;

/// A body that is a JSON object of this form.
pub(super) struct Sent<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let is_json = says_json(request.headers());
        let bytes = whole(request.into_body()).await?;
        if !is_json {
            return Err(Error::NotJson);
        }
        Ok(Self(parse(&bytes)?))
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

/// Whether the content type is JSON's, or nothing is said about it.
fn says_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let content_type = content_type.to_str().unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

async fn whole(mut body: Body) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut read = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Error::invalid("The body broke off"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        read = read.saturating_add(data.len());
        if read <= MAX {
            bytes.extend_from_slice(&data);
        } else if read > DRAINED {
            break;
        }
    }
    if read > MAX {
        return Err(Error::TooLarge);
    }
    Ok(bytes)
}
