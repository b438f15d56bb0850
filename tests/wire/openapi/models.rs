//! The schemas of the models, held against models of every shape.

use churnkey_integrator::{
    Amount, CouponId, Currency, CustomerId, Email, FamilyId, ItemId, Percentage, Phone, PriceId,
    ProductId, SubscriptionId, Timestamp,
    model::{
        Address, BillingDuration, Country, Coupon, CouponDuration, CouponValue, Customer,
        CycleUnit, Discount, Family, Item, Pause, Period, Price, PriceAmount, Product, Redemptions,
        Subscription, SubscriptionStatus, Tier, TierMode, Tiers,
    },
    openapi,
};
use serde::Serialize;
use serde_json::{Value, json, to_value};

use super::Document;

/// The largest number that is allowed.
const MOST: u64 = (1 << 53) - 1;

fn time(day: u32) -> Timestamp {
    format!("2026-01-{day:02}T00:00:00+01:00").parse().unwrap()
}

fn period() -> Period {
    Period::new(time(1), time(31)).unwrap()
}

fn usd() -> Currency {
    Currency::new("USD").unwrap()
}

fn amounts() -> [Amount; 3] {
    [
        Amount::per_unit(0).unwrap(),
        Amount::flat(MOST).unwrap(),
        Amount::per_unit_and_flat(1, 2).unwrap(),
    ]
}

fn coupons() -> Vec<Coupon> {
    let durations = [
        CouponDuration::Once,
        CouponDuration::Forever,
        CouponDuration::recurring(u32::MAX, CycleUnit::Year).unwrap(),
        CouponDuration::cycle_amount(1).unwrap(),
    ];
    let percent = Percentage::from_basis_points(1250).unwrap();
    let mut values = vec![
        CouponValue::percentage(percent),
        CouponValue::percentage_in(usd(), Percentage::whole(100).unwrap()),
    ];
    values.extend(amounts().map(|amount| CouponValue::fixed(usd(), amount)));
    let coupon = |duration, value| Coupon::new(CouponId::new("c").unwrap(), duration, value);
    let mut coupons: Vec<Coupon> = durations
        .into_iter()
        .flat_map(|duration| values.iter().map(move |value| coupon(duration, *value)))
        .collect();
    let full = coupons[0]
        .clone()
        .with_code("C")
        .with_name("N")
        .with_expires_at(time(3));
    coupons.push(full.with_redemptions(Redemptions::new(MOST, 0).unwrap()));
    coupons
}

fn prices() -> Vec<Price> {
    let tiers = Tiers::new([
        Tier::up_to(1, amounts()[0]),
        Tier::up_to(MOST, amounts()[1]),
        Tier::unbounded(amounts()[2]),
    ]);
    let mut all = amounts()
        .map(|amount| PriceAmount::fixed(usd(), amount))
        .to_vec();
    all.push(PriceAmount::tiered(
        usd(),
        TierMode::Graduated,
        tiers.unwrap(),
    ));
    let one = Tiers::new([Tier::unbounded(amounts()[0])]).unwrap();
    all.push(PriceAmount::tiered(usd(), TierMode::Total, one));
    let id = || PriceId::new("p").unwrap();
    let product = || ProductId::new("p").unwrap();
    let prices = all.into_iter().flat_map(|amount| {
        let price = Price::standalone(id(), BillingDuration::MONTHLY, amount.clone());
        let longest = BillingDuration::new(u32::MAX, CycleUnit::Year).unwrap();
        let of_product = Price::of_product(product(), id(), longest, amount);
        [price, of_product.with_name("N").with_description("D")]
    });
    prices.collect()
}

fn subscriptions() -> Vec<Subscription> {
    let pause = Pause::new(time(1), time(2)).unwrap();
    let least = [
        SubscriptionStatus::active(period()),
        SubscriptionStatus::trial(period()),
        SubscriptionStatus::paused(Pause::indefinite(time(1))),
        SubscriptionStatus::paused(pause),
        SubscriptionStatus::canceled(time(2)),
        SubscriptionStatus::unpaid(),
    ];
    let most = least.map(|status| status.with_current_period(period()).with_trial(period()));
    let items = || {
        let items = prices().into_iter().zip([1, 2, MOST]);
        items
            .map(|(price, quantity)| Item::new(ItemId::new("i").unwrap(), price, quantity).unwrap())
    };
    let subscription = |status| {
        let (id, customer) = (
            SubscriptionId::new("s").unwrap(),
            CustomerId::new("c").unwrap(),
        );
        Subscription::new(
            id,
            customer,
            status,
            time(1),
            BillingDuration::YEARLY,
            items(),
        )
    };
    let mut all: Vec<Subscription> = least.into_iter().chain(most).map(subscription).collect();
    let discounts = coupons().into_iter().map(Discount::new);
    let full = all[0].clone().with_discounts(discounts);
    all.push(full.with_metadata([("k", "v")]));
    all
}

fn customers() -> [Customer; 2] {
    let customer = Customer::new(CustomerId::new("x".repeat(1024)).unwrap());
    let address = Address::new()
        .with_country(Country::new("gb").unwrap())
        .with_state("S")
        .with_city("C")
        .with_postal_code("P")
        .with_line1("1")
        .with_line2("2");
    let discount = Discount::new(coupons().remove(0))
        .with_dates(time(1), time(2))
        .unwrap();
    let full = customer
        .clone()
        .with_name("N")
        .with_last_name("L")
        .with_email(Email::new("not an address").unwrap())
        .with_phone(Phone::new("+1").unwrap())
        .with_addresses([address, Address::new()])
        .with_discounts([discount])
        .with_currency(usd())
        .with_metadata([("k", "v")]);
    [customer, full]
}

fn products() -> [Product; 2] {
    let id = || ProductId::new("p").unwrap();
    let of_family = Product::of_family(FamilyId::new("f").unwrap(), id(), "N");
    [
        Product::standalone(id(), "N"),
        of_family.with_description("D").with_unit_label("GB"),
    ]
}

fn families() -> [Family; 2] {
    let family = Family::new(FamilyId::new("f").unwrap(), "N");
    [family.clone(), family.with_description("D")]
}

fn written(models: impl IntoIterator<Item = impl Serialize>) -> Vec<Value> {
    let models = models.into_iter();
    models.map(|model| to_value(model).unwrap()).collect()
}

/// Each model in every shape that its constructors allow.
fn all() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        ("Customer", written(customers())),
        ("Subscription", written(subscriptions())),
        ("Price", written(prices())),
        ("Coupon", written(coupons())),
        ("Product", written(products())),
        ("Family", written(families())),
    ]
}

#[test]
fn a_model_is_valid_in_every_shape_and_has_no_field_that_its_schema_lacks() {
    let document = Document::of(openapi::document());
    for (name, models) in all() {
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        let validator = document.validator(&reference);
        for model in models {
            let errors: Vec<_> = validator
                .iter_errors(&model)
                .map(|error| error.to_string())
                .collect();
            assert_eq!(errors, [""; 0], "{name}: {model:#}");
        }
    }
}

/// Every field of a schema is one that a model can have.
#[test]
fn a_schema_has_no_field_that_no_model_has() {
    let document = openapi::document();
    let texts: String = all()
        .into_iter()
        .flat_map(|(_, models)| models)
        .map(|model| model.to_string())
        .collect();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let alternatives = schema["oneOf"].as_array().into_iter().flatten();
        for schema in alternatives.chain([schema]) {
            let fields = schema["properties"].as_object();
            for field in fields.into_iter().flat_map(|fields| fields.keys()) {
                assert!(texts.contains(&format!("\"{field}\":")), "{name}: {field}");
            }
        }
    }
}

/// But for what says by a constant of one word which alternative it is.
#[test]
fn each_field_of_a_schema_says_what_it_is() {
    let document = openapi::document();
    let mut without = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let alternatives = schema["oneOf"].as_array().into_iter().flatten();
        for schema in alternatives.chain([schema]) {
            let fields = schema["properties"].as_object().into_iter().flatten();
            let silent = fields.filter(|(_, field)| {
                field["description"].as_str().is_none_or(str::is_empty) && field["const"].is_null()
            });
            without.extend(silent.map(|(field, _)| format!("{name}.{field}")));
        }
    }
    assert_eq!(without, [""; 0]);
}

#[test]
fn what_no_model_can_be_is_not_valid() {
    let document = Document::of(openapi::document());
    let full = |name: &str| {
        let (_, models) = all().into_iter().find(|(model, _)| *model == name).unwrap();
        models
            .into_iter()
            .max_by_key(|model| model.to_string().len())
            .unwrap()
    };
    let active = written(subscriptions()).remove(6);
    let fixed = written(prices()).remove(5);
    let tiered = written(prices()).remove(7);
    for (name, model, at, wrong) in [
        ("Customer", full("Customer"), "/id", json!("")),
        ("Customer", full("Customer"), "/id", json!("x".repeat(1025))),
        ("Customer", full("Customer"), "/id", json!("a\u{0}b")),
        ("Customer", full("Customer"), "/id", json!(1)),
        ("Customer", full("Customer"), "/email", Value::Null),
        (
            "Customer",
            full("Customer"),
            "/email",
            json!("x".repeat(321)),
        ),
        ("Customer", full("Customer"), "/currency", json!("USD")),
        (
            "Customer",
            full("Customer"),
            "/addresses/0/country",
            json!("gb"),
        ),
        ("Customer", full("Customer"), "/metadata/k", json!(1)),
        (
            "Customer",
            full("Customer"),
            "/discounts/0/start",
            json!("2026-01-01"),
        ),
        (
            "Customer",
            full("Customer"),
            "/discounts/0/coupon/id",
            Value::Null,
        ),
        ("Price", fixed.clone(), "/amount/unit", json!(MOST + 1)),
        ("Price", fixed.clone(), "/amount/unit", json!(-1)),
        ("Price", fixed.clone(), "/amount/unit", json!(1.5)),
        ("Price", fixed.clone(), "/amount/flat", json!("1")),
        ("Price", fixed.clone(), "/amount/model", json!("tiered")),
        (
            "Price",
            fixed.clone(),
            "/amount",
            json!({ "model": "fixed", "currency": "usd" }),
        ),
        ("Price", fixed.clone(), "/type", json!("standalone")),
        ("Price", fixed, "/duration/amount", json!(0)),
        ("Price", tiered.clone(), "/duration/unit", json!("week")),
        ("Price", tiered.clone(), "/amount/tiers", json!([])),
        (
            "Price",
            tiered.clone(),
            "/amount/tiers/0",
            json!({ "upTo": 1 }),
        ),
        ("Price", tiered.clone(), "/amount/tiers/0/upTo", json!(0)),
        ("Price", tiered, "/amount/mode", json!("volume")),
        ("Product", full("Product"), "/type", json!("standalone")),
        (
            "Subscription",
            active.clone(),
            "/items/0/quantity",
            json!(0),
        ),
        (
            "Subscription",
            active.clone(),
            "/items/0/quantity",
            json!(MOST + 1),
        ),
        (
            "Subscription",
            active.clone(),
            "/status/currentPeriod",
            Value::Null,
        ),
        (
            "Subscription",
            active.clone(),
            "/status/currentPeriod/end",
            json!("tomorrow"),
        ),
        ("Subscription", active, "/status/name", json!("future")),
        (
            "Coupon",
            full("Coupon"),
            "/redemptions/max",
            json!(MOST + 1),
        ),
        ("Coupon", full("Coupon"), "/expiresAt", json!(1_767_225_600)),
        (
            "Coupon",
            full("Coupon"),
            "/value",
            json!({ "type": "percentage", "percent": 101 }),
        ),
        (
            "Coupon",
            full("Coupon"),
            "/duration",
            json!({ "type": "recurring", "amount": 0, "unit": "month" }),
        ),
    ] {
        let schema = document.json["components"]["schemas"][name].clone();
        let validator = super::validator(&json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": document.json["components"],
        }));
        let mut changed = model.clone();
        *changed
            .pointer_mut(at)
            .unwrap_or_else(|| panic!("{name} has no {at}: {model}")) = wrong.clone();
        assert!(validator.is_valid(&model), "{name}: {model}");
        assert!(!validator.is_valid(&changed), "{name}: {at} {wrong}");
        // The document itself leaves records open.
        changed = model;
        changed["more"] = json!(true);
        assert!(validator.is_valid(&changed), "{name}");
    }
}
