//! How sessions of the cancel flow ended, as pages say, and whether what they say was asked for.

use churnkey_integrator::{Mode, Timestamp};
use serde_json::{Map, Value, json};

use super::{browser::Caller, direct::BrowserAction};

/// A session record. Unknown fields are kept.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Whom it is about, which the headers prove; `None` without a session token.
    pub(crate) caller: Option<Caller>,
    pub(crate) record: Map<String, Value>,
    pub(crate) came: Timestamp,
    /// What it claims was done, although its page has never asked for it.
    pub(crate) unasked: Option<BrowserAction>,
}

impl Session {
    /// How it ended: `cancel`, `abort`, or the type of the offer that was accepted, in lower case.
    pub(crate) fn result(&self) -> Option<String> {
        let is = |key: &str| self.record.get(key).and_then(Value::as_bool) == Some(true);
        if let Some(offer) = self.offer_type() {
            return Some(offer.to_ascii_lowercase());
        }
        if is("canceled") {
            return Some("cancel".to_owned());
        }
        is("aborted").then(|| "abort".to_owned())
    }

    fn offer_type(&self) -> Option<&str> {
        let offer = self.record.get("acceptedOffer")?;
        offer.get("offerType").and_then(Value::as_str)
    }

    /// The action that has to have been done, if the record is true.
    pub(crate) fn claims(&self) -> Option<BrowserAction> {
        match self.result()?.as_str() {
            "cancel" => Some(BrowserAction::Cancel),
            "discount" => Some(BrowserAction::Discount),
            "pause" => Some(BrowserAction::Pause),
            "plan_change" => Some(BrowserAction::ChangePlan),
            "trial_extension" => Some(BrowserAction::ExtendTrial),
            _ => None,
        }
    }

    /// The body of the webhook about it. The record says neither whom it is about nor the mode.
    pub(crate) fn webhook(&self, customer: &Value, mode: Mode) -> Value {
        let mut session = Map::new();
        if let Some(result) = self.result() {
            session.insert("result".to_owned(), result.into());
        }
        let mode = mode.as_str().to_ascii_uppercase();
        session.insert("mode".to_owned(), mode.into());
        let fields = [
            ("feedback", "feedback"),
            ("surveyChoiceValue", "surveyResponse"),
            ("acceptedOffer", "acceptedOffer"),
        ];
        for (from, to) in fields {
            if let Some(value) = self.record.get(from) {
                session.insert(to.to_owned(), value.clone());
            }
        }
        json!({ "event": "session", "data": { "customer": customer, "session": session } })
    }
}

/// What it means that a page says so of an action, and has never asked for it.
pub(crate) fn unasked(action: BrowserAction) -> String {
    let (segment, callback) = (action.segment(), action.callback());
    format!(
        "the page says that this was done, and never asked for it: {segment}. Either the page's own {callback} did it, or \
         nobody did: pass {callback} to the component"
    )
}
