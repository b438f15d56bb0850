//! Errors of controllers and actions.
//!
//! The rule (contract, section 2.6): a caller reads a message only if a constructor was given one, and only with a 4xx. Any
//! other error, above all one that `?` converts, is a fixed message to the caller, and stays in the merchant's log.

use std::{
    borrow::Cow,
    error::Error,
    fmt, iter,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use http::StatusCode;

use crate::{
    id::InvalidId,
    model::{InvalidCountry, InvalidField},
    money::{InvalidAmount, InvalidCurrency, InvalidDecimal, InvalidPercentage},
    operation::Operation,
    pii::InvalidContact,
    time::InvalidTimestamp,
    variant::InvalidVariant,
};

type BoxError = Box<dyn Error + Send + Sync>;

/// The result of a method of a controller or an action.
pub type Result<T, E = HandlerError> = std::result::Result<T, E>;

/// An error of a controller or an action, as an HTTP status and a message.
///
/// `?` converts any error into a 500 with the fixed message `Internal Server Error`. The error itself is logged once, its
/// text at debug level only. Every other status has a constructor. A record that does not exist is not an error: return
/// `Ok(None)`.
///
/// [`IntegrationBuilder::classify_errors`](crate::IntegrationBuilder::classify_errors) says in one place which of your own
/// errors are a 503 or a 409 instead of a 500.
///
/// This crate's own errors about a value, such as [`InvalidField`], name the field and the rule and hold no data. So their
/// texts are logged at error level. They are found as the source of another error too, however deep. An error that shows
/// them as itself hides them: `#[error(transparent)]`, `io::Error::other`, an `anyhow::Error` without a context.
///
/// Like `anyhow::Error`, it does not implement [`std::error::Error`] itself.
///
/// # Example
/// ```
/// use churnkey_integrator::{HandlerError, Result};
///
/// fn port() -> Result<u16> {
///     Ok("not a number".parse()?)
/// }
///
/// let error = port().unwrap_err();
/// assert_eq!(error.status(), 500);
/// assert_eq!(error.message(), "Internal Server Error");
/// ```
pub struct HandlerError(Box<Inner>);

struct Inner {
    status: StatusCode,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
    source: Option<BoxError>,
}

impl HandlerError {
    fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            status,
            message: message.into(),
            retry_after: None,
            source: None,
        }))
    }

    /// A 400: the request is invalid, or the merchant's rules don't allow it. Sending it again won't help. The caller reads
    /// the message: name the field and the rule, and no data.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// A 400: the key of a cursor is not one that the list pages by, for example after a release that changed the key. The
    /// caller has to start again with the first page. [`PageRequest::after`](crate::PageRequest::after) returns it by itself.
    /// Use this for a key that has the right type but an invalid value.
    #[must_use]
    pub fn invalid_cursor() -> Self {
        Self::bad_request("Invalid cursor")
    }

    /// A 404 with a message of your own, for something else that the request refers to, such as a coupon. For the record
    /// that was asked for, return `Ok(None)`.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// A 409: several customers have the e-mail address or phone number that was looked up. None of them may be chosen,
    /// because that could give one person access to another person's subscription. `what` is `"email"` or `"phone"`.
    ///
    /// ```
    /// # use churnkey_integrator::HandlerError;
    /// let error = HandlerError::ambiguous("email");
    /// assert_eq!(error.status(), 409);
    /// assert_eq!(error.message(), "More than one customer has this email");
    /// ```
    #[must_use]
    pub fn ambiguous(what: &'static str) -> Self {
        let message = format!("More than one customer has this {what}");
        Self::new(StatusCode::CONFLICT, message)
    }

    /// A 409: the record's current state does not allow it. The same request may succeed later.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// A 422: the idempotency key was used for another request.
    pub(crate) fn unprocessable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// Adds `Retry-After`, rounded up to whole seconds.
    pub(crate) fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// A 503 with `Retry-After`, rounded up to whole seconds: the store can't be reached at the moment. The message is fixed,
    /// and the source is logged.
    pub fn unavailable(retry_after: Duration, source: impl Into<BoxError>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            .with_retry_after(retry_after)
            .with_source(source)
    }

    /// Adds a source, which is logged with the error and never sent to the caller.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The HTTP status of the response, 4xx or 5xx.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status.as_u16()
    }

    /// The message that the caller reads.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub(crate) fn status_code(&self) -> StatusCode {
        self.0.status
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What the crate's own error about a value says that made this a 500.
    pub(crate) fn invalid_value(&self) -> Option<String> {
        let source = self.0.source.as_deref()?;
        let is_failure = self.0.status == StatusCode::INTERNAL_SERVER_ERROR;
        let invalid = causes(source).find(|error| is_invalid_value(*error));
        invalid.filter(|_| is_failure).map(ToString::to_string)
    }

    pub(crate) fn into_parts(self) -> (Cow<'static, str>, Option<BoxError>) {
        (self.0.message, self.0.source)
    }
}

impl<E: Into<BoxError>> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").with_source(error)
    }
}

/// What an error of yours means to the caller, where it is no 500
/// ([`IntegrationBuilder::classify_errors`](crate::IntegrationBuilder::classify_errors)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The same request may succeed in a moment: no connection, none left in the pool, a lock that was held too long, a
    /// transaction that was rolled back because of another one. A 503 with `Retry-After: 1`, as
    /// [`HandlerError::unavailable`].
    Unavailable,
    /// The current state does not allow it, for example because another change came first and a unique constraint is
    /// violated. A 409 with the fixed message `Conflict`. [`HandlerError::conflict`] has a message of your own.
    Conflict,
}

type Classify = dyn Fn(&(dyn Error + 'static)) -> Option<ErrorClass> + Send + Sync;

/// The merchant's functions that classify errors, in the order of their registration.
#[derive(Default)]
pub(crate) struct Classifiers(Vec<Box<Classify>>);

impl Classifiers {
    pub(crate) fn push(
        &mut self,
        classify: impl Fn(&(dyn Error + 'static)) -> Option<ErrorClass> + Send + Sync + 'static,
    ) {
        self.0.push(Box::new(classify));
    }

    /// The error with its class, if it is one that `?` made. What the merchant has decided stays, and so does what the
    /// framework itself diagnosed.
    pub(crate) fn apply(&self, mut error: HandlerError) -> HandlerError {
        let is_failure = error.0.status == StatusCode::INTERNAL_SERVER_ERROR;
        let is_foreign = |source: &mut BoxError| !source.is::<ContractViolation>();
        let source = error
            .0
            .source
            .take_if(|source| is_failure && is_foreign(source));
        let Some(source) = source else { return error };
        // A panic can leave only the function's own state broken.
        match catch_unwind(AssertUnwindSafe(|| self.class(&*source))) {
            Ok(None) => source.into(),
            Ok(Some(ErrorClass::Unavailable)) => {
                HandlerError::unavailable(Duration::from_secs(1), source)
            }
            Ok(Some(ErrorClass::Conflict)) => {
                HandlerError::conflict("Conflict").with_source(source)
            }
            Err(_) => ContractViolation::ClassifierPanic(source).into(),
        }
    }

    fn class(&self, error: &(dyn Error + 'static)) -> Option<ErrorClass> {
        causes(error).find_map(|cause| self.0.iter().find_map(|classify| classify(cause)))
    }
}

/// The error, and what caused it.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// Whether it is one of the crate's own errors that name a field and a rule, and not the value.
pub(crate) fn is_invalid_value(error: &(dyn Error + 'static)) -> bool {
    error.is::<InvalidField>()
        || error.is::<InvalidContact>()
        || error.is::<InvalidId>()
        || error.is::<InvalidAmount>()
        || error.is::<InvalidDecimal>()
        || error.is::<InvalidPercentage>()
        || error.is::<InvalidTimestamp>()
        || error.is::<InvalidVariant>()
        || error.is::<InvalidCurrency>()
        || error.is::<InvalidCountry>()
}

/// A rule of the contract that a controller or an action violates. The texts are fixed and contain no data, so that they
/// may be logged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContractViolation {
    #[error(
        "retrieve returned a record with another id than the one that was asked for, so nothing was served: compare ids byte by byte"
    )]
    AnotherRecord,
    #[error(
        "the record's id and the requested one differ in letter case; ids are compared byte by byte, so nothing was served"
    )]
    OtherLetterCase,
    #[error(
        "the list holds a subscription of another customer, so nothing was served: select by the customer's id too"
    )]
    AnotherCustomersSubscription,
    #[error(
        "a price is not of the type that price_type() declares, so nothing was served: build all prices with one constructor"
    )]
    OtherPriceType,
    #[error(
        "a product is not of the type that product_type() declares, so nothing was served: build all products with one constructor"
    )]
    OtherProductType,
    #[error(
        "the page holds {held} records though {limit} were asked for: fetch page.fetch_limit() rows and use Page::from_overfetch"
    )]
    PageOverLimit { held: usize, limit: usize },
    #[error(
        "operations() lists {0}, but the controller does not implement it: add the method, or let #[controller] write operations()"
    )]
    NotImplemented(&'static str),
    #[error(
        "the signed cursor has {length} bytes, but at most {max} are allowed: page by a shorter key, or raise max_cursor_bytes"
    )]
    CursorTooLong { length: usize, max: usize },
    #[error("the controller panicked")]
    Panic,
    #[error("a function given to classify_errors panicked")]
    ClassifierPanic(#[source] BoxError),
    #[error(
        "the controller did not answer before the deadline: look at what it waits for, or raise deadline"
    )]
    Deadline,
    #[error("as many requests are running as max_in_flight allows")]
    Capacity,
    #[error(
        "the action did not end before its deadline and was dropped: look at what it waits for, or raise action_deadline"
    )]
    ActionDeadline,
    #[error("the idempotency store did not answer in time: look at what it waits for")]
    StoreDeadline,
    #[error("the store of signed reads did not answer in time: look at what it waits for")]
    ReplayStoreDeadline,
    #[error(
        "the integration has no tenants, but a controller asked for one: build it with Integration::for_tenants"
    )]
    NoTenants,
    #[error("the tenant resolver did not answer before the deadline")]
    ResolverDeadline,
    #[error(
        "the tenant resolver answered with a 4xx, but the caller is not known yet: return Ok(None) for an unknown tenant"
    )]
    ResolverRejected,
}

impl ContractViolation {
    /// Only reached if `operations()` was written by hand and lists too much.
    pub(crate) fn not_implemented(operation: impl Into<Operation>) -> Self {
        Self::NotImplemented(operation.into().name())
    }
}

/// Shows the status and the message, never the source, which may contain anything.
impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerError")
            .field("status", &self.status())
            .field("message", &self.0.message)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_error_is_a_500_that_shows_nothing_of_it() {
        let error = HandlerError::from("password authentication failed for user \"shop\"");
        assert_eq!(error.status(), 500);
        assert_eq!(
            format!("{error:?}"),
            "HandlerError { status: 500, message: \"Internal Server Error\", .. }"
        );
    }

    #[derive(Debug, thiserror::Error)]
    #[error("customer 7 of ada@example.com can't be read")]
    struct Wrapped(#[source] BoxError);

    #[test]
    fn an_error_of_our_own_about_a_value_is_found_however_deep_it_lies() {
        let invalid = InvalidField::new("status", "must be one of ours");
        let in_two = Wrapped(Wrapped(invalid.clone().into()).into());
        for error in [HandlerError::from(invalid.clone()), in_two.into()] {
            let text = error.invalid_value();
            assert_eq!(text.as_deref(), Some("`status` must be one of ours"));
        }
        let foreign = HandlerError::from(Wrapped("hunter2".into()));
        assert_eq!(foreign.invalid_value(), None);
        let chosen = HandlerError::bad_request("no").with_source(invalid);
        assert_eq!(
            chosen.invalid_value(),
            None,
            "somebody has decided on a 400"
        );
    }

    #[test]
    fn an_error_is_small_enough_to_be_returned_by_value() {
        assert_eq!(size_of::<HandlerError>(), size_of::<usize>());
    }
}
