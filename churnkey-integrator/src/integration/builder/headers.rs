//! The headers that the builder names: none may already have another meaning, and each carries one thing.

use http::HeaderName;

use crate::auth::HeaderNames;

/// Headers that already have a meaning, so that clients, servers or proxies may log, echo or change them. Those that begin
/// with one of [`FAMILIES`] are not listed.
const TAKEN: &[&str] = &[
    "accept",
    "age",
    "allow",
    "alt-svc",
    "authorization",
    "b3",
    "baggage",
    "cache-control",
    "cache-status",
    "cdn-cache-control",
    "ck-signature",
    "connection",
    "cookie",
    "date",
    "dnt",
    "early-data",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "host",
    "idempotency-key",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "public-key-pins",
    "public-key-pins-report-only",
    "range",
    "referer",
    "referrer-policy",
    "refresh",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-amzn-trace-id",
    "x-client-ip",
    "x-cloud-trace-context",
    "x-content-type-options",
    "x-correlation-id",
    "x-dns-prefetch-control",
    "x-frame-options",
    "x-real-ip",
    "x-request-id",
    "x-xss-protection",
];
const FAMILIES: &[&str] = &[
    "accept-",
    "access-control-",
    "content-",
    "if-",
    "proxy-",
    "sec-",
    "x-b3-",
    "x-churnkey-",
    "x-forwarded-",
];

/// Of those above, the ones that a signature, its timestamp and the mode may use.
const OURS: &str = "ck-signature";
const OUR_FAMILY: &str = "x-churnkey-";

/// The headers of an integration's requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Headers {
    pub(super) token: Option<HeaderName>,
    pub(super) others: HeaderNames,
}

impl Headers {
    pub(super) fn problems(&self, problems: &mut Vec<String>) {
        let HeaderNames {
            signature,
            timestamp,
            mode,
        } = &self.others;
        let others = [
            ("signature", signature),
            ("timestamp", timestamp),
            ("mode", mode),
        ];
        for (what, name) in others {
            if is_taken(name) && name != OURS && !name.as_str().starts_with(OUR_FAMILY) {
                problems.push(format!(
                    "the {what} header {name} already has another meaning: choose one like x-{what}"
                ));
            }
        }
        let mut all: Vec<_> = others.into_iter().map(|(_, name)| name).collect();
        if let Some(name) = &self.token
            && is_taken(name)
        {
            problems.push(format!(
                "the token header {name} already has another meaning: choose one like x-integration-token \
                 (Authorization is always read)"
            ));
        } else {
            all.extend(&self.token);
        }
        all.sort_by_key(|name| name.as_str());
        for pair in all.chunk_by(|one, other| one == other) {
            if let [name, _, ..] = pair {
                problems.push(format!(
                    "the header {name} is named for two things: choose a header of its own for each"
                ));
            }
        }
    }
}

fn is_taken(name: &HeaderName) -> bool {
    let in_a_family = |family: &&str| name.as_str().starts_with(family);
    TAKEN.contains(&name.as_str()) || FAMILIES.iter().any(in_a_family)
}
