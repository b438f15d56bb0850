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
/// # use std::sync::Arc;
/// # use churnkey_integrator::{Integration, IntegrationToken, testing::{Client, demo}};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let shop = Arc::new(Shop { redeemed: Mutex::default() });
/// # let token = IntegrationToken::new("a-token-for-this-example")?;
/// # let integration = demo::cancelling(Integration::builder("Shop", token)).apply_coupon(Arc::clone(&shop)).build()?;
/// # let client = Client::new(&integration);
/// # let path = "/churnkey/actions/subscription/apply-coupon";
/// # for (coupon, status) in [("coupon_1", 200), ("coupon_1", 200), ("coupon_old", 400), ("coupon_0", 404)] {
/// #     let body = format!(r#"{{"customerId":"cus_1","subscriptionId":"sub_1","coupon":"{coupon}"}}"#);
/// #     assert_eq!(client.post(path, &body).await.status, status, "{coupon}");
/// # }
/// # assert_eq!(shop.redeemed.lock().unwrap().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
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
