//! A subscription as it is stored, and as it is served at a given time.

use churnkey_integrator::{
    CouponId, CustomerId, ItemId, PriceId, SubscriptionId, Timestamp,
    model::{
        self, BillingDuration, Coupon, Discount, InvalidField, Metadata, Pause, Period, Price,
        SubscriptionStatus,
    },
};

/// A subscription as it is stored: with ids instead of prices and coupons, and with planned changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// When it began.
    pub start: Timestamp,
    /// Its status, without planned changes.
    pub status: SubscriptionStatus,
    /// How often it is billed.
    pub duration: BillingDuration,
    /// What is billed.
    pub items: Vec<Item>,
    /// The coupons that were redeemed for it, in order.
    pub discounts: Vec<Redemption>,
    /// Metadata.
    pub metadata: Metadata,
    /// Planned changes.
    pub planned: Planned,
}

/// A quantity of one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// The price of one.
    pub price: PriceId,
    /// The quantity.
    pub quantity: u64,
}

/// A coupon that was redeemed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// Its id.
    pub coupon: CouponId,
    /// When the discount begins.
    pub start: Option<Timestamp>,
    /// When the discount ends.
    pub end: Option<Timestamp>,
}

/// The changes that actions planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planned {
    /// When it will be cancelled.
    pub cancel_at: Option<Timestamp>,
    /// Its pause, running or planned.
    pub pause: Option<Pause>,
    /// Its next price.
    pub price: Option<PlannedPrice>,
}

/// A planned price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPrice {
    /// When it takes effect.
    pub at: Timestamp,
    /// Its id.
    pub price: PriceId,
    /// How often it is billed.
    pub duration: BillingDuration,
}

impl PlannedPrice {
    /// This price, from then on.
    #[must_use]
    pub fn new(at: Timestamp, price: &Price) -> Self {
        Self {
            at,
            price: price.id().clone(),
            duration: price.duration(),
        }
    }
}

/// What subscriptions refer to.
pub trait Catalogue {
    /// The price with this id.
    fn price(&self, id: &PriceId) -> Option<Price>;
    /// The coupon with this id.
    fn coupon(&self, id: &CouponId) -> Option<Coupon>;
}

/// What subscriptions refer to, where it was read together with them.
#[derive(Debug, Clone, Default)]
pub struct Referred {
    /// The prices.
    pub prices: Vec<Price>,
    /// The coupons.
    pub coupons: Vec<Coupon>,
}

impl Referred {
    /// What a subscription refers to that is served so.
    #[must_use]
    pub fn by(served: &model::Subscription) -> Self {
        let prices = served.items().iter().map(model::Item::price);
        let coupons = served.discounts().iter().map(Discount::coupon);
        Self {
            prices: prices.cloned().collect(),
            coupons: coupons.cloned().collect(),
        }
    }
}

impl Catalogue for Referred {
    fn price(&self, id: &PriceId) -> Option<Price> {
        self.prices.iter().find(|price| price.id() == id).cloned()
    }

    fn coupon(&self, id: &CouponId) -> Option<Coupon> {
        let mut coupons = self.coupons.iter();
        coupons.find(|coupon| coupon.id() == id).cloned()
    }
}

/// A record refers to another one that is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// A price.
    #[error("a subscription refers to a missing price")]
    Price,
    /// A coupon.
    #[error("a subscription refers to a missing coupon")]
    Coupon,
    /// An item's quantity is 0.
    #[error(transparent)]
    Field(#[from] InvalidField),
}

/// The planned changes, in the order in which they are applied at the same time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Price,
    Resume,
    Cancel,
}

impl Subscription {
    /// The record of a subscription that is served like this, with no planned changes.
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

    /// What Churnkey is served at this time.
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

    /// Whether it is cancelled. Call `settle` first.
    pub(crate) fn is_canceled(&self) -> bool {
        matches!(self.status, SubscriptionStatus::Canceled { .. })
    }

    /// Its pause, running or planned.
    pub(crate) fn pause_known(&self) -> Option<Pause> {
        match self.status {
            SubscriptionStatus::Paused { pause, .. } => Some(pause),
            _ => self.planned.pause,
        }
    }

    /// The end of the current period, or now if that is past or there is none.
    pub(crate) fn period_end(&self, now: Timestamp) -> Timestamp {
        let period = self.status.current_period();
        period.map_or(now, |period| period.end().max(now))
    }

    /// Applies every planned change that is due.
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

    /// Changes the price of the only item.
    pub(crate) fn set_price(&mut self, price: &PriceId, duration: BillingDuration) {
        if let [item] = self.items.as_mut_slice() {
            item.price = price.clone();
            self.duration = duration;
        }
    }

    /// Begins a new period, if the subscription is active.
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
