//! Extend a trial (contract, section 5.4).

use async_trait::async_trait;

use super::{ActionDuration, Durations};
use crate::{
    context::RequestContext,
    controllers::{Serves, forward},
    error::Result,
    model::Subscription,
    operation::ExtendTrialOperation,
};

/// Extends trials.
///
/// # A small implementation
/// ```
/// use std::{collections::BTreeMap, sync::Mutex};
///
/// use churnkey_integrator::{
///     HandlerError, RequestContext, Result, SubscriptionId, Timestamp,
///     actions::{Durations, ExtendTrialAction, ExtendTrialFeatures, ExtendTrialRequest},
///     controller,
///     model::SubscriptionStatus,
/// };
///
/// /// When each trial ends.
/// struct Shop {
///     trials: Mutex<BTreeMap<SubscriptionId, Timestamp>>,
/// }
///
/// #[controller]
/// impl ExtendTrialAction for Shop {
///     fn features(&self) -> ExtendTrialFeatures {
///         ExtendTrialFeatures::new(Durations::Both)
///     }
///
///     async fn extend_trial(&self, _: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
///         let mut trials = self.trials.lock().map_err(|_| "poisoned")?;
///         let end = trials
///             .get_mut(request.subscription().id())
///             .ok_or_else(HandlerError::not_in_trial)?;
///         let later = request.duration().end(*end)?;
///         if later < *end {
///             return Err(HandlerError::date_too_early());
///         }
///         *end = later;
///         Ok(())
///     }
/// }
/// # use churnkey_integrator::{Amount, Currency, CustomerId, ItemId, Mode, PriceId, model::{BillingDuration, Item, Period, Price, PriceAmount, Subscription}};
/// # use churnkey_integrator::{CalendarUnit, actions::ActionDuration};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let (start, end) = ("2026-01-01T00:00:00Z".parse()?, "2026-02-01T00:00:00Z".parse()?);
/// # let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(2999)?);
/// # let price = Price::standalone(PriceId::new("price_1")?, BillingDuration::MONTHLY, amount);
/// # let subscription = Subscription::new(
/// #     SubscriptionId::new("sub_1")?, CustomerId::new("cus_1")?,
/// #     SubscriptionStatus::active(Period::new(start, end)?), start, BillingDuration::MONTHLY,
/// #     [Item::new(ItemId::new("si_1")?, price, 1)?],
/// # );
/// # let cx = RequestContext::for_test(Mode::Live);
/// # let shop = Shop { trials: Mutex::new(BTreeMap::from([(SubscriptionId::new("sub_1")?, end)])) };
/// # let extend = |duration| ExtendTrialRequest::for_test(subscription.clone(), duration);
/// # let week = ActionDuration::Period { amount: 1.try_into()?, unit: CalendarUnit::Week };
/// # shop.extend_trial(&cx, &extend(week)).await?;
/// # let ends = || shop.trials.lock().unwrap().values().map(Timestamp::to_string).collect::<Vec<_>>();
/// # assert_eq!(ends(), ["2026-02-08T00:00:00.000Z"]);
/// # let too_early = shop.extend_trial(&cx, &extend(ActionDuration::Date(end))).await.unwrap_err();
/// # assert_eq!(too_early.message(), "duration.date is too early");
/// # assert_eq!(ends(), ["2026-02-08T00:00:00.000Z"]);
/// # shop.trials.lock().unwrap().clear();
/// # let none = shop.extend_trial(&cx, &extend(week)).await.unwrap_err();
/// # assert_eq!(none.message(), "The subscription is not in trial");
/// # Ok::<(), churnkey_integrator::HandlerError>(()) })?;
/// # Ok::<(), churnkey_integrator::HandlerError>(())
/// ```
///
/// # Request
/// `POST /churnkey/actions/subscription/extend-trial` with
/// `{"customerId": "cus_1", "subscriptionId": "sub_1", "duration": {"amount": 1, "unit": "week"}}`.
///
/// # Contract
/// * Act on the data set of [`RequestContext::mode`], as [`CancelAction`](super::CancelAction#contract) does.
/// * A period is counted from the end of the trial, so a retry would extend the trial again: this is the one action that
///   can't be idempotent by itself. The framework recognizes a retry of a request that is signed or has an
///   `Idempotency-Key` ([`idempotency`](crate::idempotency)).
/// * Extend only a running trial. Otherwise return [`HandlerError::not_in_trial`](crate::HandlerError::not_in_trial).
#[async_trait]
pub trait ExtendTrialAction: Serves<ExtendTrialOperation> + Send + Sync + 'static {
    /// The durations that the action supports, and whether a trial can be extended more than once. Called once, when the
    /// integration is built.
    fn features(&self) -> ExtendTrialFeatures;

    /// Moves the end of the trial (`POST /churnkey/actions/subscription/extend-trial`).
    ///
    /// # Errors
    /// [`HandlerError::not_in_trial`](crate::HandlerError::not_in_trial),
    /// [`HandlerError::trial_already_extended`](crate::HandlerError::trial_already_extended) and the like, or any
    /// error of the store.
    async fn extend_trial(&self, cx: &RequestContext, request: &ExtendTrialRequest) -> Result<()>;
}

forward! {
    impl ExtendTrialAction {
        fn features(&self) -> ExtendTrialFeatures;
        async fn extend_trial(&self, cx: &RequestContext, request: &ExtendTrialRequest) -> Result<()>;
    }
}

/// What a merchant's extend-trial action supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtendTrialFeatures {
    durations: Durations,
    multiple: bool,
}

impl ExtendTrialFeatures {
    /// Supports these durations, and one extension of a trial. The action has to check that it is the first.
    #[must_use]
    pub const fn new(durations: Durations) -> Self {
        Self {
            durations,
            multiple: false,
        }
    }

    /// Supports any number of extensions of a trial.
    #[must_use]
    pub const fn with_multiple(mut self) -> Self {
        self.multiple = true;
        self
    }

    pub(crate) fn durations(self) -> Durations {
        self.durations
    }

    pub(crate) fn is_multiple(self) -> bool {
        self.multiple
    }
}

/// A request to extend a trial.
#[derive(Debug, Clone)]
pub struct ExtendTrialRequest {
    pub(crate) subscription: Subscription,
    pub(crate) duration: ActionDuration,
}

impl ExtendTrialRequest {
    /// A request to call the action with in a unit test.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_test(subscription: Subscription, duration: ActionDuration) -> Self {
        Self {
            subscription,
            duration,
        }
    }

    /// The subscription as the controller returned it a moment ago, in trial or not.
    #[must_use]
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// By how much, counted from the end of the trial, or until when.
    #[must_use]
    pub fn duration(&self) -> ActionDuration {
        self.duration
    }
}
