//! The framework, and the servers that a merchant could write instead of using it. All of them serve the same customers and
//! do the same checks, so that their speed can be compared. The Node programs are in `node/`.

pub mod alike;
pub mod by_hand;
pub mod client;
pub mod customers;
pub mod database;
mod ours;
pub mod source;
mod table;

use std::{error::Error, sync::Arc};

use axum::{
    Router,
    serve::{ListenerExt, serve},
};
use clap::ValueEnum;
use tokio::net::TcpListener;

use crate::{by_hand::App, source::Source};

type BoxError = Box<dyn Error + Send + Sync>;

/// The servers that are written in Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Server {
    /// The framework: a small merchant over a table in memory, or the Postgres example.
    Ours,
    /// axum by hand, with request id, span, panic to 500 and deadline.
    Production,
    /// axum by hand, with the checks of the contract alone.
    Lean,
    /// hyper without a router, over customers that are JSON already. In memory only.
    Hyper,
}

impl Server {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ours, Self::Production, Self::Lean, Self::Hyper];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Production => "production",
            Self::Lean => "lean",
            Self::Hyper => "hyper",
        }
    }

    /// Whether it logs, and so wants the subscriber of the examples.
    #[must_use]
    pub fn logs(self) -> bool {
        matches!(self, Self::Ours | Self::Production)
    }

    /// Serves the customers of this source until the task is dropped.
    ///
    /// # Errors
    /// If the source can't be used, or the listener fails.
    pub async fn serve(
        self,
        source: &Source,
        token: &str,
        listener: TcpListener,
    ) -> Result<(), BoxError> {
        match self {
            Self::Ours => ours::serve(source, token, listener).await,
            Self::Production => {
                serve_axum(by_hand::production::router, source, token, listener).await
            }
            Self::Lean => serve_axum(by_hand::lean::router, source, token, listener).await,
            Self::Hyper => by_hand::bare::serve(source, token, listener).await,
        }
    }
}

async fn serve_axum(
    router: fn(Arc<App>) -> Router,
    source: &Source,
    token: &str,
    listener: TcpListener,
) -> Result<(), BoxError> {
    let app = App::new(source, token)?;
    let listener = listener.tap_io(|stream| {
        // If it fails, then the connection is gone, and reading says so.
        let _ = stream.set_nodelay(true);
    });
    Ok(serve(listener, router(Arc::new(app))).await?)
}
