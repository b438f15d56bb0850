//! A business platform's customers (Lumyri's API) on SQLite, served to Churnkey as well. The file to read, and to copy, is
//! [`churnkey`]; what it maps is in [`record`] and [`store`].
//!
//! `L1` to `L18` in comments mark decisions where Lumyri's documents say nothing or contradict each other. The README lists them.
#![forbid(unsafe_code)]

use axum::Router;
use churnkey_integrator::Integration;

pub mod api;
pub mod churnkey;
mod object;
pub mod record;
pub mod store;
pub mod token;

use store::Store;
use token::TokenKey;

/// The whole app: Churnkey's routes, and the merchant's own API for every other path.
pub fn app(store: Store, tokens: TokenKey, churnkey: Integration) -> Router {
    Router::new()
        .merge(churnkey.into_router())
        .merge(api::router(store, tokens))
}
