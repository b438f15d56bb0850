//! HTTP, and the only files that know axum.
//!
//! A request passes, outermost first: [`mod@observe`] (request id, span, one log line), panic to 500, [`mod@authenticate`]
//! (body cap, signature or token, mode, deadline), then the route, or the 404 or 405 of the prefix. All of that lies
//! around every route, so that without a credential nobody can tell a path that is there from one that is not.

pub(crate) mod actions;
mod authenticate;
mod body;
pub(crate) mod coupons;
pub(crate) mod customers;
mod extract;
pub(crate) mod families;
mod idempotency;
mod observe;
mod part;
mod payload;
pub(crate) mod prices;
pub(crate) mod products;
mod response;
mod routes;
pub(crate) mod subscriptions;
mod webhook;

#[cfg(feature = "testing")]
pub(crate) use observe::Cause;
pub(crate) use observe::RequestIds;
pub(crate) use part::{About, Part, Parts, Without};
pub(crate) use routes::Routes;

use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Router, extract::Request, handler::Handler, http::StatusCode, response::Response, routing::any,
};
use futures_util::future::{FutureExt, TryFutureExt};
use tokio_util::task::TaskTracker;

use self::{
    authenticate::{Proven, authenticate},
    observe::observe,
};
use crate::{
    auth::Verifier, error::Fault, features::Features, operation::Operation, seal::Seal,
    time::Timestamp,
};

/// What every request needs to know of its integration.
pub(crate) struct Shared {
    pub(crate) features: Features,
    pub(crate) verifier: Verifier,
    pub(crate) seal: Seal,
    pub(crate) limits: Limits,
    pub(crate) live_only: bool,
    /// Tells this integration's actions from those of others that share its idempotency store.
    pub(crate) namespace: String,
    pub(crate) running: TaskTracker,
    pub(crate) clock: Clock,
    pub(crate) request_ids: RequestIds,
}

/// Where the time for the signature's tolerance comes from.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How much of anything a caller may ask for.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) body_bytes: usize,
    pub(crate) id_bytes: usize,
    pub(crate) cursor_bytes: usize,
    pub(crate) default_page: u16,
    pub(crate) max_page: u16,
    pub(crate) deadline: Duration,
    pub(crate) action_deadline: Duration,
}

/// Mounts the routes under the prefix, and a 404 of our shape everywhere else under it.
pub(crate) fn router<S>(routes: Routes, shared: &Arc<Shared>, prefix: &str) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let mut router = Router::new();
    for (operation, route) in routes.into_mounted() {
        let path = format!("{prefix}{}", operation.path());
        router = routes::mount(router, &path, route);
    }
    for rest in ["", "/", "/{*rest}"] {
        let route = any(Guarded {
            operation: "none",
            route: response::not_found,
        });
        router = routes::mount(router, &format!("{prefix}{rest}"), route);
    }
    router.with_state(Arc::clone(shared))
}

/// A route with everything that lies around every one.
///
/// Functions that call each other, because each of axum's layers would cost every request several allocations.
#[derive(Clone)]
struct Guarded<R> {
    operation: &'static str,
    route: R,
}

impl<R, F> Handler<(), Arc<Shared>> for Guarded<R>
where
    R: FnOnce(Arc<Shared>, Proven) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, shared: Arc<Shared>) -> Self::Future {
        Box::pin(async move {
            let Self { operation, route } = self;
            let request_ids = &Arc::clone(&shared).request_ids;
            observe(operation, request_ids, request, |request, id, started| {
                let answer = authenticate(shared, request, id, started, route);
                // What a panic leaves half done is the controller's own; nothing of the request is used after it.
                AssertUnwindSafe(answer)
                    .catch_unwind()
                    .unwrap_or_else(panicked)
            })
            .await
        })
    }
}

/// The panic's text stays here: it may hold data, and the panic hook has reported it already.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    response::from_error(Fault::Panic.into())
}

/// Mounts the manifest, which every integration has.
pub(crate) fn mount_features(routes: &mut Routes) {
    routes.mount(Operation::Features, |shared, _| async move {
        response::json(StatusCode::OK, &shared.features)
    });
}
