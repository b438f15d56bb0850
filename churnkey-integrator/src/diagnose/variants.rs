//! The ways in which a request may have been signed, if what is in front of the server changes it.

use std::{borrow::Cow, fmt};

use http::Method;

use super::{
    cause::{Cause, Side},
    rewrite,
};
use crate::{
    auth::{Signature, sign_by_key},
    secret::IntegrationToken,
    time::Timestamp,
};

/// The most variants of one request.
pub const MAX_VARIANTS: usize = 96;
/// The longest body that is tried in other forms; the library's own cap of bodies unless set.
pub(super) const MAX_BODY_BYTES: usize = 64 * 1024;
/// How many prefixes are tried.
const MAX_PREFIXES: usize = 6;
/// The longest path that is tried in other forms.
const MAX_PATH_BYTES: usize = 4 * 1024;

/// What may be around a token by mistake: in front of it, behind it, and what it is called.
pub(super) const WHITE_SPACE: [(&str, &str, &str); 4] = [
    ("", "\n", "a line feed behind the token"),
    (
        "",
        "\r\n",
        "a carriage return and a line feed behind the token",
    ),
    ("", " ", "a blank behind the token"),
    (" ", "", "a blank in front of the token"),
];

/// The parts of a request that a signature covers (contract, section 2.2).
///
/// From inside, it is the request as it arrived; from outside, as it is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedParts<'a> {
    method: Method,
    path: Cow<'a, str>,
    mode: Option<&'a str>,
    timestamp: Cow<'a, str>,
    body: Cow<'a, [u8]>,
}

impl<'a> SignedParts<'a> {
    /// The method, the path with its query, the timestamp as in its header, and the body. Without a mode, as without the
    /// header, the request is about live data.
    #[must_use]
    pub fn new(method: &Method, path: &'a str, timestamp: &'a str, body: &'a [u8]) -> Self {
        Self {
            method: method.clone(),
            path: Cow::Borrowed(path),
            mode: None,
            timestamp: Cow::Borrowed(timestamp),
            body: Cow::Borrowed(body),
        }
    }

    /// With this value of `X-Churnkey-Mode`.
    #[must_use]
    pub fn with_mode(mut self, mode: &'a str) -> Self {
        self.mode = Some(mode);
        self
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path with its query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The mode, which is `live` if there is no header.
    #[must_use]
    pub fn mode(&self) -> &str {
        self.mode.unwrap_or("live")
    }

    /// The timestamp, in Unix seconds.
    #[must_use]
    pub fn timestamp(&self) -> &str {
        &self.timestamp
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// Shows the method only: the rest may hold an address.
impl fmt::Debug for SignedParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedParts")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// What the request alone does not tell: which prefixes something in front may add or remove, and the server's time.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Guesses {
    prefixes: Vec<String>,
    server_time: Option<Timestamp>,
}

impl Guesses {
    /// Guesses nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Something in front may add or remove this prefix, such as `/api`. The first six count. Prefixes are named in the
    /// [detail](Variant::detail), so they must not be secret.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into().trim_end_matches('/').to_owned();
        if prefix.starts_with('/') && !self.prefixes.contains(&prefix) {
            self.prefixes.push(prefix);
        }
        self
    }

    /// The time at the server, for example from its `Date` header. It counts from outside only.
    pub fn server_time(mut self, time: Timestamp) -> Self {
        self.server_time = Some(time);
        self
    }
}

/// A way in which a request may have to be signed, and the cause if this is the right one.
#[derive(Clone)]
pub struct Variant<'a> {
    parts: SignedParts<'a>,
    pub(super) white_space: Option<usize>,
    cause: Cause,
    detail: String,
}

impl<'a> Variant<'a> {
    /// The cause, if a signature of this variant is the right one.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// What is different, in one sentence. It holds no token, no signature and nothing of the path, apart from a prefix of the
    /// [`Guesses`].
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What is to be signed. The request itself is sent as it is, with this [timestamp](SignedParts::timestamp).
    #[must_use]
    pub fn parts(&self) -> &SignedParts<'a> {
        &self.parts
    }

    /// Signs the variant. Send its timestamp and its signature with the request as it is: the mode's header is the request's
    /// own.
    #[must_use]
    pub fn sign(&self, token: &IntegrationToken) -> Signature {
        let (before, behind, _) = self
            .white_space
            .and_then(|at| WHITE_SPACE.get(at))
            .copied()
            .unwrap_or_default();
        let key = [before.as_bytes(), token.expose(), behind.as_bytes()].concat();
        let key = secrecy::zeroize::Zeroizing::new(key);
        let parts = &self.parts;
        let timestamp = parts.timestamp.clone().into_owned();
        let (method, path) = (&parts.method, &parts.path);
        sign_by_key(&key, timestamp, method, path, parts.mode(), &parts.body)
    }

    /// The [`variants()`] of a request that has to be signed in this way already, for two causes at once. Each has the cause
    /// and the detail of what is different from this one.
    #[must_use]
    pub fn variants(&self, side: Side, guesses: &Guesses) -> Vec<Self> {
        let mut further = variants(side, &self.parts, guesses);
        if self.white_space.is_some() {
            further.retain(|variant| variant.white_space.is_none());
            for variant in &mut further {
                variant.white_space = self.white_space;
            }
        }
        further
    }
}

/// Shows cause and detail, not what would be signed.
impl fmt::Debug for Variant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variant")
            .field("cause", &self.cause)
            .field("detail", &self.detail)
            .finish_non_exhaustive()
    }
}

/// The ways in which a request may have to be signed so that the server takes it, the likely ones first; at most
/// [`MAX_VARIANTS`], and none twice.
///
/// From inside, these are the requests that may have been sent, if this one arrived. From outside, they are the requests that
/// may arrive, if this one is sent. So the same cause is the reverse change: where something removes a prefix, a caller sees
/// the server accept a signature without it, and the server gets a signature that has it.
///
/// A body above 64 KiB and a path above 4 KiB are not written anew.
#[must_use]
pub fn variants<'a>(side: Side, request: &SignedParts<'a>, guesses: &Guesses) -> Vec<Variant<'a>> {
    let mut found = Found {
        side,
        request,
        variants: Vec::new(),
    };
    found.white_space();
    found.mode();
    if request.path.len() <= MAX_PATH_BYTES {
        found.prefixes(&guesses.prefixes);
        found.encoding();
        found.slash_and_query();
    }
    found.method();
    if request.body.len() <= MAX_BODY_BYTES && !request.body.is_empty() {
        found.body();
    }
    if let (Side::Outside, Some(time)) = (side, guesses.server_time) {
        found.clock(time);
    }
    found.variants
}

struct Found<'r, 'a> {
    side: Side,
    request: &'r SignedParts<'a>,
    variants: Vec<Variant<'a>>,
}

impl<'a> Found<'_, 'a> {
    fn add(&mut self, cause: Cause, detail: String, parts: SignedParts<'a>) {
        let is_new = parts != *self.request
            && !self
                .variants
                .iter()
                .any(|known| known.white_space.is_none() && known.parts == parts);
        if is_new && self.variants.len() < MAX_VARIANTS {
            self.variants.push(Variant {
                parts,
                white_space: None,
                cause,
                detail,
            });
        }
    }

    /// The sentence for this side.
    fn says(&self, inside: &str, outside: &str) -> String {
        match self.side {
            Side::Inside => inside,
            Side::Outside => outside,
        }
        .to_owned()
    }

    fn white_space(&mut self) {
        for (at, (_, _, what)) in WHITE_SPACE.iter().enumerate() {
            let detail = self.says(
                &format!("the caller's key has {what}"),
                &format!("the server's key has {what}"),
            );
            self.variants.push(Variant {
                parts: self.request.clone(),
                white_space: Some(at),
                cause: Cause::TokenWhitespace,
                detail,
            });
        }
    }

    fn mode(&mut self) {
        let other = match self.request.mode() {
            "test" => "live",
            _ => "test",
        };
        let is_dropped = match self.side {
            Side::Inside => self.request.mode.is_none(),
            Side::Outside => other == "live",
        };
        let detail = self.says(
            &format!("it was signed for {other} mode"),
            &format!("the server takes it for a request in {other} mode"),
        );
        let cause = if is_dropped {
            Cause::ModeHeaderDropped
        } else {
            Cause::OtherMode
        };
        let mut parts = self.request.clone();
        parts.mode = Some(other);
        self.add(cause, detail, parts);
    }

    fn path(&mut self, cause: Cause, detail: &str, path: String) {
        let mut parts = self.request.clone();
        parts.path = Cow::Owned(path);
        self.add(cause, detail.to_owned(), parts);
    }

    fn prefixes(&mut self, prefixes: &[String]) {
        let (with, without) = match self.side {
            Side::Inside => (Cause::PrefixStripped, Cause::PrefixAdded),
            Side::Outside => (Cause::PrefixAdded, Cause::PrefixStripped),
        };
        let path = self.request.path.clone();
        for prefix in prefixes.iter().take(MAX_PREFIXES) {
            let detail = self.says(
                &format!(
                    "it was signed for a path with {prefix} in front: something in front removes it"
                ),
                &format!(
                    "the server sees a path with {prefix} in front: something in front adds it"
                ),
            );
            self.path(with, &detail, format!("{prefix}{path}"));
            let Some(rest) = path.strip_prefix(prefix.as_str()) else {
                continue;
            };
            let rest = match rest.bytes().next() {
                Some(b'/') => rest.to_owned(),
                Some(b'?') | None => format!("/{rest}"),
                Some(_) => continue,
            };
            let detail = self.says(
                &format!("it was signed for a path without {prefix}: something in front adds it, or it was not signed"),
                &format!("the server sees a path without {prefix}: something in front removes it"),
            );
            self.path(without, &detail, rest);
        }
    }

    fn encoding(&mut self) {
        let path = self.request.path.clone();
        let (encoded, decoded) = match self.side {
            Side::Inside => (Cause::PathDecoded, Cause::PathEncoded),
            Side::Outside => (Cause::PathEncoded, Cause::PathDecoded),
        };
        let detail = self.says(
            "it was signed for a path with more percent-encoding than arrived",
            "the server sees a path with more percent-encoding than was sent",
        );
        for path in rewrite::encoded(&path) {
            self.path(encoded, &detail, path);
        }
        let detail = self.says(
            "it was signed for a path with less percent-encoding than arrived",
            "the server sees a path with less percent-encoding than was sent",
        );
        for path in rewrite::decoded(&path) {
            self.path(decoded, &detail, path);
        }
        let detail = self.says(
            "it was signed for a path with its percent-encoding in another letter case",
            "the server sees a path with its percent-encoding in another letter case",
        );
        for path in rewrite::recoded(&path) {
            self.path(Cause::PathEncoded, &detail, path);
        }
    }

    fn slash_and_query(&mut self) {
        let path = self.request.path.clone();
        let detail = self.says(
            "it was signed for a path that differs in a slash at its end",
            "the server sees a path that differs in a slash at its end",
        );
        if let Some(path) = rewrite::with_or_without_slash(&path) {
            self.path(Cause::TrailingSlash, &detail, path);
        }
        let detail = self.says(
            "it was signed for the query's parameters in another order",
            "the server sees the query's parameters in another order",
        );
        for path in rewrite::reordered(&path) {
            self.path(Cause::QueryReordered, &detail, path);
        }
        if let (path, Some(_)) = rewrite::split(&path) {
            let detail = self.says(
                "it was signed without its query",
                "the server sees no query",
            );
            self.path(Cause::QueryDropped, &detail, path.to_owned());
        }
    }

    fn method(&mut self) {
        for method in [
            Method::GET,
            Method::POST,
            Method::HEAD,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            let detail = self.says(
                &format!("it was signed for {method}"),
                &format!("the server sees {method}"),
            );
            let mut parts = self.request.clone();
            parts.method = method;
            self.add(Cause::MethodChanged, detail, parts);
        }
    }

    fn body(&mut self) {
        let detail = self.says(
            "it was signed for another form of the body, or without it",
            "the server sees another form of the body, or none",
        );
        for body in rewrite::rewritten(&self.request.body) {
            let mut parts = self.request.clone();
            parts.body = Cow::Owned(body);
            self.add(Cause::BodyChanged, detail.clone(), parts);
        }
    }

    fn clock(&mut self, time: Timestamp) {
        let seconds = time.unix_seconds();
        let detail = match self.request.timestamp.parse::<i64>() {
            Ok(own) if seconds >= own => {
                format!("the server's clock is {} s ahead", seconds.abs_diff(own))
            }
            Ok(own) => format!("the server's clock is {} s behind", seconds.abs_diff(own)),
            Err(_) => "the server has another time".to_owned(),
        };
        let mut parts = self.request.clone();
        parts.timestamp = Cow::Owned(seconds.to_string());
        self.add(Cause::ClockOffset, detail, parts);
    }
}
