//! What an action's body may contain, what the merchant gets of it, and what is rejected before the merchant's code runs.

use std::sync::{Arc, Mutex};

use churnkey_conformance::Client;
use churnkey_integrator::{
    ApplyCouponAction, CancelAction, ChangePriceAction, ExtendTrialAction, Integration,
    IntegrationBuilder, Mode, PauseAction, RequestContext, Result,
    actions::{
        ApplyCouponRequest, CancelAllRequest, CancelFeatures, CancelRequest, ChangePriceFeatures,
        ChangePriceRequest, Durations, ExtendTrialFeatures, ExtendTrialRequest, PauseAllRequest,
        PauseFeatures, PauseRequest, Schedules,
    },
    controller,
};
use serde_json::{Value, json};

use crate::merchants::{client_of, in_memory_store, token};

/// Records each request, and does nothing.
#[derive(Clone)]
struct Recorder {
    asked: Arc<Mutex<Vec<String>>>,
    cancel: CancelFeatures,
    pause: PauseFeatures,
    extend_trial: ExtendTrialFeatures,
    change_price: ChangePriceFeatures,
}

impl Recorder {
    fn note(&self, what: String) -> Result<()> {
        self.asked.lock().unwrap().push(what);
        Ok(())
    }
}

#[controller]
impl CancelAction for Recorder {
    fn features(&self) -> CancelFeatures {
        self.cancel
    }

    async fn cancel(&self, _: &RequestContext, request: &CancelRequest) -> Result<()> {
        let id = request.subscription().id();
        let (schedule, unpause) = (request.schedule(), request.unpause());
        self.note(format!("cancel {id} {schedule:?} {unpause}"))
    }

    async fn cancel_all(&self, _: &RequestContext, request: &CancelAllRequest) -> Result<()> {
        let (id, schedule) = (request.customer_id(), request.schedule());
        self.note(format!(
            "cancel all of {id} {schedule:?} {}",
            request.unpause()
        ))
    }
}

#[controller]
impl PauseAction for Recorder {
    fn features(&self) -> PauseFeatures {
        self.pause
    }

    async fn pause(&self, _: &RequestContext, request: &PauseRequest) -> Result<()> {
        let id = request.subscription().id();
        let (start, duration) = (request.start(), request.duration());
        let annual = request.allow_annual();
        self.note(format!("pause {id} {start:?} {duration:?} {annual}"))
    }

    async fn pause_all(&self, _: &RequestContext, request: &PauseAllRequest) -> Result<()> {
        let (id, start) = (request.customer_id(), request.start());
        let (duration, annual) = (request.duration(), request.allow_annual());
        self.note(format!("pause all of {id} {start:?} {duration:?} {annual}"))
    }
}

#[controller]
impl ApplyCouponAction for Recorder {
    async fn apply_coupon(&self, _: &RequestContext, request: &ApplyCouponRequest) -> Result<()> {
        let (id, coupon) = (request.subscription().id(), request.coupon().id());
        self.note(format!("apply {coupon} to {id}"))
    }
}

#[controller]
impl ExtendTrialAction for Recorder {
    fn features(&self) -> ExtendTrialFeatures {
        self.extend_trial
    }

    async fn extend_trial(&self, _: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
        let (id, duration) = (request.subscription().id(), request.duration());
        self.note(format!("extend {id} {duration:?}"))
    }
}

#[controller]
impl ChangePriceAction for Recorder {
    fn features(&self) -> ChangePriceFeatures {
        self.change_price
    }

    async fn change_price(&self, _: &RequestContext, request: &ChangePriceRequest) -> Result<()> {
        let (id, price) = (request.subscription().id(), request.price().id());
        let (schedule, prorate) = (request.schedule(), request.prorate());
        self.note(format!("change {id} to {price} {schedule:?} {prorate}"))
    }
}

struct Merchant {
    client: Client,
    asked: Arc<Mutex<Vec<String>>>,
}

/// A merchant who can do everything.
fn able() -> Recorder {
    Recorder {
        asked: Arc::default(),
        cancel: CancelFeatures::new(Schedules::Both),
        pause: PauseFeatures::new(Schedules::Both, Durations::Both).with_annual(),
        extend_trial: ExtendTrialFeatures::new(Durations::Both).with_multiple(),
        change_price: ChangePriceFeatures::new(Schedules::Both).with_proration(),
    }
}

fn builder(recorder: &Recorder) -> IntegrationBuilder {
    let store = in_memory_store();
    Integration::builder("Recorder", token())
        .customers(store.clone())
        .subscriptions(store.clone())
        .prices(store.clone())
        .coupons(store.clone())
        .products(store.clone())
        .families(store)
        .cancel(recorder.clone())
        .pause(recorder.clone())
        .apply_coupon(recorder.clone())
        .extend_trial(recorder.clone())
        .change_price(recorder.clone())
}

fn merchant(recorder: Recorder) -> Merchant {
    Merchant {
        client: client_of(&builder(&recorder).build().unwrap()),
        asked: recorder.asked,
    }
}

impl Merchant {
    /// The status, the message if there is one, and what the merchant was asked for.
    async fn post(&self, action: &str, body: &str) -> (u16, Option<String>, Vec<String>) {
        let path = format!("/churnkey/actions/{action}");
        let call = self.client.call(http::Method::POST, &path);
        let answer = call.with_token().body(body).send().await;
        let message = answer.message().map(str::to_owned);
        (
            answer.status(),
            message,
            std::mem::take(&mut self.asked.lock().unwrap()),
        )
    }

    async fn asks(&self, action: &str, body: Value, asked: &str) {
        let answer = self.post(action, &body.to_string()).await;
        assert_eq!(
            answer,
            (200, None, vec![asked.to_owned()]),
            "{action} {body}"
        );
    }

    async fn rejects(&self, action: &str, body: Value, status: u16, message: &str) {
        let answer = self.post(action, &body.to_string()).await;
        let expected = (status, Some(message.to_owned()), Vec::new());
        assert_eq!(answer, expected, "{action} {body}");
    }
}

/// A body about `sub_ada_pro`, with more fields.
fn ada(more: Value) -> Value {
    let body = json!({"customerId": "cus_ada", "subscriptionId": "sub_ada_pro"});
    with(body, more)
}

fn with(mut body: Value, more: Value) -> Value {
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

const CANCEL: &str = "subscription/cancel";
const PAUSE: &str = "subscription/pause";
const COUPON: &str = "subscription/apply-coupon";
const TRIAL: &str = "subscription/extend-trial";
const PRICE: &str = "subscription/change-price";

#[tokio::test]
async fn every_action_gets_its_fields_typed_also_under_the_documented_aliases() {
    let merchant = merchant(able());
    for (action, body, asked) in [
        (
            CANCEL,
            ada(json!({"scheduledAt": "immediate"})),
            "cancel sub_ada_pro Immediate false",
        ),
        (
            CANCEL,
            ada(json!({"scheduledAt": "end-of-period", "unpause": true, "unknown": [1]})),
            "cancel sub_ada_pro EndOfPeriod true",
        ),
        (
            "customer/cancel",
            json!({"customerId": "cus_ada", "scheduledAt": "immediate", "unpause": null}),
            "cancel all of cus_ada Immediate false",
        ),
        (
            PAUSE,
            ada(
                json!({"startAt": "immediate", "duration": {"type": "period", "amount": 2, "unit": "month"}}),
            ),
            "pause sub_ada_pro Immediate Period { amount: 2, unit: Month } true",
        ),
        (
            PAUSE,
            ada(
                json!({"startAt": "end-of-period", "duration": {"type": "date", "date": "2026-03-01T01:00:00+01:00"}}),
            ),
            "pause sub_ada_pro EndOfPeriod Date(2026-03-01T00:00:00.000Z) true",
        ),
        (
            PAUSE,
            ada(
                json!({"startAt": "immediate", "duration": {"amount": 2, "unit": "month"}, "allowAnnual": false}),
            ),
            "pause sub_ada_pro Immediate Period { amount: 2, unit: Month } false",
        ),
        (
            "customer/pause",
            json!({"customerId": "cus_ada", "startAt": "immediate", "duration": {"amount": 3.0, "unit": "week"}}),
            "pause all of cus_ada Immediate Period { amount: 3, unit: Week } true",
        ),
        (
            "customer/pause",
            json!({"customerId": "cus_ada", "startAt": "immediate", "duration": {"date": "2026-03-01T00:00:00Z"},
                   "allowAnnual": false}),
            "pause all of cus_ada Immediate Date(2026-03-01T00:00:00.000Z) false",
        ),
        (
            COUPON,
            ada(json!({"coupon": "coupon_stay20"})),
            "apply coupon_stay20 to sub_ada_pro",
        ),
        (
            COUPON,
            ada(json!({"couponId": "coupon_stay20"})),
            "apply coupon_stay20 to sub_ada_pro",
        ),
        (
            TRIAL,
            ada(json!({"duration": {"type": "period", "amount": 10, "unit": "year"}})),
            "extend sub_ada_pro Period { amount: 10, unit: Year }",
        ),
        (
            PRICE,
            ada(json!({"price": "price_pro_year", "scheduledAt": "immediate"})),
            "change sub_ada_pro to price_pro_year Immediate false",
        ),
        (
            PRICE,
            ada(
                json!({"priceId": "price_pro_year", "scheduledAt": "end-of-period", "prorate": true}),
            ),
            "change sub_ada_pro to price_pro_year EndOfPeriod true",
        ),
        (
            PRICE,
            ada(json!({"id": "price_pro_year", "price": null, "scheduledAt": "immediate"})),
            "change sub_ada_pro to price_pro_year Immediate false",
        ),
    ] {
        merchant.asks(action, body, asked).await;
    }
}

#[tokio::test]
async fn a_wrong_field_is_a_400_that_names_it_and_never_repeats_its_value() {
    let merchant = merchant(able());
    let period = json!({"amount": 1, "unit": "month"});
    let pause = |duration: Value| ada(json!({"startAt": "immediate", "duration": duration}));
    for (action, body, message) in [
        (CANCEL, json!({}), "customerId is missing"),
        (
            CANCEL,
            json!({"customerId": 7}),
            "customerId must be a string",
        ),
        (
            CANCEL,
            json!({"customerId": ""}),
            "customerId: a customer id must not be empty",
        ),
        (
            CANCEL,
            json!({"customerId": "a\u{0}b"}),
            "customerId: a customer id must not contain control characters",
        ),
        (
            CANCEL,
            json!({"customerId": "x".repeat(256)}),
            "customerId must not be longer than 255 bytes",
        ),
        (
            CANCEL,
            json!({"customerId": "cus_ada"}),
            "subscriptionId is missing",
        ),
        (CANCEL, ada(json!({})), "scheduledAt is missing"),
        (
            CANCEL,
            ada(json!({"scheduledAt": "tomorrow"})),
            "scheduledAt must be immediate or end-of-period",
        ),
        (
            CANCEL,
            ada(json!({"scheduledAt": 0})),
            "scheduledAt must be immediate or end-of-period",
        ),
        (
            CANCEL,
            ada(json!({"scheduledAt": "immediate", "unpause": "yes"})),
            "unpause must be true or false",
        ),
        (
            "customer/cancel",
            json!({"scheduledAt": "immediate"}),
            "customerId is missing",
        ),
        (
            PAUSE,
            ada(json!({"duration": period})),
            "startAt is missing",
        ),
        (
            PAUSE,
            ada(json!({"startAt": "immediate"})),
            "duration is missing",
        ),
        (PAUSE, pause(json!("month")), "duration must be an object"),
        (
            PAUSE,
            pause(json!({})),
            "duration must have amount and unit, or a date",
        ),
        (
            PAUSE,
            pause(json!({"amount": 1, "unit": "month", "date": "2026-03-01T00:00:00Z"})),
            "duration must have amount and unit, or a date",
        ),
        (
            PAUSE,
            pause(json!({"type": "forever"})),
            "duration.type must be period or date",
        ),
        (
            PAUSE,
            pause(json!({"type": 1})),
            "duration.type must be period or date",
        ),
        (
            PAUSE,
            pause(json!({"type": "period", "unit": "month"})),
            "duration.amount is missing",
        ),
        (
            PAUSE,
            pause(json!({"type": "period", "amount": 1})),
            "duration.unit is missing",
        ),
        (
            PAUSE,
            pause(json!({"amount": 0, "unit": "month"})),
            "duration.amount must be a positive integer",
        ),
        (
            PAUSE,
            pause(json!({"amount": -1, "unit": "month"})),
            "duration.amount must be a positive integer",
        ),
        (
            PAUSE,
            pause(json!({"amount": 1.5, "unit": "month"})),
            "duration.amount must be a positive integer",
        ),
        (
            PAUSE,
            pause(json!({"amount": "1", "unit": "month"})),
            "duration.amount must be a positive integer",
        ),
        (
            PAUSE,
            pause(json!({"amount": 1, "unit": "fortnight"})),
            "duration.unit must be day, week, month or year",
        ),
        (
            PAUSE,
            pause(json!({"amount": 1, "unit": {"month": 1}})),
            "duration.unit must be day, week, month or year",
        ),
        (
            PAUSE,
            pause(json!({"type": "date"})),
            "duration.date is missing",
        ),
        (
            PAUSE,
            pause(json!({"date": "soon"})),
            "duration.date must be RFC 3339, such as 2026-03-01T00:00:00Z",
        ),
        (
            PAUSE,
            pause(json!({"date": 1772323200})),
            "duration.date must be RFC 3339, such as 2026-03-01T00:00:00Z",
        ),
        (COUPON, ada(json!({})), "coupon is missing"),
        (
            COUPON,
            ada(json!({"couponId": []})),
            "coupon must be a string",
        ),
        (
            COUPON,
            ada(json!({"coupon": "a", "couponId": "a"})),
            "coupon must not be given twice",
        ),
        (TRIAL, ada(json!({})), "duration is missing"),
        (
            PRICE,
            ada(json!({"scheduledAt": "immediate"})),
            "price is missing",
        ),
        (
            PRICE,
            ada(json!({"price": "price_pro_year"})),
            "scheduledAt is missing",
        ),
        (
            PRICE,
            ada(json!({"price": "p", "scheduledAt": "immediate", "prorate": 1})),
            "prorate must be true or false",
        ),
    ] {
        merchant.rejects(action, body, 400, message).await;
    }
    for body in [
        "",
        "null",
        "[]",
        "\"text\"",
        "7",
        "{",
        "{\"customerId\": }",
        "\u{feff}{}",
        "{} {}",
        "\u{0}",
    ] {
        let answer = merchant.post(CANCEL, body).await;
        let expected = (
            400,
            Some("The body must be a JSON object".to_owned()),
            Vec::new(),
        );
        assert_eq!(answer, expected, "{body:?}");
    }
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    assert_eq!(
        merchant.post(CANCEL, &format!("{{\"a\":{deep}}}")).await.0,
        400
    );
}

#[tokio::test]
async fn a_period_of_ten_to_the_eighteenth_years_is_rejected() {
    let merchant = merchant(able());
    let pause = |amount: Value, unit: &str| {
        ada(json!({"startAt": "immediate", "duration": {"amount": amount, "unit": unit}}))
    };
    let trial = |amount: Value, unit: &str| {
        ada(json!({"duration": {"type": "period", "amount": amount, "unit": unit}}))
    };
    for (unit, name, most) in [
        ("day", "Day", 3660),
        ("week", "Week", 523),
        ("month", "Month", 120),
        ("year", "Year", 10),
    ] {
        let asked =
            format!("pause sub_ada_pro Immediate Period {{ amount: {most}, unit: {name} }} true");
        merchant.asks(PAUSE, pause(most.into(), unit), &asked).await;
        let asked = format!("extend sub_ada_pro Period {{ amount: {most}, unit: {name} }}");
        merchant.asks(TRIAL, trial(most.into(), unit), &asked).await;
        let message = format!("duration.amount must be at most {most} if the unit is {unit}");
        for more in [
            json!(most + 1),
            json!(10_u64.pow(18)),
            json!(u64::from(u32::MAX) + 2),
            json!(1e300),
        ] {
            merchant
                .rejects(PAUSE, pause(more.clone(), unit), 400, &message)
                .await;
            merchant
                .rejects(TRIAL, trial(more, unit), 400, &message)
                .await;
        }
    }
}

#[tokio::test]
async fn a_field_that_occurs_twice_is_rejected_also_inside_a_duration() {
    let merchant = merchant(able());
    let body = r#"{"customerId":"cus_ada","subscriptionId":"sub_ada_pro","subscriptionId":"sub_ada_year","scheduledAt":"immediate"}"#;
    let message = Some("subscriptionId must not be given twice".to_owned());
    assert_eq!(
        merchant.post(CANCEL, body).await,
        (400, message, Vec::new())
    );
    let body = r#"{"customerId":"cus_ada","subscriptionId":"sub_ada_pro","startAt":"immediate","duration":{"amount":1,"amount":9,"unit":"year"}}"#;
    let message = Some("amount must not be given twice".to_owned());
    assert_eq!(merchant.post(PAUSE, body).await, (400, message, Vec::new()));
}

#[tokio::test]
async fn a_request_outside_the_declared_features_is_a_400_that_names_the_field() {
    let narrow = merchant(Recorder {
        asked: Arc::default(),
        cancel: CancelFeatures::new(Schedules::EndOfPeriod),
        pause: PauseFeatures::new(Schedules::Immediate, Durations::Period),
        extend_trial: ExtendTrialFeatures::new(Durations::Date),
        change_price: ChangePriceFeatures::new(Schedules::Immediate),
    });
    let month = json!({"amount": 1, "unit": "month"});
    let date = json!({"date": "2026-03-01T00:00:00Z"});
    for (action, body, message) in [
        (
            CANCEL,
            ada(json!({"scheduledAt": "immediate"})),
            "scheduledAt must be end-of-period for this integration",
        ),
        (
            "customer/cancel",
            json!({"customerId": "cus_ada", "scheduledAt": "immediate"}),
            "scheduledAt must be end-of-period for this integration",
        ),
        (
            PAUSE,
            ada(json!({"startAt": "end-of-period", "duration": month})),
            "startAt must be immediate for this integration",
        ),
        (
            PAUSE,
            ada(json!({"duration": date})),
            "duration must be a period for this integration",
        ),
        (
            PAUSE,
            ada(json!({"duration": month, "allowAnnual": true})),
            "allowAnnual must not be true for this integration",
        ),
        (
            TRIAL,
            ada(json!({"duration": month})),
            "duration must be a date for this integration",
        ),
        (
            PRICE,
            ada(json!({"price": "price_pro_year", "scheduledAt": "end-of-period"})),
            "scheduledAt must be immediate for this integration",
        ),
        (
            PRICE,
            ada(json!({"price": "price_pro_year", "prorate": true})),
            "prorate must not be true for this integration",
        ),
    ] {
        narrow.rejects(action, body, 400, message).await;
    }
    // If only one schedule is declared, the field may be absent.
    for (action, body, asked) in [
        (
            CANCEL,
            ada(json!({})),
            "cancel sub_ada_pro EndOfPeriod false",
        ),
        (
            PAUSE,
            ada(json!({"duration": month})),
            "pause sub_ada_pro Immediate Period { amount: 1, unit: Month } false",
        ),
        (
            PRICE,
            ada(json!({"price": "price_pro_year"})),
            "change sub_ada_pro to price_pro_year Immediate false",
        ),
    ] {
        narrow.asks(action, body, asked).await;
    }
}

#[tokio::test]
async fn an_annual_subscription_is_paused_only_where_features_and_request_allow_it() {
    let month = json!({"amount": 1, "unit": "month"});
    let year = |more: Value| {
        let mut body = ada(json!({"startAt": "immediate", "duration": month}));
        body["subscriptionId"] = "sub_ada_year".into();
        with(body, more)
    };
    let able = merchant(able());
    let asked = "pause sub_ada_year Immediate Period { amount: 1, unit: Month } true";
    able.asks(PAUSE, year(json!({})), asked).await;
    able.asks(PAUSE, year(json!({"allowAnnual": true})), asked)
        .await;
    let rejection = "An annual subscription can't be paused";
    able.rejects(PAUSE, year(json!({"allowAnnual": false})), 400, rejection)
        .await;
    let mut recorder = self::able();
    recorder.pause = PauseFeatures::new(Schedules::Both, Durations::Both);
    let without = merchant(recorder);
    without
        .rejects(PAUSE, year(json!({})), 400, rejection)
        .await;
}

#[tokio::test]
async fn the_records_that_a_request_names_must_exist_and_be_the_customers_own() {
    let merchant = merchant(able());
    let about = |customer: &str, subscription: &str| {
        json!({"customerId": customer, "subscriptionId": subscription, "scheduledAt": "immediate",
               "startAt": "immediate", "duration": {"amount": 1, "unit": "day"},
               "coupon": "coupon_stay20", "price": "price_pro_year"})
    };
    for action in [CANCEL, PAUSE, COUPON, TRIAL, PRICE] {
        for (customer, subscription) in [
            ("cus_ada", "sub_nobody"),
            ("cus_ada", "sub_linus_seats"),
            ("cus_nobody", "sub_ada_pro"),
            ("cus_ada", "sub_test"),
        ] {
            let body = about(customer, subscription);
            merchant
                .rejects(action, body, 404, "Subscription not found")
                .await;
        }
    }
    for action in ["customer/cancel", "customer/pause"] {
        let body = about("cus_nobody", "-");
        merchant
            .rejects(action, body, 404, "Customer not found")
            .await;
    }
    let mut body = about("cus_ada", "sub_ada_pro");
    body["coupon"] = "coupon_nobody".into();
    merchant
        .rejects(COUPON, body.clone(), 404, "Coupon not found")
        .await;
    body["price"] = "price_nobody".into();
    merchant.rejects(PRICE, body, 404, "Price not found").await;
    let in_test = Merchant {
        client: merchant.client.in_mode(Mode::Test),
        asked: merchant.asked.clone(),
    };
    let body = about("cus_ada", "sub_ada_pro").to_string();
    let path = "/churnkey/actions/subscription/cancel";
    let answer = in_test.client.post(path, &body).await;
    assert_eq!(
        (answer.status(), answer.message()),
        (404, Some("Subscription not found"))
    );
}

#[tokio::test]
async fn a_get_of_an_action_is_a_405_and_its_allow_is_post() {
    let merchant = merchant(able());
    for action in [
        CANCEL,
        "customer/cancel",
        PAUSE,
        "customer/pause",
        COUPON,
        TRIAL,
        PRICE,
    ] {
        let path = format!("/churnkey/actions/{action}");
        let answer = merchant.client.get(&path).await;
        assert_eq!(
            (answer.status(), answer.header("allow")),
            (405, Some("POST")),
            "{path}"
        );
    }
}
