//! What keeps an integration from being built.

use std::{fmt, time::Duration};

use super::{Called, IntegrationBuilder};
use crate::{id, operation::Operation};

/// All problems that prevent an [`Integration`](crate::Integration) from being built, each with its fix.
///
/// `Debug` is the same text as `Display`, because a `main` that returns the error prints it with `Debug`.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the integration can't be built:\n- {}", .problems.join("\n- "))]
pub struct BuildError {
    problems: Vec<String>,
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl BuildError {
    pub(super) fn new(problems: Vec<String>) -> Self {
        Self { problems }
    }

    /// The problems, each in one sentence.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl IntegrationBuilder {
    /// All that is wrong with the settings, but for the parts and the headers.
    pub(super) fn problems(&self) -> Vec<String> {
        let limits = &self.limits;
        let (is_named, has_tenants) = match &self.called {
            Called::Merchant { name, .. } => (!name.trim().is_empty(), false),
            Called::Tenants(_) => (true, true),
        };
        let external_prefix = self.external_prefix.as_deref();
        #[cfg(feature = "diagnose")]
        let has_replaced_tokens = !self.replaced_tokens.is_empty();
        #[cfg(not(feature = "diagnose"))]
        let has_replaced_tokens = false;
        let rules = [
            (
                is_named,
                "the name is empty: give the company's name to Integration::builder",
            ),
            (
                !has_tenants || self.further_tokens.is_empty(),
                ".also_accept(..) is not for an integration with tenants: accept a further token of one tenant with \
                 Tenant::also_accept",
            ),
            (
                !has_tenants || !has_replaced_tokens,
                ".replaced_token(..) is not for an integration with tenants: another tenant's refusals are none of its token",
            ),
            (
                is_prefix(&self.prefix),
                "the prefix is not a plain path: write it like /churnkey or /api/churnkey, with a leading slash, \
                 without a trailing one, and only with letters, digits, `-`, `_`, `.` and `~` between slashes",
            ),
            (
                external_prefix.is_none_or(is_prefix),
                "the external prefix is not a plain path: write it like /api, with a slash in front and none at the end",
            ),
            (
                is_prefix(&self.manifest_path),
                "the manifest's path is not a plain path: write it like /features, with a slash in front and none at the end",
            ),
            (
                !is_in_use(&self.manifest_path),
                "the manifest's path begins like the path of an operation: choose one like /features",
            ),
            (
                (30..=900).contains(&self.tolerance.as_secs()),
                "the tolerance is out of bounds: choose 30 to 900 seconds",
            ),
            (
                !limits.deadline.is_zero() && limits.deadline <= Duration::from_secs(3600),
                "the deadline is out of bounds: choose more than zero, and at most an hour",
            ),
            (
                limits.action_deadline >= limits.deadline
                    && limits.action_deadline <= Duration::from_secs(3600),
                "the action deadline is out of bounds: choose at least the deadline, and at most an hour",
            ),
            (
                limits.max_in_flight != Some(0),
                "max_in_flight is 0, so that every request would be refused: choose at least 1",
            ),
            (
                limits.default_page >= 1 && limits.default_page <= limits.max_page,
                "the page limits are out of bounds: choose a default of at least 1, and at most the maximum",
            ),
            (
                (1..=id::MAX_BYTES).contains(&limits.id_bytes),
                "max_id_bytes is out of bounds: choose 1 to 1024",
            ),
            (
                limits.cursor_bytes >= 64,
                "max_cursor_bytes is too small to hold any cursor: choose at least 64",
            ),
        ];
        let broken = rules.iter().filter(|(kept, _)| !kept);
        broken.map(|(_, problem)| (*problem).to_owned()).collect()
    }
}

fn is_prefix(prefix: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    prefix.strip_prefix('/').is_some_and(|path| {
        path.split('/')
            .all(|part| !part.is_empty() && part.chars().all(plain))
    })
}

/// Whether a path begins like that of an operation, such as `/customers`.
fn is_in_use(manifest_path: &str) -> bool {
    let first = |path| str::split(path, '/').nth(1);
    let mut others = Operation::all().filter(|operation| *operation != Operation::Features);
    others.any(|operation| first(operation.path()) == first(manifest_path))
}
