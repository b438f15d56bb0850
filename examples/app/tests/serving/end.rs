//! The graceful end.

use example_app::Limits;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    server::{GET_SLOW, LONG, SLOW, Server, answer, closed, get_on, limits},
    tls::Certificate,
};

/// Nothing but the end itself closes a connection in time.
fn patient() -> Limits {
    Limits {
        head: LONG * 2,
        idle: LONG * 2,
        answer: LONG * 2,
        ..limits()
    }
}

#[tokio::test]
async fn a_running_request_is_answered_and_its_connection_closed() {
    let server = Server::start(patient(), None).await;
    let mut stream = server.connect().await;
    stream.write_all(GET_SLOW).await.unwrap();
    server.runs_slow_calls(1).await;
    let (took, said) = tokio::join!(server.end(), answer(&mut stream));
    assert!(said.contains("\r\nconnection: close\r\n"), "{said}");
    assert!(said.ends_with("slow"), "{said}");
    closed(&mut stream).await;
    assert!(took < SLOW * 5, "{took:?}");
}

#[tokio::test]
async fn running_http2_requests_are_answered_and_their_connection_closed() {
    let certificate = Certificate::new();
    let server = Server::start(patient(), Some(certificate.acceptor())).await;
    let http2 = certificate.http2(&server).await;
    let calls = futures_util::future::join_all((0..3).map(|_| http2.get("/slow")));
    let ended = async {
        server.runs_slow_calls(3).await;
        server.end().await
    };
    let (took, answers) = tokio::join!(ended, calls);
    for answer in answers {
        assert_eq!(answer.unwrap(), "slow");
    }
    assert!(http2.closed().await < LONG / 2);
    assert!(took < SLOW * 5, "{took:?}");
}

#[tokio::test]
async fn idle_connections_are_closed_at_once_and_no_more_are_accepted() {
    let certificate = Certificate::new();
    let plain = Server::start(patient(), None).await;
    let mut used = plain.connect().await;
    get_on(&mut used).await;
    let address = plain.address;
    assert!(plain.end().await < LONG / 4);
    closed(&mut used).await;
    assert!(TcpStream::connect(address).await.is_err());

    let encrypted = Server::start(patient(), Some(certificate.acceptor())).await;
    let http2 = certificate.http2(&encrypted).await;
    assert_eq!(http2.get("/").await.unwrap(), "hello");
    assert!(encrypted.end().await < LONG / 4);
    assert!(http2.closed().await < LONG / 4);
}

#[tokio::test]
async fn half_a_head_holds_up_the_end_no_longer_than_a_head_may_take() {
    let server = Server::start(limits(), None).await;
    let mut first = server.connect().await;
    first.write_all(b"GET / HT").await.unwrap();
    let mut later = server.connect().await;
    get_on(&mut later).await;
    later.write_all(b"GET / HT").await.unwrap();
    let took = server.end().await;
    assert!(took < limits().head * 5, "{took:?}");
}
