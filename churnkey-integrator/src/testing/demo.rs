//! The smallest merchant there can be, for the examples in the documentation: one customer, one subscription, one price,
//! two coupons, and a cancel action that does nothing.

use crate::{
    CouponsController, CustomersController, PricesController, SubscriptionsController,
    actions::{CancelAction, CancelFeatures, CancelRequest, Schedules},
    context::RequestContext,
    controller,
    error::Result,
    id::{CouponId, CustomerId, ItemId, PriceId, SubscriptionId},
    integration::IntegrationBuilder,
    model::{
        BillingDuration, Coupon, CouponDuration, CouponValue, Customer, Item, Period, Price,
        PriceAmount, PriceType, Subscription, SubscriptionStatus,
    },
    money::{Amount, Currency, Percentage},
    page::{Page, PageRequest},
};

/// `cus_1` with `sub_1` at `price_1`, besides `coupon_1` and the expired `coupon_old`.
#[derive(Debug, Clone, Copy)]
pub struct Shop;

/// Registers all controllers of the shop.
pub fn controllers(builder: IntegrationBuilder) -> IntegrationBuilder {
    let builder = builder.customers(Shop).prices(Shop);
    builder.subscriptions(Shop).coupons(Shop)
}

/// Registers all controllers of the shop, and its cancel action.
pub fn cancelling(builder: IntegrationBuilder) -> IntegrationBuilder {
    controllers(builder).cancel(Shop)
}

fn price() -> Result<Price> {
    let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(2999));
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

#[controller]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        Ok((id.as_str() == "cus_1").then(|| Customer::new(id.clone())))
    }
}

#[controller]
impl SubscriptionsController for Shop {
    async fn retrieve(
        &self,
        _: &RequestContext,
        _: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>> {
        Ok(Some(subscription()?).filter(|subscription| subscription.id() == id))
    }
}

#[controller]
impl PricesController for Shop {
    fn price_type(&self) -> PriceType {
        PriceType::Standalone
    }

    async fn retrieve(&self, _: &RequestContext, id: &PriceId) -> Result<Option<Price>> {
        Ok(Some(price()?).filter(|price| price.id() == id))
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Price>> {
        Ok(Page::new(vec![price()?], None))
    }
}

#[controller]
impl CouponsController for Shop {
    async fn retrieve(&self, _: &RequestContext, id: &CouponId) -> Result<Option<Coupon>> {
        Ok(coupons()?.into_iter().find(|coupon| coupon.id() == id))
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Coupon>> {
        Ok(Page::new(coupons()?.to_vec(), None))
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
