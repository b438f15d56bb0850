//! Lumyri's own HTTP API.

mod authenticate;
mod body;
mod customers;
mod error;
mod fields;
mod labels;
mod lists;

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    routing::get,
};
use example_app::in_time;
use serde::Serialize;

use crate::{store::Store, token::TokenKey};
use authenticate::Gate;
use error::Error;

/// The API. It answers every path that the rest of the app does not serve. Only the front page needs no token.
pub fn router(store: Store, tokens: TokenKey) -> Router {
    let gate = Gate { store, tokens };
    let routes = Router::new()
        .route(
            "/users/customers",
            get(customers::list)
                .post(customers::create)
                .delete(customers::delete),
        )
        .route(
            "/users/customers/{id}",
            get(customers::retrieve).put(customers::update),
        )
        .route(
            "/labels",
            get(labels::list)
                .post(labels::create)
                .delete(labels::delete),
        )
        .fallback(async || Error::UnknownPath)
        .method_not_allowed_fallback(async || Error::WrongMethod);
    // Around all routes. So a caller without a token learns neither which paths there are, nor which methods: axum adds an `Allow`
    // header to the answers of a route.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn_with_state(gate, authenticate::scope))
        .route("/", get(home).fallback(async || Error::WrongMethod))
        .layer(middleware::from_fn(async |request: Request, next: Next| {
            in_time(next.run(request), Error::TooSlow).await
        }))
}

async fn home() -> &'static str {
    "Lumyri's customers.\n"
}

/// The envelope of most answers (L4).
#[derive(Serialize)]
struct Envelope<T> {
    error: (),
    data: T,
}

impl<T> Envelope<T> {
    fn of(data: T) -> Self {
        Self { error: (), data }
    }
}

/// The answer to a bulk deletion, whatever existed (L17).
#[derive(Serialize)]
struct Deleted {
    message: &'static str,
}

const DELETED: Envelope<Deleted> = Envelope {
    error: (),
    data: Deleted { message: "OK" },
};
