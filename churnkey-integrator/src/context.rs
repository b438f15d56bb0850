//! What a controller knows about the request that it answers.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::{
    attempt::Attempt,
    error::{ContractViolation, HandlerError},
    id::TenantId,
    variant::words,
};

/// Whether a request is about live data or test data (contract, section 2.4).
///
/// Churnkey sends it as `X-Churnkey-Mode`. A request without the header is live. Any other value is answered 400, so that
/// a request that is meant for test data can never touch live data.
///
/// Exhaustive on purpose: a controller chooses its data set by a `match` on the mode. If a mode is ever added, that `match`
/// must not compile, as a catch-all arm could choose live data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Real customers.
    Live,
    /// The merchant's test data.
    Test,
}

words!(Mode, "mode": Live = "live", Test = "test");

/// Identifies a request in logs and in the `X-Request-Id` header of its response.
///
/// The caller's own `X-Request-Id` is kept if it has 1 to 128 characters, all of them ASCII letters, digits or `-_.:`.
/// Otherwise a new id is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The caller's id, if it is safe to log.
    #[must_use]
    pub(crate) fn from_caller(text: &str) -> Option<Self> {
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        ((1..=128).contains(&text.len()) && text.bytes().all(safe)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn from_number(number: u64) -> Self {
        Self(format!("{number:016x}"))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a controller knows about the authenticated request that it answers.
///
/// Only the authentication of this crate creates one, so that a controller is never called without it. For tests,
/// `RequestContext::for_test` of the feature `testing` creates one too.
pub struct RequestContext {
    mode: Mode,
    request_id: RequestId,
    deadline: Instant,
    attempt: Option<Attempt>,
    tenant: Option<TenantId>,
    extensions: http::Extensions,
}

impl RequestContext {
    pub(crate) fn new(
        mode: Mode,
        request_id: RequestId,
        deadline: Instant,
        extensions: http::Extensions,
    ) -> Self {
        Self {
            mode,
            request_id,
            deadline,
            attempt: None,
            tenant: None,
            extensions,
        }
    }

    pub(crate) fn with_attempt(mut self, attempt: Option<Attempt>) -> Self {
        self.attempt = attempt;
        self
    }

    pub(crate) fn of_tenant(mut self, tenant: Option<TenantId>) -> Self {
        self.tenant = tenant;
        self
    }

    /// A context for calling a controller or an action in a unit test, with ten seconds left.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_test(mode: Mode) -> Self {
        Self::new(
            mode,
            RequestId("test".to_owned()),
            Instant::now() + Duration::from_secs(10),
            http::Extensions::new(),
        )
    }

    /// The same context with a value that [`extension`](Self::extension) returns, as if one of the app's layers had put
    /// it into the request.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// The same context for an action that runs under this attempt.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_attempt(self, attempt: Attempt) -> Self {
        self.with_attempt(Some(attempt))
    }

    /// The same context for a tenant, as [`tenant`](Self::tenant) gives it.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_tenant(self, tenant: TenantId) -> Self {
        self.of_tenant(Some(tenant))
    }

    /// Whether the request is about live or test data: choose the data set by it.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The id of the request in logs.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// How long the controller or action may still take. When none is left, its future is dropped: a controller's at the
    /// integration's [deadline](crate::IntegrationBuilder::deadline), an action's at its
    /// [own deadline](crate::IntegrationBuilder::action_deadline).
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The attempt that an action runs as, if its request can be identified ([`crate::idempotency`]). `None` for
    /// controllers.
    ///
    /// An action over a database marks the attempt's record as done in the transaction of its change.
    #[must_use]
    pub fn attempt(&self) -> Option<&Attempt> {
        self.attempt.as_ref()
    }

    /// The tenant with whose token the request was authenticated: select by it in every query.
    ///
    /// ```
    /// # use churnkey_integrator::{CustomerId, RequestContext, Result, TenantId, model::Customer};
    /// # struct Shop;
    /// # impl Shop {
    /// #     async fn find(&self, _: &TenantId, _: &CustomerId) -> Result<Option<Customer>> { Ok(None) }
    /// # }
    /// # impl Shop {
    /// async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
    ///     self.find(cx.tenant()?, id).await // where tenant_id = $1 and id = $2
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// A 500 if the integration has no tenants: it was not built with
    /// [`Integration::for_tenants`](crate::Integration::for_tenants).
    pub fn tenant(&self) -> Result<&TenantId, HandlerError> {
        let tenant = self.tenant.as_ref();
        tenant.ok_or_else(|| ContractViolation::NoTenants.into())
    }

    /// An extension that one of the merchant's own layers has added to the request.
    ///
    /// Don't take a tenant that such a layer reads from the path or the host: the caller was authenticated by the
    /// integration's tokens, whichever tenant the request names. [`Integration::for_tenants`](crate::Integration::for_tenants) and
    /// [`tenant`](Self::tenant) are for that ([the guide](crate::guide::tenants)).
    #[must_use]
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.get()
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext")
            .field("mode", &self.mode)
            .field("request_id", &self.request_id)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn a_callers_request_id_can_not_forge_a_log_line() {
        for good in ["a", "req_1", "2026-01-01T00:00:00.1", &"x".repeat(128)] {
            assert_eq!(RequestId::from_caller(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "a b",
            "a\nb",
            "\u{1b}[31m",
            "é",
            "a\"b",
            &"x".repeat(129),
        ] {
            assert_eq!(RequestId::from_caller(bad), None, "{bad:?}");
        }
        assert_eq!(RequestId::from_number(1).as_str(), "0000000000000001");
    }
}
