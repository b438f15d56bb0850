//! The router in a server of plain hyper.

// ANCHOR: serve
use std::{io, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::TcpListener;

/// Serves an app until the listener fails.
///
/// # Errors
/// What the listener says.
pub async fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            // A caller who is slow with the headers is disconnected, which axum::serve does not do.
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .serve_connection(TokioIo::new(stream), service);
            // An error is the caller's, such as a connection that was closed.
            let _ = connection.await;
        });
    }
}
// ANCHOR_END: serve
