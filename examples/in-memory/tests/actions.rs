//! What an action does when the record has changed since the framework looked it up.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use churnkey_conformance::Client;
use churnkey_integrator::{
    CustomerId, Integration, Page, PageRequest, RequestContext, Result, SubscriptionId,
    SubscriptionsController, controller,
    model::{BillingDuration, Subscription},
};
use example_app::{Clock, Demo, demo_token};
use http::Method;
use in_memory::store::Store;
use serde_json::{Value, from_value, json};

const NOW: &str = "2026-01-15T12:00:00Z";

/// A change of a record between the look-up and the action.
type Change = fn(&mut example_billing::Subscription);

/// A store in which every subscription changes after it was looked up.
struct ChangedMeanwhile(Store, Change);

#[controller]
impl SubscriptionsController for ChangedMeanwhile {
    async fn retrieve(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>> {
        let found = SubscriptionsController::retrieve(&self.0, cx, customer_id, id).await;
        self.0.live.books.write(|tables| {
            let mut changed = tables.subscriptions().by_id(id).unwrap().clone();
            (self.1)(&mut changed);
            tables.subscribe(changed);
        });
        found
    }

    async fn list(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        page: &PageRequest,
    ) -> Result<Page<Subscription>> {
        SubscriptionsController::list(&self.0, cx, customer_id, page).await
    }
}

/// The demo data, and a client of a merchant whose records change like this.
fn merchant(change: Change) -> (Store, Client) {
    let store = Store::new(Clock::Frozen(NOW.parse().unwrap()));
    store.live.extend(Demo::load().unwrap().live);
    let token = demo_token().unwrap();
    let integration = Integration::builder("In-memory example", token.clone())
        .customers(store.clone())
        .subscriptions(ChangedMeanwhile(store.clone(), change))
        .prices(store.clone())
        .coupons(store.clone())
        .products(store.clone())
        .families(store.clone())
        .cancel(store.clone())
        .pause(store.clone())
        .apply_coupon(store.clone())
        .extend_trial(store.clone())
        .change_price(store.clone());
    (
        store,
        Client::new(integration.build().unwrap().into_router(), token),
    )
}

async fn act(client: &Client, action: &str, body: &Value) -> (u16, Value) {
    let path = format!("/churnkey/actions/subscription/{action}");
    let call = client.call(Method::POST, &path).body(body.to_string());
    let answer = call.signed().send().await;
    (answer.status(), answer.into_body())
}

fn record(store: &Store, id: &str) -> example_billing::Subscription {
    let id = SubscriptionId::new(id).unwrap();
    let books = &store.live.books;
    books.read(|tables| tables.subscriptions().by_id(&id).unwrap().clone())
}

#[tokio::test]
async fn an_action_on_a_subscription_that_changed_hands_meanwhile_finds_nothing() {
    let month = json!({"amount": 1, "unit": "month"});
    for (action, owner, id, fields) in [
        (
            "cancel",
            "cus_ada",
            "sub_ada_pro",
            json!({"scheduledAt": "immediate"}),
        ),
        (
            "pause",
            "cus_ada",
            "sub_ada_pro",
            json!({"startAt": "immediate", "duration": month}),
        ),
        (
            "apply-coupon",
            "cus_ada",
            "sub_ada_pro",
            json!({"coupon": "coupon_stay20"}),
        ),
        (
            "extend-trial",
            "cus_grace",
            "sub_grace_trial",
            json!({"duration": month}),
        ),
        (
            "change-price",
            "cus_ada",
            "sub_ada_pro",
            json!({"price": "price_basic_month", "scheduledAt": "immediate"}),
        ),
    ] {
        let (store, client) = merchant(|subscription| {
            subscription.customer_id = CustomerId::new("cus_linus").unwrap();
        });
        let mut expected = record(&store, id);
        expected.customer_id = CustomerId::new("cus_linus").unwrap();
        let mut body = fields;
        body["customerId"] = owner.into();
        body["subscriptionId"] = id.into();
        let not_found = json!({"code": 404, "message": "Subscription not found"});
        assert_eq!(
            act(&client, action, &body).await,
            (404, not_found),
            "{action}"
        );
        assert_eq!(record(&store, id), expected, "{action}");
        // And it is in the list of its owner alone.
        let list = format!("/churnkey/customers/{owner}/subscriptions");
        let others = client.get(&list).await;
        let others = others.body()["data"].as_array().unwrap().clone();
        assert!(others.iter().all(|other| other["id"] != id), "{action}");
        let own = client.get("/churnkey/customers/cus_linus/subscriptions");
        let own = own.await.body()["data"].as_array().unwrap().clone();
        assert!(own.iter().any(|own| own["id"] == id), "{action}");
    }
}

#[tokio::test]
async fn a_pause_of_a_subscription_that_became_annual_meanwhile_asks_again_whether_it_may() {
    for (allow_annual, status) in [(Some(false), 400), (None, 200)] {
        let (store, client) = merchant(|subscription| {
            let year: BillingDuration = from_value(json!({"amount": 1, "unit": "year"})).unwrap();
            subscription.duration = year;
        });
        let body = json!({
            "customerId": "cus_ada",
            "subscriptionId": "sub_ada_pro",
            "startAt": "immediate",
            "duration": {"amount": 1, "unit": "month"},
            "allowAnnual": allow_annual
        });
        let answer = act(&client, "pause", &body).await;
        assert_eq!(answer.0, status);
        let is_paused = record(&store, "sub_ada_pro").planned.pause.is_some();
        assert_eq!(is_paused, status == 200);
        if status == 400 {
            let message = "An annual subscription can't be paused";
            assert_eq!(answer.1, json!({"code": 400, "message": message}));
        }
    }
}
