//! The webhook that Churnkey sends when a session has ended (contract, section 7.3).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use churnkey_integrator::{WebhookSecret, webhooks};
use http::{HeaderValue, Method, Request, header};
use reqwest::Url;
use serde_json::Value;

use super::calls::{Calls, Party};
use crate::{
    exchange::Exchange,
    output::{self, printable},
};

/// How long to wait before each further attempt.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// More of an answer is not read.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Where webhooks go, and how they are signed.
#[derive(Clone)]
pub(crate) struct Webhook {
    http: reqwest::Client,
    url: Url,
    secret: WebhookSecret,
}

impl Webhook {
    pub(crate) fn new(http: reqwest::Client, url: Url, secret: WebhookSecret) -> Self {
        Self { http, url, secret }
    }

    /// Sends it until it is taken, the same bytes each time. Says on standard error what became of it.
    pub(crate) fn send(&self, body: &Value, calls: &Arc<Calls>) {
        let body = Bytes::from(body.to_string());
        let (this, calls) = (self.clone(), Arc::clone(calls));
        tokio::spawn(async move {
            let mut pauses = PAUSES.into_iter();
            loop {
                let (_, came) = this.attempt(body.clone(), &calls).await;
                let pause = match &came {
                    Ok(()) => None,
                    Err(_) => pauses.next(),
                };
                let next = pause.map_or(String::new(), |pause| {
                    format!("; tried again in {} s", pause.as_secs())
                });
                // A closed standard error is no reason to stop.
                let _ = output::note(match came {
                    Ok(()) => "the webhook was taken".to_owned(),
                    Err(reason) => {
                        format!("the webhook was not taken: {}{next}", printable(&reason))
                    }
                });
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => break,
                }
            }
        });
    }

    /// Sends it once, and keeps the call under the number that is returned.
    pub(crate) async fn attempt(&self, body: Bytes, calls: &Calls) -> (u64, Result<(), String>) {
        let signature = webhooks::sign(&self.secret, &body);
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        if let Ok(path) = self.url.path().parse() {
            *request.uri_mut() = path;
        }
        let headers = request.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Ok(signature) = signature.parse() {
            headers.insert("ck-signature", signature);
        }
        let exchange = Exchange::run(&self.http, self.url.clone(), request, MAX_ANSWER_BYTES).await;
        let came = match &exchange.came {
            Ok(received) if received.status.is_success() => Ok(()),
            Ok(received) => Err(format!("it was answered {}", received.status)),
            Err(unanswered) => Err(unanswered.to_string()),
        };
        (calls.add(Party::Webhook, exchange), came)
    }

    /// Where webhooks go.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }
}
