//! The cancel flow of a customer: what the component in the browser walks through.

mod blueprint;
mod built_in;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use self::{blueprint::Blueprint, built_in::steps};
use super::direct;
use crate::markup::escaped;

/// The answer to `config`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Config {
    pub(crate) blueprint_id: &'static str,
    pub(crate) steps: Vec<Step>,
    pub(crate) customer: direct::Customer,
    pub(crate) subscriptions: Vec<direct::Subscription>,
    pub(crate) settings: FlowSettings,
}

/// Never absent: without them the client shows success and an error at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FlowSettings {
    pub(crate) click_to_cancel_enabled: bool,
    #[serde(rename = "strictFTCComplianceEnabled")]
    pub(crate) strict_ftc_compliance_enabled: bool,
}

/// A step. `description` is HTML in the customer's page, and the rest is text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    #[serde(default)]
    pub(crate) guid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(flatten)]
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "lowercase",
    rename_all_fields = "camelCase"
)]
pub(crate) enum Kind {
    Survey {
        reasons: Vec<Reason>,
    },
    Offer {
        offer: Offer,
    },
    Feedback {
        #[serde(skip_serializing_if = "Option::is_none")]
        placeholder: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        required: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        min_length: Option<u32>,
    },
    Confirm,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    pub(crate) id: String,
    pub(crate) label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) freeform: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offer: Option<Offer>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Offer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decision_id: Option<String>,
    pub(crate) copy: OfferCopy,
    #[serde(flatten)]
    pub(crate) terms: Terms,
}

/// The words of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OfferCopy {
    pub(crate) headline: String,
    pub(crate) body: Html,
    pub(crate) cta: String,
    pub(crate) decline_cta: String,
}

/// What is offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub(crate) enum Terms {
    Discount {
        #[serde(skip_serializing_if = "Option::is_none")]
        coupon_id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        percent_off: Option<churnkey_integrator::Percentage>,
        #[serde(skip_serializing_if = "Option::is_none")]
        amount_off: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        currency: Option<churnkey_integrator::Currency>,
        #[serde(skip_serializing_if = "Option::is_none")]
        duration_in_months: Option<u64>,
    },
    Pause {
        months: u32,
        interval: PauseInterval,
        #[serde(skip_serializing_if = "Option::is_none")]
        date_picker: Option<bool>,
    },
    PlanChange {
        plans: Vec<Plan>,
    },
    TrialExtension {
        days: u32,
    },
    Redirect {
        url: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    },
    Contact {
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PauseInterval {
    Month,
    Week,
}

/// A price, and what a blueprint says in its favour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    #[serde(flatten)]
    pub(crate) price: direct::Price,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tagline: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) features: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) msrp: Option<String>,
}

/// HTML in the customer's page, where it is drawn without being cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Html {
    /// Text from the integration: escaped as it is sent.
    Text(String),
    /// A blueprint's own: sent as it is.
    Own(String),
}

impl Html {
    /// The text, or the HTML as it is written.
    pub(crate) fn as_written(&self) -> &str {
        match self {
            Self::Text(text) | Self::Own(text) => text,
        }
    }
}

impl Serialize for Html {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // A merge field of the client is filled in before the HTML is drawn.
            Self::Text(text) => serializer.serialize_str(&escaped(text).replace('{', "&#123;")),
            Self::Own(html) => serializer.serialize_str(html),
        }
    }
}

impl<'de> Deserialize<'de> for Html {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::Own)
    }
}
