//! Checks the signature of a request (contract, section 2.2), and signs one.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, Method};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::{Mode, Refusal};

const TIMESTAMP: &str = "x-churnkey-timestamp";
const SIGNATURE: &str = "x-churnkey-signature";
const MODE: &str = "x-churnkey-mode";
const TOLERANCE_SECONDS: u64 = 300;
const MAX_SIGNATURES: usize = 8;

/// The key of all signatures.
#[derive(Debug, Clone)]
pub struct SigningKey(Hmac<Sha256>);

/// The three headers of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// The value of `X-Churnkey-Timestamp`.
    pub timestamp: String,
    /// The value of `X-Churnkey-Signature`.
    pub signature: String,
    /// The value of `X-Churnkey-Mode`.
    pub mode: String,
}

impl SigningKey {
    /// The key that the integration token is.
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self(keyed(token.as_bytes()))
    }

    /// Signs a GET of this path and query.
    #[must_use]
    pub fn sign(&self, path: &str, mode: &str, unix_seconds: u64) -> Headers {
        let timestamp = unix_seconds.to_string();
        let mac = self.mac(
            timestamp.as_bytes(),
            &Method::GET,
            path,
            mode.as_bytes(),
            b"",
        );
        Headers {
            signature: format!("v1={}", hex::encode(mac)),
            timestamp,
            mode: mode.to_owned(),
        }
    }

    /// The mode of a request, if its signature is right.
    pub(super) fn verify(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Mode, Refusal> {
        let mode = only(headers, MODE)?.unwrap_or(b"live");
        let signatures = only(headers, SIGNATURE)?.ok_or(Refusal::UNAUTHORIZED)?;
        let timestamp = only(headers, TIMESTAMP)?.ok_or(Refusal::UNAUTHORIZED)?;
        let seconds = unix_seconds(timestamp).ok_or(Refusal::UNAUTHORIZED)?;
        if now().abs_diff(seconds) > TOLERANCE_SECONDS {
            return Err(Refusal::UNAUTHORIZED);
        }
        let expected = self.mac(timestamp, method, path, mode, body);
        let mut accepted = Choice::from(0);
        for (n, signature) in signatures.split(|byte| *byte == b',').enumerate() {
            if n == MAX_SIGNATURES {
                return Err(Refusal::UNAUTHORIZED);
            }
            if let Some(signature) = v1(signature) {
                accepted |= expected.ct_eq(&signature);
            }
        }
        if !bool::from(accepted) {
            return Err(Refusal::UNAUTHORIZED);
        }
        match mode {
            b"live" => Ok(Mode::Live),
            b"test" => Ok(Mode::Test),
            _ => Err(Refusal::bad_request("X-Churnkey-Mode must be live or test")),
        }
    }

    fn mac(
        &self,
        timestamp: &[u8],
        method: &Method,
        path: &str,
        mode: &[u8],
        body: &[u8],
    ) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in [
            b"v1",
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
}

/// The seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(super) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a [u8]>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Refusal::UNAUTHORIZED),
        (value, None) => Ok(value.map(HeaderValue::as_bytes)),
    }
}

fn unix_seconds(text: &[u8]) -> Option<u64> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn v1(element: &[u8]) -> Option<[u8; 32]> {
    let digits = element.trim_ascii().strip_prefix(b"v1=")?;
    let mut bytes = [0; 32];
    let is_lower_case = !digits.iter().any(u8::is_ascii_uppercase);
    (is_lower_case && hex::decode_to_slice(digits, &mut bytes).is_ok()).then_some(bytes)
}
