//! What an integration is put together of: a resource or an action is one value, defined in the file that serves it.

use std::{any::Any, sync::Arc};

use serde_json::Value;

use super::routes::Routes;
use crate::{idempotency::IdempotencyStore, operation::Operation};

/// What is known of a part before anything is registered.
pub(crate) struct About {
    /// The builder's method that registers it.
    pub(crate) method: &'static str,
    /// Its first operation, which says its place in the table and in the manifest.
    pub(crate) first: Operation,
    /// The parts that have to be there as well (contract, section 1.3), by their builder's methods.
    pub(crate) needs: &'static [&'static str],
    pub(crate) without: &'static [Without],
}

/// What an integration lacks that does not serve this operation, as [`Readiness`](crate::Readiness) says it.
pub(crate) enum Without {
    /// Churnkey can't publish it.
    Publication(Operation, &'static str),
    /// Churnkey can't offer something to the merchant's customers.
    Offer(Operation, &'static str),
}

/// A resource or an action, as it was registered.
pub(crate) trait Part: Any + Send + Sync {
    fn about(&self) -> &'static About;

    /// What does not fit the other parts, each with its fix. Missing [needs](About::needs) are found without it.
    fn problems(&self, _: &Parts) -> Vec<String> {
        Vec::new()
    }

    /// What the manifest says of it besides its operations.
    fn declares(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// Mounts what is served; nothing, and `None`, if a part that it needs is not there.
    fn mount(self: Arc<Self>, parts: &Parts, routes: &mut Routes) -> Option<()>;
}

/// The parts of an integration, in the order of the operation table.
pub(crate) struct Parts {
    parts: Vec<Arc<dyn Part>>,
    twice: Vec<&'static str>,
    pub(super) idempotency: Arc<dyn IdempotencyStore>,
}

impl Parts {
    /// Keeps the first of those that were registered more than once.
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

    /// The part of this type, for another one that looks records up in it.
    pub(super) fn get<P: Part>(&self) -> Option<Arc<P>> {
        self.parts.iter().find_map(|part| {
            let part: Arc<dyn Any + Send + Sync> = Arc::<dyn Part>::clone(part);
            part.downcast().ok()
        })
    }

    /// What keeps the parts from being put together, each problem with its fix.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.has("customers") {
            problems.push(
                "no controller is registered: add .customers(..), which Churnkey needs first of all"
                    .to_owned(),
            );
        }
        for method in &self.twice {
            problems.push(format!(
                ".{method}(..) is there more than once: keep one of them"
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

    /// Mounts every part, and lets the manifest say so. [`problems`](Self::problems) has made sure that each has what it
    /// needs.
    pub(crate) fn mount(&self, routes: &mut Routes) {
        for part in &self.parts {
            let mounted = Arc::clone(part).mount(self, routes);
            debug_assert!(mounted.is_some(), ".{}(..)", part.about().method);
            routes.declare(part.about().first, part.declares());
        }
    }
}
