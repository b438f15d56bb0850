//! Mounts operations: each gets its route and its line in the manifest in one call. The only place that does either.

use std::{future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc};

use axum::{
    Router,
    extract::Request,
    handler::Handler,
    http::StatusCode,
    response::Response,
    routing::{MethodRouter, any},
};
use futures_util::future::{FutureExt, TryFutureExt};
use serde_json::Value;

use super::{
    Shared, authenticated_request::AuthenticatedRequest, deadline::run_within_deadline,
    extract::Call, observe::observe, response, span::Found,
};
use crate::{
    error::{ContractViolation, Result},
    features::Features,
    operation::Operation,
};

/// The mounted routes, and the manifest that lists them.
#[derive(Clone)]
pub(crate) struct Routes {
    mounted: Vec<(Operation, MethodRouter<Arc<Shared>>)>,
    features: Features,
    manifest_path: String,
}

impl Routes {
    /// Starts with the route of the manifest, which every integration has.
    pub(crate) fn new(manifest_path: String) -> Self {
        let mut routes = Self {
            mounted: Vec::new(),
            features: Features::new(),
            manifest_path,
        };
        routes.mount(Operation::Features, |shared, authenticated| async move {
            match shared.manifest.of(authenticated.merchant().name()) {
                Ok(manifest) => response::json(StatusCode::OK, &manifest),
                Err(error) => response::from_error(error.into()),
            }
        });
        routes
    }

    /// The path behind the prefix.
    pub(crate) fn path(&self, operation: Operation) -> &str {
        match operation {
            Operation::Features => &self.manifest_path,
            operation => operation.path(),
        }
    }

    /// The routes of a part that lists these operations.
    pub(super) fn of<'a, C, O>(
        &'a mut self,
        controller: &'a Arc<C>,
        listed: &'static [O],
    ) -> RoutesOf<'a, C, O> {
        RoutesOf {
            routes: self,
            controller,
            listed,
        }
    }

    fn serve<C, H, F>(&mut self, operation: Operation, controller: &Arc<C>, handler: H)
    where
        C: Send + Sync + 'static,
        H: Fn(Arc<C>, Call) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response>> + Send + 'static,
    {
        let controller = Arc::clone(controller);
        self.mount(operation, move |shared, authenticated| async move {
            let call = Call::new(operation, Arc::clone(&shared), authenticated);
            let answer = match call.await {
                Ok(call) => handler(controller, call).await,
                Err(error) => Err(error),
            };
            answer.unwrap_or_else(|error| response::from_error(shared.classifiers.apply(error)))
        });
    }

    /// Mounts the route for every method, so that a wrong method is answered after authentication. axum's own method routing
    /// would answer it before, with an `Allow` header, and so tell anybody which paths exist.
    fn mount<H, F>(&mut self, operation: Operation, handler: H)
    where
        H: FnOnce(Arc<Shared>, AuthenticatedRequest) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        let route = move |shared, authenticated: AuthenticatedRequest| async move {
            if operation.answers(authenticated.method()) {
                handler(shared, authenticated).await
            } else {
                response::method_not_allowed(operation)
            }
        };
        self.features.advertise(operation);
        let guarded = Guarded {
            operation: Some(operation),
            own_parameters: operation.path().matches('{').count(),
            route,
        };
        self.mounted.push((operation, any(guarded)));
    }

    /// Adds what a controller or an action declares to the manifest.
    pub(super) fn declare(&mut self, first: Operation, declared: Vec<(&'static str, Value)>) {
        for (key, value) in declared {
            self.features.declare(first, key, value);
        }
    }

    pub(crate) fn features(&self) -> &Features {
        &self.features
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation> {
        self.mounted.iter().map(|(operation, _)| *operation)
    }
}

pub(super) struct RoutesOf<'a, C, O: 'static> {
    routes: &'a mut Routes,
    controller: &'a Arc<C>,
    listed: &'static [O],
}

impl<C, O> RoutesOf<'_, C, O>
where
    C: Send + Sync + 'static,
    O: Copy + PartialEq + Into<Operation>,
{
    /// Serves an operation by this handler, if it is required or listed.
    pub(super) fn serve<H, F>(self, operation: O, handler: H) -> Self
    where
        H: Fn(Arc<C>, Call) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response>> + Send + 'static,
    {
        let is_listed = self.listed.contains(&operation);
        let operation = operation.into();
        if operation.is_required() || is_listed {
            self.routes.serve(operation, self.controller, handler);
        }
        self
    }
}

/// Mounts the routes under the prefix, and a 404 in the contract's shape everywhere else under it.
pub(crate) fn router<S>(routes: &Routes, shared: &Arc<Shared>, prefix: &str) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let mut router = Router::new();
    for (operation, route) in &routes.mounted {
        let path = format!("{prefix}{}", routes.path(*operation));
        router = mount(router, &path, route.clone());
    }
    for rest in ["", "/", "/{*rest}"] {
        let route = any(Guarded {
            operation: None,
            own_parameters: rest.matches('{').count(),
            route: |_, _| async { response::error(StatusCode::NOT_FOUND) },
        });
        router = mount(router, &format!("{prefix}{rest}"), route);
    }
    router.with_state(Arc::clone(shared))
}

/// A route, with the steps that every request passes before it.
///
/// The steps are functions that call each other, because each axum layer would cost every request several allocations.
#[derive(Clone)]
struct Guarded<R> {
    /// None on the routes of paths that are not served.
    operation: Option<Operation>,
    /// How many parameters of the path are not the app's.
    own_parameters: usize,
    route: R,
}

impl<R, F> Handler<(), Arc<Shared>> for Guarded<R>
where
    R: FnOnce(Arc<Shared>, AuthenticatedRequest) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, shared: Arc<Shared>) -> Self::Future {
        Box::pin(async move {
            let Self {
                operation,
                own_parameters,
                route,
            } = self;
            let request_ids = &Arc::clone(&shared).request_ids;
            let found = &Found::default();
            observe(
                operation,
                request_ids,
                found,
                request,
                |request, id, started| {
                    let answer = run_within_deadline(
                        shared,
                        request,
                        id,
                        started,
                        own_parameters,
                        found,
                        route,
                    );
                    // Boxed, because each of the futures around it would be as large again, and is moved several times.
                    let answer = Box::pin(answer);
                    // A panic can leave only the controller's own state broken: nothing of the request is used after it.
                    AssertUnwindSafe(answer)
                        .catch_unwind()
                        .unwrap_or_else(panicked)
                },
            )
            .await
        })
    }
}

/// The panic's text is dropped: it may contain data, and the panic hook has already reported it.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    response::from_error(ContractViolation::Panic.into())
}

/// The only call of `Router::route` in the crate.
#[expect(
    clippy::disallowed_methods,
    reason = "the wrapper that the rule points to"
)]
fn mount(
    router: Router<Arc<Shared>>,
    path: &str,
    route: MethodRouter<Arc<Shared>>,
) -> Router<Arc<Shared>> {
    router.route(path, route)
}
