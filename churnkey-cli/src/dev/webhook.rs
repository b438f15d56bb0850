//! The webhook that Churnkey sends when a session has ended (contract, section 7.3).

use std::time::Duration;

use bytes::Bytes;
use churnkey_integrator::{WebhookSecret, webhooks};
use reqwest::Url;
use serde_json::Value;

use crate::{
    connection::chain,
    output::{self, printable},
};

/// How long to wait before each further attempt.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

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
    pub(crate) fn send(&self, body: &Value) {
        let body = Bytes::from(body.to_string());
        let signature = webhooks::sign(&self.secret, &body);
        let this = self.clone();
        tokio::spawn(async move {
            let mut pauses = PAUSES.into_iter();
            loop {
                let came = this.attempt(body.clone(), &signature).await;
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

    async fn attempt(&self, body: Bytes, signature: &str) -> Result<(), String> {
        let request = self
            .http
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("ck-signature", signature)
            .body(body);
        match request.send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(format!("it was answered {}", response.status())),
            Err(error) => Err(chain(&error.without_url())),
        }
    }
}
