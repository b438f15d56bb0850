//! The smallest merchant there can be, for what any merchant would do: one customer, one subscription, one price, two
//! coupons, and a cancel action that does nothing. All of it is live data.

use churnkey_integrator::{
    Amount, CouponId, CouponsController, Currency, CustomerId, CustomersController,
    IntegrationBuilder, ItemId, Mode, Page, PageRequest, Percentage, PriceId, PricesController,
    RequestContext, Result, SubscriptionId, SubscriptionsController,
    actions::{CancelAction, CancelFeatures, CancelRequest, Schedules},
    controller,
    model::{
        BillingDuration, Coupon, CouponDuration, CouponValue, Customer, Item, Period, Price,
        PriceAmount, PriceType, Subscription, SubscriptionStatus,
    },
};

/// `cus_1` with `sub_1` at `price_1`, besides `coupon_1` and the expired `coupon_old`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shop;

/// Registers all controllers of the shop.
pub(crate) fn controllers(builder: IntegrationBuilder) -> IntegrationBuilder {
    let builder = builder.customers(Shop).prices(Shop);
    builder.subscriptions(Shop).coupons(Shop)
}

/// Registers all controllers of the shop, and its cancel action.
pub(crate) fn cancelling(builder: IntegrationBuilder) -> IntegrationBuilder {
    controllers(builder).cancel(Shop)
}

fn price() -> Result<Price> {
    let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(2999)?);
    Ok(Price::standalone(
        PriceId::new("price_1")?,
        BillingDuration::MONTHLY,
        amount,
    ))
}

fn subscription() -> Result<Subscription> {
    let start = "2026-01-01T00:00:00Z".parse()?;
    let period = Period::new(start, "2026-02-01T00:00:00Z".parse()?)?;
    Ok(Subscription::new(
        SubscriptionId::new("sub_1")?,
        CustomerId::new("cus_1")?,
        SubscriptionStatus::active(period),
        start,
        BillingDuration::MONTHLY,
        [Item::new(ItemId::new("si_1")?, price()?, 1)?],
    ))
}

fn coupons() -> Result<[Coupon; 2]> {
    let percent = CouponValue::percentage(Percentage::whole(20)?);
    let coupon =
        |id: &str| CouponId::new(id).map(|id| Coupon::new(id, CouponDuration::Once, percent));
    let expired = "2020-01-01T00:00:00Z".parse()?;
    Ok([
        coupon("coupon_1")?,
        coupon("coupon_old")?.with_expires_at(Some(expired)),
    ])
}

fn is_live(cx: &RequestContext) -> bool {
    cx.mode() == Mode::Live
}

fn page_of<T>(rows: Vec<T>, cx: &RequestContext, page: &PageRequest) -> Result<Page<T>> {
    let after: usize = page.after()?.unwrap_or(0);
    let rows = rows.into_iter().filter(|_| is_live(cx));
    let rows = (1..).zip(rows).skip(after).take(page.limit() + 1).collect();
    Ok(Page::from_overfetch(rows, page, |(n, _)| *n)?.map(|(_, row)| row))
}

#[controller]
impl CustomersController for Shop {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let is_known = id.as_str() == "cus_1" && is_live(cx);
        Ok(is_known.then(|| Customer::new(id.clone())))
    }
}

#[controller]
impl SubscriptionsController for Shop {
    async fn retrieve(
        &self,
        cx: &RequestContext,
        _: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>> {
        let found = Some(subscription()?).filter(|_| is_live(cx));
        Ok(found.filter(|subscription| subscription.id() == id))
    }
}

#[controller]
impl PricesController for Shop {
    fn price_type(&self) -> PriceType {
        PriceType::Standalone
    }

    async fn retrieve(&self, cx: &RequestContext, id: &PriceId) -> Result<Option<Price>> {
        Ok(Some(price()?).filter(|price| price.id() == id && is_live(cx)))
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Price>> {
        page_of(vec![price()?], cx, page)
    }
}

#[controller]
impl CouponsController for Shop {
    async fn retrieve(&self, cx: &RequestContext, id: &CouponId) -> Result<Option<Coupon>> {
        let mut coupons = coupons()?.into_iter();
        Ok(coupons.find(|coupon| coupon.id() == id && is_live(cx)))
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Coupon>> {
        page_of(coupons()?.to_vec(), cx, page)
    }
}

#[controller]
impl CancelAction for Shop {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(Schedules::Both)
    }

    async fn cancel(&self, _: &RequestContext, _: &CancelRequest) -> Result<()> {
        Ok(())
    }
}
