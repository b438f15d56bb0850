//! A store that finds ids in any letter case, as a column of UUIDs does.

use churnkey_conformance::{Fixtures, check};
use churnkey_integrator::{
    Amount, CouponId, CouponsController, Currency, CustomerId, CustomersController, Integration,
    ItemId, Page, PageRequest, PriceId, PricesController, RequestContext, Result, SubscriptionId,
    SubscriptionsController, controller,
    model::{
        BillingDuration, Coupon, CouponDuration, CouponValue, Customer, Item, Period, Price,
        PriceAmount, PriceType, Subscription, SubscriptionStatus,
    },
};
use http::Method;
use serde_json::json;
use tracing::Level;

use crate::{
    logs::log_while,
    merchants::{client_of, token},
};

/// Holds one record of each kind, with the id `abc` or `äbc`.
struct AnyCase;

fn is(asked: &str, id: &str) -> bool {
    asked.to_lowercase() == id
}

fn price() -> Result<Price> {
    let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::flat(100)?);
    Ok(Price::standalone(
        PriceId::new("abc")?,
        BillingDuration::MONTHLY,
        amount,
    ))
}

fn subscription() -> Result<Subscription> {
    let start = "2026-01-01T00:00:00Z".parse()?;
    let period = Period::new(start, "2026-02-01T00:00:00Z".parse()?)?;
    Ok(Subscription::new(
        SubscriptionId::new("abc")?,
        CustomerId::new("äbc")?,
        SubscriptionStatus::active(period),
        start,
        BillingDuration::MONTHLY,
        [Item::new(ItemId::new("abc")?, price()?, 1)?],
    ))
}

#[controller]
impl CustomersController for AnyCase {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let found = is(id.as_str(), "äbc").then(|| CustomerId::new("äbc"));
        Ok(found.transpose()?.map(Customer::new))
    }
}

#[controller]
impl SubscriptionsController for AnyCase {
    async fn retrieve(
        &self,
        _: &RequestContext,
        owner: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>> {
        let found = is(owner.as_str(), "äbc") && is(id.as_str(), "abc");
        found.then(subscription).transpose()
    }

    async fn list(
        &self,
        _: &RequestContext,
        owner: &CustomerId,
        _: &PageRequest,
    ) -> Result<Page<Subscription>> {
        let found = is(owner.as_str(), "äbc").then(subscription).transpose()?;
        Ok(Page::new(found.into_iter().collect(), None))
    }
}

#[controller]
impl PricesController for AnyCase {
    fn price_type(&self) -> PriceType {
        PriceType::Standalone
    }

    async fn retrieve(&self, _: &RequestContext, id: &PriceId) -> Result<Option<Price>> {
        is(id.as_str(), "abc").then(price).transpose()
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Price>> {
        Ok(Page::new(vec![price()?], None))
    }
}

fn coupon() -> Result<Coupon> {
    let value = CouponValue::fixed(Currency::new("usd")?, Amount::flat(100)?);
    Ok(Coupon::new(
        CouponId::new("abc")?,
        CouponDuration::Once,
        value,
    ))
}

#[controller]
impl CouponsController for AnyCase {
    async fn retrieve(&self, _: &RequestContext, id: &CouponId) -> Result<Option<Coupon>> {
        is(id.as_str(), "abc").then(coupon).transpose()
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Coupon>> {
        Ok(Page::new(vec![coupon()?], None))
    }
}

fn integration() -> Integration {
    let builder = Integration::builder("Any case", token()).customers(AnyCase);
    let builder = builder.subscriptions(AnyCase).prices(AnyCase);
    builder.coupons(AnyCase).live_only().build().unwrap()
}

#[tokio::test]
async fn a_store_that_ignores_letter_case_conforms() {
    let fixtures = Fixtures::new("äbc", "nobody").subscription("äbc", "abc");
    let fixtures = fixtures.price("abc").coupon("abc");
    let report = check(&client_of(&integration()), &fixtures).await.unwrap();
    report.assert_passed();
}

#[test]
fn an_id_in_another_letter_case_is_nobodys_and_the_log_says_why() {
    let client = client_of(&integration());
    let customer = "/churnkey/customers/%C3%A4bc";
    let in_capitals = "/churnkey/customers/%C3%84BC";
    for (path, other_case, message) in [
        (
            customer.to_owned(),
            in_capitals.to_owned(),
            "Customer not found",
        ),
        (
            format!("{customer}/subscriptions/abc"),
            format!("{customer}/subscriptions/ABC"),
            "Subscription not found",
        ),
        (
            format!("{customer}/subscriptions"),
            format!("{in_capitals}/subscriptions"),
            "Customer not found",
        ),
        (
            "/churnkey/prices/abc".to_owned(),
            "/churnkey/prices/aBc".to_owned(),
            "Price not found",
        ),
        (
            "/churnkey/coupons/abc".to_owned(),
            "/churnkey/coupons/Abc".to_owned(),
            "Coupon not found",
        ),
    ] {
        let log = log_while(Level::INFO, async {
            // The log has the request id, and one made at random may hold "abc".
            let get = |path| {
                client
                    .call(Method::GET, path)
                    .header("x-request-id", "req-1")
            };
            assert_eq!(get(&path).signed().send().await.status(), 200, "{path}");
            let answer = get(&other_case).signed().send().await;
            let expected = json!({ "code": 404, "message": message });
            assert_eq!(*answer.body(), expected, "{other_case}");
        });
        let (_, reason) = log.split_once(" reason=").unwrap();
        assert!(
            reason.starts_with("\"the record's id and the requested one differ in letter case;"),
            "{log}"
        );
        assert!(!log.to_lowercase().contains("abc"), "{log}");
    }
}
