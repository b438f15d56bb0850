//! Bodies: JSON of at most 1 MiB.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use super::{
    Api,
    answer::{Refusal, Result},
};

const LIMIT: usize = 1024 * 1024;

/// How much of a body that is too large is still read: who is sending sees the answer only after that.
const DRAINED: usize = 8 * LIMIT;

/// A request's JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &Api) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let body = read(body).await?;
        if !may_be_json(&parts.headers) {
            return Err(Refusal::not_json());
        }
        let mut json = serde_json::Deserializer::from_slice(&body);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let error = error.into_inner();
            if error.is_data() && path != "." {
                Refusal::invalid(format!("{path}: {error}"))
            } else if error.is_data() {
                Refusal::invalid(error.to_string())
            } else {
                Refusal::invalid("The body is not valid JSON")
            }
        })?;
        json.end()
            .map_err(|_| Refusal::invalid("The body is not valid JSON"))?;
        Ok(Self(value))
    }
}

async fn read(mut body: Body) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::invalid("The body did not arrive as a whole"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen = seen.saturating_add(data.len());
        if seen <= LIMIT {
            bytes.extend_from_slice(&data);
        } else if seen > DRAINED {
            break;
        }
    }
    if seen > LIMIT {
        return Err(Refusal::too_large());
    }
    Ok(bytes)
}

/// Without a content type a body is taken for what it has to be.
fn may_be_json(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_TYPE).iter().all(|value| {
        let essence = value.to_str().unwrap_or_default().split(';').next();
        let essence = essence.unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    })
}
