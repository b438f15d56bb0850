//! Authentication of requests by the integration token (contract, section 2.2).
//!
//! Pure functions: they take the request and the time, and return a credential or an error.
//!
//! # What is known
//! Churnkey documents one shared secret, the Integration Token, and a 401 where it is missing or wrong. Its public pages
//! don't say which header carries the token, or whether requests are signed. Everything below is this project's decision
//! (`docs/contract-decisions.md`). If Churnkey sends the token in another header, use [`Verifier::token_header`]. If it
//! signs in another form, register an [`AuthenticationScheme`].
//!
//! # The rules
//! 1. A request with an `X-Churnkey-Signature` header is authenticated by its signature alone. It needs exactly one
//!    such header, and exactly one `X-Churnkey-Timestamp` of decimal Unix seconds within the tolerance (300 seconds either
//!    way unless set). The signature header has at most eight elements, separated by commas. One of them must be `v1=` and
//!    the 64 lower-case hexadecimal digits of the HMAC-SHA256 over version, timestamp, method, path with query, mode and
//!    body.
//! 2. Any other request to which a registered [`AuthenticationScheme`] applies is authenticated by the first such scheme
//!    alone.
//! 3. Any other request needs the token itself in its only `Authorization` header, alone or as `Bearer <token>`, or alone
//!    in the header named by [`Verifier::token_header`]. [`Verifier::require_signature`] turns this off.
//! 4. Each of these headers may be there once. A repeated header is an error, even if one of its values is right.
//!
//! All comparisons take constant time. Behind a proxy or a router that rewrites the path, the path that counts is the one
//! that the caller sent.

mod error;
mod headers;
mod plain_token;
mod scheme;
mod signature;
mod tokens;

pub use error::AuthenticationError;
pub(crate) use headers::HeaderNames;
pub use headers::{MODE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
pub use scheme::{AuthenticationScheme, RequestHead};
pub(crate) use signature::DEFAULT_TOLERANCE;
#[cfg(feature = "testing")]
pub(crate) use signature::sign_for_mode;
pub use signature::{Signature, sign};
#[cfg(feature = "diagnose")]
pub(crate) use signature::{is_signature_of, sign_by_key};
pub use tokens::{AcceptedTokens, Authenticated};
pub(crate) use tokens::{Key, keyed};

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderName, request::Parts};

use self::{plain_token::PlainToken, signature::SignedRequest};
use crate::{secret::IntegrationToken, time::Timestamp};

/// The credential by which a request was authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credential {
    /// A signature over the request.
    Signature,
    /// The token itself.
    BearerToken,
    /// The credential of an [`AuthenticationScheme`] that was registered.
    Custom,
}

/// Authenticates requests by the accepted tokens.
///
/// A signed request has Unix seconds in `X-Churnkey-Timestamp` and `v1=<64 hex digits>` in `X-Churnkey-Signature`. Any
/// other request has the token in `Authorization`, or in the header named by [`token_header`](Self::token_header).
/// Churnkey documents the token alone: headers and signature are this project's decisions.
///
/// The router uses one. Use your own to protect a route of your own by the same rules:
///
/// ```
/// use axum::http::{Method, Request};
/// use churnkey_integrator::{
///     AuthenticationError, Credential, IntegrationToken, Mode, Timestamp, Verifier, sign,
/// };
///
/// let token = IntegrationToken::new("a-token-for-this-example")?;
/// let verifier = Verifier::new(token.clone());
/// let now = Timestamp::from_unix_seconds(1_767_225_600)?;
///
/// let signature = sign(&token, &Method::POST, "/hook?a=1", Mode::Live, b"{}", now);
/// let (mut parts, _) = Request::post("/hook?a=1").body(())?.into_parts();
/// parts.headers.extend(signature.headers());
///
/// assert_eq!(verifier.verify(&parts, b"{}", now), Ok(Credential::Signature));
/// assert_eq!(verifier.verify(&parts, b"[]", now), Err(AuthenticationError::WrongSignature));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verifier {
    keys: Vec<Key>,
    schemes: Schemes,
}

impl Verifier {
    /// Accepts this token, with a tolerance of 300 seconds.
    #[must_use]
    pub fn new(token: IntegrationToken) -> Self {
        Self {
            keys: vec![Key::from(token)],
            schemes: Schemes::default(),
        }
    }

    /// Accepts a further token, for as long as a rotation lasts.
    #[must_use]
    pub fn also_accept(mut self, token: IntegrationToken) -> Self {
        self.keys.push(Key::from(token));
        self
    }

    /// Accepts signed requests only, and no plain token.
    ///
    /// **This may lock Churnkey out.** The signature is this project's own design, because Churnkey's public documentation
    /// has none. Confirm with Churnkey that it signs in this form before you turn this on.
    #[must_use]
    pub fn require_signature(mut self) -> Self {
        self.schemes.require_signature();
        self
    }

    /// Accepts the plain token in this header, as well as in `Authorization`.
    #[must_use]
    pub fn token_header(mut self, name: HeaderName) -> Self {
        self.schemes.set_token_header(name);
        self
    }

    /// How far the timestamp of a signature may be from the clock, either way, in whole seconds; 300 seconds unless set.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.schemes.set_tolerance(tolerance);
        self
    }

    /// Accepts a further form of credential, besides the signature and the plain token.
    #[must_use]
    pub fn authentication_scheme(mut self, scheme: impl AuthenticationScheme) -> Self {
        self.schemes.add(Arc::new(scheme));
        self
    }

    /// Authenticates a request. `parts.uri` must be what the caller sent: in a nested axum router, put the
    /// `OriginalUri` there first.
    ///
    /// # Errors
    /// [`AuthenticationError`]. Log it, and answer 401 without it.
    pub fn verify(
        &self,
        parts: &Parts,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Credential, AuthenticationError> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let names = self.schemes.headers();
        let head = RequestHead::new(&parts.method, path, &parts.headers, names, now)?;
        let (credential, scheme) = self.schemes.of(&head)?;
        let body = if scheme.needs_body() { body } else { b"" };
        scheme
            .verify(&head, body, AcceptedTokens::new(&self.keys))
            .map(|_| credential)
    }
}

/// Shows the settings and how many tokens are accepted, never a token.
impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("accepted_tokens", &self.keys.len())
            .field("schemes", &self.schemes)
            .finish()
    }
}

/// The schemes by which requests are authenticated, in the order in which they are asked.
#[derive(Clone)]
pub(crate) struct Schemes {
    headers: HeaderNames,
    signature: SignedRequest,
    custom: Vec<Arc<dyn AuthenticationScheme>>,
    token: PlainToken,
}

impl Default for Schemes {
    fn default() -> Self {
        Self {
            headers: HeaderNames::default(),
            signature: SignedRequest {
                tolerance: DEFAULT_TOLERANCE,
            },
            custom: Vec::new(),
            token: PlainToken {
                header: None,
                is_rejected: false,
            },
        }
    }
}

impl Schemes {
    pub(crate) fn require_signature(&mut self) {
        self.token.is_rejected = true;
    }

    pub(crate) fn set_token_header(&mut self, header: HeaderName) {
        self.token.header = Some(header);
    }

    pub(crate) fn set_tolerance(&mut self, tolerance: Duration) {
        self.signature.tolerance = tolerance;
    }

    pub(crate) fn tolerance(&self) -> Duration {
        self.signature.tolerance
    }

    pub(crate) fn set_headers(&mut self, names: HeaderNames) {
        self.headers = names;
    }

    pub(crate) fn add(&mut self, scheme: Arc<dyn AuthenticationScheme>) {
        self.custom.push(scheme);
    }

    pub(crate) fn headers(&self) -> &HeaderNames {
        &self.headers
    }

    #[cfg(feature = "openapi")]
    pub(crate) fn takes_plain_tokens(&self) -> bool {
        !self.token.is_rejected
    }

    /// The header that may hold the plain token besides `Authorization`.
    #[cfg(feature = "openapi")]
    pub(crate) fn token_header(&self) -> Option<&HeaderName> {
        self.token.header.as_ref()
    }

    /// The plain tokens that a request has.
    #[cfg(feature = "diagnose")]
    pub(crate) fn plain_tokens<'a>(&self, request: &RequestHead<'a>) -> Vec<&'a [u8]> {
        let sent = self.token.sent(request);
        sent.map(Iterator::collect).unwrap_or_default()
    }

    /// The scheme that decides: the first one whose credential the request has.
    pub(crate) fn of(
        &self,
        request: &RequestHead<'_>,
    ) -> Result<(Credential, &dyn AuthenticationScheme), AuthenticationError> {
        if self.signature.applies_to(request)? {
            return Ok((Credential::Signature, &self.signature));
        }
        for scheme in &self.custom {
            if scheme.applies_to(request)? {
                return Ok((Credential::Custom, &**scheme));
            }
        }
        if self.token.applies_to(request)? {
            return Ok((Credential::BearerToken, &self.token));
        }
        Err(AuthenticationError::Missing)
    }
}

impl fmt::Debug for Schemes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self.headers();
        f.debug_struct("Schemes")
            .field("signature_header", &headers.signature)
            .field("timestamp_header", &headers.timestamp)
            .field("mode_header", &headers.mode)
            .field("tolerance", &self.signature.tolerance)
            .field("require_signature", &self.token.is_rejected)
            .field("token_header", &self.token.header)
            .field("custom", &self.custom.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
