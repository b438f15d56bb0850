//! Look-ups over TLS.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::Arc,
    thread,
};

use merchant_cases::Program;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivatePkcs8KeyDer,
};

use crate::process::call;

/// A CRM without customers at this URL, and its self-signed certificate.
fn start() -> (String, String) {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/lookup", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            answer(connection.unwrap(), Arc::clone(&config));
        }
    });
    (url, own.cert.pem())
}

fn answer(connection: TcpStream, config: Arc<ServerConfig>) {
    let session = ServerConnection::new(config).unwrap();
    let mut stream = StreamOwned::new(session, connection);
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.extend(byte),
            // A client that does not trust the certificate disconnects.
            _ => return,
        }
    }
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]";
    stream.write_all(answer.as_bytes()).unwrap();
}

#[tokio::test]
async fn a_crm_is_asked_only_if_an_authority_of_the_machine_vouches_for_it() {
    let (url, certificate) = start();
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("trusted.pem");
    fs::write(&trusted, certificate).unwrap();
    let other = folder.path().join("other.pem");
    let unrelated = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs::write(&other, unrelated.cert.pem()).unwrap();
    let none = folder.path().join("none.pem");
    fs::write(&none, "").unwrap();
    for (authorities, status, message) in [
        (&trusted, 200, "No customer found in CRM."),
        (&other, 502, "The CRM could not be asked."),
        (&none, 502, "The CRM could not be asked."),
    ] {
        let authorities = format!("SSL_CERT_FILE={}", authorities.display());
        let binary = env!("CARGO_BIN_EXE_omnidesk");
        let options = ["--listen", "127.0.0.1:0", "--crm-lookup-url", &url];
        // Nothing listens on this proxy, and it must not be used.
        let proxy = "HTTPS_PROXY=http://127.0.0.1:1";
        let arguments = [&authorities, proxy, binary].into_iter().chain(options);
        let program = Program::start(Path::new("env"), arguments).await.unwrap();
        let asked = Some("brandID=1&channel=email&address=a");
        let (got, body) = call(&program, "POST", "/syncWithCRM", asked).await;
        assert_eq!((got, body["message"].as_str()), (status, Some(message)));
    }
}
