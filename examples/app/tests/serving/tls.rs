//! TLS with real certificates, HTTP/1.1 and HTTP/2 in it.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use axum::{body::Bytes, http::Request};
use example_app::{InvalidTls, Limits, tls_acceptor};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};

use crate::server::{LARGE, LONG, Server, closed, get_on, limits};

/// A certificate that signs itself, in files.
pub(crate) struct Certificate {
    dir: TempDir,
    roots: RootCertStore,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(dir.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        Self { dir, roots }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        tls_acceptor(&self.file("cert.pem"), &self.file("key.pem")).unwrap()
    }

    /// Connects and offers these protocols.
    pub(crate) async fn connect(
        &self,
        server: &Server,
        protocols: &[&str],
    ) -> TlsStream<TcpStream> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| (*name).into()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector
            .connect(name, server.connect().await)
            .await
            .unwrap()
    }

    /// An HTTP/2 connection, and the task that ends with it.
    pub(crate) async fn http2(&self, server: &Server) -> Http2 {
        let stream = self.connect(server, &["h2", "http/1.1"]).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (sender, connection) = handshake.await.unwrap();
        let task = tokio::spawn(connection);
        Http2 { sender, task }
    }
}

pub(crate) struct Http2 {
    pub(crate) sender: SendRequest<Empty<Bytes>>,
    pub(crate) task: JoinHandle<hyper::Result<()>>,
}

impl Http2 {
    pub(crate) async fn get(&self, path: &str) -> hyper::Result<Bytes> {
        let request = Request::get(format!("https://localhost{path}"));
        let request = request.body(Empty::new()).unwrap();
        let response = self.sender.clone().send_request(request).await?;
        assert_eq!(response.status(), 200);
        Ok(response.into_body().collect().await?.to_bytes())
    }

    /// How long it takes until the server closes the connection.
    pub(crate) async fn closed(self) -> Duration {
        let began = Instant::now();
        let ended = timeout(LONG, self.task).await;
        let ended = ended.unwrap_or_else(|_| panic!("the connection is still open"));
        ended.unwrap().unwrap();
        began.elapsed()
    }
}

#[tokio::test]
async fn both_protocols_are_served() {
    let certificate = Certificate::new();
    let server = Server::start(limits(), Some(certificate.acceptor())).await;
    let http2 = certificate.http2(&server).await;
    assert_eq!(http2.get("/").await.unwrap(), "hello");
    assert_eq!(http2.get("/large").await.unwrap().len(), LARGE);
    for protocols in [&["http/1.1"][..], &[]] {
        let mut stream = certificate.connect(&server, protocols).await;
        get_on(&mut stream).await;
        get_on(&mut stream).await;
    }
}

#[tokio::test]
async fn http2_serves_calls_at_once() {
    let certificate = Certificate::new();
    let server = Server::start(limits(), Some(certificate.acceptor())).await;
    let http2 = certificate.http2(&server).await;
    let began = Instant::now();
    let calls = (0..20).map(|_| http2.get("/slow"));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.unwrap(), "slow");
    }
    assert!(began.elapsed() < crate::server::SLOW * 10);
}

#[tokio::test]
async fn an_http2_connection_is_idle_when_its_last_request_is_answered() {
    let certificate = Certificate::new();
    let limits = Limits {
        idle: Duration::from_millis(100),
        ..limits()
    };
    let server = Server::start(limits, Some(certificate.acceptor())).await;
    let http2 = certificate.http2(&server).await;
    let quick = async {
        server.runs_slow_calls(1).await;
        http2.get("/").await
    };
    let (slow, quick) = tokio::join!(http2.get("/slow"), quick);
    assert_eq!(
        (slow.unwrap(), quick.unwrap()),
        ("slow".into(), "hello".into())
    );
}

#[tokio::test]
async fn a_handshake_that_is_never_finished_ends_while_good_calls_go_on() {
    let certificate = Certificate::new();
    let limits = Limits {
        connections: 110,
        head: LONG * 2,
        ..limits()
    };
    let server = Server::start(limits, Some(certificate.acceptor())).await;
    let mut bad = Vec::new();
    for n in 0..100 {
        let mut stream = server.connect().await;
        if n % 2 == 0 {
            // The start of a ClientHello of 512 bytes.
            stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        }
        bad.push(stream);
    }
    let http2 = certificate.http2(&server).await;
    for _ in 0..10 {
        assert_eq!(http2.get("/").await.unwrap(), "hello");
    }
    for mut stream in bad {
        assert!(closed(&mut stream).await < LONG / 2);
        assert_eq!(http2.get("/").await.unwrap(), "hello");
    }
}

#[tokio::test]
async fn half_a_head_within_tls_is_closed() {
    let certificate = Certificate::new();
    let limits = Limits {
        idle: LONG * 2,
        ..limits()
    };
    let server = Server::start(limits, Some(certificate.acceptor())).await;
    let mut http1 = certificate.connect(&server, &["http/1.1"]).await;
    get_on(&mut http1).await;
    http1.write_all(b"GET / HT").await.unwrap();
    // The preface of HTTP/2 and no request.
    let mut http2 = certificate.connect(&server, &["h2"]).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    http2.write_all(preface).await.unwrap();
    assert!(closed(&mut http1).await < LONG / 2);
    let began = Instant::now();
    let mut said = Vec::new();
    let rest = tokio::io::AsyncReadExt::read_to_end(&mut http2, &mut said);
    // What it ends with is the TLS client's to judge.
    let _ = timeout(LONG, rest).await.unwrap();
    assert!(began.elapsed() < LONG / 2);
}

#[tokio::test]
async fn an_idle_http2_connection_is_told_and_closed() {
    let certificate = Certificate::new();
    let server = Server::start(limits(), Some(certificate.acceptor())).await;
    let http2 = certificate.http2(&server).await;
    assert_eq!(http2.get("/").await.unwrap(), "hello");
    let after = http2.closed().await;
    assert!(after > limits().head, "{after:?}");
    assert!(after < LONG / 2, "{after:?}");
}

#[tokio::test]
async fn an_http2_caller_who_does_not_read_the_answer_is_cut_off() {
    let certificate = Certificate::new();
    let limits = Limits {
        answer: Duration::from_secs(1),
        ..limits()
    };
    let server = Server::start(limits, Some(certificate.acceptor())).await;
    let http2 = certificate.http2(&server).await;
    let request = Request::get("https://localhost/large");
    let request = request.body(Empty::new()).unwrap();
    let response = http2.sender.clone().send_request(request).await.unwrap();
    // The body is not read, so its window is never widened.
    sleep(limits.answer + Duration::from_secs(2)).await;
    let read = timeout(LONG, response.into_body().collect()).await;
    assert!(read.unwrap().is_err(), "the whole answer came");
}

#[test]
fn files_that_can_not_be_used_are_named() {
    let (ours, theirs) = (Certificate::new(), Certificate::new());
    let (certificate, key) = (ours.file("cert.pem"), ours.file("key.pem"));
    let (missing, empty) = (ours.file("missing.pem"), ours.file("empty.pem"));
    fs::write(&empty, "no PEM\n").unwrap();
    let said = |certificate, key| {
        let error: InvalidTls = tls_acceptor(certificate, key).err().unwrap();
        error.to_string()
    };
    for file in [&missing, &empty, &key] {
        let wrong = format!("can't read the certificates in {}: ", file.display());
        let said = said(file, &key);
        assert!(said.starts_with(&wrong), "{said}");
        assert!(
            said.ends_with("--tls-cert names a file in PEM form"),
            "{said}"
        );
    }
    for file in [&missing, &empty, &certificate] {
        let wrong = format!("can't read the private key in {}: ", file.display());
        let said = said(&certificate, file);
        assert!(said.starts_with(&wrong), "{said}");
        assert!(
            said.ends_with("--tls-key names a file in PEM form"),
            "{said}"
        );
    }
    let said = said(&certificate, &theirs.file("key.pem"));
    assert!(said.starts_with("can't use the certificate in "), "{said}");
    assert!(said.ends_with("give both of one server"), "{said}");
}
