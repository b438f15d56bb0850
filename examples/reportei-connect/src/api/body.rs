//! Reading a JSON body.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use serde_json::{Map, Value};

use super::{error::Error, fields::Fields};

const MAX: usize = 1024 * 1024;
/// How much more is read and thrown away. Who still sends when the connection is closed never sees the answer.
const DRAINED: usize = 8 * MAX;

/// JSON that has no fields, such as a list, and no body at all lack every required field, and are told which.
impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let is_json = says_json(request.headers());
        let bytes = whole(request.into_body()).await?;
        if bytes.is_empty() {
            return Ok(Self::new(Map::new()));
        }
        if !is_json {
            return Err(Error::NotJson);
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(fields)) => Ok(Self::new(fields)),
            Ok(_) => Ok(Self::new(Map::new())),
            Err(_) => Err(Error::Malformed),
        }
    }
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
        let frame = frame.map_err(|_| Error::Malformed)?;
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
