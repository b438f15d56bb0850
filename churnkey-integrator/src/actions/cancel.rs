//! Cancel (contract, section 5.1).

use async_trait::async_trait;

use super::{Schedule, Schedules};
use crate::{
    context::RequestContext,
    controllers::{Serves, forward},
    error::{ContractViolation, Result},
    id::CustomerId,
    model::Subscription,
    operation::CancelOperation,
};

/// Cancels subscriptions. Without this action, Churnkey has no cancel flow.
///
/// # A small implementation
/// ```
/// use std::{collections::BTreeMap, sync::Mutex};
///
/// use churnkey_integrator::{
///     RequestContext, Result, SubscriptionId, Timestamp,
///     actions::{CancelAction, CancelFeatures, CancelRequest, Schedule, Schedules},
///     controller,
/// };
///
/// /// When each live subscription ends; there is no test data.
/// struct Shop {
///     ends: Mutex<BTreeMap<SubscriptionId, Timestamp>>,
/// }
///
/// #[controller]
/// impl CancelAction for Shop {
///     fn features(&self) -> CancelFeatures {
///         CancelFeatures::new(Schedules::Both)
///     }
///
///     async fn cancel(&self, _: &RequestContext, request: &CancelRequest) -> Result<()> {
///         let subscription = request.subscription();
///         let now = Timestamp::now();
///         let end = match (request.schedule(), subscription.status().current_period()) {
///             (Schedule::EndOfPeriod, Some(period)) => period.end(),
///             _ => now,
///         };
///         let mut ends = self.ends.lock().map_err(|_| "poisoned")?;
///         // A retry must not move an end that has been reached, or is nearer.
///         let known = ends.entry(subscription.id().clone()).or_insert(end);
///         *known = end.min(*known);
///         Ok(())
///     }
/// }
/// # use churnkey_integrator::{Amount, Currency, CustomerId, ItemId, Mode, PriceId, model::{BillingDuration, Item, Period, Price, PriceAmount, Subscription, SubscriptionStatus}};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let (start, end) = ("2026-01-01T00:00:00Z".parse()?, "2026-02-01T00:00:00Z".parse()?);
/// # let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(2999)?);
/// # let price = Price::standalone(PriceId::new("price_1")?, BillingDuration::MONTHLY, amount);
/// # let subscription = Subscription::new(
/// #     SubscriptionId::new("sub_1")?, CustomerId::new("cus_1")?,
/// #     SubscriptionStatus::active(Period::new(start, end)?), start, BillingDuration::MONTHLY,
/// #     [Item::new(ItemId::new("si_1")?, price, 1)?],
/// # );
/// # let (shop, cx) = (Shop { ends: Mutex::default() }, RequestContext::for_test(Mode::Live));
/// # for schedule in [Schedule::EndOfPeriod, Schedule::EndOfPeriod] {
/// #     shop.cancel(&cx, &CancelRequest::for_test(subscription.clone(), schedule)).await?;
/// #     assert_eq!(shop.ends.lock().unwrap().values().collect::<Vec<_>>(), [&end]);
/// # }
/// # shop.cancel(&cx, &CancelRequest::for_test(subscription, Schedule::Immediate)).await?;
/// # assert!(shop.ends.lock().unwrap().values().all(|end| *end <= Timestamp::now()));
/// # Ok::<(), churnkey_integrator::HandlerError>(()) })?;
/// # Ok::<(), churnkey_integrator::HandlerError>(())
/// ```
///
/// # Request
/// `POST /churnkey/actions/subscription/cancel` with
/// `{"customerId": "cus_1", "subscriptionId": "sub_1", "scheduledAt": "end-of-period"}`, or `"immediate"`.
///
/// # Contract
/// * Live and test data never mix: act on the data set of [`RequestContext::mode`], or build with
///   [`live_only`](crate::IntegrationBuilder::live_only) as above.
/// * If the subscription is already cancelled, leave it as it is, and return `Ok(())`.
/// * A paused subscription is cancelled like any other, whatever [`CancelRequest::unpause`] says.
/// * A cancellation at the end of the period leaves the subscription `active` until then.
#[async_trait]
pub trait CancelAction: Serves<CancelOperation> + Send + Sync + 'static {
    /// The schedules that the action supports. Called once, when the integration is built.
    fn features(&self) -> CancelFeatures;

    /// Cancels one subscription (`POST /churnkey/actions/subscription/cancel`).
    ///
    /// # Errors
    /// Any error of the store.
    async fn cancel(&self, cx: &RequestContext, request: &CancelRequest) -> Result<()>;

    /// Cancels every subscription of a customer, or none (`POST /churnkey/actions/customer/cancel`). Without it Churnkey
    /// calls [`cancel`](Self::cancel) for each.
    ///
    /// # Errors
    /// Any error of the store.
    async fn cancel_all(&self, cx: &RequestContext, request: &CancelAllRequest) -> Result<()> {
        let _ = (cx, request);
        Err(ContractViolation::not_implemented(CancelOperation::CancelAll).into())
    }
}

forward! {
    impl CancelAction {
        fn features(&self) -> CancelFeatures;
        async fn cancel(&self, cx: &RequestContext, request: &CancelRequest) -> Result<()>;
        async fn cancel_all(&self, cx: &RequestContext, request: &CancelAllRequest) -> Result<()>;
    }
}

/// What a merchant's cancel action supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelFeatures {
    schedules: Schedules,
}

impl CancelFeatures {
    /// Supports these schedules.
    #[must_use]
    pub const fn new(schedules: Schedules) -> Self {
        Self { schedules }
    }

    pub(crate) fn schedules(self) -> Schedules {
        self.schedules
    }
}

/// A request to cancel one subscription.
#[derive(Debug, Clone)]
pub struct CancelRequest {
    pub(crate) subscription: Subscription,
    pub(crate) schedule: Schedule,
    pub(crate) unpause: bool,
}

impl CancelRequest {
    /// A request to call the action with in a unit test. It does not unpause.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_test(subscription: Subscription, schedule: Schedule) -> Self {
        Self {
            subscription,
            schedule,
            unpause: false,
        }
    }

    /// The same request, which asks to unpause first.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_unpause(mut self) -> Self {
        self.unpause = true;
        self
    }

    /// The subscription as the controller returned it a moment ago.
    #[must_use]
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// When it takes effect.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        self.schedule
    }

    /// Whether a paused subscription has to be unpaused first, where that makes a difference in the merchant's
    /// system.
    #[must_use]
    pub fn unpause(&self) -> bool {
        self.unpause
    }
}

/// A request to cancel all subscriptions of a customer.
#[derive(Debug, Clone)]
pub struct CancelAllRequest {
    pub(crate) customer_id: CustomerId,
    pub(crate) schedule: Schedule,
    pub(crate) unpause: bool,
}

impl CancelAllRequest {
    /// A request to call the action with in a unit test. It does not unpause.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_test(customer_id: CustomerId, schedule: Schedule) -> Self {
        Self {
            customer_id,
            schedule,
            unpause: false,
        }
    }

    /// The same request, which asks to unpause first.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_unpause(mut self) -> Self {
        self.unpause = true;
        self
    }

    /// The customer whose subscriptions are meant. The customer exists.
    #[must_use]
    pub fn customer_id(&self) -> &CustomerId {
        &self.customer_id
    }

    /// When it takes effect. The end of the period is that of each subscription.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        self.schedule
    }

    /// See [`CancelRequest::unpause`].
    #[must_use]
    pub fn unpause(&self) -> bool {
        self.unpause
    }
}
