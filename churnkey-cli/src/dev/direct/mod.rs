//! The shapes of Churnkey's browser API, called "Direct" there, and their translation from and to the provider contract.
//!
//! Pure functions. Absent fields are left out, never null, and there are no fields beside these: each record is assignable
//! to the types of Churnkey's SDK.

mod records;
mod requests;
#[cfg(test)]
mod tests;

use churnkey_integrator::{Currency, Percentage, Timestamp, model::Metadata};
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    records::{Lost, coupon, customer, price, subscription},
    requests::{BrowserAction, Invalid, Schedules},
};

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<Currency>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) addresses: Vec<Address>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub(crate) metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Price {
    pub(crate) id: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) price_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) product_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<Cycle>,
    pub(crate) amount: Money,
}

/// What is charged, in minor units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Money {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<Model>,
    pub(crate) value: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<Currency>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Model {
    Fixed,
    Tiered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Cycle {
    pub(crate) interval: Interval,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interval_count: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Interval {
    Day,
    Week,
    Month,
    Year,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Coupon {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) percent_off: Option<Percentage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount_off: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<Currency>,
    pub(crate) duration: CouponDuration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_in_months: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CouponDuration {
    Once,
    Repeating,
    Forever,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) customer_id: String,
    pub(crate) start: Timestamp,
    pub(crate) status: Status,
    pub(crate) items: Vec<Item>,
    pub(crate) duration: Cycle,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) discounts: Vec<Discount>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub(crate) metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) price: Price,
    pub(crate) quantity: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Discount {
    pub(crate) coupon: Coupon,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Span {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Pause {
    pub(crate) start: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<Timestamp>,
}

/// Each status takes its own fields along, and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(
    tag = "name",
    rename_all = "lowercase",
    rename_all_fields = "camelCase"
)]
pub(crate) enum Status {
    Active {
        current_period: Span,
    },
    Trial {
        trial: Span,
        #[serde(skip_serializing_if = "Option::is_none")]
        current_period: Option<Span>,
    },
    Paused {
        pause: Pause,
        #[serde(skip_serializing_if = "Option::is_none")]
        current_period: Option<Span>,
    },
    Canceled {
        canceled_at: Timestamp,
    },
    Unpaid {
        #[serde(skip_serializing_if = "Option::is_none")]
        current_period: Option<Span>,
    },
}
