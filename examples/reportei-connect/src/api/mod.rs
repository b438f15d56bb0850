//! Reportei Connect's own HTTP API. Every answer except the greeting is JSON, also errors and unknown paths.

mod authenticate;
mod body;
mod customers;
mod error;
mod fields;
mod integrations;
mod limits;
mod merchants;
mod metrics;
mod paging;
mod sessions;

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::{FromRef, FromRequestParts, RawPathParams},
    http::request::Parts,
    middleware,
    routing::{get, post},
};

use crate::store::Store;
use authenticate::Caller;
use error::Error;
use limits::Limits;

/// The state of the handlers.
#[derive(Clone)]
struct Api {
    store: Store,
    limits: Arc<Limits>,
    public_url: PublicUrl,
}

/// The public address of the API, without a slash at the end.
#[derive(Clone)]
struct PublicUrl(Arc<str>);

impl FromRef<Api> for Store {
    fn from_ref(api: &Api) -> Self {
        api.store.clone()
    }
}

impl FromRef<Api> for PublicUrl {
    fn from_ref(api: &Api) -> Self {
        api.public_url.clone()
    }
}

/// The API. It answers every path that the rest of the app does not serve.
pub fn routes(store: Store, public_url: &str) -> Router {
    let api = Api {
        store,
        limits: Arc::default(),
        public_url: PublicUrl(public_url.into()),
    };
    // In the documents, calls have no `/api`, but the paths in answers have it (R2).
    Router::new()
        .merge(resources())
        .nest("/api", resources())
        .route("/", get(async || "Reportei Connect's customers.\n"))
        // Unknown paths need a token as well.
        .fallback(async |_: Caller| Error::NoSuchPath)
        .method_not_allowed_fallback(async |_: Caller| Error::WrongMethod)
        .layer(middleware::from_fn_with_state(
            api.clone(),
            authenticate::merchant,
        ))
        .with_state(api)
}

fn resources() -> Router<Api> {
    Router::new()
        .route("/customers", get(customers::list).post(customers::create))
        .route("/customers/settings", get(customers::settings))
        .route(
            "/customers/{uuid}",
            get(customers::show)
                .put(customers::update)
                .delete(customers::delete),
        )
        .route(
            "/customers/{uuid}/update-payment-status",
            post(customers::update_payment_status),
        )
        .route("/customer-integrations", get(integrations::list))
        .route("/customer-integrations/session", post(sessions::create))
        .route("/customer-integrations/session/{uuid}", get(sessions::show))
        .route(
            "/customer-integrations/{uuid}",
            get(integrations::show).delete(integrations::delete),
        )
        .route("/metrics/get-data", post(metrics::get_data))
        .route("/metrics/get-data-async", post(metrics::get_data_async))
        .route("/merchants/settings", get(merchants::settings))
}

/// The UUID in a path. A value that can't be an id, such as bytes that are not UTF-8, is read as empty.
struct PathUuid(String);

impl<S: Send + Sync> FromRequestParts<S> for PathUuid {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let uuid = params
            .iter()
            .flatten()
            .find(|(name, _)| *name == "uuid")
            .map_or_else(String::new, |(_, value)| value.to_owned());
        Ok(Self(uuid))
    }
}
