//! The webhook's handler over a socket: what it rejects, when, and with which status.

use std::time::{Duration, Instant};

use axum::{
    Router,
    routing::{MethodRouter, post},
};
use churnkey_integrator::{
    WebhookSecret,
    webhooks::{Webhook, WebhookRejection, WebhookSecrets, sign},
};
use in_memory::account::{Keys, routes};
use tokio::{io::AsyncWriteExt, time::timeout};

use crate::{
    merchants::{in_memory_store, token},
    socket::{Reply, Server},
};

const EVENT: &[u8] = br#"{"event":"session","data":{"session":{"result":"discount"}}}"#;

async fn site() -> Server {
    let app: Router = routes(in_memory_store(), Keys::demo().unwrap());
    Server::start(app, &token()).await
}

fn signed(body: &[u8]) -> String {
    sign(&WebhookSecret::new("ck-demo-webhook-secret").unwrap(), body)
}

fn head(signatures: &[&str], length: usize) -> String {
    let mut head = format!(
        "POST /webhooks/churnkey HTTP/1.1\r\nHost: m\r\nConnection: close\r\nContent-Length: {length}\r\n"
    );
    for signature in signatures {
        head.push_str(&format!("ck-signature: {signature}\r\n"));
    }
    head + "\r\n"
}

#[tokio::test]
async fn a_missing_or_malformed_signature_is_rejected_before_the_body_arrives() {
    let site = site().await;
    let good = signed(EVENT);
    let mut replies = Vec::new();
    for signatures in [
        vec![],
        vec![good.as_str(), good.as_str()],
        vec![""],
        vec![&good[..62]],
        vec!["sha256=00"],
        vec![&"g".repeat(64)],
    ] {
        let mut stream = site.connect().await;
        // No byte of the announced body is ever sent.
        let head = head(&signatures, 60_000);
        stream.write_all(head.as_bytes()).await.unwrap();
        let reply = timeout(Duration::from_secs(5), Reply::of(stream)).await;
        let reply = reply.unwrap_or_else(|_| panic!("waits for a body: {signatures:?}"));
        assert_eq!(
            reply.error(),
            (401, "Unauthorized".to_owned()),
            "{signatures:?}"
        );
        replies.push(reply.body);
    }
    replies.dedup();
    assert_eq!(replies.len(), 1);
}

#[tokio::test]
async fn a_body_over_64_kibibytes_is_413() {
    let site = site().await;
    let post = |body: Vec<u8>| {
        let signature = signed(&body);
        let call = site.request("POST", "/webhooks/churnkey").body(body);
        call.header("ck-signature", &signature).send()
    };
    let padded = |length: usize| {
        let mut body = EVENT.to_vec();
        body.resize(length, b' ');
        body
    };
    assert_eq!(post(padded(65_536)).await.status, 200);
    let too_large = (413, "Payload Too Large".to_owned());
    assert_eq!(post(padded(65_537)).await.error(), too_large);

    // Without an announced length, it is counted as it arrives.
    let chunk = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
    let head =
        head(&[&signed(EVENT)], 0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let request = head + &chunk.repeat(3) + "0\r\n\r\n";
    let reply = site.exchange(request.as_bytes()).await;
    assert_eq!(reply.error(), too_large);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_400_and_no_413() {
    let site = site().await;
    let head =
        head(&[&signed(EVENT)], 0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    // A chunk whose length is no number.
    let reply = site.exchange(format!("{head}zz\r\n").as_bytes()).await;
    assert_eq!(reply.error(), (400, "Bad Request".to_owned()));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408_after_ten_seconds() {
    let site = site().await;
    assert_eq!(waits(&site).await.as_secs(), 10);
}

/// How long it takes until a caller who stops sending is answered.
async fn waits(site: &Server) -> Duration {
    let mut stream = site.connect().await;
    let started = Instant::now();
    let head = head(&[&signed(EVENT)], EVENT.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&EVENT[..10]).await.unwrap();
    let reply = timeout(Duration::from_secs(20), Reply::of(stream)).await;
    let reply = reply.unwrap();
    assert_eq!(reply.error(), (408, "Request Timeout".to_owned()));
    started.elapsed()
}

#[tokio::test]
async fn secrets_cap_and_deadline_are_settings() {
    async fn told(webhook: Result<Webhook, WebhookRejection>) -> String {
        match webhook {
            Ok(webhook) => webhook.event().to_owned(),
            Err(rejection) => rejection.to_string(),
        }
    }
    let secret = |text: &str| WebhookSecret::new(text).unwrap();
    let secrets = WebhookSecrets::new(secret("the-newer-secret"))
        .also_accept(secret("ck-demo-webhook-secret"))
        .max_body_bytes(EVENT.len())
        .deadline(Duration::from_millis(100));
    let app = |route: MethodRouter<WebhookSecrets>| {
        Router::new()
            .route("/webhooks/churnkey", route)
            .with_state(secrets.clone())
    };
    let site = Server::start(app(post(told)), &token()).await;
    let longer = [EVENT, b" "].concat();
    for (body, with, said) in [
        (EVENT, "the-newer-secret", "session"),
        (EVENT, "ck-demo-webhook-secret", "session"),
        (
            EVENT,
            "another-secret",
            "the signature is not that of this body under an accepted secret: compare the webhook secret",
        ),
        (&longer, "the-newer-secret", "the body is too large"),
    ] {
        let call = site.request("POST", "/webhooks/churnkey").body(body);
        let reply = call.header("ck-signature", &sign(&secret(with), body));
        let reply = reply.send().await;
        assert_eq!(
            (reply.status, reply.body.as_slice()),
            (200, said.as_bytes())
        );
    }
    let event = async |webhook: Webhook| webhook.event().to_owned();
    let site = Server::start(app(post(event)), &token()).await;
    assert!(waits(&site).await < Duration::from_secs(2));
}
