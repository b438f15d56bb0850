//! A merchant, and requests that are written byte by byte.

use std::net::SocketAddr;

use axum::http::Method;
use churnkey_integrator::{IntegrationBuilder, IntegrationToken, Mode, Timestamp, sign};
use example_app::{Clock, Demo, demo_token};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Every character that a proxy might decode: `zoe+billing@example.com`.
pub(crate) const BY_EMAIL: &str = "/churnkey/customers/email/zoe%2Bbilling%40example.com?x=%2F";

pub(crate) fn token() -> IntegrationToken {
    demo_token().unwrap()
}

pub(crate) fn merchant() -> IntegrationBuilder {
    in_memory::churnkey::builder(&store(), token())
}

pub(crate) fn store() -> in_memory::store::Store {
    let demo = Demo::load().unwrap();
    let store = in_memory::store::Store::new(Clock::Frozen(demo.clock));
    store.live.extend(demo.live);
    store
}

/// Sends a request that is signed over one path, to another, and returns the status and what follows the head.
pub(crate) async fn send(
    to: SocketAddr,
    method: Method,
    signed: &str,
    path: &str,
    body: &str,
) -> (u16, String) {
    let now = Timestamp::now();
    let signature = sign(&token(), &method, signed, Mode::Live, body.as_bytes(), now);
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: merchant\r\nConnection: close\r\nContent-Length: {}\r\n\
         X-Churnkey-Timestamp: {}\r\nX-Churnkey-Signature: {}\r\n\r\n{body}",
        body.len(),
        signature.timestamp(),
        signature.signature(),
    );
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, body.to_owned())
}

/// The status of a signed GET.
pub(crate) async fn get(to: SocketAddr, path: &str) -> u16 {
    send(to, Method::GET, path, path, "").await.0
}
