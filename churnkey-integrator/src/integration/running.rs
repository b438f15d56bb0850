//! Waiting for actions whose callers have disconnected.

use std::fmt;

use tokio_util::task::TaskTracker;

/// The running actions of an integration.
///
/// An action runs to its end even if its caller disconnects, so it may still be running when the server has stopped. Wait
/// for it before the program exits:
///
/// ```no_run
/// # use axum::Router;
/// # use churnkey_integrator::Integration;
/// # async fn serve(churnkey: Integration, stopped: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
/// let running = churnkey.running_actions();
/// let app = Router::new().merge(churnkey.into_router());
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
/// axum::serve(listener, app).with_graceful_shutdown(stopped).await?;
/// running.ended().await;
/// # Ok(())
/// # }
/// ```
///
/// This takes as long as the longest action: at most the [action deadline](crate::IntegrationBuilder::action_deadline), and
/// the time to record the result.
#[derive(Clone)]
pub struct RunningActions(TaskTracker);

impl RunningActions {
    pub(super) fn new(running: TaskTracker) -> Self {
        Self(running)
    }

    /// The number of running actions.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Waits until no action is running.
    pub async fn ended(&self) {
        self.0.close();
        self.0.wait().await;
    }
}

impl fmt::Debug for RunningActions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningActions")
            .field("count", &self.count())
            .finish()
    }
}
