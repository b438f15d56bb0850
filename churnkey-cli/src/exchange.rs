//! A request, and what came back.

use std::{
    fmt,
    time::{Duration, Instant},
};

use bytes::Bytes;
use churnkey_conformance::churnkey_integrator::Timestamp;
use http::{HeaderMap, Method, Request, StatusCode, Version};
use reqwest::Url;

use crate::output::chain;

/// A request that was sent, and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) method: Method,
    /// The path with its query, as it was sent.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) begun: Timestamp,
    pub(crate) took: Duration,
    pub(crate) came: Result<Received, Unanswered>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unanswered {
    Late,
    /// The answer has more bytes than are read.
    TooLong {
        max_bytes: usize,
    },
    Failed(String),
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("no answer came in time"),
            Self::TooLong { max_bytes } => {
                write!(f, "its answer has more than {} MiB", max_bytes >> 20)
            }
            Self::Failed(reason) => f.write_str(reason),
        }
    }
}

impl From<reqwest::Error> for Unanswered {
    fn from(error: reqwest::Error) -> Self {
        match error.is_timeout() {
            true => Self::Late,
            // The URL may hold an address or a number.
            false => Self::Failed(chain(&error.without_url())),
        }
    }
}

impl Exchange {
    /// Sends a request to this URL, and reads so many bytes of the answer at most.
    pub(crate) async fn run(
        http: &reqwest::Client,
        url: Url,
        request: Request<Bytes>,
        max_bytes: usize,
    ) -> Self {
        let (parts, body) = request.into_parts();
        let (begun, clock) = (Timestamp::now(), Instant::now());
        let sent = http
            .request(parts.method.clone(), url)
            .headers(parts.headers.clone())
            .body(body.clone());
        let came = received(sent, max_bytes).await;
        Self {
            method: parts.method,
            path: parts.uri.to_string(),
            headers: parts.headers,
            body,
            begun,
            took: clock.elapsed(),
            came,
        }
    }
}

async fn received(
    request: reqwest::RequestBuilder,
    max_bytes: usize,
) -> Result<Received, Unanswered> {
    let mut response = request.send().await?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len().saturating_add(chunk.len()) > max_bytes {
            return Err(Unanswered::TooLong { max_bytes });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received {
        status: response.status(),
        version: response.version(),
        headers: response.headers().clone(),
        body: body.into(),
    })
}
