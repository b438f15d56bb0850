//! What each limit ends, and what it leaves alone.

use std::time::Duration;

use example_app::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::server::{LARGE, LONG, Server, closed, get_on, limits};

/// What the callers send who never send a whole head.
#[derive(Clone, Copy, Debug)]
enum Sends {
    Nothing,
    HalfAHead,
    AByteAtATime,
    HalfAHeadAfterARequest,
}

async fn never_whole(sends: Sends, mut stream: TcpStream) -> Duration {
    match sends {
        Sends::Nothing => closed(&mut stream).await,
        Sends::HalfAHead => {
            stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
            closed(&mut stream).await
        }
        Sends::HalfAHeadAfterARequest => {
            get_on(&mut stream).await;
            stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
            closed(&mut stream).await
        }
        Sends::AByteAtATime => {
            let began = Instant::now();
            let (mut reading, mut writing) = stream.split();
            let drip = async {
                for byte in b"GET / HTTP/1.1\r\nX: ".iter().chain(&[b'x'; 1000]) {
                    if writing.write_all(&[*byte]).await.is_err() {
                        break;
                    }
                    sleep(Duration::from_millis(50)).await;
                }
            };
            tokio::select! {
                _ = closed(&mut reading) => {}
                () = drip => {}
            }
            began.elapsed()
        }
    }
}

#[tokio::test]
async fn connections_without_a_whole_head_are_closed_while_good_calls_go_on() {
    let limits = Limits {
        connections: 450,
        idle: LONG * 2,
        ..limits()
    };
    let server = Server::start(limits, None).await;
    let mut bad = JoinSet::new();
    for _ in 0..100 {
        for sends in [
            Sends::Nothing,
            Sends::HalfAHead,
            Sends::AByteAtATime,
            Sends::HalfAHeadAfterARequest,
        ] {
            let stream = server.connect().await;
            bad.spawn(async move { (sends, never_whole(sends, stream).await) });
        }
    }
    let mut kept = server.connect().await;
    let mut good = 0;
    while !bad.is_empty() {
        get_on(&mut kept).await;
        get_on(&mut server.connect().await).await;
        good += 2;
        while let Some(after) = bad.try_join_next() {
            let (sends, after) = after.unwrap();
            assert!(after >= limits.head / 2, "{sends:?}: {after:?}");
            assert!(after < LONG / 2, "{sends:?}: {after:?}");
        }
        sleep(Duration::from_millis(5)).await;
    }
    assert!(good > 20, "only {good} good calls");
}

#[tokio::test]
async fn a_connection_that_is_used_is_kept_for_longer_than_any_limit() {
    let limits = Limits {
        answer: Duration::from_millis(1500),
        idle: Duration::from_millis(1500),
        ..limits()
    };
    let server = Server::start(limits, None).await;
    let mut stream = server.connect().await;
    for _ in 0..10 {
        get_on(&mut stream).await;
        sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let limits = limits();
    let server = Server::start(limits, None).await;
    let mut stream = server.connect().await;
    get_on(&mut stream).await;
    let after = closed(&mut stream).await;
    assert!(after > limits.head, "{after:?}");
    assert!(after < LONG / 2, "{after:?}");
}

#[tokio::test]
async fn a_caller_who_does_not_read_the_answer_is_cut_off() {
    let limits = Limits {
        idle: Duration::from_millis(500),
        answer: Duration::from_secs(1),
        ..limits()
    };
    let server = Server::start(limits, None).await;
    // The kernel would take much of the answer on the caller's behalf.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    let get = b"GET /large HTTP/1.1\r\nHost: app\r\n\r\n";
    stream.write_all(get).await.unwrap();
    sleep(limits.answer + limits.idle + Duration::from_secs(2)).await;
    let mut answer = Vec::new();
    let rest = timeout(LONG, stream.read_to_end(&mut answer)).await;
    // Either the end comes early or an error does.
    let _ = rest.unwrap();
    assert!(answer.len() < LARGE, "{} bytes came", answer.len());
}

#[tokio::test]
async fn a_caller_who_reads_slowly_gets_the_whole_answer() {
    let limits = Limits {
        idle: Duration::from_millis(500),
        answer: LONG * 2,
        ..limits()
    };
    let server = Server::start(limits, None).await;
    let mut stream = server.connect().await;
    let get = b"GET /large HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n";
    stream.write_all(get).await.unwrap();
    // Longer than a connection may be idle, and be told that it ends.
    sleep(Duration::from_secs(2)).await;
    let mut answer = Vec::new();
    let read = timeout(LONG, stream.read_to_end(&mut answer)).await;
    assert!(read.unwrap().unwrap() > LARGE);
}

#[tokio::test]
async fn more_connections_than_the_maximum_wait_until_one_ends() {
    let limits = Limits {
        connections: 3,
        head: LONG * 2,
        idle: LONG * 2,
        ..limits()
    };
    let server = Server::start(limits, None).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = server.connect().await;
        get_on(&mut stream).await;
        open.push(stream);
    }
    let mut fourth = server.connect().await;
    let waits = timeout(Duration::from_millis(300), get_on(&mut fourth)).await;
    assert!(waits.is_err(), "the fourth connection is served");
    drop(open.pop());
    // Its call has been sent, and is answered now.
    let answer = crate::server::answer(&mut fourth).await;
    assert!(answer.ends_with("hello"), "{answer}");
}
