//! A metrics service's customers (Reportei Connect's API) on SQLite, served to Churnkey as well. The file to read, and to copy, is
//! [`churnkey`]; what it maps is in [`record`] and [`store`].
//!
//! `R1` to `R14` in comments mark decisions where Reportei's documents say nothing or contradict each other. The README lists them.
#![forbid(unsafe_code)]

use axum::Router;
use churnkey_integrator::Integration;

pub mod api;
pub mod churnkey;
pub mod contacts;
pub mod record;
pub mod store;

use store::Store;

/// The whole app: Churnkey's routes, and the merchants' own API for every other path.
///
/// `public_url` is its public address, without a slash at the end.
pub fn app(store: Store, public_url: &str, churnkey: Integration) -> Router {
    Router::new()
        .merge(churnkey.into_router())
        .fallback_service(api::routes(store, public_url))
}
