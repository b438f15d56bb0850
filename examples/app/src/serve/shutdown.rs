//! The end of the program: whoever calls it learns that first, and what runs is waited for.

// ANCHOR: shutdown
use std::{io, time::Duration};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use churnkey_integrator::{Health, RunningActions};
use tokio::{net::TcpListener, signal, time::sleep};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::connections::{Limits, serve};

/// How long running requests may take once no more connections are accepted: a little longer than an integration's
/// deadline. A caller who sends half a request must not keep the program running.
const END: Duration = Duration::from_secs(12);

/// What serves an app until the program is asked to stop.
pub(super) struct Server {
    /// The socket.
    pub(super) listener: TcpListener,
    /// With it, connections are encrypted.
    pub(super) tls: Option<TlsAcceptor>,
    /// The limits of connections.
    pub(super) limits: Limits,
    /// For how long to serve while the program says that it is not ready: longer than a proxy needs to notice.
    pub(super) drain: Duration,
    /// Asked for `GET /ready`.
    pub(super) health: Option<Health>,
    /// Waited for at the end. A request of an action may be over before the action is.
    pub(super) actions: Option<RunningActions>,
}

impl Server {
    /// Serves an app and `GET /ready` until `asked_to_stop` ends. Then `/ready` is a 503, and after the time to
    /// drain, no more connections are accepted, and those that are idle are closed.
    ///
    /// Running requests are waited for, for 12 seconds at most, and then running actions, which have a deadline of
    /// their own.
    pub(super) async fn serve_until(self, asked_to_stop: impl Future<Output = ()>, app: Router) {
        let (leaving, stop) = (CancellationToken::new(), CancellationToken::new());
        let ready = get(ready).with_state((leaving.clone(), self.health));
        let app = app.route("/ready", ready);
        let over_time = async {
            asked_to_stop.await;
            leaving.cancel();
            if !self.drain.is_zero() {
                let seconds = self.drain.as_secs();
                tracing::info!(seconds, "not ready any more, and still serving");
                sleep(self.drain).await;
            }
            tracing::info!("stopping after the running requests");
            stop.cancel();
            sleep(END).await;
        };
        tokio::select! {
            () = serve(self.listener, self.tls, app, self.limits, stop.clone()) => {}
            () = over_time => tracing::warn!("stopping although some requests still run"),
        }
        if let Some(actions) = self.actions.filter(|actions| actions.count() > 0) {
            tracing::info!(actions = actions.count(), "waiting for running actions");
            actions.ended().await;
        }
    }
}

/// Whether a proxy may send calls to this process. What is wrong is in the log, and not for everybody.
async fn ready(
    State((leaving, health)): State<(CancellationToken, Option<Health>)>,
) -> (StatusCode, &'static str) {
    if leaving.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    match health {
        Some(health) if !health.check().await.is_healthy() => {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
        _ => (StatusCode::OK, "ready\n"),
    }
}

/// Ends when SIGINT or SIGTERM comes. The signals are caught from this call on.
#[cfg(unix)]
pub(super) fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    use signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends when Ctrl-C is pressed.
#[cfg(not(unix))]
pub(super) fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = signal::ctrl_c().await;
    })
}
// ANCHOR_END: shutdown
