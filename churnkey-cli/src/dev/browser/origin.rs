//! Which pages may call: those of this machine, and those that were named.

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

/// The headers that the component sends.
const ALLOWED_HEADERS: &str =
    "content-type, x-ck-app, x-ck-customer, x-ck-authorization, x-ck-mode, x-ck-subscription";

/// Origins beside those of this machine, as browsers write them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins {
    named: Vec<String>,
}

/// A request that a browser may not make from its page.
pub(crate) struct ForeignOrigin;

impl Origins {
    pub(crate) fn new(named: Vec<String>) -> Self {
        Self { named }
    }

    /// The origin that the answer names; `None` for a request that no page makes.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, ForeignOrigin> {
        let Some(origin) = headers.get(header::ORIGIN) else {
            return Ok(None);
        };
        let text = origin.to_str().map_err(|_| ForeignOrigin)?;
        if self.named.iter().any(|named| named == text) || is_loopback(text) {
            return Ok(Some(origin.clone()));
        }
        Err(ForeignOrigin)
    }
}

/// With any scheme and port.
fn is_loopback(origin: &str) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else {
        return false;
    };
    origin.scheme().is_some() && origin.host().is_some_and(is_loopback_host)
}

/// A host without its port: `127.0.0.0/8`, `[::1]` or `localhost`.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(address) => address.parse() == Ok(Ipv6Addr::LOCALHOST),
        None if host.eq_ignore_ascii_case("localhost") => true,
        None => matches!(host.parse(), Ok(IpAddr::V4(address)) if address.is_loopback()),
    }
}

/// What a page of this origin may see and send. A refusal has these headers too, or the page would not see it.
pub(crate) fn cors(origin: Option<&HeaderValue>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    headers
}

/// What a preflight asks for.
pub(crate) fn preflight(asked: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut allow = |name, value| headers.insert(name, HeaderValue::from_static(value));
    allow(header::ACCESS_CONTROL_ALLOW_METHODS, "POST");
    allow(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
    allow(header::ACCESS_CONTROL_MAX_AGE, "600");
    // A page that is not of this machine calls a program of this machine.
    if asked.contains_key("access-control-request-private-network") {
        allow(
            HeaderName::from_static("access-control-allow-private-network"),
            "true",
        );
    }
    headers
}
