//! Whom a request of the browser is about, which its headers prove.

use churnkey_integrator::{ApiKey, CustomerId, Mode, cancel_flow::auth_hash};
use http::{HeaderMap, StatusCode};
use subtle::ConstantTimeEq;

use crate::dev::merchant::Refusal;

/// A customer whose session this is, and what the token says besides: the mode and the subscription are claims.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Caller {
    pub(crate) customer: CustomerId,
    pub(crate) mode: Mode,
    pub(crate) subscription: Option<String>,
}

/// What a merchant copies from Churnkey's dashboard for the cancel flow.
#[derive(Debug, Clone)]
pub(crate) struct AppKeys {
    pub(crate) app_id: String,
    pub(crate) api_key: ApiKey,
}

impl Caller {
    /// Checks the auth hash in constant time.
    ///
    /// # Errors
    /// A 401 if the app is another one, or the hash is not that of the customer.
    pub(crate) fn prove(headers: &HeaderMap, keys: &AppKeys) -> Result<Self, Refusal> {
        check_app(headers, keys)?;
        let id = text(headers, "x-ck-customer").and_then(|id| CustomerId::new(id).ok());
        let sent = headers.get("x-ck-authorization");
        let (Some(customer), Some(sent)) = (id, sent) else {
            return Err(unauthorized(
                "x-ck-customer and x-ck-authorization are needed: they come from the session token",
            ));
        };
        let right = auth_hash(&keys.api_key, &customer);
        if !bool::from(right.as_bytes().ct_eq(sent.as_bytes())) {
            return Err(unauthorized(
                "x-ck-authorization is not the auth hash of this customer under this API key: compare CK_API_KEY with \
                 the key by which your backend makes session tokens",
            ));
        }
        let mode = match headers.get("x-ck-mode").map(http::HeaderValue::as_bytes) {
            Some(b"test") => Mode::Test,
            _ => Mode::Live,
        };
        Ok(Self {
            customer,
            mode,
            subscription: text(headers, "x-ck-subscription"),
        })
    }
}

/// Whether the request is of a page without a session token.
pub(crate) fn has_token(headers: &HeaderMap) -> bool {
    headers.contains_key("x-ck-customer") || headers.contains_key("x-ck-authorization")
}

pub(crate) fn check_app(headers: &HeaderMap, keys: &AppKeys) -> Result<(), Refusal> {
    if text(headers, "x-ck-app").as_deref() == Some(&*keys.app_id) {
        return Ok(());
    }
    Err(other_app(keys))
}

pub(crate) fn other_app(keys: &AppKeys) -> Refusal {
    unauthorized(format!(
        "this is the app {}: start the tool with the --app-id of your session tokens",
        keys.app_id
    ))
}

fn unauthorized(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, message)
}

/// An id as the browser sends it: the bytes of its UTF-8, which need not be ASCII.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    String::from_utf8(value.as_bytes().to_vec()).ok()
}
