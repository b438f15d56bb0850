//! Coupon and Discount (contract, sections 3.3 and 3.4).

use serde::{Deserialize, Serialize};

use super::{CycleUnit, OptionalText};
use crate::{
    id::CouponId,
    money::{Amount, Currency, Percentage},
    time::Timestamp,
};

/// A coupon that holds for a customer, for a while or for good (contract, section 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    coupon: Coupon,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Timestamp>,
}

impl Discount {
    /// A discount by this coupon, without a known start or end.
    #[must_use]
    pub fn new(coupon: Coupon) -> Self {
        Self {
            coupon,
            start: None,
            end: None,
        }
    }

    /// When it begins.
    #[must_use]
    pub fn with_start(mut self, start: impl Into<Option<Timestamp>>) -> Self {
        self.start = start.into();
        self
    }

    /// When it ends; without one it is open-ended.
    #[must_use]
    pub fn with_end(mut self, end: impl Into<Option<Timestamp>>) -> Self {
        self.end = end.into();
        self
    }

    /// The coupon, whole.
    #[must_use]
    pub fn coupon(&self) -> &Coupon {
        &self.coupon
    }

    /// See [`with_start`](Self::with_start).
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        self.start
    }

    /// See [`with_end`](Self::with_end).
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.end
    }
}

/// A reduction that can be given to customers (contract, section 3.4).
///
/// # Example
/// ```
/// use churnkey_integrator::{
///     CouponId, Percentage,
///     model::{Coupon, CouponDuration, CouponValue, CycleUnit, Redemptions},
/// };
///
/// let coupon = Coupon::new(
///     CouponId::new("c_20off")?,
///     CouponDuration::Recurring { amount: 3, unit: CycleUnit::Month },
///     CouponValue::percentage(Percentage::whole(20)?),
/// )
/// .with_code("STAY20")
/// .with_redemptions(Redemptions { max: Some(100), current: Some(4) });
/// assert_eq!(
///     serde_json::to_value(&coupon)?,
///     serde_json::json!({
///         "id": "c_20off",
///         "code": "STAY20",
///         "duration": { "type": "recurring", "amount": 3, "unit": "month" },
///         "value": { "type": "percentage", "percent": 20 },
///         "redemptions": { "max": 100, "current": 4 }
///     })
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Coupon {
    id: CouponId,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    duration: CouponDuration,
    value: CouponValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    redemptions: Option<Redemptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl Coupon {
    /// A coupon that never expires and can be redeemed without limit.
    #[must_use]
    pub fn new(id: CouponId, duration: CouponDuration, value: CouponValue) -> Self {
        Self {
            id,
            code: None,
            name: None,
            duration,
            value,
            redemptions: None,
            expires_at: None,
        }
    }

    /// The redeemable code, unique. Customers see it when there is no name.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<OptionalText>) -> Self {
        self.code = code.into().0;
        self
    }

    /// The name that customers see.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<OptionalText>) -> Self {
        self.name = name.into().0;
        self
    }

    /// How often it may be redeemed, and has been.
    #[must_use]
    pub fn with_redemptions(mut self, redemptions: impl Into<Option<Redemptions>>) -> Self {
        self.redemptions = redemptions.into();
        self
    }

    /// When it can't be redeemed any more.
    #[must_use]
    pub fn with_expires_at(mut self, expires_at: impl Into<Option<Timestamp>>) -> Self {
        self.expires_at = expires_at.into();
        self
    }

    /// The merchant's id of the coupon.
    #[must_use]
    pub fn id(&self) -> &CouponId {
        &self.id
    }

    /// See [`with_code`](Self::with_code).
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// See [`with_name`](Self::with_name).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// For how long a redemption lasts.
    #[must_use]
    pub fn duration(&self) -> CouponDuration {
        self.duration
    }

    /// What it takes off.
    #[must_use]
    pub fn value(&self) -> CouponValue {
        self.value
    }

    /// See [`with_redemptions`](Self::with_redemptions).
    #[must_use]
    pub fn redemptions(&self) -> Option<Redemptions> {
        self.redemptions
    }

    /// See [`with_expires_at`](Self::with_expires_at).
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

/// For how long a redeemed coupon lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum CouponDuration {
    /// For one invoice.
    Once,
    /// For some months or years.
    Recurring {
        /// How many of them.
        amount: u32,
        /// Months or years.
        unit: CycleUnit,
    },
    /// For good.
    Forever,
    /// For some billing cycles.
    CycleAmount {
        /// How many of them.
        cycles: u32,
    },
}

/// What a coupon takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[non_exhaustive]
pub enum CouponValue {
    /// A fixed amount.
    #[non_exhaustive]
    Fixed {
        /// The currency of the amount.
        currency: Currency,
        /// The amount, in minor units.
        #[serde(flatten)]
        amount: Amount,
    },
    /// A share of the price.
    #[non_exhaustive]
    Percentage {
        /// The share, from 0 to 100.
        percent: Percentage,
        /// The currency it is restricted to, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        currency: Option<Currency>,
    },
}

impl CouponValue {
    /// A fixed amount off.
    #[must_use]
    pub fn fixed(currency: Currency, amount: Amount) -> Self {
        Self::Fixed { currency, amount }
    }

    /// A share off, in any currency.
    #[must_use]
    pub fn percentage(percent: Percentage) -> Self {
        Self::Percentage {
            percent,
            currency: None,
        }
    }

    /// A share off prices in one currency.
    #[must_use]
    pub fn percentage_in(currency: Currency, percent: Percentage) -> Self {
        Self::Percentage {
            percent,
            currency: Some(currency),
        }
    }
}

/// How often a coupon may be redeemed, and how often it has been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redemptions {
    /// The most redemptions; none means no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// The redemptions so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<u64>,
}
