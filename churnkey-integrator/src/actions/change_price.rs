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
/// # use std::sync::Arc;
/// # use churnkey_integrator::{Integration, IntegrationToken, testing::{Client, demo}};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let shop = Arc::new(Shop { prices: Mutex::default() });
/// # let token = IntegrationToken::new("a-token-for-this-example")?;
/// # let integration = demo::cancelling(Integration::builder("Shop", token)).change_price(Arc::clone(&shop)).build()?;
/// # let client = Client::new(&integration);
/// # let path = "/churnkey/actions/subscription/change-price";
/// # for (rest, status) in [
/// #     (r#""price":"price_1""#, 200),
/// #     (r#""priceId":"price_1","scheduledAt":"immediate","prorate":false"#, 200),
/// #     (r#""id":"price_0""#, 404),
/// #     (r#""price":"price_1","prorate":true"#, 400),
/// #     (r#""price":"price_1","scheduledAt":"end-of-period""#, 400),
/// # ] {
/// #     let body = format!(r#"{{"customerId":"cus_1","subscriptionId":"sub_1",{rest}}}"#);
/// #     assert_eq!(client.post(path, &body).await.status, status, "{rest}");
/// # }
/// # assert_eq!(shop.prices.lock().unwrap().values().next().unwrap().as_str(), "price_1");
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
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
