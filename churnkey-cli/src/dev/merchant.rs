//! The signed calls of the merchant's integration.

use std::time::Duration;

use bytes::Bytes;
use churnkey_integrator::{Mode, Timestamp, sign};
use http::{Method, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::declared::Declared;
use crate::{
    connection::{chain, http_client, url_as_written},
    exit::Failure,
    operations::segment,
    settings::Settings,
};

/// A customer waits for it.
const DEADLINE: Duration = Duration::from_secs(10);
/// More of an answer is not read.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// A flow does not need more of a list.
const MAX_PAGES: usize = 20;

/// Why a call has no result, as the browser is told. The text is for developers: a customer reads a fixed sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

fn bad_gateway(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_GATEWAY, message)
}

/// An integration, and the token for it.
pub(crate) struct Merchant {
    http: reqwest::Client,
    settings: Settings,
}

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    next: Option<String>,
}

impl Merchant {
    pub(crate) fn new(settings: Settings) -> Result<Self, Failure> {
        Ok(Self {
            http: http_client(&settings)?,
            settings,
        })
    }

    pub(crate) fn url(&self) -> String {
        self.settings.target.url("")
    }

    pub(crate) async fn declared(&self, mode: Mode) -> Result<Declared, Refusal> {
        self.get(mode, "/features").await
    }

    pub(crate) async fn customer(
        &self,
        mode: Mode,
        id: &str,
    ) -> Result<churnkey_integrator::model::Customer, Refusal> {
        self.get(mode, &format!("/customers/{}", segment(id))).await
    }

    pub(crate) async fn subscription(
        &self,
        mode: Mode,
        customer: &str,
        id: &str,
    ) -> Result<churnkey_integrator::model::Subscription, Refusal> {
        let (customer, id) = (segment(customer), segment(id));
        let path = format!("/customers/{customer}/subscriptions/{id}");
        self.get(mode, &path).await
    }

    /// A record.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        mode: Mode,
        below: &str,
    ) -> Result<T, Refusal> {
        let bytes = self
            .call(mode, Method::GET, below, Bytes::new(), None)
            .await?;
        self.read(below, &bytes)
    }

    /// The records of a list, page by page.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        mode: Mode,
        below: &str,
    ) -> Result<Vec<T>, Refusal> {
        let (mut records, mut path) = (Vec::new(), below.to_owned());
        for _ in 0..MAX_PAGES {
            let page: Page<T> = self.get(mode, &path).await?;
            records.extend(page.data);
            match page.next {
                Some(next) => path = format!("{below}?cursor={}", segment(&next)),
                None => break,
            }
        }
        Ok(records)
    }

    /// An action, which is done once for a key.
    pub(crate) async fn act(
        &self,
        mode: Mode,
        below: &str,
        body: &Value,
        key: &str,
    ) -> Result<(), Refusal> {
        let body = Bytes::from(body.to_string());
        self.call(mode, Method::POST, below, body, Some(key))
            .await?;
        Ok(())
    }

    fn read<T: DeserializeOwned>(&self, below: &str, bytes: &[u8]) -> Result<T, Refusal> {
        serde_json::from_slice(bytes).map_err(|error| {
            let path = below.split('?').next().unwrap_or_default();
            let (method, url) = (Method::GET, self.settings.target.url(path));
            bad_gateway(format!(
                "{method} {url} is not as the contract says ({error}): `churnkey call` says what is wrong with it"
            ))
        })
    }

    /// The body of an answer of success.
    async fn call(
        &self,
        mode: Mode,
        method: Method,
        below: &str,
        body: Bytes,
        key: Option<&str>,
    ) -> Result<Bytes, Refusal> {
        let called = self.sent(mode, &method, below, body, key);
        let (status, bytes) = match tokio::time::timeout(DEADLINE, called).await {
            Ok(answer) => answer?,
            Err(_) => {
                let url = self.url();
                let message = format!("the integration at {url} did not answer within 10 s");
                return Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, message));
            }
        };
        match status.as_u16() {
            200..=299 => Ok(bytes),
            400..=499 => {
                let message = serde_json::from_slice::<Value>(&bytes).ok();
                let message = message.as_ref().and_then(|body| body.get("message"));
                let message = message.and_then(Value::as_str).unwrap_or("no message");
                let message = format!("the integration answered {status}: {message}");
                Err(Refusal::new(status, message))
            }
            _ => Err(bad_gateway(format!(
                "the integration at {} answered {status}",
                self.url()
            ))),
        }
    }

    async fn sent(
        &self,
        mode: Mode,
        method: &Method,
        below: &str,
        body: Bytes,
        key: Option<&str>,
    ) -> Result<(StatusCode, Bytes), Refusal> {
        let target = &self.settings.target;
        let path = format!("{}{below}", target.prefix());
        let url = url_as_written(target.origin(), &path)
            .ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "this id can't be part of a URL"))?;
        let token = &self.settings.token;
        let signature = sign(token, method, &path, mode, &body, Timestamp::now());
        let mut request = self.http.request(method.clone(), url);
        request = request.headers(signature.headers().collect());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
            request = request.header("content-type", "application/json");
        }
        let unreachable = |error: reqwest::Error| {
            let reason = chain(&error.without_url());
            bad_gateway(format!(
                "the integration at {} does not answer ({reason}): `churnkey doctor` says why",
                self.url()
            ))
        };
        let mut response = request.body(body).send().await.map_err(unreachable)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if bytes.len().saturating_add(chunk.len()) > MAX_ANSWER_BYTES {
                return Err(bad_gateway("the integration's answer has more than 8 MiB"));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((response.status(), bytes.into()))
    }
}
