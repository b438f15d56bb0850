//! Opening Churnkey's cancel flow in the browser: the auth hash and the session token, with which a merchant's backend
//! authenticates the signed-in customer to Churnkey (contract, section 7.1).
//!
//! Both are computed locally. No network is used.
//!
//! ```
//! use churnkey_integrator::{ApiKey, CustomerId, Mode, Timestamp, cancel_flow};
//!
//! let key = ApiKey::new("ck-api-key-for-tests")?;
//! let customer = CustomerId::new("cus_1")?;
//!
//! // For `window.churnkey.init('show', { appId, customerId, authHash, .. })`:
//! let auth_hash = cancel_flow::auth_hash(&key, &customer);
//! assert!(auth_hash.starts_with("017bc0a3480f"));
//!
//! // For the React SDK:
//! let session = cancel_flow::Session::new(customer, Mode::Live, Timestamp::now());
//! let token = cancel_flow::session_token("app_1", &key, &session);
//! assert!(token.starts_with("ck_"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::Mac;

use crate::{
    auth::keyed,
    context::Mode,
    id::{CustomerId, SubscriptionId},
    secret::ApiKey,
    time::Timestamp,
};

/// The auth hash of a customer: the HMAC-SHA256 of the customer's id under the API key, in lower-case hexadecimal digits.
///
/// Compute it only for the customer who is signed in: whoever has it can act as that customer in the flow.
#[must_use]
pub fn auth_hash(key: &ApiKey, customer: &CustomerId) -> String {
    let mac = keyed(key.expose()).chain_update(customer.as_str());
    hex::encode(mac.finalize().into_bytes())
}

/// A session of the cancel flow, for [`session_token`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    customer: CustomerId,
    mode: Mode,
    issued_at: Timestamp,
    subscription: Option<SubscriptionId>,
}

impl Session {
    /// A session for any subscription of this customer. `issued_at` is the current time.
    #[must_use]
    pub fn new(customer: CustomerId, mode: Mode, issued_at: Timestamp) -> Self {
        Self {
            customer,
            mode,
            issued_at,
            subscription: None,
        }
    }

    /// Limits the session to one subscription.
    #[must_use]
    pub fn with_subscription(mut self, subscription: impl Into<Option<SubscriptionId>>) -> Self {
        self.subscription = subscription.into();
        self
    }
}

/// The session token for Churnkey's React SDK: `ck_` and URL-safe base64 of a JSON object. The object contains the
/// [`auth_hash`], so treat the token as confidential too.
#[must_use]
pub fn session_token(app_id: &str, key: &ApiKey, session: &Session) -> String {
    let mut token = serde_json::json!({
        "a": app_id,
        "c": session.customer,
        "h": auth_hash(key, &session.customer),
        "m": session.mode.as_str(),
        "t": session.issued_at.unix_millis(),
    });
    if let (Some(subscription), Some(token)) = (&session.subscription, token.as_object_mut()) {
        token.insert("s".to_owned(), subscription.as_str().into());
    }
    format!("ck_{}", BASE64_URL_SAFE_NO_PAD.encode(token.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKey {
        ApiKey::new("ck-api-key-for-tests").unwrap()
    }

    /// `printf cus_1 | openssl dgst -sha256 -hmac ck-api-key-for-tests`, and so on.
    #[test]
    fn auth_hashes_are_those_of_openssl_also_for_ids_beyond_ascii() {
        for (id, expected) in [
            (
                "cus_1",
                "017bc0a3480fdff50e10a273789534e34a5f50d7c40b2514716448419ddce354",
            ),
            (
                "cus_zoë",
                "fdd43d39adc7445ee9b837b3b32e6bb3c8cf90c77cc3ff73d375526d6a8abb01",
            ),
        ] {
            assert_eq!(auth_hash(&key(), &CustomerId::new(id).unwrap()), expected);
        }
    }

    /// Made with Python's hmac, json and base64, whose keys come in the same order.
    #[test]
    fn session_tokens_are_those_of_another_implementation() {
        let customer = CustomerId::new("cus_zoë").unwrap();
        let at = Timestamp::from_unix_millis(1_767_225_600_123).unwrap();
        let session = Session::new(customer, Mode::Live, at);
        let start = "ck_eyJhIjoiYXBwXzEiLCJjIjoiY3VzX3pvw6siLCJoIjoiZmRkNDNkMzlhZGM3NDQ1ZWU5YjgzN2IzYjMyZTZiYjNjOGNm\
                     OTBjNzdjYzNmZjczZDM3NTUyNmQ2YThhYmIwMSIsIm0iOiJsaXZlIiwi";
        let token = session_token("app_1", &key(), &session);
        assert_eq!(token, format!("{start}dCI6MTc2NzIyNTYwMDEyM30"));

        let session = session.with_subscription(SubscriptionId::new("sub_1").unwrap());
        let token = session_token("app_1", &key(), &session);
        let json = BASE64_URL_SAFE_NO_PAD
            .decode(token.strip_prefix("ck_").unwrap())
            .unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["s"], "sub_1");
        assert_eq!(json["t"], 1_767_225_600_123_i64);
    }
}
