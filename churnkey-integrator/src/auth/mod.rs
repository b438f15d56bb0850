//! Authentication of requests by the integration token (contract, section 2.2).
//!
//! Pure functions: they take the request and the time, and return a credential or an error.
//!
//! # What is known
//! Churnkey documents one shared secret, the Integration Token, and a 401 where it is missing or wrong. Its public pages
//! don't say which header carries the token, or whether requests are signed. Everything below is this project's decision
//! (`docs/contract-decisions.md`). If Churnkey sends the token in another header, use [`Verifier::token_header`]. If it
//! signs in another form, change this file: the constants, the signed text in `mac`, and its syntax in `v1`.
//!
//! # The rules
//! 1. A request with an `X-Churnkey-Signature` header is authenticated by its signature alone. It needs exactly one
//!    such header, and exactly one `X-Churnkey-Timestamp` of decimal Unix seconds within the tolerance (300 seconds either
//!    way unless set). The signature header has at most eight elements, separated by commas. One of them must be `v1=` and
//!    the 64 lower-case hexadecimal digits of the HMAC-SHA256 over version, timestamp, method, path with query, mode and
//!    body.
//! 2. Any other request needs the token itself in its only `Authorization` header, alone or as `Bearer <token>`, or alone
//!    in the header named by [`Verifier::token_header`]. [`Verifier::require_signature`] turns this off.
//! 3. Each of these headers may be there once. A repeated header is an error, even if one of its values is right.
//!
//! All comparisons take constant time. Behind a proxy or a router that rewrites the path, the path that counts is the one
//! that the caller sent.

use std::{fmt, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};
use secrecy::zeroize::Zeroizing;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::{context::Mode, secret::IntegrationToken, time::Timestamp};

/// The header with the Unix seconds at which a request was signed.
pub const TIMESTAMP_HEADER: HeaderName = HeaderName::from_static("x-churnkey-timestamp");
/// The header with one or more signatures, as `v1=<64 hex digits>`, separated by commas.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("x-churnkey-signature");
/// The header with the mode, `live` or `test`.
pub const MODE_HEADER: HeaderName = HeaderName::from_static("x-churnkey-mode");

const VERSION: &str = "v1";
pub(crate) const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);
/// A rotation needs two. Each costs a comparison with every accepted token.
const MAX_SIGNATURES: usize = 8;

/// The credential by which a request was authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credential {
    /// A signature over the request.
    Signature,
    /// The token itself.
    BearerToken,
}

/// Why a request was not authenticated.
///
/// It is for the merchant's log. The caller is not told: every error is the same 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticationError {
    /// There is neither a signature nor a token.
    #[error(
        "no credential: if the token is in another header than Authorization, name it with token_header"
    )]
    Missing,
    /// A header of the credential is there more than once.
    #[error("a repeated header: send the token, signature, timestamp and mode once each")]
    Repeated,
    /// There is a signature, but no valid timestamp.
    #[error("no valid timestamp: send X-Churnkey-Timestamp in decimal Unix seconds")]
    InvalidTimestamp,
    /// The timestamp is too far from the server's clock: the request is a replay, or a clock is wrong.
    #[error("a timestamp outside of the tolerance: compare the clocks of caller and server")]
    OutsideTolerance,
    /// The signature header has no well-formed `v1=` element.
    #[error("no well-formed signature: send X-Churnkey-Signature as v1=<64 lower-case hex digits>")]
    Malformed,
    /// The signature header has more than eight elements.
    #[error("too many signatures: send at most eight in one header")]
    TooManySignatures,
    /// No signature is that of this request under an accepted token.
    #[error(
        "a wrong signature: compare the token, and the method, path, query, mode and body with what was signed"
    )]
    WrongSignature,
    /// The token is not one of the accepted tokens.
    #[error("a wrong token: compare it with the Integration Token in Churnkey's dashboard")]
    WrongToken,
    /// There is a token, but a signature is required.
    #[error("a token without a signature: sign the request, or don't require signatures")]
    SignatureRequired,
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
    tolerance: Duration,
    require_signature: bool,
    token_header: Option<HeaderName>,
}

/// An accepted token, ready for use: the HMAC keyed once, and a digest to compare plain tokens with.
#[derive(Clone)]
pub(crate) struct Key {
    mac: Hmac<Sha256>,
    digest: Zeroizing<[u8; 32]>,
}

impl From<IntegrationToken> for Key {
    fn from(token: IntegrationToken) -> Self {
        Self {
            mac: keyed(token.expose()),
            digest: Zeroizing::new(Sha256::digest(token.expose()).into()),
        }
    }
}

/// HMAC-SHA256 under a key of any length.
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[expect(
        clippy::expect_used,
        reason = "HMAC hashes keys that are longer than a block"
    )]
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

impl Verifier {
    /// Accepts this token, with a tolerance of 300 seconds.
    #[must_use]
    pub fn new(token: IntegrationToken) -> Self {
        Self {
            keys: vec![Key::from(token)],
            tolerance: DEFAULT_TOLERANCE,
            require_signature: false,
            token_header: None,
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
        self.require_signature = true;
        self
    }

    /// Accepts the plain token in this header, as well as in `Authorization`.
    #[must_use]
    pub fn token_header(mut self, name: HeaderName) -> Self {
        self.token_header = Some(name);
        self
    }

    /// How far the timestamp of a signature may be from the clock, either way, in whole seconds; 300 seconds unless set.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
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
        self.read(&parts.headers, now)?
            .check(&parts.method, path, body)
    }

    /// The first half, which needs no body: are the headers well-formed, and is the timestamp within the tolerance?
    pub(crate) fn read<'a>(
        &'a self,
        headers: &'a HeaderMap,
        now: Timestamp,
    ) -> Result<Claim<'a>, AuthenticationError> {
        let mode = at_most_one(headers, &MODE_HEADER)?.map_or(b"live".as_slice(), |v| v.as_bytes());
        let Some(signatures) = at_most_one(headers, &SIGNATURE_HEADER)? else {
            self.check_token(headers)?;
            return Ok(Claim::Token);
        };
        let signatures = signatures.as_bytes();
        if elements(signatures).nth(MAX_SIGNATURES).is_some() {
            return Err(AuthenticationError::TooManySignatures);
        }
        let timestamp = at_most_one(headers, &TIMESTAMP_HEADER)?
            .ok_or(AuthenticationError::InvalidTimestamp)?;
        let timestamp = timestamp.as_bytes();
        let seconds = unix_seconds(timestamp).ok_or(AuthenticationError::InvalidTimestamp)?;
        if now.unix_seconds().abs_diff(seconds) > self.tolerance.as_secs() {
            return Err(AuthenticationError::OutsideTolerance);
        }
        Ok(Claim::Signature {
            keys: &self.keys,
            mode,
            timestamp,
            signatures,
        })
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), AuthenticationError> {
        let authorization = at_most_one(headers, &header::AUTHORIZATION)?;
        let named = match &self.token_header {
            Some(name) => at_most_one(headers, name)?,
            None => None,
        };
        let authorization = authorization.map(|value| without_scheme(value.as_bytes()));
        let mut tokens = authorization
            .into_iter()
            .chain(named.map(HeaderValue::as_bytes))
            .peekable();
        if tokens.peek().is_none() {
            return Err(AuthenticationError::Missing);
        }
        if self.require_signature {
            return Err(AuthenticationError::SignatureRequired);
        }
        // All digests have one length, so that the comparison does not reveal the token's.
        let accepted = tokens.fold(Choice::from(0), |accepted, token| {
            let digest: [u8; 32] = Sha256::digest(token).into();
            let equal = |key: &Key| key.digest.ct_eq(&digest);
            self.keys.iter().map(equal).fold(accepted, |a, b| a | b)
        });
        if bool::from(accepted) {
            Ok(())
        } else {
            Err(AuthenticationError::WrongToken)
        }
    }
}

/// Shows the settings and how many tokens are accepted, never a token.
impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("accepted_tokens", &self.keys.len())
            .field("tolerance", &self.tolerance)
            .field("require_signature", &self.require_signature)
            .field("token_header", &self.token_header)
            .finish()
    }
}

/// A request whose headers are well-formed. The rest of the check needs the body.
pub(crate) enum Claim<'a> {
    /// The token was right.
    Token,
    /// There is a signature, within the tolerance.
    Signature {
        keys: &'a [Key],
        mode: &'a [u8],
        timestamp: &'a [u8],
        signatures: &'a [u8],
    },
}

impl Claim<'_> {
    /// The second half: is one of the signatures that of this request?
    pub(crate) fn check(
        self,
        method: &Method,
        path: &str,
        body: &[u8],
    ) -> Result<Credential, AuthenticationError> {
        let Self::Signature {
            keys,
            mode,
            timestamp,
            signatures,
        } = self
        else {
            return Ok(Credential::BearerToken);
        };
        let mut readable = false;
        let mut accepted = Choice::from(0);
        for key in keys {
            let expected = mac(&key.mac, timestamp, method, path, mode, body);
            for candidate in elements(signatures) {
                if let Some(candidate) = v1(candidate) {
                    readable = true;
                    accepted |= expected.ct_eq(&candidate);
                }
            }
        }
        match (bool::from(accepted), readable) {
            (true, _) => Ok(Credential::Signature),
            (false, true) => Err(AuthenticationError::WrongSignature),
            (false, false) => Err(AuthenticationError::Malformed),
        }
    }
}

/// The six signed parts, joined by line feeds. None of the first five can hold a line feed.
fn mac(
    key: &Hmac<Sha256>,
    timestamp: &[u8],
    method: &Method,
    path: &str,
    mode: &[u8],
    body: &[u8],
) -> [u8; 32] {
    let mut mac = key.clone();
    for part in [
        VERSION.as_bytes(),
        timestamp,
        method.as_str().as_bytes(),
        path.as_bytes(),
        mode,
    ] {
        mac.update(part);
        mac.update(b"\n");
    }
    mac.update(body);
    mac.finalize().into_bytes().into()
}

fn elements(signatures: &[u8]) -> impl Iterator<Item = &[u8]> {
    signatures.split(|byte| *byte == b',')
}

/// The bytes of a `v1=` element. `None` for another version, length or alphabet.
fn v1(element: &[u8]) -> Option<[u8; 32]> {
    let digits = element.trim_ascii().strip_prefix(b"v1=")?;
    if digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

/// Decimal digits only: with a sign or a blank, one time could be written in two ways.
fn unix_seconds(text: &[u8]) -> Option<i64> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `Bearer <token>`, with the scheme in any letter case (RFC 9110, section 11.1), or the token alone.
fn without_scheme(value: &[u8]) -> &[u8] {
    match value.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"Bearer ") => {
            token.trim_ascii_start()
        }
        _ => value,
    }
}

fn at_most_one<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, AuthenticationError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(AuthenticationError::Repeated),
        (value, None) => Ok(value),
    }
}

/// Signs a request in the form that [`Verifier`] accepts (contract, section 2.2), for tests and for calling an integration
/// by hand. The form is this project's own: Churnkey does not document how it signs.
///
/// `path` is the path with its query, exactly as it will be sent; `body` is empty for a GET.
#[must_use]
pub fn sign(
    token: &IntegrationToken,
    method: &Method,
    path: &str,
    mode: Mode,
    body: &[u8],
    at: Timestamp,
) -> Signature {
    sign_for_mode(token, method, path, mode.as_str(), body, at)
}

/// Signs for a mode that may not exist, for tests.
pub(crate) fn sign_for_mode(
    token: &IntegrationToken,
    method: &Method,
    path: &str,
    mode: &str,
    body: &[u8],
    at: Timestamp,
) -> Signature {
    let timestamp = at.unix_seconds().to_string();
    let key = keyed(token.expose());
    let mac = mac(
        &key,
        timestamp.as_bytes(),
        method,
        path,
        mode.as_bytes(),
        body,
    );
    Signature {
        timestamp,
        signature: format!("{VERSION}={}", hex::encode(mac)),
        mode: mode.to_owned(),
    }
}

/// The headers of a signed request, as [`sign`] makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    timestamp: String,
    signature: String,
    mode: String,
}

impl Signature {
    /// The value of `X-Churnkey-Timestamp`.
    #[must_use]
    pub fn timestamp(&self) -> &str {
        &self.timestamp
    }

    /// The value of `X-Churnkey-Signature`.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// All three headers: timestamp, signature and mode.
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
        let ascii = |text: &str| HeaderValue::from_str(text).ok();
        [
            (TIMESTAMP_HEADER, ascii(&self.timestamp)),
            (SIGNATURE_HEADER, ascii(&self.signature)),
            (MODE_HEADER, ascii(&self.mode)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

#[cfg(test)]
mod tests;
