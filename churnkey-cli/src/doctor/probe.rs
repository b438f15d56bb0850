//! The requests that are sent, none of which changes a record, and what comes back.

use std::{cell::Cell, time::Duration};

use bytes::Bytes;
use churnkey_integrator::{
    IntegrationToken, Mode, Signature, Timestamp,
    diagnose::{Cause, SignedParts},
    testing::bearer,
};
use http::{HeaderMap, Method, header};
use reqwest::Url;
use serde_json::Value;

use super::{Finding, unanswered};
use crate::{
    connection::http_client,
    exit::Failure,
    output::{self, FAINT, styled},
    progress::Progress,
    settings::Settings,
};

/// The most requests of a run.
const MAX_REQUESTS: u32 = 40;
/// More of an answer is not read.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// How long to wait for a limit of requests that does not say it itself.
const PAUSE: Duration = Duration::from_secs(1);
/// What asks for a longer time is down.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A request before it is signed. The path has the prefix.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) mode: Mode,
    pub(super) body: Vec<u8>,
}

impl Probe {
    pub(super) fn get(path: String, mode: Mode) -> Self {
        Self {
            method: Method::GET,
            path,
            mode,
            body: Vec::new(),
        }
    }

    pub(super) fn post(path: String, mode: Mode, body: Vec<u8>) -> Self {
        Self {
            method: Method::POST,
            body,
            ..Self::get(path, mode)
        }
    }

    /// What its signature covers.
    pub(super) fn parts<'a>(&'a self, timestamp: &'a str) -> SignedParts<'a> {
        SignedParts::new(&self.method, &self.path, timestamp, &self.body)
            .with_mode(self.mode.as_str())
    }
}

/// By what a probe is authenticated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Credential<'a> {
    Signature(&'a Signature),
    Token(&'a IntegrationToken),
    /// The right token, and a signature that can't be right: the server has to refuse it if it sees the signature.
    TokenAndWrongSignature(&'a IntegrationToken),
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    body: Bytes,
}

/// Why no further request is sent.
pub(super) enum Ended {
    Unanswered(Finding),
    /// Something else answers from now on.
    Hindered(Finding),
    /// As many were sent as may be.
    Enough,
}

/// Sends probes and counts them.
pub(super) struct Prober<'s> {
    http: reqwest::Client,
    settings: &'s Settings,
    progress: Progress,
    verbose: bool,
    sent: Cell<u32>,
    answered: Cell<u32>,
    /// Before each request, once something has limited their number.
    pause: Cell<Duration>,
}

impl<'s> Prober<'s> {
    pub(super) fn new(
        settings: &'s Settings,
        progress: Progress,
        verbose: bool,
    ) -> Result<Self, Failure> {
        Ok(Self {
            http: http_client(settings)?,
            settings,
            progress,
            verbose,
            sent: Cell::new(0),
            answered: Cell::new(0),
            pause: Cell::new(Duration::ZERO),
        })
    }

    pub(super) fn sent(&self) -> u32 {
        self.sent.get()
    }

    pub(super) fn was_answered(&self) -> bool {
        self.answered.get() > 0
    }

    pub(super) async fn send(
        &self,
        probe: &Probe,
        credential: Credential<'_>,
    ) -> Result<Reply, Ended> {
        let mut headers = HeaderMap::new();
        let mut add = |name: &'static str, value: &str| {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        };
        add("x-churnkey-mode", probe.mode.as_str());
        if !probe.body.is_empty() {
            add("content-type", "application/json");
        }
        let by = match credential {
            Credential::Signature(_) => "signed",
            Credential::Token(_) => "with the token",
            Credential::TokenAndWrongSignature(_) => "with the token and a wrong signature",
        };
        match credential {
            // The mode's header is that of the request, also if the signature is for the other mode.
            Credential::Signature(signature) => {
                add("x-churnkey-signature", signature.signature());
                add("x-churnkey-timestamp", signature.timestamp());
            }
            Credential::Token(token) => {
                headers.insert(header::AUTHORIZATION, bearer(token));
            }
            Credential::TokenAndWrongSignature(token) => {
                add("x-churnkey-signature", &format!("v1={}", "0".repeat(64)));
                let now = Timestamp::now().unix_seconds();
                add("x-churnkey-timestamp", &now.to_string());
                headers.insert(header::AUTHORIZATION, bearer(token));
            }
        }
        let target = &self.settings.target;
        let url = format!("{}{}", target.origin(), probe.path);
        let request = match url.parse::<Url>() {
            Ok(url) => self.http.request(probe.method.clone(), url),
            // Paths are made of the URL's own and of fixed ones.
            Err(_) => return Err(Ended::Enough),
        };
        let request = request.headers(headers).body(probe.body.clone());
        let again = request.try_clone();
        let mut sent = self.exchange(request).await?;
        self.note(probe, by, sent.as_ref().ok());
        let pause = sent.as_ref().ok().and_then(Reply::asks_to_wait);
        if let (Some(pause), Some(again)) = (pause, again)
            && self.pause.get().is_zero()
        {
            self.pause.set(pause);
            sent = self.exchange(again).await?;
            self.note(probe, by, sent.as_ref().ok());
        }
        match sent {
            Ok(reply) => {
                self.answered.set(self.answered.get().saturating_add(1));
                Ok(reply)
            }
            Err(error) => Err(Ended::Unanswered(self.unanswered(&error).await)),
        }
    }

    async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<Result<Reply, reqwest::Error>, Ended> {
        if self.sent.get() >= MAX_REQUESTS {
            return Err(Ended::Enough);
        }
        tokio::time::sleep(self.pause.get()).await;
        self.sent.set(self.sent.get().saturating_add(1));
        self.progress.sent();
        Ok(async {
            let mut response = request.send().await?;
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                let left = MAX_ANSWER_BYTES.saturating_sub(body.len());
                body.extend(chunk.iter().take(left));
                if body.len() >= MAX_ANSWER_BYTES {
                    break;
                }
            }
            Ok(Reply {
                status: response.status().as_u16(),
                headers: std::mem::take(response.headers_mut()),
                body: body.into(),
            })
        }
        .await)
    }

    fn note(&self, probe: &Probe, by: &str, reply: Option<&Reply>) {
        if !self.verbose {
            return;
        }
        let came = reply.map_or("no answer".to_owned(), |reply| reply.status.to_string());
        let Probe {
            method, path, mode, ..
        } = probe;
        let line = format_args!("{method} {path}, {mode}, {by} -> {came}");
        // A closed standard error is no reason to stop.
        let _ = output::note(styled(FAINT, line));
    }

    async fn unanswered(&self, error: &reqwest::Error) -> Finding {
        let is_resolved = self.settings.resolve.is_some();
        let target = &self.settings.target;
        let finding = unanswered::why(error, target, is_resolved).await;
        let is_closed = !error.is_timeout() && finding.is_of(Cause::Timeout);
        // Once an answer has come, the scheme is right.
        if is_closed && !self.was_answered() && self.speaks_the_other_scheme().await {
            return self.other_scheme();
        }
        finding
    }

    /// Whether the URL says http.
    pub(super) fn is_http(&self) -> bool {
        self.settings.target.scheme() == "http"
    }

    /// What the port speaks is not what the URL says.
    pub(super) fn other_scheme(&self) -> Finding {
        let detail = match self.settings.target.scheme() {
            "http" => "the URL says http, and the server speaks https at this port",
            _ => "the URL says https, and the server speaks http at this port",
        };
        Finding::new(Cause::PlainHttpOnTls, detail)
    }

    /// Whether the port speaks https where the URL says http, or the reverse. No credential is sent.
    pub(super) async fn speaks_the_other_scheme(&self) -> bool {
        let target = &self.settings.target;
        let is_http = self.is_http();
        let (host, port) = (target.host(), target.port());
        let scheme = if is_http { "https" } else { "http" };
        let url = format!("{scheme}://{host}:{port}{}", target.prefix());
        let Ok(url) = url.parse::<Url>() else {
            return false;
        };
        match self.exchange(self.http.get(url)).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => is_http && unanswered::speaks_tls(&error),
            Err(_) => false,
        }
    }
}

impl Reply {
    /// The body, if it is JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// A compressed body can't be read here. That it is JSON counts then.
    fn is_unreadable_json(&self) -> bool {
        let header = |name| self.headers.get(name).map(|value| value.as_bytes());
        let is_encoded =
            header(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != b"identity");
        let is_json = |kind: &[u8]| kind.to_ascii_lowercase().starts_with(b"application/json");
        is_encoded && header(header::CONTENT_TYPE).is_some_and(is_json)
    }

    /// Whether an integration may have written it.
    pub(super) fn is_json(&self) -> bool {
        self.json().is_some() || self.is_unreadable_json()
    }

    /// An error as the contract writes it (section 2.6).
    pub(super) fn is_contract_error(&self) -> bool {
        let is_one = |json: Value| {
            json.get("code").and_then(Value::as_u64) == Some(self.status.into())
                && json.get("message").is_some_and(Value::is_string)
        };
        self.json().is_some_and(is_one) || (self.status >= 400 && self.is_unreadable_json())
    }

    /// A features manifest (section 2.3).
    pub(super) fn is_manifest(&self) -> bool {
        let is_one = |json: Value| json.get("controllers").is_some_and(Value::is_object);
        self.status == 200 && (self.json().is_some_and(is_one) || self.is_unreadable_json())
    }

    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.status, 401 | 403)
    }

    /// How long to wait, if something in front limits the number of requests. nginx answers 503 unless set otherwise.
    fn asks_to_wait(&self) -> Option<Duration> {
        if !matches!(self.status, 429 | 503) || self.is_contract_error() {
            return None;
        }
        let seconds = self.header(header::RETRY_AFTER).map(str::parse);
        let pause = match seconds {
            Some(Ok(seconds)) => Duration::from_secs(seconds).max(PAUSE),
            Some(Err(_)) | None => PAUSE,
        };
        (pause <= LONGEST_PAUSE).then_some(pause)
    }

    /// What the server's clock says.
    pub(super) fn date(&self) -> Option<Timestamp> {
        let date = self.headers.get(header::DATE)?.to_str().ok()?;
        let date = httpdate::parse_http_date(date).ok()?;
        let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
        Timestamp::from_unix_seconds(i64::try_from(since.as_secs()).ok()?).ok()
    }

    /// In a few words, for people.
    pub(super) fn kind(&self) -> String {
        let kind = self.headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next());
        match kind {
            Some(kind) if !self.body.is_empty() => format!("{} with {kind}", self.status),
            _ => self.status.to_string(),
        }
    }

    pub(super) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
