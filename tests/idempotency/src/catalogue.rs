//! What all of these merchants sell: one subscription in trial.

use churnkey_integrator::{
    Amount, CancelAction, Currency, CustomerId, CustomersController, HandlerError, ItemId, Page,
    PageRequest, PriceId, PricesController, RequestContext, Result, SubscriptionId,
    SubscriptionsController, Timestamp,
    actions::{CancelFeatures, CancelRequest, Schedules},
    controller,
    model::{
        BillingDuration, Customer, Item, Period, Price, PriceAmount, PriceType, Subscription,
        SubscriptionStatus,
    },
};

/// When the trial ends at first, in Unix milliseconds: 2026-02-01.
pub const TRIAL_ENDS_AT: i64 = 1_769_904_000_000;

/// The merchants' own table, with its only row.
pub const CREATE: &str =
    "CREATE TABLE subscriptions (id text PRIMARY KEY, trial_ends_at bigint NOT NULL);
    INSERT INTO subscriptions VALUES ('sub_1', 1769904000000)";

/// `cus_1` with `sub_1` at `price_1`.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue;

fn price() -> Result<Price> {
    let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(2999)?);
    let id = PriceId::new("price_1")?;
    Ok(Price::standalone(id, BillingDuration::MONTHLY, amount))
}

fn subscription() -> Result<Subscription> {
    let start = "2026-01-01T00:00:00Z".parse()?;
    let trial = Period::new(start, Timestamp::from_unix_millis(TRIAL_ENDS_AT)?)?;
    Ok(Subscription::new(
        SubscriptionId::new("sub_1")?,
        CustomerId::new("cus_1")?,
        SubscriptionStatus::trial(trial),
        start,
        BillingDuration::MONTHLY,
        [Item::new(ItemId::new("si_1")?, price()?, 1)?],
    ))
}

#[controller]
impl CustomersController for Catalogue {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        Ok((id.as_str() == "cus_1").then(|| Customer::new(id.clone())))
    }
}

#[controller]
impl SubscriptionsController for Catalogue {
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
impl PricesController for Catalogue {
    fn price_type(&self) -> PriceType {
        PriceType::Standalone
    }

    async fn retrieve(&self, _: &RequestContext, id: &PriceId) -> Result<Option<Price>> {
        Ok(Some(price()?).filter(|price| price.id() == id))
    }

    async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Price>> {
        Ok(Page::from_overfetch(vec![price()?], page, |_| 1_i64)?)
    }
}

#[controller]
impl CancelAction for Catalogue {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(Schedules::Both)
    }

    async fn cancel(&self, _: &RequestContext, _: &CancelRequest) -> Result<()> {
        Err(HandlerError::conflict("A trial ends by itself"))
    }
}
