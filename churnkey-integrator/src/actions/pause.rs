//! Pause (contract, section 5.2).

use async_trait::async_trait;

use super::{ActionDuration, Durations, Schedule, Schedules};
use crate::{
    context::RequestContext,
    controllers::{Serves, forward},
    error::{ContractViolation, Result},
    id::CustomerId,
    model::Subscription,
    operation::PauseOperation,
};

/// Pauses subscriptions for a while.
///
/// # A small implementation
/// ```
/// use std::{collections::BTreeMap, sync::Mutex};
///
/// use churnkey_integrator::{
///     HandlerError, RequestContext, Result, SubscriptionId, Timestamp,
///     actions::{Durations, PauseAction, PauseFeatures, PauseRequest, Schedules},
///     controller,
///     model::Pause,
/// };
///
/// struct Shop {
///     pauses: Mutex<BTreeMap<SubscriptionId, Pause>>,
/// }
///
/// #[controller]
/// impl PauseAction for Shop {
///     /// From now on only, for some months or until a date, and never an annual subscription.
///     fn features(&self) -> PauseFeatures {
///         PauseFeatures::new(Schedules::Immediate, Durations::Both)
///     }
///
///     async fn pause(&self, _: &RequestContext, request: &PauseRequest) -> Result<()> {
///         let now = Timestamp::now();
///         let end = request.duration().end(now)?;
///         if end <= now {
///             return Err(HandlerError::date_too_early());
///         }
///         let id = request.subscription().id().clone();
///         let mut pauses = self.pauses.lock().map_err(|_| "poisoned")?;
///         match pauses.get(&id) {
///             // Counted from its own start, a repeated request has the same end.
///             Some(known) if Some(request.duration().end(known.start())?) == known.end() => Ok(()),
///             Some(_) => Err(HandlerError::already_paused()),
///             None => {
///                 pauses.insert(id, Pause::new(now, end)?);
///                 Ok(())
///             }
///         }
///     }
/// }
/// # use churnkey_integrator::{Amount, Currency, CustomerId, ItemId, Mode, PriceId, model::{BillingDuration, Item, Period, Price, PriceAmount, Subscription, SubscriptionStatus}};
/// # use churnkey_integrator::{CalendarUnit, actions::{ActionDuration, Schedule}};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let (start, end) = ("2026-01-01T00:00:00Z".parse()?, "2026-02-01T00:00:00Z".parse()?);
/// # let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(2999)?);
/// # let price = Price::standalone(PriceId::new("price_1")?, BillingDuration::MONTHLY, amount);
/// # let subscription = Subscription::new(
/// #     SubscriptionId::new("sub_1")?, CustomerId::new("cus_1")?,
/// #     SubscriptionStatus::active(Period::new(start, end)?), start, BillingDuration::MONTHLY,
/// #     [Item::new(ItemId::new("si_1")?, price, 1)?],
/// # );
/// # let (shop, cx) = (Shop { pauses: Mutex::default() }, RequestContext::for_test(Mode::Live));
/// # let pause = |duration| PauseRequest::for_test(subscription.clone(), Schedule::Immediate, duration);
/// # let months = |n: u32| ActionDuration::Period { amount: n.try_into().unwrap(), unit: CalendarUnit::Month };
/// # let too_early = shop.pause(&cx, &pause(ActionDuration::Date(end))).await.unwrap_err();
/// # assert_eq!(too_early.message(), "duration.date is too early");
/// # shop.pause(&cx, &pause(months(2))).await?;
/// # shop.pause(&cx, &pause(months(2))).await?;
/// # let other = shop.pause(&cx, &pause(months(3))).await.unwrap_err();
/// # assert_eq!(other.message(), "The subscription is paused already");
/// # assert_eq!(shop.pauses.lock().unwrap().len(), 1);
/// # Ok::<(), churnkey_integrator::HandlerError>(()) })?;
/// # Ok::<(), churnkey_integrator::HandlerError>(())
/// ```
///
/// # Request
/// `POST /churnkey/actions/subscription/pause` with
/// `{"customerId": "cus_1", "subscriptionId": "sub_1", "startAt": "immediate", "duration": {"amount": 2, "unit": "month"}}`.
///
/// # Contract
/// * Act on the data set of [`RequestContext::mode`], as [`CancelAction`](super::CancelAction#contract) does.
/// * If the subscription already has the same pause, change nothing, and return `Ok(())`.
/// * A pause at the end of the period leaves the subscription `active` until then, and then `paused`.
#[async_trait]
pub trait PauseAction: Serves<PauseOperation> + Send + Sync + 'static {
    /// The starts and durations that the action supports, and whether annual subscriptions can be paused. Called once, when
    /// the integration is built.
    fn features(&self) -> PauseFeatures;

    /// Pauses one subscription (`POST /churnkey/actions/subscription/pause`).
    ///
    /// # Errors
    /// [`HandlerError::already_paused`](crate::HandlerError::already_paused) and the like, or any error of the store.
    async fn pause(&self, cx: &RequestContext, request: &PauseRequest) -> Result<()>;

    /// Pauses every subscription of a customer, or none (`POST /churnkey/actions/customer/pause`). Without it Churnkey
    /// calls [`pause`](Self::pause) for each.
    ///
    /// # Errors
    /// As for one subscription. If one of them is annual and must not be paused,
    /// [`HandlerError::annual_pause_not_allowed`](crate::HandlerError::annual_pause_not_allowed).
    async fn pause_all(&self, cx: &RequestContext, request: &PauseAllRequest) -> Result<()> {
        let _ = (cx, request);
        Err(ContractViolation::not_implemented(PauseOperation::PauseAll).into())
    }
}

forward! {
    impl PauseAction {
        fn features(&self) -> PauseFeatures;
        async fn pause(&self, cx: &RequestContext, request: &PauseRequest) -> Result<()>;
        async fn pause_all(&self, cx: &RequestContext, request: &PauseAllRequest) -> Result<()>;
    }
}

/// What a merchant's pause action supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PauseFeatures {
    start_dates: Schedules,
    durations: Durations,
    allow_annual: bool,
}

impl PauseFeatures {
    /// Supports these starts and durations, but no annual subscriptions.
    #[must_use]
    pub const fn new(start_dates: Schedules, durations: Durations) -> Self {
        Self {
            start_dates,
            durations,
            allow_annual: false,
        }
    }

    /// Supports annual subscriptions, too.
    #[must_use]
    pub const fn with_annual(mut self) -> Self {
        self.allow_annual = true;
        self
    }

    pub(crate) fn start_dates(self) -> Schedules {
        self.start_dates
    }

    pub(crate) fn durations(self) -> Durations {
        self.durations
    }

    pub(crate) fn allows_annual(self) -> bool {
        self.allow_annual
    }
}

/// A request to pause one subscription.
#[derive(Debug, Clone)]
pub struct PauseRequest {
    pub(crate) subscription: Subscription,
    pub(crate) start: Schedule,
    pub(crate) duration: ActionDuration,
    pub(crate) allow_annual: bool,
}

impl PauseRequest {
    /// A request to call the action with in a unit test. It allows no annual subscription.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_test(subscription: Subscription, start: Schedule, duration: ActionDuration) -> Self {
        Self {
            subscription,
            start,
            duration,
            allow_annual: false,
        }
    }

    /// The same request, which allows annual subscriptions.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_allow_annual(mut self) -> Self {
        self.allow_annual = true;
        self
    }

    /// The subscription as the controller returned it a moment ago. If it was annual then, annual pauses are allowed.
    #[must_use]
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// When the pause starts.
    #[must_use]
    pub fn start(&self) -> Schedule {
        self.start
    }

    /// For how long, counted from the start of the pause.
    #[must_use]
    pub fn duration(&self) -> ActionDuration {
        self.duration
    }

    /// Whether both the features and the request allow an annual subscription to be paused. The framework has checked the
    /// subscription as it was. If yours reads as annual under a lock, and this is `false`, return
    /// [`annual_pause_not_allowed`](crate::HandlerError::annual_pause_not_allowed).
    #[must_use]
    pub fn allow_annual(&self) -> bool {
        self.allow_annual
    }
}

/// A request to pause all subscriptions of a customer.
#[derive(Debug, Clone)]
pub struct PauseAllRequest {
    pub(crate) customer_id: CustomerId,
    pub(crate) start: Schedule,
    pub(crate) duration: ActionDuration,
    pub(crate) allow_annual: bool,
}

impl PauseAllRequest {
    /// A request to call the action with in a unit test. It allows no annual subscription.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_test(customer_id: CustomerId, start: Schedule, duration: ActionDuration) -> Self {
        Self {
            customer_id,
            start,
            duration,
            allow_annual: false,
        }
    }

    /// The same request, which allows annual subscriptions.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_allow_annual(mut self) -> Self {
        self.allow_annual = true;
        self
    }

    /// The customer whose subscriptions are meant. The customer exists.
    #[must_use]
    pub fn customer_id(&self) -> &CustomerId {
        &self.customer_id
    }

    /// When the pauses start. The end of the period is that of each subscription.
    #[must_use]
    pub fn start(&self) -> Schedule {
        self.start
    }

    /// For how long, counted from the start of each pause.
    #[must_use]
    pub fn duration(&self) -> ActionDuration {
        self.duration
    }

    /// Whether both the features and the request allow annual subscriptions to be paused.
    #[must_use]
    pub fn allow_annual(&self) -> bool {
        self.allow_annual
    }
}
