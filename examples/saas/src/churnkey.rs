//! The Churnkey side of the platform: who calls for which tenant, how rows become Churnkey's records, and what the actions
//! do. One integration serves all tenants.

use churnkey_integrator::{
    Amount, ApplyCouponAction, BuildError, CancelAction, ChangePriceAction, CouponId,
    CouponsController, Currency, CustomerId, CustomersController, Email, ExtendTrialAction,
    HandlerError, Integration, IntegrationToken, Page, PageRequest, PauseAction, Percentage, Phone,
    PriceId, PricesController, ProductId, ProductsController, RequestContext, Result,
    SubscriptionId, SubscriptionsController, Tenant, TenantRequest, TenantResolver, Timestamp,
    actions::{
        ApplyCouponRequest, CancelFeatures, CancelRequest, ChangePriceFeatures, ChangePriceRequest,
        Durations, ExtendTrialFeatures, ExtendTrialRequest, PauseFeatures, PauseRequest, Schedules,
    },
    async_trait, controller,
    model::{
        Address, BillingDuration, Country, Coupon, CouponDuration, CouponValue, Customer,
        CycleUnit, Discount, InvalidField, Item, OptionalText, Pause, Period, Price, PriceAmount,
        PriceType, Product, ProductType, Redemptions, Subscription, SubscriptionStatus,
    },
    sole_owner,
};
use example_billing::{self as billing, PlannedPrice, Redeemed, Referred};

use crate::{
    record::{self, at, count, id, maybe_at},
    store::{Action, Shop, Store, Table, error_class},
};

/// What Churnkey may call of the platform, for every tenant. It is to be nested under a path with the parameter `tenant`.
///
/// # Errors
/// [`BuildError`] if something doesn't fit together.
pub fn integration(store: &Store) -> Result<Integration, BuildError> {
    Integration::for_tenants(store.clone())
        .customers(store.clone())
        .subscriptions(store.clone())
        .prices(store.clone())
        .coupons(store.clone())
        .products(store.clone())
        .cancel(store.clone())
        .pause(store.clone())
        .apply_coupon(store.clone())
        .extend_trial(store.clone())
        .change_price(store.clone())
        .idempotency(store.clone())
        .classify_errors(error_class)
        .build()
}

#[async_trait]
impl TenantResolver for Store {
    async fn resolve(&self, request: &TenantRequest<'_>) -> Result<Option<Tenant>> {
        let slug = request.path_parameter("tenant").unwrap_or_default();
        let mut tenant: Option<Tenant> = None;
        // The first token is the one that cursors are signed with.
        for row in self.tokens(slug).await? {
            let token = IntegrationToken::new(row.token)?;
            tenant = Some(match tenant {
                None => Tenant::new(id(row.tenant_id)?, row.tenant_name, token),
                Some(tenant) => tenant.also_accept(token),
            });
        }
        Ok(tenant)
    }
}

impl Store {
    /// The rows that a request is about, and no others.
    fn shop(&self, cx: &RequestContext) -> Result<Shop> {
        Ok(self.shop_of(cx.tenant()?, cx.mode(), cx.time_left()))
    }

    async fn one<R: Table, T>(
        &self,
        cx: &RequestContext,
        id: &str,
        map: fn(R) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        self.shop(cx)?.by_id(id).await?.map_or(Ok(None), map)
    }

    /// A page without the rows that can't be served. Those that break a rule are logged.
    async fn page<R: Table, T>(
        &self,
        cx: &RequestContext,
        page: &PageRequest,
        map: fn(R) -> Result<Option<T>>,
    ) -> Result<Page<T>> {
        let shop = self.shop(cx)?;
        let fetch = |after: Option<_>, limit| shop.after(after.unwrap_or_default(), limit);
        Page::fill_valid(page, fetch, R::id, map).await
    }

    /// The lock of a customer, and the subscription as it is under it: it may have changed since it was looked up.
    async fn lock(
        &self,
        cx: &RequestContext,
        looked_up: &Subscription,
    ) -> Result<(Action, billing::Subscription)> {
        let shop = self.shop(cx)?;
        let mut action = shop.lock(looked_up.customer_id(), self.now()).await?;
        let row = action.subscription(looked_up.id()).await?;
        let found = row.map_or(Ok(None), |row| stored(row, self.now()))?;
        let (subscription, _) =
            found.ok_or_else(|| HandlerError::not_found("No such subscription"))?;
        Ok((action, subscription))
    }

    async fn change(
        &self,
        cx: &RequestContext,
        looked_up: &Subscription,
        change: impl FnOnce(&mut billing::Subscription, Timestamp) -> Result<()> + Send,
    ) -> Result<()> {
        let (mut action, before) = self.lock(cx, looked_up).await?;
        let mut after = before.clone();
        change(&mut after, self.now())?;
        action.write(&before, &after).await?;
        action.complete(cx.attempt()).await
    }
}

fn customer(row: record::Customer) -> Result<Option<Customer>> {
    let address = Address::new()
        .with_line1(OptionalText::from_column(row.address))
        .with_postal_code(OptionalText::from_column(row.postal_code))
        .with_city(OptionalText::from_column(row.city))
        .with_country(Country::from_column(row.country)?);
    let metadata = [
        ("customerNumber", row.customer_number),
        ("company", row.company),
        ("createdAt", at(row.created_at)?.to_string()),
    ];
    let known = metadata
        .into_iter()
        .filter(|(_, value)| !value.trim().is_empty());
    let customer = Customer::new(id(row.id)?)
        .with_name(OptionalText::from_column(row.first_name))
        .with_last_name(OptionalText::from_column(row.last_name))
        .with_email(Email::from_column(row.email)?)
        .with_phone(Phone::from_column(row.phone)?)
        .with_addresses((address != Address::default()).then_some(address))
        .with_discounts(row.discount.map(discount).transpose()?)
        .with_currency(Currency::from_column(row.currency)?)
        .with_metadata(known);
    Ok(Some(customer))
}

fn discount(row: record::Discount) -> Result<Discount> {
    let (start, end) = (maybe_at(row.starts_at)?, maybe_at(row.ends_at)?);
    Ok(Discount::new(coupon(row.coupon)?).with_dates(start, end)?)
}

fn coupon(row: record::Coupon) -> Result<Coupon> {
    let value = match (row.basis_points, &row.amount_off) {
        (Some(percent), _) => CouponValue::percentage(Percentage::from_basis_points(count(
            "percent_off",
            percent,
        )?)?),
        (None, Some(amount)) => {
            let currency = Currency::new(&row.currency)?;
            CouponValue::fixed(currency, Amount::flat(currency.to_minor_units(amount)?)?)
        }
        (None, None) => return Err(InvalidField::new("value", "is missing").into()),
    };
    let duration = match (row.duration.as_str(), row.duration_months.unwrap_or(0)) {
        ("once", _) => CouponDuration::Once,
        ("forever", _) => CouponDuration::Forever,
        (_, months) => {
            CouponDuration::recurring(count("duration_months", months)?, CycleUnit::Month)?
        }
    };
    let max = row.max_redemptions.map(|max| count("max_redemptions", max));
    let redeemed: u64 = count("times_redeemed", row.times_redeemed)?;
    let coupon = Coupon::new(id(row.id)?, duration, value)
        .with_code(row.code)
        .with_name(OptionalText::from_column(row.name))
        .with_redemptions(Redemptions::new(max.transpose()?, redeemed)?)
        .with_expires_at(maybe_at(row.redeem_by)?);
    Ok(coupon)
}

fn product(row: record::Product) -> Result<Option<Product>> {
    let product = Product::standalone(id(row.id)?, row.name)
        .with_description(OptionalText::from_column(row.description))
        .with_unit_label(OptionalText::from_column(row.unit_name));
    Ok(Some(product))
}

/// Each currency of a plan is a price of its own. `None` for plans by the week, which Churnkey doesn't know.
fn price(row: record::Price) -> Result<Option<Price>> {
    let unit = match row.billing_interval.as_str() {
        "month" => CycleUnit::Month,
        "year" => CycleUnit::Year,
        _ => return Ok(None),
    };
    let duration = BillingDuration::new(count("interval_count", row.interval_count)?, unit)?;
    let currency = Currency::new(&row.currency)?;
    let amount = Amount::per_unit(currency.to_minor_units(&row.amount)?)?;
    let amount = PriceAmount::fixed(currency, amount);
    let by_use = row.metered.then_some("Billed by use");
    let price = Price::of_product(id(row.product_id)?, id(row.id)?, duration, amount);
    Ok(Some(
        price.with_name(row.plan_name).with_description(by_use),
    ))
}

/// A subscription as the billing rules want it, and what it refers to. `None` for what Churnkey can't show: nobody has
/// paid for it yet, or it is billed by the week.
fn stored(
    row: record::Subscription,
    now: Timestamp,
) -> Result<Option<(billing::Subscription, Referred)>> {
    let mut items = Vec::new();
    for item in row.items {
        // What is metered has no quantity before it is used.
        let quantity = if item.price.metered { 1 } else { item.quantity };
        let Some(price) = price(item.price)? else {
            return Ok(None);
        };
        items.push(Item::new(
            id(item.id)?,
            price,
            count("quantity", quantity)?,
        )?);
    }
    let Some(duration) = items.first().map(|item| item.price().duration()) else {
        return Err(InvalidField::new("items", "must not be empty").into());
    };
    let start = at(row.started_at)?;
    let period = duration.period_at(at(row.billing_anchor)?, now);
    let trial_end = maybe_at(row.trial_ends_at)?.filter(|end| *end > now);
    let status = match (row.status.as_str(), trial_end, row.canceled_at) {
        ("incomplete", ..) => return Ok(None),
        ("trialing", Some(end), _) => SubscriptionStatus::trial(Period::new(start, end)?),
        ("trialing" | "active", ..) => SubscriptionStatus::active(period),
        ("past_due", ..) => SubscriptionStatus::unpaid().with_current_period(period),
        ("canceled", _, Some(canceled_at)) => SubscriptionStatus::canceled(at(canceled_at)?),
        _ => return Err(InvalidField::new("status", "must be known").into()),
    };
    let (subscription, customer) = (id(row.id)?, id(row.customer_id)?);
    let served = Subscription::new(subscription, customer, status, start, duration, items)
        .with_discounts(row.discount.map(discount).transpose()?);

    let mut subscription = billing::Subscription::from_served(&served);
    let mut referred = Referred::by(&served);
    subscription.planned.cancel_at = maybe_at(row.cancel_at)?;
    if let Some(start) = maybe_at(row.pause_starts_at)? {
        subscription.planned.pause = Some(Pause::new(start, maybe_at(row.resumes_at)?)?);
    }
    if let (Some(next), Some(at)) = (row.next_price, maybe_at(row.next_price_at)?) {
        let Some(next) = price(next)? else {
            return Ok(None);
        };
        subscription.planned.price = Some(PlannedPrice::new(at, &next));
        referred.prices.push(next);
    }
    Ok(Some((subscription, referred)))
}

fn subscription(row: record::Subscription, now: Timestamp) -> Result<Option<Subscription>> {
    let stored = stored(row, now)?;
    let served = stored.map(|(subscription, referred)| subscription.served(now, &referred));
    Ok(served.transpose()?)
}

#[controller]
impl CustomersController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        self.one(cx, id.as_str(), customer).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        self.page(cx, page, customer).await
    }

    async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        let owners = self
            .shop(cx)?
            .customers_by_email(&email.lookup_key())
            .await?;
        sole_owner(owners, "email")?.map_or(Ok(None), customer)
    }

    async fn find_by_phone(&self, cx: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        let key = phone.lookup_key().unwrap_or_default();
        let owners = self.shop(cx)?.customers_by_phone(&key).await?;
        sole_owner(owners, "phone")?.map_or(Ok(None), customer)
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
        let row = self.shop(cx)?.subscription(customer_id, id).await?;
        row.map_or(Ok(None), |row| subscription(row, self.now()))
    }

    async fn list(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        page: &PageRequest,
    ) -> Result<Page<Subscription>> {
        let shop = self.shop(cx)?;
        let fetch = |after: Option<_>, limit| {
            shop.subscriptions_after(customer_id, after.unwrap_or_default(), limit)
        };
        let map = |row| subscription(row, self.now());
        Page::fill_valid(page, fetch, |row| row.id, map).await
    }
}

#[controller]
impl PricesController for Store {
    fn price_type(&self) -> PriceType {
        PriceType::Product
    }

    async fn retrieve(&self, cx: &RequestContext, id: &PriceId) -> Result<Option<Price>> {
        self.one(cx, id.as_str(), price).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Price>> {
        self.page(cx, page, price).await
    }
}

#[controller]
impl CouponsController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &CouponId) -> Result<Option<Coupon>> {
        self.one(cx, id.as_str(), |row| coupon(row).map(Some)).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Coupon>> {
        self.page(cx, page, |row| coupon(row).map(Some)).await
    }
}

#[controller]
impl ProductsController for Store {
    fn product_type(&self) -> ProductType {
        ProductType::Standalone
    }

    async fn retrieve(&self, cx: &RequestContext, id: &ProductId) -> Result<Option<Product>> {
        self.one(cx, id.as_str(), product).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Product>> {
        self.page(cx, page, product).await
    }
}

#[controller]
impl CancelAction for Store {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(Schedules::Both)
    }

    async fn cancel(&self, cx: &RequestContext, request: &CancelRequest) -> Result<()> {
        self.change(cx, request.subscription(), |subscription, now| {
            subscription.cancel(request.schedule(), now);
            Ok(())
        })
        .await
    }
}

#[controller]
impl PauseAction for Store {
    fn features(&self) -> PauseFeatures {
        PauseFeatures::new(Schedules::Both, Durations::Both)
    }

    async fn pause(&self, cx: &RequestContext, request: &PauseRequest) -> Result<()> {
        self.change(cx, request.subscription(), |subscription, now| {
            subscription.check_annual_pause(request.allow_annual(), now)?;
            subscription.pause(request.start(), request.duration(), now)
        })
        .await
    }
}

#[controller]
impl ApplyCouponAction for Store {
    /// Gives it to the customer, for everything that they pay. They keep the coupon that they have.
    async fn apply_coupon(&self, cx: &RequestContext, request: &ApplyCouponRequest) -> Result<()> {
        let (mut action, mut subscription) = self.lock(cx, request.subscription()).await?;
        let row = action.lock_coupon(request.coupon().id()).await?;
        let (coupon, now) = (coupon(row.ok_or("the coupon has gone")?)?, self.now());
        let another = subscription
            .discounts
            .iter()
            .find(|known| known.coupon != *coupon.id());
        if another.is_some_and(|another| another.end.is_none_or(|end| end > now)) {
            return Err(HandlerError::bad_request("The customer has another coupon"));
        }
        if subscription.apply_coupon(&coupon, now)? == Redeemed::Now {
            let redemption = subscription
                .discounts
                .last()
                .ok_or("there is no discount")?;
            action.give_coupon(redemption).await?;
        }
        action.complete(cx.attempt()).await
    }
}

#[controller]
impl ExtendTrialAction for Store {
    fn features(&self) -> ExtendTrialFeatures {
        ExtendTrialFeatures::new(Durations::Both).with_multiple()
    }

    async fn extend_trial(&self, cx: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
        self.change(cx, request.subscription(), |subscription, now| {
            subscription.extend_trial(request.duration(), now)
        })
        .await
    }
}

#[controller]
impl ChangePriceAction for Store {
    fn features(&self) -> ChangePriceFeatures {
        ChangePriceFeatures::new(Schedules::Both)
    }

    async fn change_price(&self, cx: &RequestContext, request: &ChangePriceRequest) -> Result<()> {
        let (price, schedule) = (request.price(), request.schedule());
        self.change(cx, request.subscription(), |subscription, now| {
            subscription.change_price(price, schedule, request.prorate(), now)
        })
        .await
    }
}
