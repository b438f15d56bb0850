//! The client's way over HTTP: one origin, no redirects, and nothing but `http://`.

use std::{error::Error, time::Duration};

use axum::body::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::transport::Received;

/// Longer than any integration's own deadline should be.
const PATIENCE: Duration = Duration::from_secs(15);
/// More than any page can hold.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Why a URL can't be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is `https://`.
    #[error(
        "https:// is not spoken here: give the plain http:// address of the integration, behind whatever ends TLS for it"
    )]
    Https,
    /// It is something else.
    #[error(
        "this is no URL of an integration: write it like http://127.0.0.1:3000 or http://127.0.0.1:3000/churnkey"
    )]
    Invalid,
}

/// The origin, and the path behind it without a slash at its end.
pub(super) fn split_url(url: &str) -> Result<(String, String), UrlError> {
    let uri: Uri = url.parse().map_err(|_| UrlError::Invalid)?;
    let authority = uri.authority().ok_or(UrlError::Invalid)?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(UrlError::Https),
        _ => return Err(UrlError::Invalid),
    }
    if authority.as_str().contains('@') || uri.query().is_some() {
        return Err(UrlError::Invalid);
    }
    let path = uri.path().trim_end_matches('/').to_owned();
    Ok((format!("http://{authority}"), path))
}

#[derive(Clone)]
pub(super) struct Remote {
    origin: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Remote {
    pub(super) fn new(origin: &str) -> Result<Self, UrlError> {
        let (origin, path) = split_url(origin)?;
        if !path.is_empty() {
            return Err(UrlError::Invalid);
        }
        Ok(Self {
            origin,
            client: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    pub(super) async fn send(&self, request: Request<Vec<u8>>) -> Result<Received, String> {
        let (mut parts, body) = request.into_parts();
        let url = format!("{}{}", self.origin, parts.uri);
        parts.uri = url.parse().map_err(|_| "the path is too long".to_owned())?;
        let request = Request::from_parts(parts, Full::from(body));
        let exchange = async {
            let response = self.client.request(request).await.map_err(|e| chain(&e))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MOST_BYTES).collect().await;
            let bytes = body.map_err(|e| chain(&*e))?.to_bytes();
            Ok(Received {
                status: parts.status.as_u16(),
                headers: parts.headers,
                bytes: bytes.to_vec(),
                cause: None,
            })
        };
        let answer = tokio::time::timeout(PATIENCE, exchange).await;
        answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
    }
}

/// The error and what caused it, in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}
