//! From inside: why a request was refused, by what would have made it right.

use std::sync::atomic::{AtomicI64, Ordering};

use http::HeaderValue;
use secrecy::zeroize::Zeroizing;

use super::{
    cause::{Cause, Side},
    variants::{
        Guesses, MAX_BODY_BYTES, MAX_VARIANTS, SignedParts, Variant, WHITE_SPACE, variants,
    },
};
use crate::{
    auth::{AcceptedTokens, AuthenticationError, Key, RequestHead, Schemes, is_signature_of},
    secret::IntegrationToken,
    time::Timestamp,
};

/// The time between two explanations.
const PAUSE_MILLIS: u64 = 1000;
/// How many bytes of bodies are hashed for each token.
const MAX_HASHED_BYTES: usize = MAX_VARIANTS * MAX_BODY_BYTES;

/// What an integration needs to explain its refusals. None of these tokens authenticates anybody.
pub(crate) struct Refusals {
    guesses: Guesses,
    replaced: Vec<Key>,
    /// The accepted tokens with each kind of white space.
    with_white_space: Vec<Vec<Key>>,
    last: AtomicI64,
}

/// A refused request.
pub(crate) struct Refused<'a> {
    pub(crate) error: AuthenticationError,
    pub(crate) head: &'a RequestHead<'a>,
    pub(crate) schemes: &'a Schemes,
    pub(crate) body: &'a [u8],
    /// The tokens that would have been accepted.
    pub(crate) tokens: AcceptedTokens<'a>,
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) cause: Cause,
    /// A second cause, without which the first alone would not have made the request right.
    pub(crate) also: Option<Cause>,
    pub(crate) detail: String,
}

impl Finding {
    fn of(cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            cause,
            also: None,
            detail: detail.into(),
        }
    }
}

impl Refusals {
    /// `accepted` are the tokens that are tried with white space around them.
    pub(crate) fn new(
        guesses: Guesses,
        accepted: &[&IntegrationToken],
        replaced: Vec<IntegrationToken>,
    ) -> Self {
        let spaced = |(before, behind, _): &(&str, &str, &str)| {
            let key = |token: &&IntegrationToken| {
                let text = [before.as_bytes(), token.expose(), behind.as_bytes()].concat();
                Key::of(&Zeroizing::new(text))
            };
            accepted.iter().map(key).collect()
        };
        Self {
            guesses,
            replaced: replaced.into_iter().map(Key::from).collect(),
            with_white_space: WHITE_SPACE.iter().map(spaced).collect(),
            last: AtomicI64::new(i64::MIN),
        }
    }

    /// Whether this refusal is to be explained: once a second at most, and only if there may be something to say.
    pub(crate) fn is_due(&self, error: AuthenticationError, now: Timestamp) -> bool {
        let is_explained = matches!(
            error,
            AuthenticationError::Missing
                | AuthenticationError::InvalidTimestamp
                | AuthenticationError::OutsideTolerance
                | AuthenticationError::WrongSignature
                | AuthenticationError::WrongToken
                | AuthenticationError::SignatureRequired
        );
        let now = now.unix_millis();
        let last = self.last.load(Ordering::Relaxed);
        // The difference both ways, so that a clock that was set back does not stop it.
        is_explained
            && now.abs_diff(last) >= PAUSE_MILLIS
            && self
                .last
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Why a request was refused. `None` if the error says all there is to say.
    pub(crate) fn explain(&self, refused: &Refused<'_>) -> Option<Finding> {
        let head = refused.head;
        let has_timestamp = || {
            let timestamp = head.header(&refused.schemes.headers().timestamp);
            matches!(timestamp, Ok(Some(_)))
        };
        let without_signature = "there is a timestamp of a signature, but no signature";
        match refused.error {
            AuthenticationError::Missing | AuthenticationError::SignatureRequired
                if has_timestamp() =>
            {
                let cause = Cause::SignatureHeaderDropped;
                Some(Finding::of(cause, without_signature))
            }
            AuthenticationError::Missing => Some(Finding::of(
                Cause::AuthorizationDropped,
                "neither a token nor a signature arrived",
            )),
            AuthenticationError::SignatureRequired => Some(Finding::of(
                Cause::SignatureRequired,
                "a plain token arrived, and plain tokens are turned off",
            )),
            AuthenticationError::InvalidTimestamp => {
                let is_missing = head.signature()?.timestamp.is_none();
                is_missing.then(|| {
                    Finding::of(
                        Cause::TimestampHeaderDropped,
                        "there is a signature, but no timestamp",
                    )
                })
            }
            AuthenticationError::OutsideTolerance => clock_offset(head),
            AuthenticationError::WrongToken => self.of_plain_token(refused),
            AuthenticationError::WrongSignature => self.of_signature(refused),
            _ => None,
        }
    }

    fn of_plain_token(&self, refused: &Refused<'_>) -> Option<Finding> {
        let sent = refused.schemes.plain_tokens(refused.head);
        if sent.is_empty() {
            // Another scheme's credential.
            return None;
        }
        let any_is = |tokens: AcceptedTokens<'_>, change: fn(&[u8]) -> &[u8]| {
            let mut sent = sent.iter();
            sent.any(|token| tokens.verify_token(change(token)).is_ok())
        };
        if any_is(AcceptedTokens::new(&self.replaced), |token| token) {
            let detail = "right with a token that was replaced: the caller still uses the old one";
            return Some(Finding::of(Cause::ReplacedToken, detail));
        }
        if any_is(refused.tokens, trimmed) {
            let detail = "right without the white space around it";
            return Some(Finding::of(Cause::TokenWhitespace, detail));
        }
        let detail = "the token is neither an accepted one nor one that was replaced";
        Some(Finding::of(Cause::WrongToken, detail))
    }

    fn of_signature(&self, refused: &Refused<'_>) -> Option<Finding> {
        let sent = refused.head.signature()?;
        let timestamp = sent.timestamp?.to_str().ok()?;
        let (method, path) = (refused.head.method(), refused.head.path());
        let mut arrived = SignedParts::new(method, path, timestamp, refused.body);
        if let Some(mode) = refused.head.mode() {
            arrived = arrived.with_mode(mode.to_str().ok()?);
        }
        let is_right = |parts: &SignedParts<'_>, tokens| {
            is_signature_of(
                sent.signatures.as_bytes(),
                parts.timestamp(),
                parts.method(),
                parts.path(),
                parts.mode(),
                parts.body(),
                tokens,
            )
        };
        let replaced = AcceptedTokens::new(&self.replaced);
        if is_right(&arrived, replaced) {
            let detail = "right with a token that was replaced: the caller still uses the old one";
            return Some(Finding::of(Cause::ReplacedToken, detail));
        }
        let mut variants = variants(Side::Inside, &arrived, &self.guesses);
        // Each costs a hash of the whole body.
        variants.truncate(MAX_HASHED_BYTES / refused.body.len().max(1));
        let keys_of = |variant: &Variant<'_>| match variant.white_space {
            Some(at) => {
                let keys = self.with_white_space.get(at);
                AcceptedTokens::new(keys.map_or(&[], Vec::as_slice))
            }
            None => refused.tokens,
        };
        if let Some(right) = variants
            .iter()
            .find(|variant| is_right(variant.parts(), keys_of(variant)))
        {
            return Some(Finding::of(right.cause(), right.detail()));
        }
        if !self.replaced.is_empty() {
            let changed = variants
                .iter()
                .filter(|variant| variant.white_space.is_none());
            let mut right = changed.filter(|variant| is_right(variant.parts(), replaced));
            if let Some(right) = right.next() {
                return Some(Finding {
                    also: Some(Cause::ReplacedToken),
                    ..Finding::of(right.cause(), right.detail())
                });
            }
        }
        let detail = "none of the known changes makes the signature right: the token is another one, or the request was \
                      changed in another way";
        Some(Finding::of(Cause::WrongToken, detail))
    }
}

fn clock_offset(head: &RequestHead<'_>) -> Option<Finding> {
    let sent = head.signature()?.timestamp.map(HeaderValue::to_str);
    let sent: i64 = sent?.ok()?.parse().ok()?;
    let here = head.now().unix_seconds();
    let (seconds, where_to) = match sent > here {
        true => (sent.abs_diff(here), "ahead of"),
        false => (here.abs_diff(sent), "behind"),
    };
    let detail = format!("the request's time is {seconds} s {where_to} this server's clock");
    Some(Finding::of(Cause::ClockOffset, detail))
}

/// Without white space, and without a line feed that was written as an escape, as a quoted line of an environment file has it.
fn trimmed(token: &[u8]) -> &[u8] {
    let token = token.trim_ascii();
    let escaped = [b"\\n".as_slice(), b"%0A", b"%0a"];
    let escaped = escaped.iter().find_map(|end| token.strip_suffix(*end));
    escaped.unwrap_or(token)
}
