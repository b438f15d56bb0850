//! Webhooks: verifying and reading the events that Churnkey sends, for example after a session of the cancel flow
//! (contract, section 7.3).
//!
//! [`Webhook`] is an axum extractor: a handler that takes one runs for signed events only. The extractor reads the accepted
//! secrets from the app's state, as [`WebhookSecrets`]. It rejects every other request with a [`WebhookRejection`]: a 401
//! without a valid signature, a 413 for a body that is too large, a 408 for one that does not arrive in time, and a 400 for
//! one that breaks off or is not an event.
//!
//! ```
//! use axum::{Router, routing::post};
//! use churnkey_integrator::{
//!     WebhookSecret,
//!     webhooks::{Webhook, WebhookSecrets},
//! };
//!
//! async fn churnkey(webhook: Webhook) {
//!     if let Ok(event) = webhook.session() {
//!         println!("a session ended with {:?}", event.session().result());
//!     }
//! }
//!
//! let secrets = WebhookSecrets::new(WebhookSecret::new("a-webhook-secret")?);
//! let app: Router = Router::new()
//!     .route("/webhooks/churnkey", post(churnkey))
//!     .with_state(secrets);
//! # Ok::<(), churnkey_integrator::InvalidSecret>(())
//! ```
//!
//! [`verify`] does the same without an extractor:
//!
//! ```
//! use axum::http::HeaderMap;
//! use churnkey_integrator::{WebhookSecret, webhooks};
//!
//! let secrets = [WebhookSecret::new("a-webhook-secret")?];
//! let body = br#"{"event":"session","data":{"session":{"result":"cancel"}}}"#;
//!
//! let mut headers = HeaderMap::new();
//! assert_eq!(webhooks::verify(&secrets, &headers, body), Err(webhooks::WebhookError::Missing));
//!
//! headers.insert(webhooks::SIGNATURE_HEADER, webhooks::sign(&secrets[0], body).parse()?);
//! let webhook = webhooks::verify(&secrets, &headers, body)?;
//! assert_eq!(webhook.event(), "session");
//! assert_eq!(webhook.session()?.session().result(), Some("cancel"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{fmt, sync::Arc, time::Duration};

use hmac::Mac;
use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subtle::{Choice, ConstantTimeEq};

use crate::{auth::keyed, secret::WebhookSecret};

/// The header with the HMAC-SHA256 of the raw body, in hexadecimal digits. Header and form were seen in public code of
/// Churnkey's customers, not in Churnkey's documentation.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("ck-signature");

/// The event of a session has some kilobytes, among them what the customer wrote.
const DEFAULT_MAX_BYTES: usize = 64 * 1024;
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// The secrets that a webhook may be signed with, and the limits of its body. The extractor reads them from the app's
/// state. A state of your own needs an `impl FromRef<YourState> for WebhookSecrets`.
#[derive(Clone)]
pub struct WebhookSecrets {
    pub(crate) secrets: Arc<[WebhookSecret]>,
    pub(crate) max_bytes: usize,
    pub(crate) deadline: Duration,
}

impl WebhookSecrets {
    /// Accepts webhooks that are signed with this secret.
    #[must_use]
    pub fn new(secret: WebhookSecret) -> Self {
        Self {
            secrets: Arc::new([secret]),
            max_bytes: DEFAULT_MAX_BYTES,
            deadline: DEFAULT_DEADLINE,
        }
    }

    /// Accepts a further secret, for as long as a rotation lasts.
    #[must_use]
    pub fn also_accept(mut self, secret: WebhookSecret) -> Self {
        self.secrets = self.secrets.iter().cloned().chain([secret]).collect();
        self
    }

    /// The largest body that is read, in bytes; 65,536 unless set. A larger one is answered 413.
    #[must_use]
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How long the body may take to arrive; 10 seconds unless set. A slower one is answered 408.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

/// Shows the settings and how many secrets are accepted, never a secret.
impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSecrets")
            .field("accepted_secrets", &self.secrets.len())
            .field("max_bytes", &self.max_bytes)
            .field("deadline", &self.deadline)
            .finish()
    }
}

/// Why a request is not a webhook of Churnkey's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// There is no `ck-signature` header.
    #[error("there is no ck-signature header")]
    Missing,
    /// There is more than one `ck-signature` header.
    #[error("there is more than one ck-signature header")]
    Repeated,
    /// The header is not 64 hexadecimal digits.
    #[error("the ck-signature header is not 64 hexadecimal digits")]
    Malformed,
    /// The signature is not that of the body under one of the secrets.
    #[error(
        "the signature is not that of this body under an accepted secret: compare the webhook secret"
    )]
    WrongSignature,
    /// The body is signed, but is not an event.
    #[error("the signed body is not a JSON object with an event")]
    NotAnEvent,
}

/// Why the extractor rejected a request.
///
/// Its response is a 401, 400, 408 or 413 in the contract's error shape, with a fixed message. The reason is logged. To
/// answer otherwise, take a `Result<Webhook, WebhookRejection>` in your handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookRejection {
    /// The request is not a webhook: 400 if its body is signed but not an event, and 401 otherwise.
    #[error(transparent)]
    Invalid(#[from] WebhookError),
    /// The body is larger than [`WebhookSecrets::max_body_bytes`]: 413.
    #[error("the body is too large")]
    TooLarge,
    /// The body broke off, or is not valid HTTP: 400.
    #[error("the body broke off")]
    Interrupted,
    /// The body took longer than [`WebhookSecrets::deadline`]: 408.
    #[error("the body did not arrive in time")]
    TimedOut,
}

/// Verifies the signature of a webhook over the raw bytes of its body, in constant time, and reads the event. Several
/// secrets are accepted, for a rotation.
///
/// # Errors
/// [`WebhookError`]. Answer 400 if the body is [not an event](WebhookError::NotAnEvent), and 401 otherwise.
pub fn verify(
    secrets: &[WebhookSecret],
    headers: &HeaderMap,
    raw_body: &[u8],
) -> Result<Webhook, WebhookError> {
    Claimed::of(headers)?.check(secrets, raw_body)
}

/// A well-formed signature that is not verified yet.
pub(crate) struct Claimed([u8; 32]);

impl Claimed {
    /// The first half, which needs no body.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, WebhookError> {
        let mut values = headers.get_all(&SIGNATURE_HEADER).iter();
        let value = match (values.next(), values.next()) {
            (None, _) => return Err(WebhookError::Missing),
            (Some(_), Some(_)) => return Err(WebhookError::Repeated),
            (Some(value), None) => value,
        };
        let mut claimed = [0; 32];
        hex::decode_to_slice(value, &mut claimed).map_err(|_| WebhookError::Malformed)?;
        Ok(Self(claimed))
    }

    /// The second half: is it the signature of this body, and is the body an event?
    pub(crate) fn check(
        self,
        secrets: &[WebhookSecret],
        raw_body: &[u8],
    ) -> Result<Webhook, WebhookError> {
        let accepted = secrets.iter().fold(Choice::from(0), |accepted, secret| {
            accepted | mac(secret, raw_body).ct_eq(&self.0)
        });
        if !bool::from(accepted) {
            return Err(WebhookError::WrongSignature);
        }
        serde_json::from_slice(raw_body).map_err(|_| WebhookError::NotAnEvent)
    }
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

/// An event of any kind.
///
/// For a test of your own, read one with serde: `serde_json::from_value(json!({"event": "session", ..}))`.
///
/// `Debug` shows the event's name only. The rest is about a person.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    event: String,
    #[serde(default)]
    data: Value,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Webhook {
    /// The name of the event, such as `session`.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The data of the event, as Churnkey sent it; `null` if there is none.
    #[must_use]
    pub fn data(&self) -> &Value {
        &self.data
    }

    /// The fields beside `event` and `data`, which this version does not know.
    #[must_use]
    pub fn extra(&self) -> &Map<String, Value> {
        &self.extra
    }

    /// The data of a `session` event.
    ///
    /// # Errors
    /// [`InvalidSession`] if the data has another shape, as that of another event has.
    pub fn session(&self) -> Result<SessionEvent, InvalidSession> {
        SessionEvent::deserialize(&self.data).map_err(|_| InvalidSession)
    }
}

/// The data of the event is not that of a session. What it is instead is not kept, as it may be about a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event's data is not a session: check Webhook::event, or read Webhook::data")]
#[non_exhaustive]
pub struct InvalidSession;

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

/// A customer has been through a session of the cancel flow.
///
/// `Debug` of it and of its parts shows no text that a person wrote.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionEvent {
    #[serde(default)]
    customer: Value,
    session: FlowSession,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl SessionEvent {
    /// The customer as Churnkey knows them; `null` if there is none.
    #[must_use]
    pub fn customer(&self) -> &Value {
        &self.customer
    }

    /// What happened.
    #[must_use]
    pub fn session(&self) -> &FlowSession {
        &self.session
    }

    /// The fields that this version does not know.
    #[must_use]
    pub fn extra(&self) -> &Map<String, Value> {
        &self.extra
    }
}

/// A session of the cancel flow. All fields may be missing: Churnkey's documentation shows several forms.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowSession {
    result: Option<String>,
    feedback: Option<String>,
    survey_response: Option<String>,
    followup_question: Option<String>,
    followup_response: Option<String>,
    mode: Option<String>,
    accepted_offer: Option<AcceptedOffer>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl FlowSession {
    /// How it ended: `pause`, `discount`, `cancel`, `abort` or another word.
    #[must_use]
    pub fn result(&self) -> Option<&str> {
        self.result.as_deref()
    }

    /// What the customer wrote.
    #[must_use]
    pub fn feedback(&self) -> Option<&str> {
        self.feedback.as_deref()
    }

    /// The answer that the customer chose in the survey.
    #[must_use]
    pub fn survey_response(&self) -> Option<&str> {
        self.survey_response.as_deref()
    }

    /// The question that followed the survey.
    #[must_use]
    pub fn followup_question(&self) -> Option<&str> {
        self.followup_question.as_deref()
    }

    /// The customer's answer to the question that followed.
    #[must_use]
    pub fn followup_response(&self) -> Option<&str> {
        self.followup_response.as_deref()
    }

    /// `LIVE` or `TEST`, in capitals here.
    #[must_use]
    pub fn mode(&self) -> Option<&str> {
        self.mode.as_deref()
    }

    /// The offer that the customer accepted, if any.
    #[must_use]
    pub fn accepted_offer(&self) -> Option<&AcceptedOffer> {
        self.accepted_offer.as_ref()
    }

    /// The fields that this version does not know.
    #[must_use]
    pub fn extra(&self) -> &Map<String, Value> {
        &self.extra
    }
}

/// An offer that a customer accepted.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedOffer {
    offer_type: Option<String>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl AcceptedOffer {
    /// `DISCOUNT`, `PAUSE`, `PLAN_CHANGE`, `CONTACT`, `TRIAL_EXTENSION`, `REDIRECT` or another word.
    #[must_use]
    pub fn offer_type(&self) -> Option<&str> {
        self.offer_type.as_deref()
    }

    /// The fields that belong to this type of offer, such as `pauseDuration`.
    #[must_use]
    pub fn extra(&self) -> &Map<String, Value> {
        &self.extra
    }
}

/// Hides what a struct holds about a person.
macro_rules! says_nothing {
    ($($name:ident)*) => {
        $(
            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($name)).finish_non_exhaustive()
                }
            }
        )*
    };
}

says_nothing! { SessionEvent AcceptedOffer }

impl fmt::Debug for FlowSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

    fn verified(
        secrets: &[WebhookSecret],
        signatures: &[&str],
        body: &[u8],
    ) -> Result<Webhook, WebhookError> {
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
        let webhook = verified(&[secret("a-webhook-secret")], &[by_openssl], body).unwrap();
        assert_eq!((webhook.event(), webhook.data()), ("session", &Value::Null));
    }

    #[test]
    fn any_accepted_secret_signs_and_no_other() {
        let (old, new) = (secret("the-former-secret"), secret("the-newer-secret"));
        let both = [old.clone(), new.clone()];
        for one in &both {
            assert!(verified(&both, &[&sign(one, BODY)], BODY).is_ok());
        }
        let foreign = sign(&secret("another-secret"), BODY);
        assert_eq!(
            verified(&both, &[&foreign], BODY),
            Err(WebhookError::WrongSignature)
        );
        assert_eq!(
            verified(&[], &[&sign(&old, BODY)], BODY),
            Err(WebhookError::WrongSignature)
        );
    }

    #[test]
    fn a_signature_is_whole_hexadecimal_and_alone() {
        let only = [secret("a-webhook-secret")];
        let good = sign(&only[0], BODY);
        assert_eq!(verified(&only, &[], BODY), Err(WebhookError::Missing));
        assert_eq!(
            verified(&only, &[&good, &good], BODY),
            Err(WebhookError::Repeated)
        );
        for bad in [
            "",
            "00",
            &good[..62],
            &format!("{good}00"),
            &format!("{}zz", &good[..62]),
        ] {
            assert_eq!(
                verified(&only, &[bad], BODY),
                Err(WebhookError::Malformed),
                "{bad}"
            );
        }
        assert_eq!(
            verified(&only, &[&good], b"{}"),
            Err(WebhookError::WrongSignature)
        );
        for no_event in [b"[]".as_slice(), b"{}", b"{\"event\":", b"\xff"] {
            let signed = sign(&only[0], no_event);
            assert_eq!(
                verified(&only, &[&signed], no_event),
                Err(WebhookError::NotAnEvent)
            );
        }
    }

    #[test]
    fn the_secrets_of_an_app_are_never_printed() {
        let secrets = WebhookSecrets::new(secret("hunter2")).also_accept(secret("hunter3"));
        assert_eq!(
            format!("{secrets:?}"),
            "WebhookSecrets { accepted_secrets: 2, max_bytes: 65536, deadline: 10s }"
        );
    }

    #[test]
    fn known_fields_are_typed_and_unknown_ones_kept() {
        let only = [secret("a-webhook-secret")];
        let webhook = verified(&only, &[&sign(&only[0], BODY)], BODY).unwrap();
        assert_eq!(webhook.extra()["sentAt"], "2026-01-01");
        let event = webhook.session().unwrap();
        assert_eq!(event.extra()["segment"], "annual");
        let session = event.session();
        assert_eq!(session.result(), Some("pause"));
        assert_eq!(session.feedback(), Some("too dear"));
        assert_eq!(session.mode(), Some("LIVE"));
        assert_eq!(session.survey_response(), None);
        assert_eq!(session.extra()["abtest"], 7);
        let offer = session.accepted_offer().unwrap();
        assert_eq!(offer.offer_type(), Some("PAUSE"));
        assert_eq!(offer.extra()["pauseDuration"], 2);
        let raw: Value = serde_json::from_slice(BODY).unwrap();
        assert_eq!(serde_json::to_value(&webhook).unwrap(), raw);
        let shown = format!("{webhook:?} {event:?} {session:?}");
        assert!(
            !shown.contains("too dear") && !shown.contains("cus_1"),
            "{shown}"
        );
    }

    #[test]
    fn an_event_of_another_kind_is_kept_as_it_is() {
        let only = [secret("a-webhook-secret")];
        let body = br#"{"event":"dunning","data":{"step":1}}"#;
        let webhook = verified(&only, &[&sign(&only[0], body)], body).unwrap();
        assert_eq!(webhook.data()["step"], 1);
        assert_eq!(webhook.session(), Err(InvalidSession));
    }

    /// The text of serde's errors holds the value.
    #[test]
    fn data_that_is_not_a_sessions_is_never_repeated() {
        let webhook: Webhook = serde_json::from_value(serde_json::json!({
            "event": "session", "data": {"session": "too dear"},
        }))
        .unwrap();
        let error = webhook.session().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("too dear"));
    }
}
