//! The connection loop: TCP or TLS, HTTP/1.1 or HTTP/2, each connection within its limits, and a graceful end.
//!
//! One timer a connection covers all of its phases. hyper's own header timeout would also end idle connections of HTTP/1.1 at the
//! same age, and it has no say in HTTP/2.

// ANCHOR: connections
use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use axum::{Router, extract::Request, serve::Listener};
use http_body_util::BodyExt;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::graceful::GracefulConnection,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{io::InspectReader, sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::activity::Activity;

/// What callers may use up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many connections are open at a time, at least one. Further ones wait in the system's backlog.
    pub connections: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long a request's head may take: the first one of a connection from its start, a later one of HTTP/1.1
    /// from its first byte.
    pub head: Duration,
    /// How long a connection is kept open without a request. The last part of an answer has to be read within that
    /// time, too. A proxy has to close its idle connections earlier, as it may otherwise send a request on a
    /// connection that is just being closed.
    pub idle: Duration,
    /// How long a request may take from its head until the last part of its answer is handed to the connection. A
    /// caller who does not read a long answer is cut off then. It is longer than an integration's deadline.
    pub answer: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1000,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            answer: Duration::from_secs(60),
        }
    }
}

/// How many requests an HTTP/2 connection may run at a time.
const STREAMS: u32 = 100;

/// How long a connection that is over time may take to end by itself. An HTTP/2 client is told by a GOAWAY.
const GOODBYE: Duration = Duration::from_secs(1);

/// Serves an app until `stop` is cancelled, then closes idle connections and waits for running requests.
///
/// How long that takes is for the caller to limit. At most it takes [`Limits::answer`].
pub async fn serve(
    mut listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let accept_all = async {
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            // axum waits for a second if the process has too many open files, and tries again.
            let (stream, _) = Listener::accept(&mut listener).await;
            let connection =
                serve_connection(stream, tls.clone(), app.clone(), limits, stop.clone());
            connections.spawn(async move {
                connection.await;
                drop(place);
            });
        }
    };
    stop.run_until_cancelled(accept_all).await;
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn serve_connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    app: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    // If it fails, then the connection is gone, and reading says so.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return serve_http1(stream, app, limits, stop).await;
    };
    let Ok(Ok(stream)) = timeout(limits.handshake, tls.accept(stream)).await else {
        return;
    };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        serve_http2(stream, app, limits, stop).await;
    } else {
        serve_http1(stream, app, limits, stop).await;
    }
}

async fn serve_http1(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    app: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let activity = Activity::new(limits);
    let reading = activity.clone();
    let stream = InspectReader::new(stream, move |bytes: &[u8]| {
        if !bytes.is_empty() {
            reading.received();
        }
    });
    let running = activity.clone();
    let service = service_fn(move |request| respond(app.clone(), running.clone(), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    run(connection, activity, stop).await;
}

async fn serve_http2(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    app: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let activity = Activity::new(limits);
    let running = activity.clone();
    let service = service_fn(move |request| respond(app.clone(), running.clone(), request));
    let connection = http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(STREAMS)
        .serve_connection(TokioIo::new(stream), service);
    run(connection, activity, stop).await;
}

async fn respond(
    app: Router,
    activity: Activity,
    request: Request<Incoming>,
) -> Result<axum::response::Response, Infallible> {
    let running = activity.begin();
    let response = app.oneshot(request).await?;
    // The request runs until its body is taken or dropped.
    Ok(response.map(|body| {
        axum::body::Body::new(body.map_err(move |error| {
            let _ = &running;
            error
        }))
    }))
}

/// Runs a connection until it ends, is over time, or has answered its last request after `stop`.
async fn run(connection: impl GracefulConnection, activity: Activity, stop: CancellationToken) {
    let mut connection = pin!(connection);
    // How a connection ended concerns nobody: its requests have been logged.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = activity.over_time() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                _ = connection.as_mut() => return,
                () = activity.over_time() => {}
            }
        }
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(GOODBYE, connection).await;
}
// ANCHOR_END: connections
