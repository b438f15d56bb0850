//! What Churnkey sends out when a customer has been through a session: verifying it, and reading it (contract,
//! section 7.3).
//!
//! [`Webhook`] is an axum extractor: a handler that takes one runs for signed events only. The accepted secrets come
//! out of the app's state, as an `Arc<[WebhookSecret]>`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use axum::{Router, routing::post};
//! use churnkey_integrator::{WebhookSecret, webhooks::Webhook};
//!
//! async fn churnkey(webhook: Webhook) {
//!     if let Ok(event) = webhook.session() {
//!         println!("a session ended with {:?}", event.session.result);
//!     }
//! }
//!
//! let secrets: Arc<[WebhookSecret]> = Arc::new([WebhookSecret::new("a-webhook-secret")?]);
//! let app: Router = Router::new()
//!     .route("/webhooks/churnkey", post(churnkey))
//!     .with_state(secrets);
//! # Ok::<(), churnkey_integrator::InvalidSecret>(())
//! ```
//!
//! Without axum, [`verify`] does the same:
//!
//! ```
//! use churnkey_integrator::{WebhookSecret, webhooks};
//! use http::HeaderMap;
//!
//! let secrets = [WebhookSecret::new("a-webhook-secret")?];
//! let body = br#"{"event":"session","data":{"session":{"result":"cancel"}}}"#;
//!
//! let mut headers = HeaderMap::new();
//! assert_eq!(webhooks::verify(&secrets, &headers, body), Err(webhooks::WebhookRefusal::Missing));
//!
//! headers.insert(webhooks::SIGNATURE_HEADER, webhooks::sign(&secrets[0], body).parse()?);
//! let webhook = webhooks::verify(&secrets, &headers, body)?;
//! assert_eq!(webhook.event, "session");
//! assert_eq!(webhook.session()?.session.result.as_deref(), Some("cancel"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use hmac::Mac;
use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subtle::{Choice, ConstantTimeEq};

use crate::{auth::keyed, secret::WebhookSecret};

/// Carries the hexadecimal HMAC-SHA256 of the raw body. Header and form were seen in public code of Churnkey's customers,
/// not in its documentation.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("ck-signature");

/// Why a webhook was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookRefusal {
    /// There is no signature, or more than one header that claims to be it.
    #[error("there is not exactly one ck-signature header")]
    Missing,
    /// The signature is not that of the body under one of the secrets.
    #[error("the signature is not that of this body under an accepted secret")]
    Signature,
    /// The body was signed, but is no event.
    #[error("the signed body is no JSON object with an event")]
    NoEvent,
}

/// Checks a webhook's signature over the raw bytes of its body, in constant time, and reads it. Several secrets are
/// accepted during a rotation.
///
/// # Errors
/// [`WebhookRefusal`]; answer 401 or 400, and read nothing of the body.
pub fn verify(
    secrets: &[WebhookSecret],
    headers: &HeaderMap,
    raw_body: &[u8],
) -> Result<Webhook, WebhookRefusal> {
    let mut values = headers.get_all(&SIGNATURE_HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(WebhookRefusal::Missing);
    };
    let mut claimed = [0; 32];
    hex::decode_to_slice(value, &mut claimed).map_err(|_| WebhookRefusal::Signature)?;
    let accepted = secrets.iter().fold(Choice::from(0), |accepted, secret| {
        accepted | mac(secret, raw_body).ct_eq(&claimed)
    });
    if !bool::from(accepted) {
        return Err(WebhookRefusal::Signature);
    }
    serde_json::from_slice(raw_body).map_err(|_| WebhookRefusal::NoEvent)
}

/// Signs a body in the form that [`verify`] accepts, for tests.
#[must_use]
pub fn sign(secret: &WebhookSecret, raw_body: &[u8]) -> String {
    hex::encode(mac(secret, raw_body))
}

fn mac(secret: &WebhookSecret, raw_body: &[u8]) -> [u8; 32] {
    let mac = keyed(secret.expose()).chain_update(raw_body);
    mac.finalize().into_bytes().into()
}

/// An event of any kind. `Debug` shows its name only: the rest is about a person.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Webhook {
    /// What happened, such as `session`.
    pub event: String,
    /// What it happened to, as it came.
    #[serde(default)]
    pub data: Value,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Webhook {
    /// The data of a `session` event.
    ///
    /// # Errors
    /// If the data has another shape than a session's.
    pub fn session(&self) -> Result<SessionEvent, serde_json::Error> {
        SessionEvent::deserialize(&self.data)
    }
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

/// A customer has been through a session.
///
/// `Debug` of it and of its parts shows no text that anybody wrote.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionEvent {
    /// The customer, as Churnkey knows them.
    #[serde(default)]
    pub customer: Value,
    /// What happened.
    pub session: FlowSession,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A session of the cancel flow. All fields may be missing: Churnkey's documentation shows several forms.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct FlowSession {
    /// How it ended: `pause`, `discount`, `cancel`, `abort` or another word.
    pub result: Option<String>,
    /// What the customer wrote.
    pub feedback: Option<String>,
    /// The answer chosen in the survey.
    pub survey_response: Option<String>,
    /// The question asked after that.
    pub followup_question: Option<String>,
    /// The answer to it.
    pub followup_response: Option<String>,
    /// `LIVE` or `TEST`.
    pub mode: Option<String>,
    /// The offer that kept the customer, if any.
    pub accepted_offer: Option<AcceptedOffer>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An offer that was accepted.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AcceptedOffer {
    /// `DISCOUNT`, `PAUSE`, `PLAN_CHANGE`, `CONTACT`, `TRIAL_EXTENSION`, `REDIRECT` or another word.
    pub offer_type: Option<String>,
    /// What the offer's kind brings with it, such as `pauseDuration`.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Hides what a struct holds about a person.
macro_rules! says_nothing {
    ($($name:ident)*) => {
        $(
            impl std::fmt::Debug for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.debug_struct(stringify!($name)).finish_non_exhaustive()
                }
            }
        )*
    };
}

says_nothing! { SessionEvent AcceptedOffer }

impl std::fmt::Debug for FlowSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowSession")
            .field("result", &self.result)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> WebhookSecret {
        WebhookSecret::new(text).unwrap()
    }

    const BODY: &[u8] = br#"{
        "event": "session",
        "sentAt": "2026-01-01",
        "data": {
            "customer": {"id": "cus_1"},
            "segment": "annual",
            "session": {
                "result": "pause",
                "feedback": "too dear",
                "mode": "LIVE",
                "abtest": 7,
                "acceptedOffer": {"offerType": "PAUSE", "pauseDuration": 2}
            }
        }
    }"#;

    fn judge(
        secrets: &[WebhookSecret],
        signatures: &[&str],
        body: &[u8],
    ) -> Result<Webhook, WebhookRefusal> {
        let mut headers = HeaderMap::new();
        for signature in signatures {
            headers.append(SIGNATURE_HEADER, signature.parse().unwrap());
        }
        verify(secrets, &headers, body)
    }

    #[test]
    fn a_signature_of_openssl_passes() {
        // printf '{"event":"session"}' | openssl dgst -sha256 -hmac a-webhook-secret
        let by_openssl = "7a18c385e9ee9b5cb2fdeb2129a0483edf899e4186cfe3623b6afe72915a37d4";
        let body = br#"{"event":"session"}"#;
        assert_eq!(sign(&secret("a-webhook-secret"), body), by_openssl);
        let webhook = judge(&[secret("a-webhook-secret")], &[by_openssl], body).unwrap();
        assert_eq!(
            (webhook.event.as_str(), webhook.data),
            ("session", Value::Null)
        );
    }

    #[test]
    fn any_accepted_secret_signs_and_no_other() {
        let (old, new) = (secret("the-former-secret"), secret("the-newer-secret"));
        let both = [old.clone(), new.clone()];
        for one in &both {
            assert!(judge(&both, &[&sign(one, BODY)], BODY).is_ok());
        }
        let foreign = sign(&secret("another-secret"), BODY);
        assert_eq!(
            judge(&both, &[&foreign], BODY),
            Err(WebhookRefusal::Signature)
        );
        assert_eq!(
            judge(&[], &[&sign(&old, BODY)], BODY),
            Err(WebhookRefusal::Signature)
        );
    }

    #[test]
    fn a_signature_is_whole_hexadecimal_and_alone() {
        let only = [secret("a-webhook-secret")];
        let good = sign(&only[0], BODY);
        assert_eq!(judge(&only, &[], BODY), Err(WebhookRefusal::Missing));
        assert_eq!(
            judge(&only, &[&good, &good], BODY),
            Err(WebhookRefusal::Missing)
        );
        for bad in [
            "",
            "00",
            &good[..62],
            &format!("{good}00"),
            &format!("{}zz", &good[..62]),
        ] {
            assert_eq!(
                judge(&only, &[bad], BODY),
                Err(WebhookRefusal::Signature),
                "{bad}"
            );
        }
        assert_eq!(
            judge(&only, &[&good], b"{}"),
            Err(WebhookRefusal::Signature)
        );
        for no_event in [b"[]".as_slice(), b"{}", b"{\"event\":", b"\xff"] {
            let signed = sign(&only[0], no_event);
            assert_eq!(
                judge(&only, &[&signed], no_event),
                Err(WebhookRefusal::NoEvent)
            );
        }
    }

    #[test]
    fn known_fields_are_typed_and_unknown_ones_kept() {
        let only = [secret("a-webhook-secret")];
        let webhook = judge(&only, &[&sign(&only[0], BODY)], BODY).unwrap();
        assert_eq!(webhook.other["sentAt"], "2026-01-01");
        let event = webhook.session().unwrap();
        assert_eq!(event.other["segment"], "annual");
        assert_eq!(event.session.result.as_deref(), Some("pause"));
        assert_eq!(event.session.feedback.as_deref(), Some("too dear"));
        assert_eq!(event.session.other["abtest"], 7);
        let offer = event.session.accepted_offer.as_ref().unwrap();
        assert_eq!(offer.offer_type.as_deref(), Some("PAUSE"));
        assert_eq!(offer.other["pauseDuration"], 2);
        let raw: Value = serde_json::from_slice(BODY).unwrap();
        assert_eq!(serde_json::to_value(&webhook).unwrap(), raw);
        let shown = format!("{webhook:?} {event:?} {:?}", event.session);
        assert!(
            !shown.contains("too dear") && !shown.contains("cus_1"),
            "{shown}"
        );
    }

    #[test]
    fn an_event_of_another_kind_is_kept_as_it_is() {
        let only = [secret("a-webhook-secret")];
        let body = br#"{"event":"dunning","data":{"step":1}}"#;
        let webhook = judge(&only, &[&sign(&only[0], body)], body).unwrap();
        assert_eq!(webhook.data["step"], 1);
        assert_eq!(
            webhook.session().unwrap_err().to_string(),
            "missing field `session`"
        );
    }
}
