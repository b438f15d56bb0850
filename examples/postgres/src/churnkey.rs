//! The Churnkey side of this merchant: every trait over the store, and the integration that mounts it.

use churnkey_integrator::{
    ApplyCouponAction, BuildError, CancelAction, ChangePriceAction, CouponId, CouponsController,
    CustomerId, CustomersController, Email, ExtendTrialAction, FamiliesController, FamilyId,
    HandlerError, Integration, IntegrationBuilder, IntegrationToken, Page, PageRequest,
    PauseAction, Phone, PriceId, PricesController, ProductId, ProductsController, RequestContext,
    Result, SubscriptionId, SubscriptionsController,
    actions::{
        ApplyCouponRequest, CancelAllRequest, CancelFeatures, CancelRequest, ChangePriceFeatures,
        ChangePriceRequest, Durations, ExtendTrialFeatures, ExtendTrialRequest, PauseAllRequest,
        PauseFeatures, PauseRequest, Schedules,
    },
    controller,
    model::{Coupon, Customer, Family, Price, PriceType, Product, ProductType, Subscription},
};
use example_billing::{cancel_all, pause_all};
use serde::de::DeserializeOwned;

use crate::store::{Shop, Store, Stored, Table};

/// What Churnkey may call of this merchant.
///
/// # Errors
/// [`BuildError`] if something doesn't fit together.
pub fn integration(store: &Store, token: IntegrationToken) -> Result<Integration, BuildError> {
    builder(store, token).build()
}

/// The same, with room for further settings.
pub fn builder(store: &Store, token: IntegrationToken) -> IntegrationBuilder {
    Integration::builder("Postgres example", token)
        .customers(store.clone())
        .subscriptions(store.clone())
        .prices(store.clone())
        .coupons(store.clone())
        .products(store.clone())
        .families(store.clone())
        .cancel(store.clone())
        .pause(store.clone())
        .apply_coupon(store.clone())
        .extend_trial(store.clone())
        .change_price(store.clone())
        .idempotency(store.clone())
}

impl Store {
    fn shop(&self, cx: &RequestContext) -> &Shop {
        self.in_mode(cx.mode())
    }
}

#[controller]
impl CustomersController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        self.shop(cx).customer(id).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let after: i64 = page.after()?.unwrap_or(0);
        let rows = self
            .shop(cx)
            .customers_after(after, page.fetch_limit())
            .await?;
        Ok(Page::from_overfetch(rows, page, |(seq, _)| *seq)?.map(|(_, customer)| customer))
    }

    async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        only(self.shop(cx).customers_by_email(email).await?, "email")
    }

    async fn find_by_phone(&self, cx: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        only(self.shop(cx).customers_by_phone(phone).await?, "phone")
    }
}

fn only(owners: Vec<Customer>, what: &'static str) -> Result<Option<Customer>> {
    let mut owners = owners.into_iter();
    match (owners.next(), owners.next()) {
        (_, Some(_)) => Err(HandlerError::ambiguous(what)),
        (owner, None) => Ok(owner),
    }
}

#[controller]
impl SubscriptionsController for Store {
    async fn retrieve(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>> {
        let found = self.shop(cx).subscription(customer_id, id).await?;
        let served = found.map(|found| found.served(self.now()));
        Ok(served.transpose()?)
    }

    async fn list(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        page: &PageRequest,
    ) -> Result<Page<Subscription>> {
        let after: i64 = page.after()?.unwrap_or(0);
        let shop = self.shop(cx);
        let rows = shop.subscriptions_after(customer_id, after, page.fetch_limit());
        let page = Page::from_overfetch(rows.await?, page, Stored::seq)?;
        page.try_map(|found| Ok(found.served(self.now())?))
    }
}

/// A page of a table.
async fn page_of<R: DeserializeOwned>(table: Table<'_, R>, page: &PageRequest) -> Result<Page<R>> {
    let after: i64 = page.after()?.unwrap_or(0);
    let rows = table.after(after, page.fetch_limit()).await?;
    Ok(Page::from_overfetch(rows, page, |(seq, _)| *seq)?.map(|(_, record)| record))
}

#[controller]
impl PricesController for Store {
    fn price_type(&self) -> PriceType {
        PriceType::Product
    }

    async fn retrieve(&self, cx: &RequestContext, id: &PriceId) -> Result<Option<Price>> {
        self.shop(cx).prices().by_id(id.as_str()).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Price>> {
        page_of(self.shop(cx).prices(), page).await
    }
}

#[controller]
impl CouponsController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &CouponId) -> Result<Option<Coupon>> {
        self.shop(cx).coupons().by_id(id.as_str()).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Coupon>> {
        page_of(self.shop(cx).coupons(), page).await
    }
}

#[controller]
impl ProductsController for Store {
    fn product_type(&self) -> ProductType {
        ProductType::Family
    }

    async fn retrieve(&self, cx: &RequestContext, id: &ProductId) -> Result<Option<Product>> {
        self.shop(cx).products().by_id(id.as_str()).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Product>> {
        page_of(self.shop(cx).products(), page).await
    }
}

#[controller]
impl FamiliesController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &FamilyId) -> Result<Option<Family>> {
        self.shop(cx).families().by_id(id.as_str()).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Family>> {
        page_of(self.shop(cx).families(), page).await
    }
}

#[controller]
impl CancelAction for Store {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(Schedules::Both)
    }

    async fn cancel(&self, cx: &RequestContext, request: &CancelRequest) -> Result<()> {
        self.shop(cx)
            .change(cx, request.subscription(), |subscription| {
                subscription.cancel(request.schedule(), self.now());
                Ok(())
            })
            .await
    }

    async fn cancel_all(&self, cx: &RequestContext, request: &CancelAllRequest) -> Result<()> {
        self.shop(cx)
            .change_all(cx, request.customer_id(), |subscriptions| {
                cancel_all(subscriptions, request.schedule(), self.now());
                Ok(())
            })
            .await
    }
}

#[controller]
impl PauseAction for Store {
    fn features(&self) -> PauseFeatures {
        PauseFeatures::new(Schedules::Both, Durations::Both).with_annual()
    }

    async fn pause(&self, cx: &RequestContext, request: &PauseRequest) -> Result<()> {
        let now = self.now();
        self.shop(cx)
            .change(cx, request.subscription(), |subscription| {
                subscription.check_annual_pause(request.allow_annual(), now)?;
                subscription.pause(request.start(), request.duration(), now)
            })
            .await
    }

    async fn pause_all(&self, cx: &RequestContext, request: &PauseAllRequest) -> Result<()> {
        let (start, duration) = (request.start(), request.duration());
        self.shop(cx)
            .change_all(cx, request.customer_id(), |subscriptions| {
                pause_all(
                    subscriptions,
                    start,
                    duration,
                    request.allow_annual(),
                    self.now(),
                )
            })
            .await
    }
}

#[controller]
impl ApplyCouponAction for Store {
    async fn apply_coupon(&self, cx: &RequestContext, request: &ApplyCouponRequest) -> Result<()> {
        let (looked_up, coupon) = (request.subscription(), request.coupon().id());
        // The request's coupon is from before the lock; somebody may have had its last redemption.
        let redeem = |subscription: &mut example_billing::Subscription, coupon: &Coupon| {
            subscription.apply_coupon(coupon, self.now())
        };
        self.shop(cx).redeem(cx, looked_up, coupon, redeem).await
    }
}

#[controller]
impl ExtendTrialAction for Store {
    fn features(&self) -> ExtendTrialFeatures {
        ExtendTrialFeatures::new(Durations::Both).with_multiple()
    }

    async fn extend_trial(&self, cx: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
        self.shop(cx)
            .change(cx, request.subscription(), |subscription| {
                subscription.extend_trial(request.duration(), self.now())
            })
            .await
    }
}

#[controller]
impl ChangePriceAction for Store {
    fn features(&self) -> ChangePriceFeatures {
        ChangePriceFeatures::new(Schedules::Both).with_proration()
    }

    async fn change_price(&self, cx: &RequestContext, request: &ChangePriceRequest) -> Result<()> {
        let (schedule, prorate) = (request.schedule(), request.prorate());
        self.shop(cx)
            .change(cx, request.subscription(), |subscription| {
                subscription.change_price(request.price(), schedule, prorate, self.now())
            })
            .await
    }
}
