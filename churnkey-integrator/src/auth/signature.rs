//! The signature over timestamp, method, path, mode and body: checking it, and making it.

use std::time::Duration;

use hmac::Mac;
use http::{HeaderName, HeaderValue, Method};
use subtle::{Choice, ConstantTimeEq};

use super::{
    error::AuthenticationError,
    headers::{MODE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER},
    scheme::{AuthenticationScheme, RequestHead},
    tokens::{AcceptedTokens, Authenticated, keyed},
};
use crate::{context::Mode, secret::IntegrationToken, time::Timestamp};

pub(crate) const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);
/// A rotation needs two. Each costs a comparison with every accepted token.
const MAX_SIGNATURES: usize = 8;

#[derive(Debug, Clone)]
pub(super) struct SignedRequest {
    pub(super) tolerance: Duration,
}

impl AuthenticationScheme for SignedRequest {
    fn applies_to(&self, request: &RequestHead<'_>) -> Result<bool, AuthenticationError> {
        let Some(sent) = request.signature() else {
            return Ok(false);
        };
        let signatures = sent.signatures.as_bytes();
        if signatures.contains(&b',') && signatures.split(is_comma).count() > MAX_SIGNATURES {
            return Err(AuthenticationError::TooManySignatures);
        }
        let seconds = sent
            .timestamp
            .and_then(|sent| unix_seconds(sent.as_bytes()));
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
        let sent = request.signature().ok_or(AuthenticationError::Missing)?;
        let timestamp = sent
            .timestamp
            .ok_or(AuthenticationError::InvalidTimestamp)?;
        let mode = request.mode();
        let mode = mode.map_or(b"live".as_slice(), HeaderValue::as_bytes);
        let (timestamp, method) = (timestamp.as_bytes(), request.method());
        let text = text(timestamp, method, request.path(), mode, body);
        verify_any(sent.signatures.as_bytes(), &text, tokens)
    }
}

/// Checks that one of the signatures in a header is that of the text.
pub(super) fn verify_any<'t>(
    header: &[u8],
    text: &[&[u8]],
    tokens: AcceptedTokens<'t>,
) -> Result<Authenticated<'t>, AuthenticationError> {
    // As a rule there is one. Then no comma needs to be looked for.
    let only = v1(header);
    let several = if only.is_some() { b"" } else { header };
    let signatures = only
        .into_iter()
        .chain(several.split(is_comma).filter_map(v1));
    let is_signature = |mac: &[u8; 32]| {
        let mut expected = [0; 64];
        if hex::encode_to_slice(mac, &mut expected).is_err() {
            return Choice::from(0);
        }
        let equal = signatures.clone().map(|sent| equal(&expected, sent));
        equal.fold(Choice::from(0), |any, equal| any | equal)
    };
    match tokens.verify_with(text, is_signature) {
        Err(_) if !signatures.clone().any(is_hexadecimal) => Err(AuthenticationError::Malformed),
        verdict => verdict,
    }
}

/// Whether one of the signatures in a header is that of these parts. It proves nothing about a request: they may differ from
/// what was sent.
#[cfg(feature = "diagnose")]
pub(crate) fn is_signature_of(
    header: &[u8],
    timestamp: &str,
    method: &Method,
    path: &str,
    mode: &str,
    body: &[u8],
    tokens: AcceptedTokens<'_>,
) -> bool {
    let (timestamp, mode) = (timestamp.as_bytes(), mode.as_bytes());
    let text = text(timestamp, method, path, mode, body);
    verify_any(header, &text, tokens).is_ok()
}

/// The six signed parts, joined by line feeds. None of the first five can hold a line feed.
fn text<'a>(
    timestamp: &'a [u8],
    method: &'a Method,
    path: &'a str,
    mode: &'a [u8],
    body: &'a [u8],
) -> [&'a [u8]; 10] {
    let (method, path) = (method.as_str().as_bytes(), path.as_bytes());
    let feed = b"\n".as_slice();
    [
        b"v1\n", timestamp, feed, method, feed, path, feed, mode, feed, body,
    ]
}

fn is_comma(byte: &u8) -> bool {
    *byte == b','
}

/// What follows the `v1=` of an element. `None` for another version or length.
fn v1(element: &[u8]) -> Option<&[u8; 64]> {
    element.trim_ascii().strip_prefix(b"v1=")?.try_into().ok()
}

/// Compares in constant time, sixteen bytes at once: that takes as long as one does.
fn equal(expected: &[u8; 64], sent: &[u8; 64]) -> Choice {
    let (expected, _) = expected.as_chunks::<16>();
    let (sent, _) = sent.as_chunks::<16>();
    let words = expected.iter().zip(sent);
    let equal = words.map(|(a, b)| u128::from_ne_bytes(*a).ct_eq(&u128::from_ne_bytes(*b)));
    equal.fold(Choice::from(1), |all, equal| all & equal)
}

/// In lower case, as every signature is: in upper case, one signature could be written in two ways.
fn is_hexadecimal(digits: &[u8; 64]) -> bool {
    let mut digits = digits.iter();
    digits.all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
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
    sign_by_key(token.expose(), timestamp, method, path, mode, body)
}

/// Signs with a key that need not be a token, such as one that ends in a line feed.
pub(crate) fn sign_by_key(
    key: &[u8],
    timestamp: String,
    method: &Method,
    path: &str,
    mode: &str,
    body: &[u8],
) -> Signature {
    let mut mac = keyed(key);
    for part in text(timestamp.as_bytes(), method, path, mode.as_bytes(), body) {
        mac.update(part);
    }
    let mac = mac.finalize().into_bytes();
    Signature {
        timestamp,
        signature: format!("v1={}", hex::encode(mac)),
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
