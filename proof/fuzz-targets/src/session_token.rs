//! The session token that a merchant's page gives to the browser.

use arbitrary::{Arbitrary, Unstructured};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use churnkey_integrator::{
    ApiKey, CustomerId, Mode, SubscriptionId, Timestamp,
    cancel_flow::{Session, auth_hash, session_token as token_of},
};
use serde_json::{Value, json};

#[derive(Debug, Arbitrary)]
struct Sent<'a> {
    app_id: &'a str,
    customer: &'a str,
    subscription: Option<&'a str>,
    at: i64,
    is_test: bool,
}

/// A token holds exactly what it was made of.
///
/// # Panics
/// If it is not so.
pub fn session_token(data: &[u8]) {
    let Ok(sent) = Sent::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let (Ok(customer), Ok(subscription), Ok(at)) = (
        CustomerId::new(sent.customer),
        sent.subscription.map(SubscriptionId::new).transpose(),
        Timestamp::from_unix_millis(sent.at),
    ) else {
        return;
    };
    let key = ApiKey::new("an-api-key-for-the-fuzzer").unwrap();
    let mode = if sent.is_test { Mode::Test } else { Mode::Live };
    let mut expected = json!({
        "a": sent.app_id,
        "c": sent.customer,
        "h": auth_hash(&key, &customer),
        "m": mode.as_str(),
        "t": sent.at,
    });
    if let Some(subscription) = sent.subscription {
        expected["s"] = subscription.into();
    }
    let session = Session::new(customer, mode, at).with_subscription(subscription);
    let token = token_of(sent.app_id, &key, &session);
    let encoded = token.strip_prefix("ck_").unwrap();
    let read: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap();
    assert_eq!(read, expected);
}
