//! The trial: what it gives access to, and for how long.

use serde_json::{Value, json};

use crate::{C1, C1_TOKEN, C2, C2_TOKEN, INSTAGRAM, Merchant, error, unknown};

/// The calls that need a trial or a payment, each with its status if it is allowed.
fn guarded() -> [(&'static str, String, Value, u16); 6] {
    let query = json!({"customer_integration": "x", "start": "2024-01-01", "end": "2024-01-02", "metrics": []});
    let integration = format!("/customer-integrations/{INSTAGRAM}");
    [
        ("GET", "/customer-integrations".to_owned(), json!(null), 200),
        ("GET", integration.clone(), json!(null), 404),
        ("DELETE", integration, json!(null), 422),
        (
            "POST",
            "/customer-integrations/session".to_owned(),
            json!(null),
            201,
        ),
        ("POST", "/metrics/get-data".to_owned(), query.clone(), 404),
        ("POST", "/metrics/get-data-async".to_owned(), query, 404),
    ]
}

async fn is_open(merchant: &Merchant, token: &str) -> bool {
    let path = "/customer-integrations";
    match merchant.call_for(token, "GET", path, json!(null)).await {
        (200, _) => true,
        closed => {
            assert_eq!(closed, error(401, "Customer trial has ended."));
            false
        }
    }
}

#[tokio::test]
async fn the_gate_is_around_integrations_and_metrics_and_nothing_else() {
    let merchant = Merchant::new().await;
    let ended = error(401, "Customer trial has ended.");
    for (method, path, body, _) in guarded() {
        let answer = merchant.call_for(C1_TOKEN, method, &path, body).await;
        assert_eq!(answer, ended, "{method} {path}");
        // The trial is checked before the input.
        let headers = [
            ("authorization", crate::TOKEN),
            ("x-customer-token", C1_TOKEN),
        ];
        let broken = merchant.raw(method, &path, &headers, "{").await;
        assert_eq!((broken.status(), broken.into_body()), ended);
    }
    let settings = merchant.call_for(C1_TOKEN, "GET", "/customers/settings", json!(null));
    assert_eq!(settings.await.0, 200);

    let path = format!("/customers/{C1}/update-payment-status");
    merchant
        .call("POST", &path, json!({"is_paying": true}))
        .await;
    for (method, path, body, status) in guarded() {
        let answer = merchant.call_for(C1_TOKEN, method, &path, body).await;
        assert_eq!(answer.0, status, "{method} {path}");
        if status == 404 {
            assert_eq!(answer, unknown());
        }
    }
}

#[tokio::test]
async fn a_trial_ends_at_the_very_second() {
    let merchant = Merchant::new().await;
    let (_, created) = merchant
        .call("POST", "/customers", json!({"name": "x"}))
        .await;
    let token = created["customer"]["api_token"].as_str().unwrap();
    for (clock, open) in [
        ("2024-10-10T12:00:00Z", true),
        ("2024-10-17T11:59:59Z", true),
        ("2024-10-17T11:59:59.999Z", true),
        ("2024-10-17T12:00:00Z", false),
        ("2024-10-18T00:00:00Z", false),
    ] {
        assert_eq!(is_open(&merchant.at(clock), token).await, open, "{clock}");
    }
}

#[tokio::test]
async fn paying_opens_the_gate_at_once_and_not_paying_closes_it_again() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C2}/update-payment-status");
    for is_paying in [true, false, true, false] {
        merchant
            .call("POST", &path, json!({"is_paying": is_paying}))
            .await;
        assert_eq!(is_open(&merchant, C2_TOKEN).await, is_paying);
        // During the trial it makes no difference.
        assert!(is_open(&merchant.at("2024-10-08T17:15:11Z"), C2_TOKEN).await);
    }
}
