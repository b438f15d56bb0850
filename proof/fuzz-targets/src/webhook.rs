//! Webhooks: the signature, and the event.

use std::sync::LazyLock;

use churnkey_integrator::{
    WebhookSecret,
    webhooks::{self, WebhookError},
};
use http::{HeaderMap, HeaderValue};

static SECRET: LazyLock<WebhookSecret> =
    LazyLock::new(|| WebhookSecret::new("a-webhook-secret-for-the-fuzzer").unwrap());

/// A body with its signature is read as an event or is none, and no other signature is accepted.
///
/// The first byte says how many of the bytes are the header.
///
/// # Panics
/// If it is not so.
pub fn webhook(data: &[u8]) {
    let Some((length, rest)) = data.split_first() else {
        return;
    };
    let (header, body) = rest.split_at(usize::from(*length).min(rest.len()));
    let secrets = [SECRET.clone()];
    let right = webhooks::sign(&SECRET, body);
    let verify = |header: &[u8]| {
        let value = HeaderValue::from_bytes(header).ok()?;
        let mut headers = HeaderMap::new();
        headers.insert(webhooks::SIGNATURE_HEADER, value);
        Some(webhooks::verify(&secrets, &headers, body))
    };
    if let Some(verdict) = verify(header)
        && !header.eq_ignore_ascii_case(right.as_bytes())
    {
        assert!(matches!(
            verdict,
            Err(WebhookError::Malformed | WebhookError::WrongSignature)
        ));
    }
    match verify(right.as_bytes()).unwrap() {
        Err(error) => assert_eq!(error, WebhookError::NotAnEvent),
        Ok(event) => {
            // The parts of a session are read without a panic, whatever they are.
            if let Ok(session) = event.session() {
                let session = session.session();
                let _ = (session.result(), session.mode(), session.feedback());
                let _ = session
                    .accepted_offer()
                    .map(|offer| offer.offer_type().map(str::len));
            }
            assert!(!format!("{event:?}").contains("data:"));
        }
    }
}
