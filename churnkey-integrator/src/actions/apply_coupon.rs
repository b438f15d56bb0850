//! Apply a coupon (contract, section 5.3).

use async_trait::async_trait;

use crate::{
    context::RequestContext,
    controllers::{Serves, forward},
    error::Result,
    model::{Coupon, Subscription},
    operation::ApplyCouponOperation,
};

/// Applies a coupon to a subscription.
///
/// # A small implementation
/// ```
/// use std::{collections::BTreeSet, sync::Mutex};
///
/// use churnkey_integrator::{
///     CouponId, HandlerError, RequestContext, Result, SubscriptionId, Timestamp,
///     actions::{ApplyCouponAction, ApplyCouponRequest},
///     controller,
/// };
///
/// struct Shop {
///     redeemed: Mutex<BTreeSet<(SubscriptionId, CouponId)>>,
/// }
///
/// #[controller]
/// impl ApplyCouponAction for Shop {
///     async fn apply_coupon(&self, _: &RequestContext, request: &ApplyCouponRequest) -> Result<()> {
///         let coupon = request.coupon();
///         let key = (request.subscription().id().clone(), coupon.id().clone());
///         let mut redeemed = self.redeemed.lock().map_err(|_| "poisoned")?;
///         if redeemed.contains(&key) {
///             return Ok(()); // a retry
///         }
///         if coupon.expires_at().is_some_and(|end| end <= Timestamp::now()) {
///             return Err(HandlerError::coupon_expired());
///         }
///         redeemed.insert(key);
///         Ok(())
///     }
/// }
/// # use churnkey_integrator::{Amount, Currency, CustomerId, ItemId, Mode, Percentage, PriceId, model::{BillingDuration, Coupon, CouponDuration, CouponValue, Item, Period, Price, PriceAmount, Subscription, SubscriptionStatus}};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let (start, end) = ("2026-01-01T00:00:00Z".parse()?, "2026-02-01T00:00:00Z".parse()?);
/// # let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(2999)?);
/// # let price = Price::standalone(PriceId::new("price_1")?, BillingDuration::MONTHLY, amount);
/// # let subscription = Subscription::new(
/// #     SubscriptionId::new("sub_1")?, CustomerId::new("cus_1")?,
/// #     SubscriptionStatus::active(Period::new(start, end)?), start, BillingDuration::MONTHLY,
/// #     [Item::new(ItemId::new("si_1")?, price, 1)?],
/// # );
/// # let (shop, cx) = (Shop { redeemed: Mutex::default() }, RequestContext::for_test(Mode::Live));
/// # let percent = CouponValue::percentage(Percentage::whole(20)?);
/// # let coupon = Coupon::new(CouponId::new("stay")?, CouponDuration::Once, percent);
/// # let apply = |coupon| ApplyCouponRequest::for_test(subscription.clone(), coupon);
/// # shop.apply_coupon(&cx, &apply(coupon.clone())).await?;
/// # shop.apply_coupon(&cx, &apply(coupon)).await?;
/// # let old = Coupon::new(CouponId::new("old")?, CouponDuration::Once, percent).with_expires_at(Some(end));
/// # let expired = shop.apply_coupon(&cx, &apply(old)).await.unwrap_err();
/// # assert_eq!(expired.message(), "The coupon has expired");
/// # assert_eq!(shop.redeemed.lock().unwrap().len(), 1);
/// # Ok::<(), churnkey_integrator::HandlerError>(()) })?;
/// # Ok::<(), churnkey_integrator::HandlerError>(())
/// ```
///
/// # Request
/// `POST /churnkey/actions/subscription/apply-coupon` with
/// `{"customerId": "cus_1", "subscriptionId": "sub_1", "coupon": "coupon_1"}`.
///
/// # Contract
/// * Act on the data set of [`RequestContext::mode`], as [`CancelAction`](super::CancelAction#contract) does.
/// * If the subscription already has the coupon, don't redeem it again, and return `Ok(())`.
/// * Check expiry and redemptions under the lock under which you count them: the coupon in the request is a moment old.
#[async_trait]
pub trait ApplyCouponAction: Serves<ApplyCouponOperation> + Send + Sync + 'static {
    /// Redeems the coupon for the subscription (`POST /churnkey/actions/subscription/apply-coupon`).
    ///
    /// # Errors
    /// [`HandlerError::coupon_expired`](crate::HandlerError::coupon_expired),
    /// [`HandlerError::coupon_used_up`](crate::HandlerError::coupon_used_up) and the like, or any error of the store.
    async fn apply_coupon(&self, cx: &RequestContext, request: &ApplyCouponRequest) -> Result<()>;
}

forward! {
    impl ApplyCouponAction {
        async fn apply_coupon(&self, cx: &RequestContext, request: &ApplyCouponRequest) -> Result<()>;
    }
}

/// A request to apply a coupon to a subscription.
#[derive(Debug, Clone)]
pub struct ApplyCouponRequest {
    pub(crate) subscription: Subscription,
    pub(crate) coupon: Coupon,
}

impl ApplyCouponRequest {
    /// A request to call the action with in a unit test.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_test(subscription: Subscription, coupon: Coupon) -> Self {
        Self {
            subscription,
            coupon,
        }
    }

    /// The subscription as the controller returned it a moment ago.
    #[must_use]
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// The coupon as the controller returned it a moment ago.
    #[must_use]
    pub fn coupon(&self) -> &Coupon {
        &self.coupon
    }
}
