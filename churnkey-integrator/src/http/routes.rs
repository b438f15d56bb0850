//! The one place where an operation becomes a route and a line of the manifest, both at once.

use std::{future::Future, sync::Arc};

use axum::{
    Router,
    response::Response,
    routing::{MethodRouter, any},
};
use serde_json::Value;

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

    /// What a controller or an action declares of itself in the manifest.
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

    pub(super) fn into_mounted(self) -> Vec<(Operation, MethodRouter<Arc<Shared>>)> {
        self.mounted
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
    /// Serves an operation by a controller's method, if it is required or listed.
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
