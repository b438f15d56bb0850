//! HTTP, and the only files that know axum.
//!
//! A request passes, outermost first: [`observe`] (request id, span, one log line), panic to 500, [`authenticate`]
//! (body cap, signature or token, mode, deadline), then the route, or the 404 or 405 of the prefix. The layers lie
//! around every route, so that without a credential nobody can tell a path that is there from one that is not.

mod authenticate;
mod customers;
mod extract;
mod observe;
mod response;
mod routes;

pub(crate) use routes::Routes;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    http::StatusCode,
    middleware::from_fn_with_state,
    response::Response,
    routing::{MethodRouter, any},
};
use tower_http::catch_panic::CatchPanicLayer;

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
}

/// What lies around one route.
#[derive(Clone)]
struct Guard {
    shared: Arc<Shared>,
    operation: &'static str,
}

/// Mounts the routes under the prefix, and a 404 of our shape everywhere else under it.
pub(crate) fn router<S>(routes: Routes, shared: &Arc<Shared>, prefix: &str) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let mut router = Router::new();
    for (operation, route) in routes.into_mounted() {
        let path = format!("{prefix}{}", operation.path());
        router = routes::mount(router, &path, guarded(route, shared, operation.name()));
    }
    for rest in ["", "/", "/{*rest}"] {
        let route = guarded(any(response::not_found), shared, "none");
        router = routes::mount(router, &format!("{prefix}{rest}"), route);
    }
    router.with_state(Arc::clone(shared))
}

fn guarded(
    route: MethodRouter<Arc<Shared>>,
    shared: &Arc<Shared>,
    operation: &'static str,
) -> MethodRouter<Arc<Shared>> {
    let guard = Guard {
        shared: Arc::clone(shared),
        operation,
    };
    let authenticated = from_fn_with_state(guard.clone(), authenticate::authenticate);
    let observed = from_fn_with_state(guard, observe::observe);
    route
        .layer::<_, Infallible>(authenticated)
        .layer::<_, Infallible>(CatchPanicLayer::custom(panicked))
        .layer(observed)
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

pub(crate) use customers::mount as mount_customers;
#[cfg(feature = "testing")]
pub(crate) use observe::Cause;
pub(crate) use observe::RequestIds;
