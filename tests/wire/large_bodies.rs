//! A caller who sends too large a body can read the 413, and can't occupy the connection or memory for long. The same for the
//! router and the webhook's handler.

use std::time::{Duration, Instant};

use tokio::{io::AsyncWriteExt, time::timeout};

use crate::{
    merchants::{in_memory_store, server, token},
    socket::{Reply, Server},
};

const TOO_LARGE: &str = "Payload Too Large";

/// Both servers, each with the head of a request whose body would be read.
async fn servers() -> [(&'static str, Server, String); 2] {
    let integration = in_memory::churnkey::integration(&in_memory_store(), token());
    let router = server(integration.unwrap()).await;
    let action = "POST /churnkey/actions/subscription/cancel HTTP/1.1\r\nHost: m\r\n\
                  Authorization: ck-demo-integration-token-0001\r\n";
    let keys = in_memory::account::Keys::demo().unwrap();
    let site = in_memory::account::routes(in_memory_store(), keys);
    let site = Server::start(site, &token()).await;
    let signature = "0".repeat(64);
    let webhook =
        format!("POST /webhooks/churnkey HTTP/1.1\r\nHost: m\r\nck-signature: {signature}\r\n");
    [
        ("router", router, action.to_owned()),
        ("webhook", site, webhook),
    ]
}

#[tokio::test]
async fn a_caller_who_sends_eight_mebibytes_before_reading_reads_the_413() {
    let eight_mebibytes = "x".repeat(8 << 20);
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for (name, server, head) in servers().await {
        let announced = format!("{head}Content-Length: {}\r\n", eight_mebibytes.len());
        for (headers, body) in [
            (announced, eight_mebibytes.clone()),
            (
                format!("{head}Transfer-Encoding: chunked\r\n"),
                chunk.repeat(128) + "0\r\n\r\n",
            ),
        ] {
            let mut stream = server.connect().await;
            let request = format!("{headers}Connection: close\r\n\r\n{body}");
            let written = stream.write_all(request.as_bytes()).await;
            assert!(written.is_ok(), "{name}: {written:?}");
            let error = Reply::of(stream).await.error();
            assert_eq!(error, (413, TOO_LARGE.to_owned()), "{name}");
        }
    }
}

#[tokio::test]
async fn a_caller_who_sends_for_ever_is_answered_and_cut_off() {
    for (name, server, head) in servers().await {
        let (reader, mut writer) = server.connect().await.into_split();
        let sender = async move {
            let head = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
            writer.write_all(head.as_bytes()).await.unwrap();
            let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            let mut sent = 0;
            while writer.write_all(chunk.as_bytes()).await.is_ok() {
                sent += 0x10000;
            }
            sent
        };
        let both = async { tokio::join!(sender, Reply::of(reader)) };
        let (sent, reply) = timeout(Duration::from_secs(60), both).await.expect(name);
        assert_eq!(reply.error(), (413, TOO_LARGE.to_owned()), "{name}");
        // What the server takes, and what the sockets hold besides.
        assert!(sent < 64 << 20, "{name}: {sent}");
    }
}

#[tokio::test]
async fn a_caller_who_waits_to_be_told_to_go_on_is_told_413_at_once() {
    for (name, server, head) in servers().await {
        let mut stream = server.connect().await;
        let started = Instant::now();
        let request = format!(
            "{head}Content-Length: 65537\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let reply = timeout(Duration::from_secs(5), Reply::of(stream)).await;
        let error = reply.expect(name).error();
        assert_eq!(error, (413, TOO_LARGE.to_owned()), "{name}");
        assert!(started.elapsed() < Duration::from_millis(400), "{name}");
    }
}
