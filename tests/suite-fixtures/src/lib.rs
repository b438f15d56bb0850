//! What the conformance suite needs to check all of an example: more customers than the demo data has, and what may be
//! done to whom.
#![forbid(unsafe_code)]

use std::error::Error;

use churnkey_conformance::{Disposable, Fixtures};
use churnkey_integrator::{
    CustomerId, Email, ItemId, Phone, SubscriptionId,
    model::{Customer, Item, Period, Price, Subscription, SubscriptionStatus},
};
use example_app::Demo;

/// The subscriptions of Mary, each for one action.
const ONE_BY_ONE: [&str; 5] = [
    "sub_mary_price_planned",
    "sub_mary_pause_planned",
    "sub_mary_pause_dated",
    "sub_mary_pause_planned_dated",
    "sub_mary_cancel_planned",
];

/// Customers of whom all subscriptions are paused or cancelled.
const ALL_AT_ONCE: [&str; 4] = [
    "pause_planned",
    "pause_dated",
    "pause_planned_dated",
    "cancel_planned",
];

/// The demo data with a subscription for each way in which an action can be asked for.
///
/// # Errors
/// If the data are not what the models expect.
pub fn demo() -> Result<Demo, Box<dyn Error + Send + Sync>> {
    let mut demo = Demo::load()?;
    let period = Period::new(
        "2026-01-01T00:00:00Z".parse()?,
        "2026-02-01T00:00:00Z".parse()?,
    )?;
    let active = SubscriptionStatus::active(period);
    let live = &mut demo.live;
    let price_with_id = |id: &str| {
        let mut prices = live.prices.iter();
        let price = prices.find(|price| price.id().as_str() == id);
        price.cloned().ok_or("a price is missing")
    };
    let monthly = price_with_id("price_pro_month")?;
    let annual = price_with_id("price_pro_year")?;
    let subscribe = |owner: &CustomerId, id: &str, status: SubscriptionStatus, price: &Price| {
        let item = Item::new(ItemId::new(format!("si_{id}"))?, price.clone(), 1)?;
        let id = SubscriptionId::new(id)?;
        let (start, duration) = (period.start(), price.duration());
        let subscription = Subscription::new(id, owner.clone(), status, start, duration, [item]);
        Ok::<_, Box<dyn Error + Send + Sync>>(subscription)
    };

    let mary = CustomerId::new("cus_mary")?;
    live.customers.push(
        Customer::new(mary.clone())
            .with_email(Email::new("Mary.Somerville@Example.com")?)
            .with_phone(Phone::new("+44 (0)1632 960-002")?),
    );
    for id in ONE_BY_ONE {
        live.subscriptions
            .push(subscribe(&mary, id, active, &monthly)?);
    }
    let trial = SubscriptionStatus::trial(period);
    live.subscriptions
        .push(subscribe(&mary, "sub_mary_trial", trial, &monthly)?);

    for name in ALL_AT_ONCE {
        let owner = CustomerId::new(format!("cus_{name}"))?;
        for (what, price) in [("month", &monthly), ("year", &annual)] {
            let id = format!("sub_{name}_{what}");
            live.subscriptions
                .push(subscribe(&owner, &id, active, price)?);
        }
        live.customers.push(Customer::new(owner));
    }
    Ok(demo)
}

/// What the suite looks for in [`demo`], and what it may change.
pub fn fixtures() -> Fixtures {
    let mary = |subscription: &str| ("cus_mary", format!("sub_mary_{subscription}"));
    let pause = |subscription: &str| {
        let (customer, subscription) = mary(subscription);
        Disposable::to_pause(customer, subscription)
    };
    let (customer, planned) = mary("price_planned");
    let price_planned = Disposable::to_change_price(customer, planned, "price_basic_month");
    Fixtures::new("cus_ada", "cus_nobody")
        .test_customer("cus_test")
        .email("zoe+billing@example.com", "cus_zoe")
        .phone("+358401234567", "cus_linus")
        .shared_email("shared@example.com")
        .shared_phone("+15550100001")
        .subscription("cus_linus", "sub_linus_seats")
        .price("price_pro_month")
        .coupon("coupon_stay20")
        .expired_coupon("coupon_expired")
        .expired_coupon("coupon_full")
        .product("prod_pro")
        .family("fam_core")
        .disposable(Disposable::to_extend_trial("cus_grace", "sub_grace_trial"))
        .disposable(Disposable::to_extend_trial("cus_mary", "sub_mary_trial"))
        .disposable(Disposable::to_apply_coupon(
            "cus_ada",
            "sub_ada_year",
            "coupon_stay20",
        ))
        .disposable(Disposable::to_change_price(
            "cus_ada",
            "sub_ada_pro",
            "price_basic_month",
        ))
        .disposable(price_planned)
        .disposable(Disposable::to_pause("cus_ada", "sub_ada_year"))
        .disposable(pause("pause_planned"))
        .disposable(pause("pause_dated"))
        .disposable(pause("pause_planned_dated"))
        .disposable(Disposable::to_cancel("cus_ada", "sub_ada_pro"))
        .disposable(Disposable::to_cancel("cus_mary", "sub_mary_cancel_planned"))
        .disposable(Disposable::to_pause_all("cus_grace"))
        .disposable(Disposable::to_pause_all("cus_pause_planned"))
        .disposable(Disposable::to_pause_all("cus_pause_dated"))
        .disposable(Disposable::to_pause_all("cus_pause_planned_dated"))
        .disposable(Disposable::to_cancel_all("cus_linus"))
        .disposable(Disposable::to_cancel_all("cus_cancel_planned"))
}
