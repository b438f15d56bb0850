//! Coupon and Discount (contract, sections 3.3 and 3.4).

use std::{num::NonZeroU32, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{CycleUnit, InvalidField, OptionalText};
use crate::{
    id::CouponId,
    money::{Amount, Currency, Percentage},
    time::Timestamp,
};

/// A coupon that is applied to a customer or a subscription, for a while or forever (contract, section 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!try_from)
)]
#[serde(try_from = "DiscountFields")]
pub struct Discount {
    /// What the discount is worth, and for how long a coupon gives it.
    coupon: Coupon,
    /// When it was first in effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Timestamp>,
    /// When it ends; without an end, it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Timestamp>,
}

#[derive(Deserialize)]
struct DiscountFields {
    coupon: Coupon,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Discount {
    /// A discount by this coupon, without start and end.
    #[must_use]
    pub fn new(coupon: Coupon) -> Self {
        Self {
            coupon,
            start: None,
            end: None,
        }
    }

    /// When it starts and ends. Without a start it has started already, and without an end it is open-ended.
    ///
    /// # Errors
    /// [`InvalidField`] if it ends before it starts.
    pub fn with_dates(
        mut self,
        start: impl Into<Option<Timestamp>>,
        end: impl Into<Option<Timestamp>>,
    ) -> Result<Self, InvalidField> {
        (self.start, self.end) = (start.into(), end.into());
        match (self.start, self.end) {
            (Some(start), Some(end)) if end < start => {
                Err(InvalidField::new("end", "must not be before `start`"))
            }
            _ => Ok(self),
        }
    }

    /// The coupon, with all its fields.
    #[must_use]
    pub fn coupon(&self) -> &Coupon {
        &self.coupon
    }

    /// When it starts; `None` if it has started already.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        self.start
    }

    /// When it ends; `None` if it is open-ended.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.end
    }
}

impl TryFrom<DiscountFields> for Discount {
    type Error = InvalidField;

    fn try_from(fields: DiscountFields) -> Result<Self, InvalidField> {
        Self::new(fields.coupon).with_dates(fields.start, fields.end)
    }
}

/// A coupon, which reduces what a customer pays (contract, section 3.4).
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
///     CouponDuration::recurring(3, CycleUnit::Month)?,
///     CouponValue::percentage(Percentage::whole(20)?),
/// )
/// .with_code("STAY20")
/// .with_redemptions(Redemptions::new(100, 4)?);
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
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!from)
)]
#[serde(from = "CouponFields")]
pub struct Coupon(Arc<CouponFields>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename = "Coupon", rename_all = "camelCase")]
struct CouponFields {
    /// The merchant's own id of the coupon.
    id: CouponId,
    /// What a customer enters to redeem it.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// What it is called in front of customers.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// For how long it is in effect once it was redeemed.
    duration: CouponDuration,
    /// How much it takes off.
    value: CouponValue,
    /// How often it was redeemed, and how often it may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    redemptions: Option<Redemptions>,
    /// When it can no longer be redeemed.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl Coupon {
    /// A coupon that never expires and that can be redeemed any number of times.
    #[must_use]
    pub fn new(id: CouponId, duration: CouponDuration, value: CouponValue) -> Self {
        Self(Arc::new(CouponFields {
            id,
            code: None,
            name: None,
            duration,
            value,
            redemptions: None,
            expires_at: None,
        }))
    }

    /// The code by which customers redeem it. It must be unique. Customers see it if there is no name.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<OptionalText>) -> Self {
        self.change().code = code.into().0;
        self
    }

    /// The name that customers see.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<OptionalText>) -> Self {
        self.change().name = name.into().0;
        self
    }

    /// How often it may be redeemed, and how often it has been.
    #[must_use]
    pub fn with_redemptions(mut self, redemptions: impl Into<Option<Redemptions>>) -> Self {
        self.change().redemptions = redemptions.into();
        self
    }

    /// When it expires: from then on it can't be redeemed.
    #[must_use]
    pub fn with_expires_at(mut self, expires_at: impl Into<Option<Timestamp>>) -> Self {
        self.change().expires_at = expires_at.into();
        self
    }

    /// The merchant's id of the coupon.
    #[must_use]
    pub fn id(&self) -> &CouponId {
        &self.0.id
    }

    /// See [`with_code`](Self::with_code).
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// See [`with_name`](Self::with_name).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// How long its discount lasts.
    #[must_use]
    pub fn duration(&self) -> CouponDuration {
        self.0.duration
    }

    /// What its discount is worth.
    #[must_use]
    pub fn value(&self) -> CouponValue {
        self.0.value
    }

    /// See [`with_redemptions`](Self::with_redemptions).
    #[must_use]
    pub fn redemptions(&self) -> Option<Redemptions> {
        self.0.redemptions
    }

    /// See [`with_expires_at`](Self::with_expires_at).
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at
    }

    fn change(&mut self) -> &mut CouponFields {
        Arc::make_mut(&mut self.0)
    }
}

impl From<CouponFields> for Coupon {
    fn from(fields: CouponFields) -> Self {
        Self(Arc::new(fields))
    }
}

/// How long the discount of a redeemed coupon lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CouponDuration {
    /// For one invoice.
    Once,
    /// For a number of months or years.
    Recurring {
        /// How many of them.
        amount: NonZeroU32,
        /// Months or years.
        unit: CycleUnit,
    },
    /// Forever.
    Forever,
    /// For a number of billing cycles.
    CycleAmount {
        /// How many of them.
        cycles: NonZeroU32,
    },
}

impl CouponDuration {
    /// A number of months or years.
    ///
    /// # Errors
    /// [`InvalidField`] if the amount is 0.
    pub fn recurring(amount: u32, unit: CycleUnit) -> Result<Self, InvalidField> {
        let amount = at_least_1("duration.amount", amount)?;
        Ok(Self::Recurring { amount, unit })
    }

    /// A number of billing cycles.
    ///
    /// # Errors
    /// [`InvalidField`] if the number is 0.
    pub fn cycle_amount(cycles: u32) -> Result<Self, InvalidField> {
        let cycles = at_least_1("duration.cycles", cycles)?;
        Ok(Self::CycleAmount { cycles })
    }
}

fn at_least_1(field: &'static str, number: u32) -> Result<NonZeroU32, InvalidField> {
    NonZeroU32::new(number).ok_or(InvalidField::new(field, "must be at least 1"))
}

/// What the discount of a coupon is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
    /// A percentage of the price.
    #[non_exhaustive]
    Percentage {
        /// The percentage.
        percent: Percentage,
        /// The only currency in which the coupon is valid, if any.
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

    /// A percentage off, in any currency.
    #[must_use]
    pub fn percentage(percent: Percentage) -> Self {
        Self::Percentage {
            percent,
            currency: None,
        }
    }

    /// A percentage off, for prices in one currency only.
    #[must_use]
    pub fn percentage_in(currency: Currency, percent: Percentage) -> Self {
        Self::Percentage {
            percent,
            currency: Some(currency),
        }
    }
}

/// How often a coupon may be redeemed, and how often it has been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!try_from)
)]
#[serde(try_from = "RedemptionsFields")]
pub struct Redemptions {
    /// How often it may be redeemed by all customers together.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u64>,
    /// How often it was redeemed.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<u64>,
}

#[derive(Deserialize)]
struct RedemptionsFields {
    max: Option<u64>,
    current: Option<u64>,
}

impl Redemptions {
    /// The maximum number of redemptions, and the number so far. The second may be larger, for example after the maximum
    /// was lowered: then no redemptions are left.
    ///
    /// # Errors
    /// [`InvalidField`] if either is above 2^53 - 1.
    pub fn new(
        max: impl Into<Option<u64>>,
        current: impl Into<Option<u64>>,
    ) -> Result<Self, InvalidField> {
        let (max, current) = (max.into(), current.into());
        InvalidField::unless_safe("redemptions.max", max.unwrap_or(0))?;
        InvalidField::unless_safe("redemptions.current", current.unwrap_or(0))?;
        Ok(Self { max, current })
    }

    /// The maximum number of redemptions; `None` if there is no maximum.
    #[must_use]
    pub fn max(self) -> Option<u64> {
        self.max
    }

    /// The number of redemptions so far.
    #[must_use]
    pub fn current(self) -> Option<u64> {
        self.current
    }
}

impl TryFrom<RedemptionsFields> for Redemptions {
    type Error = InvalidField;

    fn try_from(fields: RedemptionsFields) -> Result<Self, InvalidField> {
        Self::new(fields.max, fields.current)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn coupon(more: &Value) -> Result<Coupon, serde_json::Error> {
        let mut coupon = json!({
            "id": "c", "duration": {"type": "once"}, "value": {"type": "percentage", "percent": 20},
        });
        let all = coupon.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        from_value(coupon)
    }

    #[test]
    fn a_coupon_for_no_time_is_refused() {
        for (n, fits) in [(0, false), (1, true)] {
            for duration in [
                json!({"type": "recurring", "amount": n, "unit": "month"}),
                json!({"type": "cycle-amount", "cycles": n}),
            ] {
                let read = coupon(&json!({"duration": duration}));
                assert_eq!(read.is_ok(), fits, "{duration}");
            }
        }
        let error = CouponDuration::recurring(0, CycleUnit::Month).unwrap_err();
        assert_eq!(error.to_string(), "`duration.amount` must be at least 1");
        let error = CouponDuration::cycle_amount(0).unwrap_err();
        assert_eq!(error.to_string(), "`duration.cycles` must be at least 1");
    }

    #[test]
    fn a_discount_does_not_end_before_it_starts() {
        let [earlier, later] = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.001Z"];
        let coupon = coupon(&json!({})).unwrap();
        for (start, end, fits) in [
            (json!(earlier), json!(later), true),
            (json!(earlier), json!(earlier), true),
            (json!(later), json!(earlier), false),
            (json!(later), Value::Null, true),
            (Value::Null, json!(earlier), true),
        ] {
            let discount = json!({"coupon": coupon, "start": start, "end": end});
            let read = from_value::<Discount>(discount.clone());
            assert_eq!(read.is_ok(), fits, "{discount}");
        }
    }

    #[test]
    fn a_count_that_javascript_reads_wrong_is_refused() {
        let most = 9_007_199_254_740_991_u64;
        for (max, current, fits) in [
            (most, most, true),
            (most + 1, 0, false),
            (0, most + 1, false),
            // The limit was lowered after so many redemptions.
            (3, 4, true),
        ] {
            let read = coupon(&json!({"redemptions": {"max": max, "current": current}}));
            assert_eq!(read.is_ok(), fits, "{max} {current}");
        }
    }
}
