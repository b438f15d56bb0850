//! Lumyri's own HTTP API: customers and labels.

mod answer;
mod body;
mod caller;
mod customers;
mod labels;
mod parameters;

use std::sync::Arc;

use axum::{Router, routing::get};
use example_app::{Clock, Generator};

use self::answer::Refusal;
use crate::{store::Store, token::TokenKey};

/// What the API works with.
#[derive(Debug, Clone)]
pub struct Api(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Store,
    tokens: TokenKey,
    clock: Clock,
    ids: Generator,
}

impl Api {
    /// The API over a store.
    #[must_use]
    pub fn new(store: Store, tokens: TokenKey, clock: Clock, ids: Generator) -> Self {
        Self(Arc::new(Parts {
            store,
            tokens,
            clock,
            ids,
        }))
    }

    /// `/users/customers` and `/labels`, and the answer to every other path.
    pub fn into_router(self) -> Router {
        let customers = get(customers::list)
            .post(customers::create)
            .delete(customers::delete);
        let labels = get(labels::list)
            .post(labels::create)
            .delete(labels::delete);
        Router::new()
            .route("/", get(|| async { "Lumyri's customers.\n" }))
            .route("/users/customers", customers)
            .route(
                "/users/customers/{id}",
                get(customers::retrieve).put(customers::update),
            )
            .route("/labels", labels)
            .fallback(|| async { Refusal::no_such_path() })
            .method_not_allowed_fallback(|| async { Refusal::wrong_method() })
            .with_state(self)
    }
}
