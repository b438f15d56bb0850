//! [`Part`]: a resource or an action as one value, defined in the file that serves it. [`Parts`] checks and mounts them all.

use std::{any::Any, sync::Arc};

use serde_json::Value;

use super::routes::Routes;
use crate::{idempotency::IdempotencyStore, operation::Operation};

/// What is known about a part before it is registered.
pub(crate) struct About {
    /// The builder's method that registers it.
    pub(crate) method: &'static str,
    /// Its first operation, which gives it its place in the table and in the manifest.
    pub(crate) first: Operation,
    /// The parts that it requires (contract, section 1.3), by their builder methods.
    pub(crate) needs: &'static [&'static str],
    pub(crate) without: &'static [Without],
}

/// What is not possible without an operation, as [`Readiness`](crate::Readiness) says it.
pub(crate) enum Without {
    /// Churnkey can't publish the integration.
    Publication(Operation, &'static str),
    /// Churnkey can't make some offer to the merchant's customers.
    Offer(Operation, &'static str),
}

/// A resource or an action, as it was registered.
pub(crate) trait Part: Any + Send + Sync {
    fn about(&self) -> &'static About;

    /// Conflicts with the other parts, each with its fix. Missing [needs](About::needs) are found by [`Parts::problems`].
    fn problems(&self, _: &Parts) -> Vec<String> {
        Vec::new()
    }

    /// What the manifest says about it besides its operations.
    fn declares(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// Mounts its routes. `None`, with nothing mounted, if a part that it needs is missing.
    fn mount(self: Arc<Self>, parts: &Parts, routes: &mut Routes) -> Option<()>;
}

/// The parts of an integration, in the order of the operation table.
pub(crate) struct Parts {
    parts: Vec<Arc<dyn Part>>,
    twice: Vec<&'static str>,
    pub(super) idempotency: Arc<dyn IdempotencyStore>,
}

impl Parts {
    /// Keeps the first of several parts that were registered by the same builder method.
    pub(crate) fn of(
        mut registered: Vec<Arc<dyn Part>>,
        idempotency: Arc<dyn IdempotencyStore>,
    ) -> Self {
        registered.sort_by_key(|part| part.about().first);
        let mut twice = Vec::new();
        registered.dedup_by(|part, first| {
            let method = part.about().method;
            let is_there = method == first.about().method;
            if is_there && twice.last() != Some(&method) {
                twice.push(method);
            }
            is_there
        });
        Self {
            parts: registered,
            twice,
            idempotency,
        }
    }

    pub(crate) fn has(&self, method: &str) -> bool {
        self.parts.iter().any(|part| part.about().method == method)
    }

    /// The part of this type, for another part that looks up records in it.
    pub(super) fn get<P: Part>(&self) -> Option<Arc<P>> {
        self.parts.iter().find_map(|part| {
            let part: Arc<dyn Any + Send + Sync> = Arc::<dyn Part>::clone(part);
            part.downcast().ok()
        })
    }

    /// Everything that prevents the build, each problem with its fix.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.has("customers") {
            problems.push(
                "no customers controller is registered: add .customers(..), which every integration needs"
                    .to_owned(),
            );
        }
        for method in &self.twice {
            problems.push(format!(
                ".{method}(..) was called more than once: keep one of the calls"
            ));
        }
        for part in &self.parts {
            let About { method, needs, .. } = part.about();
            for missing in needs.iter().filter(|needed| !self.has(needed)) {
                problems.push(format!(".{method}(..) needs .{missing}(..): add it"));
            }
        }
        problems.extend(self.parts.iter().flat_map(|part| part.problems(self)));
        problems
    }

    /// Mounts every part and declares it in the manifest. [`problems`](Self::problems) has checked that no need is missing.
    pub(crate) fn mount(&self, routes: &mut Routes) {
        for part in &self.parts {
            let mounted = Arc::clone(part).mount(self, routes);
            debug_assert!(mounted.is_some(), ".{}(..)", part.about().method);
            routes.declare(part.about().first, part.declares());
        }
    }
}
