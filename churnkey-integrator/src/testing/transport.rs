//! How a request reaches an integration.

use axum::{Router, body::Body};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use tower::ServiceExt;

#[cfg(feature = "testing-http")]
use super::remote::{Remote, UrlError};
use crate::http::Cause;

#[derive(Clone)]
pub(super) enum Transport {
    InProcess(Router),
    #[cfg(feature = "testing-http")]
    Http(Remote),
}

/// An answer, read to its end.
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
    pub(super) cause: Option<String>,
}

impl Received {
    pub(super) fn nothing(why: String) -> Self {
        Self {
            status: 0,
            headers: HeaderMap::new(),
            bytes: Vec::new(),
            cause: Some(why),
        }
    }
}

impl Transport {
    pub(super) fn in_process(router: Router) -> Self {
        Self::InProcess(router)
    }

    #[cfg(feature = "testing-http")]
    pub(super) fn over_http(origin: &str) -> Result<Self, UrlError> {
        Remote::new(origin).map(Self::Http)
    }

    /// The error says why nothing came.
    pub(super) async fn send(&self, request: Request<Vec<u8>>) -> Result<Received, String> {
        match self {
            Self::InProcess(router) => {
                let response = match router.clone().oneshot(request.map(Body::from)).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                };
                let (parts, body) = response.into_parts();
                let bytes = body.collect().await.map(|body| body.to_bytes());
                Ok(Received {
                    status: parts.status.as_u16(),
                    bytes: bytes.unwrap_or_default().to_vec(),
                    cause: parts.extensions.get::<Cause>().map(Cause::full_text),
                    headers: parts.headers,
                })
            }
            #[cfg(feature = "testing-http")]
            Self::Http(remote) => remote.send(request).await,
        }
    }
}
