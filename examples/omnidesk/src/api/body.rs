//! Reading a body. Every write accepts the same encodings (O5).

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header::CONTENT_TYPE},
};
use example_app::{Unreadable, read_body};
use multer::Multipart;
use serde_json::{Map, Value};

use super::{
    answer::{Refused, Result},
    form::Form,
};

/// The largest body that is accepted.
const MAX_BYTES: usize = 1024 * 1024;

/// The fields of a body. An empty one has none.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Form> {
    let bytes = Bytes::from(read_body(body, MAX_BYTES).await?);
    let Some(content_type) = headers.get(CONTENT_TYPE) else {
        if bytes.is_empty() {
            return Ok(Form::default());
        }
        return Err(Unreadable::WrongType.into());
    };
    let content_type = content_type.to_str().map_err(|_| Unreadable::WrongType)?;
    let essence = content_type.split(';').next().unwrap_or_default();
    match essence.trim().to_ascii_lowercase().as_str() {
        "multipart/form-data" => multipart(content_type, bytes).await,
        "application/x-www-form-urlencoded" => Form::from_urlencoded(&bytes),
        "application/json" => json(&bytes),
        _ => Err(Unreadable::WrongType.into()),
    }
}

async fn multipart(content_type: &str, bytes: Bytes) -> Result<Form> {
    let malformed = |_| Refused::bad("The multipart body is malformed.");
    let boundary = multer::parse_boundary(content_type)
        .map_err(|_| Refused::bad("The multipart body needs a boundary in its Content-Type."))?;
    let mut form = Form::default();
    if bytes.is_empty() {
        return Ok(form);
    }
    let stream = futures_util::stream::iter([Ok::<_, Infallible>(bytes)]);
    let mut parts = Multipart::new(stream, boundary);
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        if part.file_name().is_some() {
            return Err(Refused::bad("Files are not accepted."));
        }
        let name = part.name().map(str::to_owned);
        let name = name.ok_or_else(|| Refused::bad("A part of the body has no name."))?;
        let value = part.bytes().await.map_err(malformed)?;
        let value =
            String::from_utf8(value.into()).map_err(|_| Refused::bad("The body must be UTF-8."))?;
        form.set(name, value);
    }
    Ok(form)
}

/// Its fields are flat, like those of a form, so a path of `serde_path_to_error` would add nothing.
fn json(bytes: &[u8]) -> Result<Form> {
    let mut form = Form::default();
    if bytes.is_empty() {
        return Ok(form);
    }
    let fields: Map<String, Value> = serde_json::from_slice(bytes)
        .map_err(|_| Refused::bad("The body must be a JSON object."))?;
    for (name, value) in fields {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err(Refused::bad(
                    "The JSON body must not hold lists or objects.",
                ));
            }
        };
        form.set(name, value);
    }
    Ok(form)
}
