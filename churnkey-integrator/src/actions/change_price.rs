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

/// Moves a subscription to another price, and by that maybe to another product.
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
/// * A price that the subscription has already changes nothing, and the answer is `Ok(())`.
/// * Which of several items is meant, nobody says: [`HandlerError::several_items`](crate::HandlerError::several_items).
#[async_trait]
pub trait ChangePriceAction: Serves<ChangePriceOperation> + Send + Sync + 'static {
    /// Which schedules are served, and whether changes are prorated. Asked once, when the integration is built.
    fn features(&self) -> ChangePriceFeatures;

    /// Changes the price of the subscription's only item (`POST /churnkey/actions/subscription/change-price`).
    ///
    /// # Errors
    /// [`HandlerError::several_items`](crate::HandlerError::several_items) and the like, or whatever kept the store
    /// from doing it.
    async fn change_price(&self, cx: &RequestContext, request: &ChangePriceRequest) -> Result<()>;
}

forward! {
    impl ChangePriceAction {
        fn features(&self) -> ChangePriceFeatures;
        async fn change_price(&self, cx: &RequestContext, request: &ChangePriceRequest) -> Result<()>;
    }
}

/// What a merchant can do about prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangePriceFeatures {
    schedules: Schedules,
    prorate: bool,
}

impl ChangePriceFeatures {
    /// Changes prices at these moments, without proration.
    #[must_use]
    pub const fn new(schedules: Schedules) -> Self {
        Self {
            schedules,
            prorate: false,
        }
    }

    /// Credits the unused rest of the period where it is asked for.
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

/// A subscription is to have another price.
#[derive(Debug, Clone)]
pub struct ChangePriceRequest {
    pub(crate) subscription: Subscription,
    pub(crate) price: Price,
    pub(crate) schedule: Schedule,
    pub(crate) prorate: bool,
}

impl ChangePriceRequest {
    /// The subscription as the controller served it a moment ago.
    #[must_use]
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// The new price as the controller served it a moment ago.
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
