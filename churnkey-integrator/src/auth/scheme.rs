//! What an authentication scheme gets of a request, and what it returns.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{
    error::AuthenticationError,
    headers::HeaderNames,
    tokens::{AcceptedTokens, Authenticated},
};
use crate::time::Timestamp;

/// A form of credential by which a caller proves to have the integration token (contract, section 2.2).
///
/// Two are built in: the signature, and the plain token. If Churnkey's calls have another one, register it with
/// [`authentication_scheme`](crate::IntegrationBuilder::authentication_scheme). [The guide](crate::guide::signing) has one
/// for a hexadecimal HMAC of the body.
///
/// A scheme can't let in a request without a token: only [`AcceptedTokens`] creates what [`verify`](Self::verify) returns.
/// But what the scheme does not cover is not protected, such as a path that is not signed.
///
/// The library does not know what a registered scheme covers. So a request that it authenticated is recognized as a retry by
/// its `Idempotency-Key` only ([`crate::idempotency`]).
pub trait AuthenticationScheme: Send + Sync + 'static {
    /// Whether the request has a credential of this scheme. If it has, this scheme alone decides.
    ///
    /// This is called before the [tenant](crate::TenantResolver) is looked up and before the body is read. Reject here what
    /// can be rejected by the headers alone, such as a timestamp that is too old.
    ///
    /// # Errors
    /// Why the request is rejected. The caller gets a 401; the reason is logged.
    fn applies_to(&self, request: &RequestHead<'_>) -> Result<bool, AuthenticationError>;

    /// Whether [`verify`](Self::verify) needs the body. If not, it gets an empty one, and a request that it rejects costs no
    /// reading of the body.
    fn needs_body(&self) -> bool {
        true
    }

    /// Checks the credential.
    ///
    /// # Errors
    /// Why the request is rejected. The caller gets a 401; the reason is logged.
    fn verify<'t>(
        &self,
        request: &RequestHead<'_>,
        body: &[u8],
        tokens: AcceptedTokens<'t>,
    ) -> Result<Authenticated<'t>, AuthenticationError>;
}

/// A request that is not authenticated yet, without its body.
pub struct RequestHead<'a> {
    method: &'a Method,
    path: &'a str,
    headers: &'a HeaderMap,
    now: Timestamp,
    mode: Option<&'a HeaderValue>,
    signature: Option<SentSignature<'a>>,
}

/// The headers of a signature as they were sent.
#[derive(Clone, Copy)]
pub(crate) struct SentSignature<'a> {
    pub(crate) signatures: &'a HeaderValue,
    pub(crate) timestamp: Option<&'a HeaderValue>,
}

impl<'a> RequestHead<'a> {
    /// Reads the headers of these names once, as several steps need them.
    pub(crate) fn new(
        method: &'a Method,
        path: &'a str,
        headers: &'a HeaderMap,
        names: &HeaderNames,
        now: Timestamp,
    ) -> Result<Self, AuthenticationError> {
        let signature = match only(headers, &names.signature)? {
            Some(signatures) => Some(SentSignature {
                signatures,
                timestamp: only(headers, &names.timestamp)?,
            }),
            None => None,
        };
        Ok(Self {
            method,
            path,
            headers,
            now,
            // It says which data a request is about, whatever the scheme.
            mode: only(headers, &names.mode)?,
            signature,
        })
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The path with its query, as the caller sent them.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The value of a header, if it is there.
    ///
    /// # Errors
    /// [`AuthenticationError::Repeated`] if the header is there more than once.
    pub fn header(
        &self,
        name: &HeaderName,
    ) -> Result<Option<&'a HeaderValue>, AuthenticationError> {
        only(self.headers, name)
    }

    /// The server's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn mode(&self) -> Option<&'a HeaderValue> {
        self.mode
    }

    pub(crate) fn signature(&self) -> Option<SentSignature<'a>> {
        self.signature
    }
}

fn only<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, AuthenticationError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(AuthenticationError::Repeated),
        (value, None) => Ok(value),
    }
}

/// Shows the method only: the rest may hold a token or an address.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", self.method)
            .finish_non_exhaustive()
    }
}
