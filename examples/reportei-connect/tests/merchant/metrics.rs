//! `/metrics`: values by the metric's id, or by its reference key.

use serde_json::{Value, json};

use crate::{C2_TOKEN, C3_TOKEN, INSTAGRAM, Merchant, NOBODY, OTHER_TOKEN, invalid, unknown};

fn query() -> Value {
    json!({
        "customer_integration": INSTAGRAM,
        "start": "2024-01-01",
        "end": "2024-09-01",
        "metrics": [
            {"id": "widget-1", "reference_key": "ig:story_replies", "component": "number_v1", "metrics": ["replies"], "dimensions": ["stories"]},
            {"id": "ig:followers_gender", "component": "chart_v1"},
            {"id": "widget-3", "reference_key": "ig:no_such_thing"}
        ]
    })
}

async fn ask(merchant: &Merchant, path: &str, body: Value) -> (u16, Value) {
    merchant.call_for(C2_TOKEN, "POST", path, body).await
}

#[tokio::test]
async fn values_come_by_the_ids_that_were_asked_for() {
    let merchant = Merchant::new().await;
    let values = ask(&merchant, "/metrics/get-data", query()).await;
    let expected = json!({
        "widget-1": {"values": 1204},
        "ig:followers_gender": {"labels": ["Male", "Female"], "values": [{"data": [310, 294]}]},
        "widget-3": {"values": null}
    });
    assert_eq!(values, (200, expected));
    let mut none = query();
    none["metrics"] = json!([]);
    none["comparison_start"] = json!("2023-01-01");
    none["comparison_end"] = json!("2023-09-01T00:00:00Z");
    assert_eq!(
        ask(&merchant, "/api/metrics/get-data", none).await,
        (200, json!({}))
    );
}

#[tokio::test]
async fn an_order_is_taken_and_nobody_is_called() {
    let merchant = Merchant::new().await;
    let started = json!({"success": true, "message": "Metrics data collection started"});
    let mut order = query();
    assert_eq!(
        ask(&merchant, "/metrics/get-data-async", order.clone()).await,
        (200, started.clone())
    );
    order["metrics_webhook_url"] = json!("https://merchant.example/metrics");
    assert_eq!(
        ask(&merchant, "/metrics/get-data-async", order.clone()).await,
        (200, started)
    );
    order["metrics_webhook_url"] = json!("file:///etc/passwd");
    let refused = invalid(
        "metrics_webhook_url",
        "The metrics webhook url field must be a valid URL.",
    );
    assert_eq!(
        ask(&merchant, "/metrics/get-data-async", order).await,
        refused
    );
}

#[tokio::test]
async fn an_integration_that_is_not_the_customers_is_unknown() {
    let merchant = Merchant::new().await;
    let others = [
        ("authorization", OTHER_TOKEN),
        ("x-customer-token", C3_TOKEN),
    ];
    for path in ["/metrics/get-data", "/metrics/get-data-async"] {
        assert_eq!(
            merchant.json("POST", path, &others, query()).await,
            unknown()
        );
        let mut body = query();
        body["customer_integration"] = json!(NOBODY);
        assert_eq!(ask(&merchant, path, body).await, unknown());
    }
}

#[tokio::test]
async fn a_query_names_an_integration_a_period_and_metrics() {
    let merchant = Merchant::new().await;
    for path in ["/metrics/get-data", "/metrics/get-data-async"] {
        for (field, value, at, rule) in [
            (
                "customer_integration",
                json!(null),
                "customer_integration",
                "The customer integration field is required.",
            ),
            (
                "customer_integration",
                json!(7),
                "customer_integration",
                "The customer integration field must be a string.",
            ),
            (
                "start",
                json!(null),
                "start",
                "The start field is required.",
            ),
            (
                "end",
                json!("2024-13-01"),
                "end",
                "The end field must be a valid date.",
            ),
            (
                "end",
                json!("2023-12-31"),
                "end",
                "The end field must be a date after or equal to start.",
            ),
            (
                "comparison_start",
                json!("soon"),
                "comparison_start",
                "The comparison start field must be a valid date.",
            ),
            (
                "metrics",
                json!(null),
                "metrics",
                "The metrics field is required.",
            ),
            (
                "metrics",
                json!({}),
                "metrics",
                "The metrics field must be an array.",
            ),
            (
                "metrics",
                json!([{"id": "a"}, {"id": ""}]),
                "metrics.1.id",
                "The metrics.1.id field is required.",
            ),
            (
                "metrics",
                json!(["a"]),
                "metrics.0.id",
                "The metrics.0.id field is required.",
            ),
        ] {
            let mut body = query();
            body[field] = value;
            assert_eq!(ask(&merchant, path, body).await, invalid(at, rule));
        }
        let (status, answer) = ask(&merchant, path, json!({})).await;
        let fields: Vec<_> = answer["errors"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(status, 422);
        assert_eq!(fields, ["customer_integration", "end", "metrics", "start"]);
        assert_eq!(
            answer["message"],
            "The customer integration field is required. (and 3 more errors)"
        );
    }
}
