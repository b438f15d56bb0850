//! A server in this process, and callers that write byte by byte.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    routing::get,
};
use example_app::{Limits, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Longer than any limit here, even on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// How long `/slow` takes.
pub(crate) const SLOW: Duration = Duration::from_millis(1500);

/// More than the buffers of sockets hold.
pub(crate) const LARGE: usize = 64 << 20;

pub(crate) fn limits() -> Limits {
    Limits {
        connections: 100,
        handshake: Duration::from_secs(1),
        head: Duration::from_secs(1),
        idle: Duration::from_secs(2),
        answer: Duration::from_secs(4),
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) slow_calls: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(limits: Limits, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let slow_calls = Arc::new(AtomicUsize::new(0));
        let app = Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/slow", get(slow).with_state(Arc::clone(&slow_calls)))
            .route("/large", get(large));
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(listener, tls, app, limits, stop.clone()));
        Self {
            address,
            stop,
            slow_calls,
            task,
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Returns once so many calls of `/slow` run.
    pub(crate) async fn runs_slow_calls(&self, count: usize) {
        let until = Instant::now() + LONG;
        while self.slow_calls.load(Ordering::Relaxed) < count {
            assert!(Instant::now() < until, "no call arrives");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// How long it takes to end from now on.
    pub(crate) async fn end(self) -> Duration {
        let began = Instant::now();
        self.stop.cancel();
        timeout(LONG, self.task).await.unwrap().unwrap();
        began.elapsed()
    }
}

async fn slow(State(calls): State<Arc<AtomicUsize>>) -> &'static str {
    calls.fetch_add(1, Ordering::Relaxed);
    sleep(SLOW).await;
    "slow"
}

async fn large() -> Body {
    let part = Bytes::from(vec![b'x'; 1 << 20]);
    let parts = vec![Ok::<_, Infallible>(part); LARGE >> 20];
    Body::from_stream(futures_util::stream::iter(parts))
}

pub(crate) const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: app\r\n\r\n";
pub(crate) const GET_SLOW: &[u8] = b"GET /slow HTTP/1.1\r\nHost: app\r\n\r\n";

/// Sends `GET /` on an open connection and reads the answer.
pub(crate) async fn get_on(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin)) {
    stream.write_all(GET).await.unwrap();
    let answer = answer(stream).await;
    assert!(answer.ends_with("hello"), "{answer}");
}

/// Reads until the body of `GET /` or `GET /slow` is there.
pub(crate) async fn answer(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nhello") && !answer.ends_with(b"\r\n\r\nslow") {
        let read = timeout(LONG, stream.read_buf(&mut answer)).await;
        assert_ne!(read.unwrap().unwrap(), 0, "{answer:?}");
    }
    String::from_utf8(answer).unwrap()
}

/// How long it takes until the server closes the connection, without an answer.
pub(crate) async fn closed(stream: &mut (impl AsyncReadExt + Unpin)) -> Duration {
    let began = Instant::now();
    let read = timeout(LONG, stream.read(&mut [0; 1])).await;
    let read = read.unwrap_or_else(|_| panic!("the connection is still open"));
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    began.elapsed()
}
