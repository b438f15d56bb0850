//! Subscriptions as they are stored: the record that the billing rules work on, and what it refers to.

use std::fmt;

use churnkey_integrator::{
    CouponId, CustomerId, PriceId, Result, SubscriptionId, Timestamp,
    model::{self, Coupon, Discount, Item, Pause, Price},
};
use example_billing::{Catalogue, Missing, Planned, PlannedPrice, Subscription};
use serde::Deserialize;
use tokio_postgres::{Row, types::Json};

use super::{Shop, catalogue::record};

/// A subscription that was read, with every price and coupon that it refers to: nothing is looked up item by item.
pub struct Stored {
    pub(super) seq: i64,
    pub(super) subscription: Subscription,
    prices: Vec<Price>,
    coupons: Vec<Coupon>,
}

/// What is planned, as the statement puts it together.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plans {
    cancel_at: Option<Timestamp>,
    pause: Option<Pause>,
    price_at: Option<Timestamp>,
    price: Option<Price>,
}

impl Shop {
    /// A customer's subscription with this id.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn subscription(
        &self,
        customer_id: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Option<Stored>> {
        let statement = &self.statements.subscription;
        let rows = self
            .database
            .query(statement, &[&customer_id.as_str(), &id.as_str()])
            .await?;
        rows.first().map(Stored::from_row).transpose()
    }

    /// At most so many of a customer's subscriptions after an insertion number.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn subscriptions_after(
        &self,
        customer_id: &CustomerId,
        seq: i64,
        limit: i64,
    ) -> Result<Vec<Stored>> {
        let statement = &self.statements.subscriptions_after;
        let rows = self
            .database
            .query(statement, &[&customer_id.as_str(), &seq, &limit])
            .await?;
        rows.iter().map(Stored::from_row).collect()
    }
}

impl Stored {
    /// Its insertion number.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// How Churnkey sees it at this moment.
    ///
    /// # Errors
    /// Never, as the tables' foreign keys keep what it refers to.
    pub fn served(&self, now: Timestamp) -> Result<model::Subscription, Missing> {
        self.subscription.served(now, self)
    }

    pub(super) fn from_row(row: &Row) -> Result<Self> {
        let served: model::Subscription = record(row)?;
        let Json(plans): Json<Plans> = row.try_get("planned")?;

        let mut subscription = Subscription::from_served(&served);
        let price = plans.price.as_ref().zip(plans.price_at);
        subscription.planned = Planned {
            cancel_at: plans.cancel_at,
            pause: plans.pause,
            price: price.map(|(price, at)| PlannedPrice {
                at,
                price: price.id().clone(),
                duration: price.duration(),
            }),
        };
        let prices = served.items().iter().map(Item::price).cloned();
        let coupons = served.discounts().iter().map(Discount::coupon).cloned();
        Ok(Self {
            seq: row.try_get("seq")?,
            subscription,
            prices: prices.chain(plans.price).collect(),
            coupons: coupons.collect(),
        })
    }
}

/// Shows nothing of whose it is.
impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}

impl Catalogue for Stored {
    fn price(&self, id: &PriceId) -> Option<Price> {
        self.prices.iter().find(|price| price.id() == id).cloned()
    }

    fn coupon(&self, id: &CouponId) -> Option<Coupon> {
        self.coupons
            .iter()
            .find(|coupon| coupon.id() == id)
            .cloned()
    }
}
