//! Change the price (contract, section 5.5).

use async_trait::async_trait;

use super::{Schedule, Schedules};
use crate::{
    context::RequestContext,
    controllers::{Serves, forward},
    error::Result,
    model::{Price, Subscription},
    operation::ChangePriceOperation,
};

/// Moves a subscription to another price, which may be that of another product.
///
/// # A small implementation
/// ```
/// use std::{collections::BTreeMap, sync::Mutex};
///
/// use churnkey_integrator::{
///     HandlerError, PriceId, RequestContext, Result, SubscriptionId,
///     actions::{ChangePriceAction, ChangePriceFeatures, ChangePriceRequest, Schedules},
///     controller,
/// };
///
/// struct Shop {
///     prices: Mutex<BTreeMap<SubscriptionId, PriceId>>,
/// }
///
/// #[controller]
/// impl ChangePriceAction for Shop {
///     /// From now on only, and without proration.
///     fn features(&self) -> ChangePriceFeatures {
///         ChangePriceFeatures::new(Schedules::Immediate)
///     }
///
///     async fn change_price(&self, _: &RequestContext, request: &ChangePriceRequest) -> Result<()> {
///         let subscription = request.subscription();
///         if subscription.items().len() > 1 {
///             return Err(HandlerError::several_items());
///         }
///         let mut prices = self.prices.lock().map_err(|_| "poisoned")?;
///         prices.insert(subscription.id().clone(), request.price().id().clone());
///         Ok(())
///     }
/// }
/// # use churnkey_integrator::{Amount, Currency, CustomerId, ItemId, Mode, model::{BillingDuration, Item, Period, Price, PriceAmount, Subscription, SubscriptionStatus}};
/// # use churnkey_integrator::{actions::Schedule};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let (start, end) = ("2026-01-01T00:00:00Z".parse()?, "2026-02-01T00:00:00Z".parse()?);
/// # let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(2999)?);
/// # let price = Price::standalone(PriceId::new("price_1")?, BillingDuration::MONTHLY, amount.clone());
/// # let subscription = Subscription::new(
/// #     SubscriptionId::new("sub_1")?, CustomerId::new("cus_1")?,
/// #     SubscriptionStatus::active(Period::new(start, end)?), start, BillingDuration::MONTHLY,
/// #     [Item::new(ItemId::new("si_1")?, price, 1)?],
/// # );
/// # let (shop, cx) = (Shop { prices: Mutex::default() }, RequestContext::for_test(Mode::Live));
/// # let pro = Price::standalone(PriceId::new("pro")?, BillingDuration::MONTHLY, amount);
/// # let request = ChangePriceRequest::for_test(subscription, pro, Schedule::Immediate);
/// # shop.change_price(&cx, &request).await?;
/// # assert_eq!(shop.prices.lock().unwrap().values().collect::<Vec<_>>(), [&PriceId::new("pro")?]);
/// # Ok::<(), churnkey_integrator::HandlerError>(()) })?;
/// # Ok::<(), churnkey_integrator::HandlerError>(())
/// ```
///
/// # Request
/// `POST /churnkey/actions/subscription/change-price` with
/// `{"customerId": "cus_1", "subscriptionId": "sub_1", "price": "price_2", "scheduledAt": "immediate", "prorate": false}`.
///
/// # Contract
/// * Act on the data set of [`RequestContext::mode`], as [`CancelAction`](super::CancelAction#contract) does.
/// * If the subscription already has the price, change nothing, and return `Ok(())`.
/// * A request does not say which of several line items it means: return
///   [`HandlerError::several_items`](crate::HandlerError::several_items).
#[async_trait]
pub trait ChangePriceAction: Serves<ChangePriceOperation> + Send + Sync + 'static {
    /// The schedules that the action supports, and whether it can prorate. Called once, when the integration is built.
    fn features(&self) -> ChangePriceFeatures;

    /// Changes the price of the subscription's only line item (`POST /churnkey/actions/subscription/change-price`).
    ///
    /// # Errors
    /// [`HandlerError::several_items`](crate::HandlerError::several_items) and the like, or any error of the store.
    async fn change_price(&self, cx: &RequestContext, request: &ChangePriceRequest) -> Result<()>;
}

forward! {
    impl ChangePriceAction {
        fn features(&self) -> ChangePriceFeatures;
        async fn change_price(&self, cx: &RequestContext, request: &ChangePriceRequest) -> Result<()>;
    }
}

/// What a merchant's change-price action supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangePriceFeatures {
    schedules: Schedules,
    prorate: bool,
}

impl ChangePriceFeatures {
    /// Supports these schedules, without proration.
    #[must_use]
    pub const fn new(schedules: Schedules) -> Self {
        Self {
            schedules,
            prorate: false,
        }
    }

    /// Supports proration, too: the unused rest of the period is credited if the request asks for it.
    #[must_use]
    pub const fn with_proration(mut self) -> Self {
        self.prorate = true;
        self
    }

    pub(crate) fn schedules(self) -> Schedules {
        self.schedules
    }

    pub(crate) fn prorates(self) -> bool {
        self.prorate
    }
}

/// A request to move a subscription to another price.
#[derive(Debug, Clone)]
pub struct ChangePriceRequest {
    pub(crate) subscription: Subscription,
    pub(crate) price: Price,
    pub(crate) schedule: Schedule,
    pub(crate) prorate: bool,
}

impl ChangePriceRequest {
    /// A request to call the action with in a unit test. It asks for no proration.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_test(subscription: Subscription, price: Price, schedule: Schedule) -> Self {
        Self {
            subscription,
            price,
            schedule,
            prorate: false,
        }
    }

    /// The same request, which asks for proration.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_prorate(mut self) -> Self {
        self.prorate = true;
        self
    }

    /// The subscription as the controller returned it a moment ago.
    #[must_use]
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// The new price as the controller returned it a moment ago.
    #[must_use]
    pub fn price(&self) -> &Price {
        &self.price
    }

    /// When it takes effect.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        self.schedule
    }

    /// Whether the unused rest of the period is to be credited.
    #[must_use]
    pub fn prorate(&self) -> bool {
        self.prorate
    }
}
