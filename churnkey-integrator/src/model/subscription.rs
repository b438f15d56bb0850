//! Subscription, its line items and its status (contract, sections 3.7 and 3.8).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{BillingDuration, Discount, InvalidField, Metadata, Period, Price, null_is_empty};
use crate::{
    id::{CustomerId, ItemId, SubscriptionId},
    time::Timestamp,
};

/// A subscription of a customer (contract, section 3.7).
///
/// # Example
/// ```
/// use churnkey_integrator::{
///     Amount, Currency, CustomerId, ItemId, PriceId, SubscriptionId, Timestamp,
///     model::{BillingDuration, Item, Period, Price, PriceAmount, Subscription, SubscriptionStatus},
/// };
///
/// let price = Price::standalone(
///     PriceId::new("pro_m")?,
///     BillingDuration::MONTHLY,
///     PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(2999)?),
/// );
/// let start: Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// let period = Period::new(start, BillingDuration::MONTHLY.end_after(1, start))?;
/// let subscription = Subscription::new(
///     SubscriptionId::new("sub_1")?,
///     CustomerId::new("cus_1")?,
///     SubscriptionStatus::active(period),
///     start,
///     BillingDuration::MONTHLY,
///     [Item::new(ItemId::new("si_1")?, price, 1)?],
/// );
/// assert_eq!(
///     serde_json::to_value(&subscription)?["status"],
///     serde_json::json!({
///         "name": "active",
///         "currentPeriod": { "start": "2026-01-01T00:00:00.000Z", "end": "2026-02-01T00:00:00.000Z" }
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
#[serde(from = "SubscriptionFields")]
pub struct Subscription(Arc<SubscriptionFields>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename = "Subscription", rename_all = "camelCase")]
struct SubscriptionFields {
    /// The merchant's own id of the subscription.
    id: SubscriptionId,
    /// The customer whose subscription it is.
    customer_id: CustomerId,
    /// When it began.
    start: Timestamp,
    /// What state it is in, with the times that belong to that state.
    status: SubscriptionStatus,
    /// How often it is billed.
    duration: BillingDuration,
    /// What is billed: prices with their quantities.
    items: Vec<Item>,
    /// The discounts of this subscription.
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    discounts: Vec<Discount>,
    /// The merchant's own keys and values.
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Metadata::is_empty"
    )]
    metadata: Metadata,
}

impl Subscription {
    /// A subscription of a customer that started at `start` and is billed for its line items every `duration`.
    #[must_use]
    pub fn new(
        id: SubscriptionId,
        customer_id: CustomerId,
        status: SubscriptionStatus,
        start: Timestamp,
        duration: BillingDuration,
        items: impl IntoIterator<Item = Item>,
    ) -> Self {
        Self(Arc::new(SubscriptionFields {
            id,
            customer_id,
            start,
            status,
            duration,
            items: items.into_iter().collect(),
            discounts: Vec::new(),
            metadata: Metadata::default(),
        }))
    }

    /// All discounts of the subscription. They need a coupons controller. Churnkey reads them before it offers another
    /// discount.
    #[must_use]
    pub fn with_discounts(mut self, discounts: impl IntoIterator<Item = Discount>) -> Self {
        self.change().discounts = discounts.into_iter().collect();
        self
    }

    /// All metadata: the merchant's own keys and values, such as `[("campaign", "spring")]` or a map.
    #[must_use]
    pub fn with_metadata(mut self, metadata: impl Into<Metadata>) -> Self {
        self.change().metadata = metadata.into();
        self
    }

    /// The merchant's id of the subscription.
    #[must_use]
    pub fn id(&self) -> &SubscriptionId {
        &self.0.id
    }

    /// The customer whose subscription it is.
    #[must_use]
    pub fn customer_id(&self) -> &CustomerId {
        &self.0.customer_id
    }

    /// When it started.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.0.start
    }

    /// Its state.
    #[must_use]
    pub fn status(&self) -> SubscriptionStatus {
        self.0.status
    }

    /// The billing cycle.
    #[must_use]
    pub fn duration(&self) -> BillingDuration {
        self.0.duration
    }

    /// The line items.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.0.items
    }

    /// See [`with_discounts`](Self::with_discounts).
    #[must_use]
    pub fn discounts(&self) -> &[Discount] {
        &self.0.discounts
    }

    /// See [`with_metadata`](Self::with_metadata).
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    fn change(&mut self) -> &mut SubscriptionFields {
        Arc::make_mut(&mut self.0)
    }
}

impl From<SubscriptionFields> for Subscription {
    fn from(fields: SubscriptionFields) -> Self {
        Self(Arc::new(fields))
    }
}

/// A line item of a subscription: a price and a quantity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!try_from)
)]
#[serde(try_from = "ItemFields")]
pub struct Item {
    /// The merchant's own id of the line item.
    id: ItemId,
    /// The price of one.
    price: Price,
    /// How many are billed.
    #[cfg_attr(feature = "openapi", schemars(range(min = 1)))]
    quantity: u64,
}

#[derive(Deserialize)]
struct ItemFields {
    id: ItemId,
    price: Price,
    quantity: u64,
}

impl Item {
    /// A line item of a price and a quantity.
    ///
    /// # Errors
    /// [`InvalidField`] if the quantity is 0 or above 2^53 - 1.
    pub fn new(id: ItemId, price: Price, quantity: u64) -> Result<Self, InvalidField> {
        if quantity == 0 {
            return Err(InvalidField::new("quantity", "must be at least 1"));
        }
        InvalidField::unless_safe("quantity", quantity)?;
        Ok(Self {
            id,
            price,
            quantity,
        })
    }

    /// The merchant's id of the line item.
    #[must_use]
    pub fn id(&self) -> &ItemId {
        &self.id
    }

    /// The price of one unit, with all its fields.
    #[must_use]
    pub fn price(&self) -> &Price {
        &self.price
    }

    /// The quantity, at least 1.
    #[must_use]
    pub fn quantity(&self) -> u64 {
        self.quantity
    }
}

impl TryFrom<ItemFields> for Item {
    type Error = InvalidField;

    fn try_from(fields: ItemFields) -> Result<Self, InvalidField> {
        Self::new(fields.id, fields.price, fields.quantity)
    }
}

/// The state of a subscription (contract, section 3.8).
///
/// There is no status for what is scheduled: a subscription that will be cancelled or paused at the end of the period is
/// `active` until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(
    tag = "name",
    rename_all = "lowercase",
    rename_all_fields = "camelCase"
)]
#[non_exhaustive]
pub enum SubscriptionStatus {
    /// It is active and paid.
    #[non_exhaustive]
    Active {
        /// The billing period that is paid.
        current_period: Period,
        /// The trial before it, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trial: Option<Period>,
    },
    /// It is in a trial, and not paid yet.
    #[non_exhaustive]
    Trial {
        /// The trial.
        trial: Period,
        /// The billing period; if it is absent, the trial.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        current_period: Option<Period>,
    },
    /// It is paused, and not paid meanwhile.
    #[non_exhaustive]
    Paused {
        /// The start and end of the pause.
        pause: Pause,
        /// The billing period in which the pause started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        current_period: Option<Period>,
        /// The trial before it, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trial: Option<Period>,
    },
    /// It has ended.
    #[non_exhaustive]
    Canceled {
        /// When it ended.
        canceled_at: Timestamp,
        /// The last billing period.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        current_period: Option<Period>,
        /// The trial before it, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trial: Option<Period>,
    },
    /// A payment has failed. It may go on or not.
    #[non_exhaustive]
    Unpaid {
        /// The billing period that is not paid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        current_period: Option<Period>,
        /// The trial before it, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trial: Option<Period>,
    },
}

impl SubscriptionStatus {
    /// Active, and paid for this billing period.
    #[must_use]
    pub fn active(current_period: Period) -> Self {
        Self::Active {
            current_period,
            trial: None,
        }
    }

    /// In a trial.
    #[must_use]
    pub fn trial(trial: Period) -> Self {
        Self::Trial {
            trial,
            current_period: None,
        }
    }

    /// Paused.
    #[must_use]
    pub fn paused(pause: Pause) -> Self {
        Self::Paused {
            pause,
            current_period: None,
            trial: None,
        }
    }

    /// Ended at this time.
    #[must_use]
    pub fn canceled(canceled_at: Timestamp) -> Self {
        Self::Canceled {
            canceled_at,
            current_period: None,
            trial: None,
        }
    }

    /// A payment has failed.
    #[must_use]
    pub fn unpaid() -> Self {
        Self::Unpaid {
            current_period: None,
            trial: None,
        }
    }

    /// Sets the billing period. With `None`, an active subscription keeps the one that it has.
    #[must_use]
    pub fn with_current_period(mut self, period: impl Into<Option<Period>>) -> Self {
        let period = period.into();
        match &mut self {
            Self::Active { current_period, .. } => {
                *current_period = period.unwrap_or(*current_period);
            }
            Self::Trial { current_period, .. }
            | Self::Paused { current_period, .. }
            | Self::Canceled { current_period, .. }
            | Self::Unpaid { current_period, .. } => *current_period = period,
        }
        self
    }

    /// Sets the trial that came before. With `None`, a subscription in trial keeps the one that it has.
    #[must_use]
    pub fn with_trial(mut self, period: impl Into<Option<Period>>) -> Self {
        let period = period.into();
        match &mut self {
            Self::Trial { trial, .. } => *trial = period.unwrap_or(*trial),
            Self::Active { trial, .. }
            | Self::Paused { trial, .. }
            | Self::Canceled { trial, .. }
            | Self::Unpaid { trial, .. } => *trial = period,
        }
        self
    }

    /// The billing period, if there is one; in a trial without one, the trial (contract, section 3.8). Its end is the end
    /// of the period for an action that is scheduled then.
    #[must_use]
    pub fn current_period(self) -> Option<Period> {
        match self {
            Self::Active { current_period, .. } => Some(current_period),
            Self::Trial {
                trial,
                current_period,
            } => Some(current_period.unwrap_or(trial)),
            Self::Paused { current_period, .. }
            | Self::Canceled { current_period, .. }
            | Self::Unpaid { current_period, .. } => current_period,
        }
    }

    /// The trial, if there is one, whether it has ended or not.
    #[must_use]
    pub fn trial_period(self) -> Option<Period> {
        match self {
            Self::Trial { trial, .. } => Some(trial),
            Self::Active { trial, .. }
            | Self::Paused { trial, .. }
            | Self::Canceled { trial, .. }
            | Self::Unpaid { trial, .. } => trial,
        }
    }

    /// The name of the status on the wire, such as `active`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active { .. } => "active",
            Self::Trial { .. } => "trial",
            Self::Paused { .. } => "paused",
            Self::Canceled { .. } => "canceled",
            Self::Unpaid { .. } => "unpaid",
        }
    }
}

/// The start and end of a pause (contract, section 3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!try_from)
)]
#[serde(try_from = "PauseFields")]
pub struct Pause {
    /// When it began.
    start: Timestamp,
    /// When it ends; without an end, it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Timestamp>,
}

#[derive(Deserialize)]
struct PauseFields {
    start: Timestamp,
    end: Option<Timestamp>,
}

impl Pause {
    /// A pause without an end.
    #[must_use]
    pub fn indefinite(start: Timestamp) -> Self {
        Self { start, end: None }
    }

    /// A pause from `start` to `end`, or without an end.
    ///
    /// # Errors
    /// [`InvalidField`] if it ends before it starts.
    pub fn new(start: Timestamp, end: impl Into<Option<Timestamp>>) -> Result<Self, InvalidField> {
        let end = end.into();
        if end.is_some_and(|end| end < start) {
            return Err(InvalidField::new("end", "must not be before `start`"));
        }
        Ok(Self { start, end })
    }

    /// When it starts.
    #[must_use]
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// When it ends; `None` if it is open-ended.
    #[must_use]
    pub fn end(self) -> Option<Timestamp> {
        self.end
    }
}

impl TryFrom<PauseFields> for Pause {
    type Error = InvalidField;

    fn try_from(fields: PauseFields) -> Result<Self, InvalidField> {
        Self::new(fields.start, fields.end)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json, to_value};

    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn every_status_is_written_as_the_contract_says() {
        let (start, end) = (
            moment("2026-01-01T00:00:00Z"),
            moment("2026-02-01T00:00:00Z"),
        );
        let period = Period::new(start, end).unwrap();
        let wire = json!({"start": "2026-01-01T00:00:00.000Z", "end": "2026-02-01T00:00:00.000Z"});
        for (status, expected) in [
            (
                SubscriptionStatus::active(period),
                json!({"name": "active", "currentPeriod": wire}),
            ),
            (
                SubscriptionStatus::trial(period),
                json!({"name": "trial", "trial": wire}),
            ),
            (
                SubscriptionStatus::paused(Pause::new(start, end).unwrap()),
                json!({"name": "paused", "pause": wire}),
            ),
            (
                SubscriptionStatus::paused(Pause::indefinite(start)),
                json!({"name": "paused", "pause": {"start": "2026-01-01T00:00:00.000Z"}}),
            ),
            (
                SubscriptionStatus::canceled(start).with_trial(period),
                json!({"name": "canceled", "canceledAt": "2026-01-01T00:00:00.000Z", "trial": wire}),
            ),
            (
                SubscriptionStatus::unpaid().with_current_period(period),
                json!({"name": "unpaid", "currentPeriod": wire}),
            ),
        ] {
            assert_eq!(to_value(status).unwrap(), expected);
            assert_eq!(expected["name"], status.name());
            assert_eq!(from_value::<SubscriptionStatus>(expected).unwrap(), status);
        }
    }

    #[test]
    fn a_trial_without_a_period_of_its_own_is_the_period() {
        let (start, end) = (
            moment("2026-01-01T00:00:00Z"),
            moment("2026-02-01T00:00:00Z"),
        );
        let trial = Period::new(start, end).unwrap();
        let paid = Period::new(end, end.plus(1, crate::time::CalendarUnit::Month)).unwrap();
        let status = SubscriptionStatus::trial(trial);
        assert_eq!(status.current_period(), Some(trial));
        assert_eq!(
            status.with_current_period(paid).current_period(),
            Some(paid)
        );
        assert_eq!(SubscriptionStatus::unpaid().current_period(), None);
    }

    #[test]
    fn what_a_status_needs_can_not_be_missing() {
        let backwards = json!({"start": "2026-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z"});
        for (bad, why) in [
            (json!({"name": "active"}), "missing field `currentPeriod`"),
            (json!({"name": "trial"}), "missing field `trial`"),
            (json!({"name": "paused"}), "missing field `pause`"),
            (json!({"name": "canceled"}), "missing field `canceledAt`"),
            (
                json!({"name": "future"}),
                "unknown variant `future`, expected one of `active`, `trial`, `paused`, `canceled`, `unpaid`",
            ),
            (
                json!({"name": "paused", "pause": backwards}),
                "`end` must not be before `start`",
            ),
        ] {
            let error = from_value::<SubscriptionStatus>(bad).unwrap_err();
            assert_eq!(error.to_string(), why);
        }
        assert!(from_value::<SubscriptionStatus>(json!({"name": "unpaid", "trial": null})).is_ok());
    }

    #[test]
    fn a_quantity_of_0_is_refused() {
        let item = |quantity: Value| {
            from_value::<Item>(json!({"id": "si", "quantity": quantity, "price": {
                "id": "p", "type": "standalone", "duration": {"amount": 1, "unit": "month"},
                "amount": {"model": "fixed", "currency": "usd", "unit": 1},
            }}))
        };
        assert!(item(json!(1)).is_ok());
        assert_eq!(
            item(json!(0)).unwrap_err().to_string(),
            "`quantity` must be at least 1"
        );
        assert_eq!(
            item(json!(1.5)).unwrap_err().to_string(),
            "invalid type: floating point `1.5`, expected u64"
        );
    }

    #[test]
    fn a_quantity_that_javascript_reads_wrong_is_refused() {
        let item = |quantity: u64| {
            from_value::<Item>(json!({"id": "si", "quantity": quantity, "price": {
                "id": "p", "type": "standalone", "duration": {"amount": 1, "unit": "month"},
                "amount": {"model": "fixed", "currency": "usd", "unit": 1},
            }}))
        };
        assert!(item(9_007_199_254_740_991).is_ok());
        assert_eq!(
            item(9_007_199_254_740_992).unwrap_err().to_string(),
            "`quantity` must be at most 9007199254740991, the largest integer that JavaScript represents exactly"
        );
    }
}
