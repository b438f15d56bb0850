//! The signature over timestamp, method, path, mode and body: checking it, and making it.

use std::time::Duration;

use hmac::Mac;
use http::{HeaderName, HeaderValue, Method};

use super::{
    error::AuthenticationError,
    scheme::{AuthenticationScheme, RequestHead},
    tokens::{AcceptedTokens, Authenticated, keyed},
};
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

/// The names of the headers around a signature.
#[derive(Debug, Clone)]
pub(crate) struct HeaderNames {
    pub(crate) signature: HeaderName,
    pub(crate) timestamp: HeaderName,
    pub(crate) mode: HeaderName,
}

impl Default for HeaderNames {
    fn default() -> Self {
        Self {
            signature: SIGNATURE_HEADER,
            timestamp: TIMESTAMP_HEADER,
            mode: MODE_HEADER,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct SignedRequest {
    pub(super) headers: HeaderNames,
    pub(super) tolerance: Duration,
}

impl SignedRequest {
    fn timestamp<'a>(&self, request: &RequestHead<'a>) -> Result<&'a [u8], AuthenticationError> {
        let timestamp = request.header(&self.headers.timestamp)?;
        let timestamp = timestamp.ok_or(AuthenticationError::InvalidTimestamp)?;
        Ok(timestamp.as_bytes())
    }
}

impl AuthenticationScheme for SignedRequest {
    fn applies_to(&self, request: &RequestHead<'_>) -> Result<bool, AuthenticationError> {
        let Some(signatures) = request.header(&self.headers.signature)? else {
            return Ok(false);
        };
        if elements(signatures).nth(MAX_SIGNATURES).is_some() {
            return Err(AuthenticationError::TooManySignatures);
        }
        let seconds = unix_seconds(self.timestamp(request)?);
        let seconds = seconds.ok_or(AuthenticationError::InvalidTimestamp)?;
        if request.now().unix_seconds().abs_diff(seconds) > self.tolerance.as_secs() {
            return Err(AuthenticationError::OutsideTolerance);
        }
        Ok(true)
    }

    fn verify<'t>(
        &self,
        request: &RequestHead<'_>,
        body: &[u8],
        tokens: AcceptedTokens<'t>,
    ) -> Result<Authenticated<'t>, AuthenticationError> {
        let signatures = request.header(&self.headers.signature)?;
        let signatures = signatures.ok_or(AuthenticationError::Missing)?;
        let mode = request.header(&self.headers.mode)?;
        let mode = mode.map_or(b"live".as_slice(), HeaderValue::as_bytes);
        let method = request.method();
        let text = text(self.timestamp(request)?, method, request.path(), mode, body);
        let readable = elements(signatures).filter_map(v1);
        match tokens.verify_any_hmac_sha256(&text, &readable) {
            Err(_) if readable.clone().next().is_none() => Err(AuthenticationError::Malformed),
            verdict => verdict,
        }
    }
}

/// The six signed parts, joined by line feeds. None of the first five can hold a line feed.
fn text<'a>(
    timestamp: &'a [u8],
    method: &'a Method,
    path: &'a str,
    mode: &'a [u8],
    body: &'a [u8],
) -> [&'a [u8]; 11] {
    let (version, method) = (VERSION.as_bytes(), method.as_str().as_bytes());
    let (path, feed) = (path.as_bytes(), b"\n".as_slice());
    [
        version, feed, timestamp, feed, method, feed, path, feed, mode, feed, body,
    ]
}

fn elements(signatures: &HeaderValue) -> impl Iterator<Item = &[u8]> + Clone {
    signatures.as_bytes().split(|byte| *byte == b',')
}

/// The bytes of a `v1=` element. `None` for another version, length or alphabet.
pub(super) fn v1(element: &[u8]) -> Option<[u8; 32]> {
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

/// Signs a request in the form that [`Verifier`](crate::Verifier) accepts (contract, section 2.2), for tests and for
/// calling an integration by hand. The form is this project's own: Churnkey does not document how it signs.
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
    let mut mac = keyed(token.expose());
    for part in text(timestamp.as_bytes(), method, path, mode.as_bytes(), body) {
        mac.update(part);
    }
    let mac = mac.finalize().into_bytes();
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
