//! Read this first: Churnkey's traits over the store, and the integration that serves them.

use churnkey_integrator::{
    ApplyCouponAction, BuildError, CancelAction, ChangePriceAction, CouponId, CouponsController,
    CustomerId, CustomersController, Email, ExtendTrialAction, FamiliesController, FamilyId,
    HandlerError, Integration, IntegrationBuilder, IntegrationToken, Mode, Page, PageRequest,
    PauseAction, Phone, PriceId, PricesController, ProductId, ProductsController, RequestContext,
    Result, SubscriptionId, SubscriptionsController,
    actions::{
        ApplyCouponRequest, CancelAllRequest, CancelFeatures, CancelRequest, ChangePriceFeatures,
        ChangePriceRequest, Durations, ExtendTrialFeatures, ExtendTrialRequest, PauseAllRequest,
        PauseFeatures, PauseRequest, Schedules,
    },
    controller,
    model::{
        Coupon, Customer, Discount, Family, Price, PriceType, Product, ProductType, Subscription,
    },
};
use example_billing::{Catalogue, Redeemed, cancel_all, pause_all, redeemed_once_more};

use crate::store::{Books, Match, Row, Shop, Store, Table, Tables};

/// Serves the records of this store to Churnkey.
///
/// # Errors
/// [`BuildError`] if a setting is not valid.
pub fn integration(store: &Store, token: IntegrationToken) -> Result<Integration, BuildError> {
    builder(store, token).build()
}

/// The same before it is built, for further settings.
pub fn builder(store: &Store, token: IntegrationToken) -> IntegrationBuilder {
    Integration::builder("In-memory example", token)
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
}

impl Store {
    fn shop(&self, cx: &RequestContext) -> &Shop {
        match cx.mode() {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        }
    }

    fn books(&self, cx: &RequestContext) -> &Books {
        &self.shop(cx).books
    }

    /// Changes one subscription under the lock. Nothing changes if `change` refuses. The subscription may have changed since the
    /// framework looked it up, so its owner is checked again.
    fn change(
        &self,
        cx: &RequestContext,
        looked_up: &Subscription,
        change: impl FnOnce(&mut example_billing::Subscription, &mut Tables) -> Result<()>,
    ) -> Result<()> {
        self.books(cx).write(|tables| {
            let found = tables.subscriptions().by_id(looked_up.id()).cloned();
            let found = found.filter(|found| found.customer_id == *looked_up.customer_id());
            let mut subscription =
                found.ok_or_else(|| HandlerError::not_found("Subscription not found"))?;
            change(&mut subscription, tables)?;
            tables.subscribe(subscription);
            Ok(())
        })
    }

    /// Changes all subscriptions of a customer under the lock, or none.
    fn change_all(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        change: impl FnOnce(&mut [example_billing::Subscription]) -> Result<()>,
    ) -> Result<()> {
        self.books(cx).write(|tables| {
            let own = tables.subscriptions_of(customer_id, 0);
            let mut own: Vec<_> = own.map(|(_, subscription)| subscription.clone()).collect();
            change(&mut own)?;
            own.into_iter()
                .for_each(|changed| tables.subscribe(changed));
            Ok(())
        })
    }
}

#[controller]
impl CustomersController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let shop = self.shop(cx);
        let found = shop.customers.by_id(id);
        found.map(|found| shop.with_coupons(found)).transpose()
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let after: u64 = page.after()?.unwrap_or(0);
        let shop = self.shop(cx);
        let rows = shop.customers.after(after, page.limit() + 1);
        let page = Page::from_overfetch(rows, page, |(seq, _)| *seq)?;
        page.try_map(|(_, customer)| shop.with_coupons(customer))
    }

    async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        let shop = self.shop(cx);
        shop.only(shop.customers.by_email(email), "email")
    }

    async fn find_by_phone(&self, cx: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        let shop = self.shop(cx);
        shop.only(shop.customers.by_phone(phone), "phone")
    }
}

impl Shop {
    fn only(&self, owners: Match, what: &'static str) -> Result<Option<Customer>> {
        match owners {
            Match::None => Ok(None),
            Match::One(customer) => Ok(Some(self.with_coupons(customer)?)),
            Match::Many => Err(HandlerError::ambiguous(what)),
        }
    }

    /// The customer with the coupons of their discounts as they are now.
    fn with_coupons(&self, customer: Customer) -> Result<Customer> {
        if customer.discounts().is_empty() {
            return Ok(customer);
        }
        let discounts: Vec<Discount> = self.books.read(|tables| {
            let known = customer.discounts().iter();
            let now = known.map(|discount| match tables.coupon(discount.coupon().id()) {
                Some(coupon) => {
                    Ok(Discount::new(coupon).with_dates(discount.start(), discount.end())?)
                }
                None => Ok(discount.clone()),
            });
            now.collect::<Result<_>>()
        })?;
        Ok(customer.with_discounts(discounts))
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
        self.books(cx).read(|tables| {
            let found = tables.subscriptions().by_id(id);
            let found = found.filter(|found| found.customer_id == *customer_id);
            let served = found.map(|found| found.served(self.now(), tables));
            Ok(served.transpose()?)
        })
    }

    async fn list(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        page: &PageRequest,
    ) -> Result<Page<Subscription>> {
        let after: u64 = page.after()?.unwrap_or(0);
        self.books(cx).read(|tables| {
            let rows = tables.subscriptions_of(customer_id, after);
            let rows = rows.take(page.limit() + 1).collect();
            let page = Page::from_overfetch(rows, page, |(seq, _)| *seq)?;
            page.try_map(|(_, found)| Ok(found.served(self.now(), tables)?))
        })
    }
}

/// A page of a table.
fn page_of<R: Row + Clone>(table: &Table<R>, page: &PageRequest) -> Result<Page<R>> {
    let after: u64 = page.after()?.unwrap_or(0);
    let rows = table.after(after, page.limit() + 1).collect();
    Ok(Page::from_overfetch(rows, page, |(seq, _)| *seq)?.map(|(_, row)| row.clone()))
}

#[controller]
impl PricesController for Store {
    fn price_type(&self) -> PriceType {
        PriceType::Product
    }

    async fn retrieve(&self, cx: &RequestContext, id: &PriceId) -> Result<Option<Price>> {
        Ok(self
            .books(cx)
            .read(|tables| tables.prices.by_id(id).cloned()))
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Price>> {
        self.books(cx).read(|tables| page_of(&tables.prices, page))
    }
}

#[controller]
impl CouponsController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &CouponId) -> Result<Option<Coupon>> {
        Ok(self
            .books(cx)
            .read(|tables| tables.coupons.by_id(id).cloned()))
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Coupon>> {
        self.books(cx).read(|tables| page_of(&tables.coupons, page))
    }
}

#[controller]
impl ProductsController for Store {
    fn product_type(&self) -> ProductType {
        ProductType::Family
    }

    async fn retrieve(&self, cx: &RequestContext, id: &ProductId) -> Result<Option<Product>> {
        Ok(self
            .books(cx)
            .read(|tables| tables.products.by_id(id).cloned()))
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Product>> {
        self.books(cx)
            .read(|tables| page_of(&tables.products, page))
    }
}

#[controller]
impl FamiliesController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &FamilyId) -> Result<Option<Family>> {
        Ok(self
            .books(cx)
            .read(|tables| tables.families.by_id(id).cloned()))
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Family>> {
        self.books(cx)
            .read(|tables| page_of(&tables.families, page))
    }
}

#[controller]
impl CancelAction for Store {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(Schedules::Both)
    }

    async fn cancel(&self, cx: &RequestContext, request: &CancelRequest) -> Result<()> {
        self.change(cx, request.subscription(), |subscription, _| {
            subscription.cancel(request.schedule(), self.now());
            Ok(())
        })
    }

    async fn cancel_all(&self, cx: &RequestContext, request: &CancelAllRequest) -> Result<()> {
        self.change_all(cx, request.customer_id(), |subscriptions| {
            cancel_all(subscriptions, request.schedule(), self.now());
            Ok(())
        })
    }
}

#[controller]
impl PauseAction for Store {
    fn features(&self) -> PauseFeatures {
        PauseFeatures::new(Schedules::Both, Durations::Both).with_annual()
    }

    async fn pause(&self, cx: &RequestContext, request: &PauseRequest) -> Result<()> {
        let now = self.now();
        self.change(cx, request.subscription(), |subscription, _| {
            subscription.check_annual_pause(request.allow_annual(), now)?;
            subscription.pause(request.start(), request.duration(), now)
        })
    }

    async fn pause_all(&self, cx: &RequestContext, request: &PauseAllRequest) -> Result<()> {
        let (start, duration) = (request.start(), request.duration());
        self.change_all(cx, request.customer_id(), |subscriptions| {
            pause_all(
                subscriptions,
                start,
                duration,
                request.allow_annual(),
                self.now(),
            )
        })
    }
}

#[controller]
impl ApplyCouponAction for Store {
    async fn apply_coupon(&self, cx: &RequestContext, request: &ApplyCouponRequest) -> Result<()> {
        self.change(cx, request.subscription(), |subscription, tables| {
            // The request's coupon was read before the lock. Its last redemption may be gone by now.
            let coupon = tables.coupon(request.coupon().id());
            let coupon = coupon.ok_or("the coupon has gone")?;
            if subscription.apply_coupon(&coupon, self.now())? == Redeemed::Now {
                tables.coupons.put(redeemed_once_more(coupon)?);
            }
            Ok(())
        })
    }
}

#[controller]
impl ExtendTrialAction for Store {
    fn features(&self) -> ExtendTrialFeatures {
        ExtendTrialFeatures::new(Durations::Both).with_multiple()
    }

    async fn extend_trial(&self, cx: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
        self.change(cx, request.subscription(), |subscription, _| {
            subscription.extend_trial(request.duration(), self.now())
        })
    }
}

#[controller]
impl ChangePriceAction for Store {
    fn features(&self) -> ChangePriceFeatures {
        ChangePriceFeatures::new(Schedules::Both).with_proration()
    }

    async fn change_price(&self, cx: &RequestContext, request: &ChangePriceRequest) -> Result<()> {
        let (schedule, prorate) = (request.schedule(), request.prorate());
        self.change(cx, request.subscription(), |subscription, _| {
            subscription.change_price(request.price(), schedule, prorate, self.now())
        })
    }
}
