//! A call as it goes over the wire, without normalization: paths keep double slashes, and any method may have a body.

use std::{net::SocketAddr, time::Duration};

use http::{HeaderMap, Method, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

const BOUNDARY: &str = "----merchant-cases-a1b2c3d4e5";
const PATIENCE: Duration = Duration::from_secs(20);

/// A request, its body already encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Any method.
    pub method: String,
    /// The request's target, with its query.
    pub path: String,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
    /// `None` sends none, and no length either.
    pub body: Option<Vec<u8>>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body, if it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// There was no answer.
#[derive(Debug)]
pub struct CallError(String);

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no answer: {}", self.0)
    }
}

impl std::error::Error for CallError {}

impl<E: std::error::Error> From<E> for NoAnswer {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Any error of a call. It does not implement `Error`, so that it can be converted from every error.
struct NoAnswer(String);

/// Sends a request on a connection of its own.
pub(crate) async fn send(address: SocketAddr, request: &Request) -> Result<Answer, CallError> {
    match tokio::time::timeout(PATIENCE, exchange(address, request)).await {
        Ok(answer) => answer.map_err(|error| CallError(error.0)),
        Err(_) => Err(CallError(format!("nothing came in {PATIENCE:?}"))),
    }
}

async fn exchange(address: SocketAddr, request: &Request) -> Result<Answer, NoAnswer> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);

    let mut builder = http::Request::builder()
        .method(Method::from_bytes(request.method.as_bytes())?)
        .uri(request.path.parse::<Uri>()?)
        .header("host", address.to_string());
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    // An explicit length, even if the method usually has no body.
    if let Some(body) = &request.body {
        builder = builder.header("content-length", body.len());
    }
    let body = Bytes::from(request.body.clone().unwrap_or_default());
    let response = sender.send_request(builder.body(Full::new(body))?).await?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await?.to_bytes().to_vec();
    connection.abort();
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    })
}

/// Encodes a case's body by its content type. The header of a multipart body gets its boundary here.
pub(crate) fn encode(
    body: &Value,
    headers: &mut [(String, String)],
) -> Result<Option<Vec<u8>>, String> {
    let entries = match body {
        Value::Null => return Ok(None),
        Value::String(text) => return Ok(Some(text.clone().into_bytes())),
        other => other,
    };
    let content_type = headers
        .iter_mut()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let kind = content_type
        .as_ref()
        .map_or("", |(_, value)| value.as_str());
    match (kind, entries) {
        ("multipart/form-data", Value::Object(entries)) => {
            let mut encoded = String::new();
            for (name, value) in entries {
                let value = text(value);
                encoded.push_str(&format!(
                    "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                ));
            }
            encoded.push_str(&format!("--{BOUNDARY}--\r\n"));
            if let Some((_, value)) = content_type {
                *value = format!("multipart/form-data; boundary={BOUNDARY}");
            }
            Ok(Some(encoded.into_bytes()))
        }
        ("application/x-www-form-urlencoded", Value::Object(entries)) => {
            let mut encoded = form_urlencoded::Serializer::new(String::new());
            for (name, value) in entries {
                encoded.append_pair(name, &text(value));
            }
            Ok(Some(encoded.finish().into_bytes()))
        }
        ("application/json" | "", _) => Ok(Some(entries.to_string().into_bytes())),
        (other, _) => Err(format!("a body can't be encoded as {other:?}")),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "so that a test reads without ampersands"
)]
mod tests {
    use serde_json::json;

    use super::*;

    fn encoded(kind: &str, body: Value) -> (String, Option<String>) {
        let mut headers = [("Content-Type".to_owned(), kind.to_owned())];
        let body = encode(&body, &mut headers).unwrap();
        let [(_, kind)] = headers;
        (kind, body.map(|body| String::from_utf8(body).unwrap()))
    }

    #[test]
    fn a_body_is_encoded_by_its_content_type() {
        let body = json!({"a": "x y&\u{eb}", "b": 1});
        let (_, json) = encoded("application/json", body.clone());
        assert_eq!(json.unwrap(), body.to_string());
        let (_, form) = encoded("application/x-www-form-urlencoded", body.clone());
        assert_eq!(form.unwrap(), "a=x+y%26%C3%AB&b=1");
        let (kind, parts) = encoded("multipart/form-data", body);
        assert_eq!(kind, format!("multipart/form-data; boundary={BOUNDARY}"));
        let part = |name: &str, value: &str| {
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
        };
        let whole = part("a", "x y&\u{eb}") + &part("b", "1") + &format!("--{BOUNDARY}--\r\n");
        assert_eq!(parts.unwrap(), whole);
    }

    #[test]
    fn a_text_is_sent_as_it_is_and_null_not_at_all() {
        let broken = encoded("application/json", json!("{\"a\":"));
        assert_eq!(broken.1.unwrap(), "{\"a\":");
        assert_eq!(encoded("multipart/form-data", json!(null)).1, None);
        let mut plain = [("content-type".to_owned(), "text/plain".to_owned())];
        assert!(encode(&json!({}), &mut plain).is_err());
    }
}
