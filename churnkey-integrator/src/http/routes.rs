//! The one place where an operation becomes a route and a line of the manifest, both at once.

use std::{future::Future, sync::Arc};

use axum::{
    Router,
    response::Response,
    routing::{MethodRouter, any},
};

use super::{Guarded, Shared, authenticate::Proven, extract::Call, response};
use crate::{error::Result, features::Features, operation::Operation};

/// What is mounted so far, and the manifest that says so.
#[derive(Clone)]
pub(crate) struct Routes {
    mounted: Vec<(Operation, MethodRouter<Arc<Shared>>)>,
    features: Features,
}

impl Routes {
    pub(crate) fn new(name: String) -> Self {
        Self {
            mounted: Vec::new(),
            features: Features::new(name),
        }
    }

    /// Serves an operation by a controller's method.
    pub(super) fn serve<C, H, F>(&mut self, operation: Operation, controller: &Arc<C>, handler: H)
    where
        C: ?Sized + Send + Sync + 'static,
        H: Fn(Arc<C>, Call) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response>> + Send + 'static,
    {
        let controller = Arc::clone(controller);
        self.mount(operation, move |shared, proven| async move {
            let answer = match Call::new(operation, shared, proven).await {
                Ok(call) => handler(controller, call).await,
                Err(error) => Err(error),
            };
            answer.unwrap_or_else(response::from_error)
        });
    }

    /// Takes every method to the handler's door and turns the wrong ones away there, behind authentication. axum's own
    /// method routing would add `Allow` outside of it, and so tell anybody which paths there are.
    pub(super) fn mount<H, F>(&mut self, operation: Operation, handler: H)
    where
        H: FnOnce(Arc<Shared>, Proven) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        let route = move |shared, proven: Proven| async move {
            if operation.answers(&proven.request.method) {
                handler(shared, proven).await
            } else {
                response::method_not_allowed(operation)
            }
        };
        self.features.advertise(operation);
        let guarded = Guarded {
            operation: operation.name(),
            route,
        };
        self.mounted.push((operation, any(guarded)));
    }

    /// The manifest, for what a controller or an action declares of itself.
    pub(crate) fn features_mut(&mut self) -> &mut Features {
        &mut self.features
    }

    pub(crate) fn features(&self) -> &Features {
        &self.features
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation> {
        self.mounted.iter().map(|(operation, _)| *operation)
    }

    pub(super) fn into_mounted(self) -> Vec<(Operation, MethodRouter<Arc<Shared>>)> {
        self.mounted
    }
}

/// The only call of `Router::route` in the crate.
#[expect(
    clippy::disallowed_methods,
    reason = "the wrapper that the rule points to"
)]
pub(super) fn mount(
    router: Router<Arc<Shared>>,
    path: &str,
    route: MethodRouter<Arc<Shared>>,
) -> Router<Arc<Shared>> {
    router.route(path, route)
}
