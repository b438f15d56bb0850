//! A notification service's customers (Notihub's API) on SQLite, served to Churnkey as well. The file to read, and to copy, is
//! [`churnkey`]; what it maps is in [`record`] and [`store`].
//!
//! `N1` to `N23` in comments mark decisions where Notihub's documents say nothing or contradict each other. The README lists them.
#![forbid(unsafe_code)]

use axum::{Router, routing::get};
use churnkey_integrator::Integration;

pub mod api;
pub mod churnkey;
pub mod record;
pub mod store;

use store::Store;

/// The whole app: Churnkey's routes, and the merchant's own API for every other path.
pub fn app(store: Store, churnkey: Integration) -> Router {
    Router::new()
        .route("/", get(|| async { "Notihub's customers.\n" }))
        .merge(churnkey.into_router())
        .fallback_service(api::service(store))
}
