//! `/customers/{id}/preferences`.

use serde_json::{Value, json};

use crate::{C3, Merchant, error};

#[tokio::test]
async fn preferences_are_set_one_a_group_and_read_again() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C3}/preferences/");
    assert_eq!(merchant.get(&path).await, (200, json!([])));
    let one = json!({"templateGroupId": "a", "mechanisms": ["SMS", "EMAIL", "PHONE"]});
    let set = json!([{"templateGroupId": "a", "mechanisms": ["PHONE", "EMAIL"]}]);
    assert_eq!(merchant.call("POST", &path, one).await, (201, set));
    let more = json!([
        {"templateGroupId": "b", "mechanisms": ["PUSH"]},
        {"templateGroupId": "a", "mechanisms": ["NONE"]}]);
    let all = json!([
        {"templateGroupId": "a", "mechanisms": ["NONE"]},
        {"templateGroupId": "b", "mechanisms": ["PUSH"]}]);
    assert_eq!(merchant.call("POST", &path, more).await, (201, all.clone()));
    assert_eq!(merchant.get(&path).await, (200, all));
}

#[tokio::test]
async fn a_preference_is_refused_by_its_rule_and_then_none_is_set() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C3}/preferences");
    let good = json!({"templateGroupId": "good", "mechanisms": ["EMAIL"]});
    let of = |mechanisms: Value| json!({"templateGroupId": "a", "mechanisms": mechanisms});
    for (bad, message) in [
        (of(json!(["NONE", "EMAIL"])), "Invalid mechanisms"),
        (of(json!(["FAX"])), "Invalid mechanisms"),
        (of(json!([])), "Invalid mechanisms"),
        (of(json!("EMAIL")), "Invalid mechanisms"),
        (of(json!([null])), "Invalid mechanisms"),
        (
            json!({"mechanisms": ["EMAIL"]}),
            "Invalid template group id",
        ),
        (
            json!({"templateGroupId": "", "mechanisms": ["EMAIL"]}),
            "Invalid template group id",
        ),
        (
            json!({"templateGroupId": 1, "mechanisms": ["EMAIL"]}),
            "Invalid template group id",
        ),
        (json!("a"), "Invalid template group id"),
    ] {
        let answer = merchant.call("POST", &path, json!([good, bad])).await;
        assert_eq!(answer, error(400, message));
    }
    assert_eq!(merchant.get(&path).await, (200, json!([])));
    assert_eq!(
        merchant
            .call("POST", "/customers/x/preferences", json!([good]))
            .await,
        error(404, "Customer Not found")
    );
}

#[tokio::test]
async fn a_request_holds_1000_preferences_at_most() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C3}/preferences");
    let preferences = |number: u16| -> Value {
        (1..=number)
            .map(|n| json!({"templateGroupId": n.to_string(), "mechanisms": ["EMAIL"]}))
            .collect()
    };
    let refused = merchant.call("POST", &path, preferences(1_001)).await;
    let message = "At most 1000 preferences in one request: send the others in another one";
    assert_eq!(refused, error(400, message));
    assert_eq!(merchant.get(&path).await, (200, json!([])));
    let all = preferences(1_000);
    let set = merchant.call("POST", &path, all.clone()).await;
    assert_eq!(set, (201, all));
}
