//! Calls over TLS.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use rcgen::CertifiedKey;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::tool::churnkey;

/// A server with a certificate for `billing.example.com`, and the certificate as a PEM file.
pub(crate) fn start() -> (SocketAddr, NamedTempFile) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["billing.example.com".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(cert.der().to_vec())], key.into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = Arc::new(config);
    thread::spawn(move || {
        for connection in listener.incoming() {
            answer(&config, connection.unwrap());
        }
    });
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), cert.pem()).unwrap();
    (address, file)
}

fn answer(config: &Arc<ServerConfig>, connection: TcpStream) {
    let session = ServerConnection::new(config.clone()).unwrap();
    let mut stream = StreamOwned::new(session, connection);
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.extend(byte),
            // Whoever does not trust the certificate leaves.
            _ => return,
        }
    }
    let body = r#"{"name":"Acme","controllers":{}}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\nx-request-id: 1\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes());
}

#[test]
fn a_certificate_is_trusted_if_it_was_named() {
    let (address, certificate) = start();
    let (_, unrelated) = start();
    let port = address.port();
    let url = format!("https://billing.example.com:{port}/churnkey");
    let resolve = format!("billing.example.com:{port}:127.0.0.1");
    let file = |file: &NamedTempFile| file.path().to_str().unwrap().to_owned();
    let call = |more: &[&str]| {
        let all = [
            "call",
            "GET",
            "/features",
            "--json",
            "--url",
            &url,
            "--resolve",
            &resolve,
        ];
        churnkey([&all[..], more].concat())
    };

    let ran = call(&["--ca", &file(&certificate)]).run();
    assert_eq!(
        (ran.code, &ran.json()["answers"][0]["status"]),
        (0, &json!(200))
    );
    let ran = call(&[]).env("SSL_CERT_FILE", &file(&certificate)).run();
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = call(&["--ca", &file(&unrelated)]).run();
    let error = &ran.json()["error"];
    assert_eq!((ran.code, &error["kind"]), (3, &json!("unreachable")));
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("invalid peer certificate"),
        "{error}"
    );

    let empty = NamedTempFile::new().unwrap();
    let ran = call(&["--ca", &file(&empty)]).run();
    assert_eq!(
        (ran.code, &ran.json()["error"]["kind"]),
        (2, &json!("usage"))
    );
}
