//! The signed calls of the merchant's integration.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use churnkey_conformance::Answer;
use churnkey_integrator::{Mode, Timestamp, sign};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    calls::{Calls, Party, answer},
    declared::Declared,
};
use crate::{
    connection::{http_client, url_as_written},
    exchange::{Exchange, Received, Unanswered},
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
    settings: Arc<Settings>,
    calls: Arc<Calls>,
}

/// A call of the integration before it is signed.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) mode: Mode,
    pub(crate) method: Method,
    /// The path below the prefix, with its query.
    pub(crate) below: String,
    pub(crate) body: Bytes,
    pub(crate) idempotency_key: Option<String>,
}

impl Asked {
    fn get(mode: Mode, below: &str) -> Self {
        Self {
            mode,
            method: Method::GET,
            below: below.to_owned(),
            body: Bytes::new(),
            idempotency_key: None,
        }
    }
}

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    next: Option<String>,
}

impl Merchant {
    pub(crate) fn new(mut settings: Settings) -> Result<Self, Failure> {
        settings.timeout = settings.timeout.min(DEADLINE);
        Ok(Self {
            http: http_client(&settings)?,
            calls: Arc::new(Calls::new(settings.target.prefix().to_owned())),
            settings: Arc::new(settings),
        })
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// What was sent.
    pub(crate) fn calls(&self) -> &Arc<Calls> {
        &self.calls
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
        let received = self.call(Asked::get(mode, below)).await?;
        self.read(below, &received.body)
    }

    /// An answer of success, to look at its shape.
    pub(crate) async fn answer(&self, mode: Mode, below: &str) -> Result<Answer, Refusal> {
        let received = self.call(Asked::get(mode, below)).await?;
        Ok(answer(&Method::GET, &received))
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
        let asked = Asked {
            method: Method::POST,
            body: Bytes::from(body.to_string()),
            idempotency_key: Some(key.to_owned()),
            ..Asked::get(mode, below)
        };
        self.call(asked).await?;
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

    /// An answer of success.
    async fn call(&self, asked: Asked) -> Result<Received, Refusal> {
        let (_, exchange) = self.send(&asked).await?;
        let received = exchange.came.map_err(|unanswered| {
            let url = self.url();
            match unanswered {
                Unanswered::Late => {
                    let seconds = self.settings.timeout.as_secs();
                    let message = format!("the integration at {url} did not answer within {seconds} s");
                    Refusal::new(StatusCode::GATEWAY_TIMEOUT, message)
                }
                Unanswered::TooLong { .. } => bad_gateway("the integration's answer has more than 8 MiB"),
                Unanswered::Failed(reason) => bad_gateway(format!(
                    "the integration at {url} does not answer ({reason}): `churnkey doctor` says why"
                )),
            }
        })?;
        let status = received.status;
        match status.as_u16() {
            200..=299 => Ok(received),
            400..=499 => {
                let message = serde_json::from_slice::<Value>(&received.body).ok();
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

    /// Signs a call, sends it, and keeps it under the number that is returned.
    ///
    /// # Errors
    /// If the path can't be sent as it is.
    pub(crate) async fn send(&self, asked: &Asked) -> Result<(u64, Exchange), Refusal> {
        let target = &self.settings.target;
        let path = format!("{}{}", target.prefix(), asked.below);
        let nowhere = || Refusal::new(StatusCode::NOT_FOUND, "this id can't be part of a URL");
        let url = url_as_written(target.origin(), &path).ok_or_else(nowhere)?;
        let mut request = Request::new(asked.body.clone());
        *request.method_mut() = asked.method.clone();
        *request.uri_mut() = path.parse().map_err(|_| nowhere())?;
        *request.headers_mut() = self.headers(asked);
        let exchange = Exchange::run(&self.http, url, request, MAX_ANSWER_BYTES).await;
        let number = self
            .calls
            .add(Party::Integration(asked.mode), exchange.clone());
        Ok((number, exchange))
    }

    /// The headers of a call, with a signature of this moment.
    pub(crate) fn headers(&self, asked: &Asked) -> HeaderMap {
        let Asked {
            method, mode, body, ..
        } = asked;
        let Settings { token, target, .. } = &*self.settings;
        let path = format!("{}{}", target.prefix(), asked.below);
        let signature = sign(token, method, &path, *mode, body, Timestamp::now());
        let mut headers: HeaderMap = signature.headers().collect();
        if *method == Method::POST {
            let json = HeaderValue::from_static("application/json");
            headers.insert(header::CONTENT_TYPE, json);
        }
        let key = asked.idempotency_key.as_deref();
        if let Some(key) = key.and_then(|key| key.parse().ok()) {
            headers.insert("idempotency-key", key);
        }
        headers
    }

    /// The part of a path below the prefix.
    pub(crate) fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(self.settings.target.prefix())
    }
}
