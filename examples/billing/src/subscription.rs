//! A subscription as it is stored, and as it is served at a moment.

use std::collections::BTreeMap;

use churnkey_integrator::{
    CouponId, CustomerId, ItemId, PriceId, SubscriptionId, Timestamp,
    model::{
        self, BillingDuration, Coupon, Discount, InvalidField, Pause, Period, Price,
        SubscriptionStatus,
    },
};

/// A subscription as it is stored: with ids in the place of prices and coupons, and with what is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Since when it is there.
    pub start: Timestamp,
    /// The state that it is in, plans aside.
    pub status: SubscriptionStatus,
    /// How often it is billed.
    pub duration: BillingDuration,
    /// What it is for.
    pub items: Vec<Item>,
    /// The coupons that were redeemed for it, in their order.
    pub discounts: Vec<Redemption>,
    /// Free data.
    pub metadata: BTreeMap<String, String>,
    /// What takes effect later.
    pub planned: Planned,
}

/// So many of one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// What one of them costs.
    pub price: PriceId,
    /// How many.
    pub quantity: u64,
}

/// A coupon that was redeemed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// Which one.
    pub coupon: CouponId,
    /// Since when it holds.
    pub start: Option<Timestamp>,
    /// Until when.
    pub end: Option<Timestamp>,
}

/// What actions have planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planned {
    /// When it will be cancelled.
    pub cancel_at: Option<Timestamp>,
    /// When it will be, or is, paused.
    pub pause: Option<Pause>,
    /// Which price it will have.
    pub price: Option<PlannedPrice>,
}

/// A price that takes effect later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPrice {
    /// When.
    pub at: Timestamp,
    /// Which one.
    pub price: PriceId,
    /// How often it is billed.
    pub duration: BillingDuration,
}

/// What subscriptions refer to.
pub trait Catalogue {
    /// The price with this id.
    fn price(&self, id: &PriceId) -> Option<Price>;
    /// The coupon with this id.
    fn coupon(&self, id: &CouponId) -> Option<Coupon>;
}

/// The store refers to something that it does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// A price.
    #[error("a subscription has a price that is not there")]
    Price,
    /// A coupon.
    #[error("a subscription has a coupon that is not there")]
    Coupon,
    /// An item's quantity is 0.
    #[error(transparent)]
    Field(#[from] InvalidField),
}

/// What is planned, in the order of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Price,
    Resume,
    Cancel,
}

impl Subscription {
    /// The record of a subscription that is served so, with nothing planned.
    #[must_use]
    pub fn from_served(served: &model::Subscription) -> Self {
        let item = |item: &model::Item| Item {
            id: item.id().clone(),
            price: item.price().id().clone(),
            quantity: item.quantity(),
        };
        let redemption = |discount: &Discount| Redemption {
            coupon: discount.coupon().id().clone(),
            start: discount.start(),
            end: discount.end(),
        };
        Self {
            id: served.id().clone(),
            customer_id: served.customer_id().clone(),
            start: served.start(),
            status: served.status(),
            duration: served.duration(),
            items: served.items().iter().map(item).collect(),
            discounts: served.discounts().iter().map(redemption).collect(),
            metadata: served.metadata().clone(),
            planned: Planned::default(),
        }
    }

    /// How Churnkey sees it at this moment.
    ///
    /// # Errors
    /// [`Missing`] if the catalogue lacks something.
    pub fn served(
        &self,
        now: Timestamp,
        catalogue: &impl Catalogue,
    ) -> Result<model::Subscription, Missing> {
        let mut settled = self.clone();
        settled.settle(now);
        let items = settled.items.iter().map(|item| {
            let price = catalogue.price(&item.price).ok_or(Missing::Price)?;
            Ok::<_, Missing>(model::Item::new(item.id.clone(), price, item.quantity)?)
        });
        let discounts = settled.discounts.iter().map(|redemption| {
            let coupon = catalogue.coupon(&redemption.coupon);
            Ok::<_, Missing>(
                Discount::new(coupon.ok_or(Missing::Coupon)?)
                    .with_dates(redemption.start, redemption.end)?,
            )
        });
        Ok(model::Subscription::new(
            settled.id.clone(),
            settled.customer_id.clone(),
            settled.status_at(now),
            settled.start,
            settled.duration,
            items.collect::<Result<Vec<_>, _>>()?,
        )
        .with_discounts(discounts.collect::<Result<Vec<_>, _>>()?)
        .with_metadata(settled.metadata))
    }

    /// Whether it is over. It must have been settled.
    pub(crate) fn is_canceled(&self) -> bool {
        matches!(self.status, SubscriptionStatus::Canceled { .. })
    }

    /// The pause that it is in, or will be in.
    pub(crate) fn pause_known(&self) -> Option<Pause> {
        match self.status {
            SubscriptionStatus::Paused { pause, .. } => Some(pause),
            _ => self.planned.pause,
        }
    }

    /// When what is paid for ends; now, if that is over, or if nothing is paid for.
    pub(crate) fn period_end(&self, now: Timestamp) -> Timestamp {
        let period = self.status.current_period();
        period.map_or(now, |period| period.end().max(now))
    }

    /// Makes everything so that was planned for a moment that has come.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        let price = self.planned.price.as_ref().map(|price| price.at);
        let resume = self.planned.pause.and_then(Pause::end);
        let mut due: Vec<(Timestamp, Change)> = [
            (price, Change::Price),
            (resume, Change::Resume),
            (self.planned.cancel_at, Change::Cancel),
        ]
        .into_iter()
        .filter_map(|(at, change)| at.filter(|at| *at <= now).map(|at| (at, change)))
        .collect();
        due.sort_unstable();
        for (at, change) in due {
            if self.is_canceled() {
                return;
            }
            match change {
                Change::Cancel => {
                    self.status = SubscriptionStatus::canceled(at);
                    self.planned = Planned::default();
                }
                Change::Price => {
                    if let Some(planned) = self.planned.price.take() {
                        self.set_price(&planned.price, planned.duration);
                        self.begin_period(at);
                    }
                }
                Change::Resume => {
                    self.planned.pause = None;
                    self.begin_period(at);
                }
            }
        }
    }

    /// Gives the only item another price.
    pub(crate) fn set_price(&mut self, price: &PriceId, duration: BillingDuration) {
        if let [item] = self.items.as_mut_slice() {
            item.price = price.clone();
            self.duration = duration;
        }
    }

    /// A new period begins; a subscription that is not active has none to begin.
    pub(crate) fn begin_period(&mut self, start: Timestamp) {
        if matches!(self.status, SubscriptionStatus::Active { .. }) {
            let end = self.duration.end_after(1, start);
            self.status = self
                .status
                .with_current_period(Period::new(start, end).ok());
        }
    }

    fn status_at(&self, now: Timestamp) -> SubscriptionStatus {
        match self.planned.pause {
            Some(pause) if pause.start() <= now && !self.is_canceled() => {
                SubscriptionStatus::paused(pause).with_current_period(self.status.current_period())
            }
            _ => self.status,
        }
    }
}
