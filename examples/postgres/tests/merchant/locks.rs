//! What an action does when the row that it waited for has changed, and who has to wait with it.

use serde_json::{Value, json};

use crate::{Shop, act, locked_out};

const NOW: &str = "2026-01-15T12:00:00Z";

/// Calls an action that has to wait for the subscription's row, changes the row meanwhile, and gives the answer.
async fn act_while(shop: &Shop, action: &'static str, body: &Value, change: &str) -> (u16, Value) {
    let mut sql = shop.sql().await;
    let other = sql.transaction().await.unwrap();
    let lock = "SELECT FROM churnkey_live.subscriptions WHERE id = $1 FOR UPDATE";
    let id = body["subscriptionId"].as_str().unwrap();
    assert_eq!(other.execute(lock, &[&id]).await.unwrap(), 1);
    let (client, body) = (shop.at(NOW), body.clone());
    let waiting = tokio::spawn(async move {
        let path = format!("subscription/{action}");
        act(&client, &path, &body).await
    });
    locked_out(&other, 1).await;
    let id = id.to_owned();
    assert_eq!(other.execute(change, &[&id]).await.unwrap(), 1);
    other.commit().await.unwrap();
    waiting.await.unwrap()
}

#[tokio::test]
async fn an_action_that_waited_while_the_subscription_changed_hands_finds_nothing() {
    let shop = Shop::with_demo_data().await;
    let month = json!({"amount": 1, "unit": "month"});
    let (pro, trial) = (
        json!({"customerId": "cus_ada", "subscriptionId": "sub_ada_pro"}),
        json!({"customerId": "cus_grace", "subscriptionId": "sub_grace_trial"}),
    );
    for (action, subject, fields) in [
        ("cancel", &pro, json!({"scheduledAt": "immediate"})),
        (
            "pause",
            &pro,
            json!({"startAt": "immediate", "duration": month}),
        ),
        ("apply-coupon", &pro, json!({"coupon": "coupon_stay20"})),
        ("extend-trial", &trial, json!({"duration": month})),
        (
            "change-price",
            &pro,
            json!({"price": "price_basic_month", "scheduledAt": "immediate"}),
        ),
    ] {
        let (owner, id) = (&subject["customerId"], &subject["subscriptionId"]);
        let path = |owner: &Value| {
            let (owner, id) = (owner.as_str().unwrap(), id.as_str().unwrap());
            format!("/churnkey/customers/{owner}/subscriptions/{id}")
        };
        let client = shop.at(NOW);
        let mut expected = client.get(&path(owner)).await.body;
        expected["customerId"] = "cus_linus".into();

        let mut body = subject.clone();
        let fields = fields.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        let sell = "UPDATE churnkey_live.subscriptions SET customer_id = 'cus_linus' WHERE id = $1";
        let answer = act_while(&shop, action, &body, sell).await;
        let not_found = json!({"code": 404, "message": "Subscription not found"});
        assert_eq!(answer, (404, not_found), "{action}");
        let served = client.get(&path(&"cus_linus".into())).await.body;
        assert_eq!(served, expected, "{action}");

        let back = "UPDATE churnkey_live.subscriptions SET customer_id = $2 WHERE id = $1";
        let parameters = [id, owner].map(|text| text.as_str().unwrap());
        let sql = shop.sql().await;
        let [id, owner] = &parameters;
        assert_eq!(sql.execute(back, &[id, owner]).await.unwrap(), 1);
    }
    let coupon = shop.live.get("/churnkey/coupons/coupon_stay20").await.body;
    assert_eq!(coupon["redemptions"], json!({"max": 100, "current": 4}));
}

#[tokio::test]
async fn a_pause_that_waited_while_the_billing_became_annual_asks_again_whether_it_may() {
    let shop = Shop::with_demo_data().await;
    let path = "/churnkey/customers/cus_ada/subscriptions/sub_ada_pro";
    let pause = |allow_annual: Option<bool>| {
        json!({
            "customerId": "cus_ada",
            "subscriptionId": "sub_ada_pro",
            "startAt": "immediate",
            "duration": {"amount": 1, "unit": "month"},
            "allowAnnual": allow_annual
        })
    };
    let annual = "UPDATE churnkey_live.subscriptions SET duration_unit = 'year' WHERE id = $1";
    let refused = json!({"code": 400, "message": "An annual subscription can't be paused"});
    let answer = act_while(&shop, "pause", &pause(Some(false)), annual).await;
    assert_eq!(answer, (400, refused));
    let served = shop.at(NOW).get(path).await.body;
    assert_eq!(served["duration"], json!({"amount": 1, "unit": "year"}));
    assert_eq!(served["status"]["name"], "active");

    let monthly = "UPDATE churnkey_live.subscriptions SET duration_unit = 'month' WHERE id = $1";
    let sql = shop.sql().await;
    assert_eq!(sql.execute(monthly, &[&"sub_ada_pro"]).await.unwrap(), 1);
    // The features allow it, and without a word the request does, too.
    let answer = act_while(&shop, "pause", &pause(None), annual).await;
    assert_eq!(answer, (200, Value::Null));
    let served = shop.at(NOW).get(path).await.body;
    assert_eq!(served["status"]["name"], "paused");
}
