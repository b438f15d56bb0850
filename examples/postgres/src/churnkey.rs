//! Read this first: Churnkey's traits over SQL, and the integration that serves them.
//!
//! A merchant with another schema writes other statements here, and other mappings in `rows.rs`. The README explains
//! the files beside this one.

use churnkey_integrator::{
    ApplyCouponAction, BuildError, CancelAction, ChangePriceAction, CouponId, CouponsController,
    CustomerId, CustomersController, Email, ExtendTrialAction, FamiliesController, FamilyId,
    Integration, IntegrationBuilder, IntegrationToken, Page, PageRequest, PauseAction, Phone,
    PriceId, PricesController, ProductId, ProductsController, RequestContext, Result,
    SubscriptionId, SubscriptionsController,
    actions::{
        ApplyCouponRequest, CancelAllRequest, CancelFeatures, CancelRequest, ChangePriceFeatures,
        ChangePriceRequest, Durations, ExtendTrialFeatures, ExtendTrialRequest, PauseAllRequest,
        PauseFeatures, PauseRequest, Schedules,
    },
    controller,
    model::{Coupon, Customer, Family, Price, PriceType, Product, ProductType, Subscription},
};
use example_billing::{cancel_all, pause_all};

use crate::{
    rows::{customer, record, stored},
    store::{Parameter, Statement, Store, error_class, statements},
};

/// Serves the records of this store to Churnkey.
///
/// # Errors
/// [`BuildError`] if a setting is not valid.
pub fn integration(store: &Store, token: IntegrationToken) -> Result<Integration, BuildError> {
    builder(store, token).build()
}

/// The same before it is built, for further settings.
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
        .classify_errors(error_class)
}

/// Customers, with the columns in the order in which [`customer`] reads them.
macro_rules! customers {
    ($which:literal) => {
        concat!(
            "SELECT seq, id, name, last_name, email, phone, currency, addresses, discounts, metadata ",
            "FROM {schema}.customer_records ",
            $which
        )
    };
}

// The views are in `migrations/0007_records.sql`. The README says why pages follow `seq`.
statements! {
    CUSTOMER = customers!("WHERE id = $1");
    CUSTOMERS = customers!("WHERE seq > $1 ORDER BY seq LIMIT $2");
    // Two are enough to know that there are several.
    BY_EMAIL = customers!("WHERE email_key = $1 LIMIT 2");
    BY_PHONE = customers!("WHERE phone_key = $1 LIMIT 2");
    SUBSCRIPTION = "SELECT * FROM {schema}.subscription_records WHERE customer_id = $1 AND id = $2";
    SUBSCRIPTIONS = "SELECT * FROM {schema}.subscription_records WHERE customer_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    PRICE = "SELECT * FROM {schema}.price_records WHERE id = $1";
    PRICES = "SELECT * FROM {schema}.price_records WHERE seq > $1 ORDER BY seq LIMIT $2";
    COUPON = "SELECT * FROM {schema}.coupon_records WHERE id = $1";
    COUPONS = "SELECT * FROM {schema}.coupon_records WHERE seq > $1 ORDER BY seq LIMIT $2";
    PRODUCT = "SELECT * FROM {schema}.product_records WHERE id = $1";
    PRODUCTS = "SELECT * FROM {schema}.product_records WHERE seq > $1 ORDER BY seq LIMIT $2";
    FAMILY = "SELECT * FROM {schema}.family_records WHERE id = $1";
    FAMILIES = "SELECT * FROM {schema}.family_records WHERE seq > $1 ORDER BY seq LIMIT $2";
}

#[controller]
impl CustomersController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        self.one(cx, &CUSTOMER, &[&id.as_str()], customer).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        self.page(cx, &CUSTOMERS, &[], page, customer).await
    }

    async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        self.only(cx, &BY_EMAIL, &email.lookup_key(), "email").await
    }

    async fn find_by_phone(&self, cx: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        // What is no phone number has no key, and NULL finds nobody.
        self.only(cx, &BY_PHONE, &phone.lookup_key(), "phone").await
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
        let parameters: [Parameter<'_>; 2] = [&customer_id.as_str(), &id.as_str()];
        let found = self.one(cx, &SUBSCRIPTION, &parameters, stored).await?;
        found.map(|found| found.served(self.now())).transpose()
    }

    async fn list(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        page: &PageRequest,
    ) -> Result<Page<Subscription>> {
        let owner = customer_id.as_str();
        let page = self
            .page(cx, &SUBSCRIPTIONS, &[&owner], page, stored)
            .await?;
        page.try_map(|found| found.served(self.now()))
    }
}

#[controller]
impl PricesController for Store {
    fn price_type(&self) -> PriceType {
        PriceType::Product
    }

    async fn retrieve(&self, cx: &RequestContext, id: &PriceId) -> Result<Option<Price>> {
        self.one(cx, &PRICE, &[&id.as_str()], record).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Price>> {
        self.page(cx, &PRICES, &[], page, record).await
    }
}

#[controller]
impl CouponsController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &CouponId) -> Result<Option<Coupon>> {
        self.one(cx, &COUPON, &[&id.as_str()], record).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Coupon>> {
        self.page(cx, &COUPONS, &[], page, record).await
    }
}

#[controller]
impl ProductsController for Store {
    fn product_type(&self) -> ProductType {
        ProductType::Family
    }

    async fn retrieve(&self, cx: &RequestContext, id: &ProductId) -> Result<Option<Product>> {
        self.one(cx, &PRODUCT, &[&id.as_str()], record).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Product>> {
        self.page(cx, &PRODUCTS, &[], page, record).await
    }
}

#[controller]
impl FamiliesController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &FamilyId) -> Result<Option<Family>> {
        self.one(cx, &FAMILY, &[&id.as_str()], record).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Family>> {
        self.page(cx, &FAMILIES, &[], page, record).await
    }
}

#[controller]
impl CancelAction for Store {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(Schedules::Both)
    }

    async fn cancel(&self, cx: &RequestContext, request: &CancelRequest) -> Result<()> {
        self.change(cx, request.subscription(), |subscription| {
            subscription.cancel(request.schedule(), self.now());
            Ok(())
        })
        .await
    }

    async fn cancel_all(&self, cx: &RequestContext, request: &CancelAllRequest) -> Result<()> {
        self.change_all(cx, request.customer_id(), |subscriptions| {
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
        self.change(cx, request.subscription(), |subscription| {
            subscription.check_annual_pause(request.allow_annual(), now)?;
            subscription.pause(request.start(), request.duration(), now)
        })
        .await
    }

    async fn pause_all(&self, cx: &RequestContext, request: &PauseAllRequest) -> Result<()> {
        let (start, duration) = (request.start(), request.duration());
        let annual = request.allow_annual();
        self.change_all(cx, request.customer_id(), |subscriptions| {
            pause_all(subscriptions, start, duration, annual, self.now())
        })
        .await
    }
}

#[controller]
impl ApplyCouponAction for Store {
    async fn apply_coupon(&self, cx: &RequestContext, request: &ApplyCouponRequest) -> Result<()> {
        let (subscription, coupon) = (request.subscription(), request.coupon().id());
        self.redeem(cx, subscription, coupon, |subscription, coupon| {
            subscription.apply_coupon(coupon, self.now())
        })
        .await
    }
}

#[controller]
impl ExtendTrialAction for Store {
    fn features(&self) -> ExtendTrialFeatures {
        ExtendTrialFeatures::new(Durations::Both).with_multiple()
    }

    async fn extend_trial(&self, cx: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
        self.change(cx, request.subscription(), |subscription| {
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
        self.change(cx, request.subscription(), |subscription| {
            subscription.change_price(request.price(), schedule, prorate, self.now())
        })
        .await
    }
}
