//! Waiting for actions that run on after their callers have gone.

use std::fmt;

use tokio_util::task::TaskTracker;

/// The actions of an integration that run at the moment.
///
/// An action runs to its end although its caller hangs up, so it may outlive the server that took its request. Wait for
/// it before the program exits, after the server has stopped:
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
/// It takes as long as the longest of them, at most the
/// [action deadline](crate::IntegrationBuilder::action_deadline) and the time to note its end.
#[derive(Clone)]
pub struct RunningActions(TaskTracker);

impl RunningActions {
    pub(super) fn new(running: TaskTracker) -> Self {
        Self(running)
    }

    /// How many run.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns when none runs any more.
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
