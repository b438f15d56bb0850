//! `/customers`: creating, showing, changing and deleting.

use example_app::Generator;
use serde_json::{Value, json};

use crate::{
    C1, C1_TOKEN, C2, C2_TOKEN, C3, C3_TOKEN, INSTAGRAM, Merchant, NOBODY, OTHER_TOKEN, TOKEN,
    error, invalid, transactions::execute, unknown,
};

fn first() -> Value {
    json!({
        "uuid": C1,
        "name": "Reportei Customer 1",
        "created_at": "2024-09-24 17:07:34",
        "updated_at": "2024-09-24 17:07:34",
        "trial_ends_at": "2024-10-08 17:15:12",
        "is_paying": false,
        "merchant": "Reportei"
    })
}

#[tokio::test]
async fn a_customer_is_created_with_a_week_of_trial_and_a_token() {
    let merchant = Merchant::new().await;
    let body = json!({"name": "Reportei Customer 3", "is_paying": true, "uuid": NOBODY});
    let created = merchant.call("POST", "/customers", body).await;
    let expected = json!({"customer": {
        "uuid": "00000000-0000-4000-8000-000000000001",
        "name": "Reportei Customer 3",
        "created_at": "2024-10-10 12:00:00",
        "updated_at": "2024-10-10 12:00:00",
        "trial_ends_at": "2024-10-17 12:00:00",
        "is_paying": false,
        "merchant": "Reportei",
        "api_token": format!("{:064x}", 2)
    }});
    assert_eq!(created, (201, expected));
}

#[tokio::test]
async fn a_token_is_shown_once_and_nobody_else_may_cache_it() {
    let merchant = Merchant::with(None, Generator::Random).await;
    let headers = [("authorization", TOKEN)];
    let created = merchant
        .raw("POST", "/customers", &headers, r#"{"name":"Ada"}"#)
        .await;
    assert_eq!(created.header("cache-control"), Some("no-store"));
    let customer = &created.body()["customer"];
    let token = customer["api_token"].as_str().unwrap();
    let path = format!("/customers/{}", customer["uuid"].as_str().unwrap());
    let paid = format!("{path}/update-payment-status");
    for (method, path, body) in [
        ("GET", "/customers", json!(null)),
        ("GET", "/customers/settings", json!(null)),
        ("GET", &path, json!(null)),
        ("PUT", &path, json!({"name": "Ada"})),
        ("POST", &paid, json!({"is_paying": true})),
        ("GET", "/customer-integrations", json!(null)),
        ("POST", "/customer-integrations/session", json!(null)),
        ("GET", "/merchants/settings", json!(null)),
        ("DELETE", &path, json!(null)),
    ] {
        let (status, answer) = merchant.call_for(token, method, path, body).await;
        assert!(status < 300, "{method} {path}: {status}");
        assert!(!answer.to_string().contains(token), "{method} {path}");
        assert!(!answer.to_string().contains("api_token"), "{method} {path}");
    }
}

#[tokio::test]
async fn a_name_has_1_to_255_characters_without_the_blanks_around_it() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C1}");
    let longest = "\u{eb}".repeat(255);
    for name in [
        "x",
        &longest,
        &format!("  {longest}\n"),
        "Robert'); DROP TABLE customers;--",
        "a\u{0}\u{7}b",
        "\u{1f600}<script>",
    ] {
        let body = json!({"name": name});
        let (status, created) = merchant.call("POST", "/customers", body.clone()).await;
        assert_eq!(
            (status, &created["customer"]["name"]),
            (201, &json!(name.trim()))
        );
        let (status, renamed) = merchant.call("PUT", &path, body).await;
        assert_eq!(
            (status, &renamed["customer"]["name"]),
            (200, &json!(name.trim()))
        );
        let (_, shown) = merchant.get(&path).await;
        assert_eq!(shown, renamed);
    }
    let required = invalid("name", "The name field is required.");
    let text = invalid("name", "The name field must be a string.");
    let long = invalid(
        "name",
        "The name field must not be greater than 255 characters.",
    );
    for (body, expected) in [
        (json!({}), &required),
        (json!({"name": null}), &required),
        (json!({"name": " \t"}), &required),
        (json!([]), &required),
        (json!("name"), &required),
        (json!(null), &required),
        (json!({"name": 3}), &text),
        (json!({"name": ["x"]}), &text),
        (json!({"name": longest + "x"}), &long),
    ] {
        let created = merchant.call("POST", "/customers", body.clone()).await;
        assert_eq!(&created, expected, "{body}");
        let renamed = merchant.call("PUT", &path, body).await;
        assert_eq!(&renamed, expected);
    }
}

#[tokio::test]
async fn an_update_renames_and_moves_nothing_but_updated_at() {
    let merchant = Merchant::new().await;
    let body = json!({"name": "Reportei Customer 3.1", "is_paying": true, "trial_ends_at": "2030-01-01 00:00:00"});
    let renamed = merchant
        .call("PUT", &format!("/customers/{C1}"), body)
        .await;
    let mut expected = first();
    expected["name"] = json!("Reportei Customer 3.1");
    expected["updated_at"] = json!("2024-10-10 12:00:00");
    assert_eq!(renamed, (200, json!({"customer": expected})));
}

#[tokio::test]
async fn payment_is_set_and_unset_in_six_spellings_and_moves_no_trial() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C1}/update-payment-status");
    for (is_paying, meant) in [
        (json!(true), true),
        (json!(false), false),
        (json!(1), true),
        (json!(0), false),
        (json!("1"), true),
        (json!("0"), false),
    ] {
        let answer = merchant
            .call("POST", &path, json!({"is_paying": is_paying}))
            .await;
        let message = match meant {
            true => "Customer is now marked as a paying customer",
            false => "Customer is no longer marked as a paying customer",
        };
        assert_eq!(answer, (200, json!({"success": true, "message": message})));
        let (_, shown) = merchant.get(&format!("/customers/{C1}")).await;
        let mut expected = first();
        expected["is_paying"] = json!(meant);
        expected["updated_at"] = json!("2024-10-10 12:00:00");
        assert_eq!(shown["customer"], expected);
    }
    let required = invalid("is_paying", "The is paying field is required.");
    let boolean = invalid("is_paying", "The is paying field must be true or false.");
    for (body, expected) in [
        (json!({}), &required),
        (json!({"is_paying": null}), &required),
        (json!({"is_paying": "true"}), &boolean),
        (json!({"is_paying": 2}), &boolean),
        (json!({"is_paying": ""}), &boolean),
        (json!({"is_paying": {}}), &boolean),
    ] {
        assert_eq!(&merchant.call("POST", &path, body).await, expected);
    }
}

#[tokio::test]
async fn a_deletion_takes_everything_along_and_its_body_is_not_read() {
    let merchant = Merchant::new().await;
    let (_, begun) = merchant
        .call_for(
            C2_TOKEN,
            "POST",
            "/customer-integrations/session",
            json!(null),
        )
        .await;
    let link = begun["integration_session"]["session_uuid"]
        .as_str()
        .unwrap();
    let link = format!("/customer-integrations/session/{link}");
    assert_eq!(merchant.get(&link).await.0, 200);

    let path = format!("/customers/{C2}");
    let headers = [("authorization", TOKEN), ("content-type", "text/plain")];
    let deleted = merchant.raw("DELETE", &path, &headers, "{\"name\":").await;
    let expected = json!({"success": true, "message": "Record successfully removed"});
    assert_eq!((deleted.status(), deleted.into_body()), (200, expected));

    assert_eq!(merchant.call("DELETE", &path, json!(null)).await, unknown());
    assert_eq!(merchant.get(&path).await, unknown());
    let over = error(401, "Integration session is invalid or has expired.");
    assert_eq!(merchant.get(&link).await, over);
    let settings = merchant.call_for(C2_TOKEN, "GET", "/customers/settings", json!(null));
    assert_eq!(settings.await, error(401, "Invalid Customer Token"));
    assert_eq!(merchant.churnkey(&format!("/{C2}")).await.0, 404);
}

#[tokio::test]
async fn another_merchants_customer_is_as_unknown_as_nobody() {
    let merchant = Merchant::new().await;
    for uuid in [C3, NOBODY] {
        for (method, path, body) in [
            ("GET", format!("/customers/{uuid}"), json!(null)),
            ("PUT", format!("/customers/{uuid}"), json!({"name": "x"})),
            ("DELETE", format!("/customers/{uuid}"), json!(null)),
            (
                "POST",
                format!("/customers/{uuid}/update-payment-status"),
                json!({"is_paying": true}),
            ),
        ] {
            assert_eq!(merchant.call(method, &path, body).await, unknown());
        }
    }
    let headers = [("authorization", OTHER_TOKEN)];
    let (_, list) = merchant
        .json("GET", "/customers", &headers, json!(null))
        .await;
    assert_eq!(list["meta"]["total"], 1);
    let third = &list["data"][0];
    assert_eq!(
        (&third["uuid"], &third["is_paying"]),
        (&json!(C3), &json!(false))
    );
    assert_eq!(third["merchant"], "Trialing");
    let (_, settings) = merchant
        .json("GET", "/merchants/settings", &headers, json!(null))
        .await;
    assert_eq!(settings["merchant"]["total_customers"], 1);
}

#[tokio::test]
async fn settings_are_those_of_the_customer_whose_token_it_is() {
    let merchant = Merchant::new().await;
    let (status, settings) = merchant
        .call_for(C2_TOKEN, "GET", "/customers/settings", json!(null))
        .await;
    let expected = json!({"customer": {
        "uuid": C2,
        "name": "Reportei Customer 2",
        "created_at": "2024-09-24 19:06:08",
        "updated_at": "2024-09-24 19:06:08",
        "trial_ends_at": "2024-10-08 17:15:12",
        "is_paying": true,
        "merchant": "Reportei",
        "integrations": [{
            "uuid": INSTAGRAM,
            "integration": "Instagram Business",
            "name": "reportei",
            "slug": "instagram_business",
            "status": "active"
        }]
    }});
    assert_eq!((status, settings), (200, expected));
}

#[tokio::test]
async fn a_customers_token_is_needed_and_must_be_the_merchants_own_customers() {
    let merchant = Merchant::new().await;
    let invalid = error(401, "Invalid Customer Token");
    for path in ["/customers/settings", "/customer-integrations"] {
        let path = format!("/api{path}");
        assert_eq!(merchant.get(&path).await, invalid);
        let upper = C2_TOKEN.to_uppercase();
        for token in [C3_TOKEN, "x", "", &upper, &C2_TOKEN[1..]] {
            let answer = merchant.call_for(token, "GET", &path, json!(null)).await;
            assert_eq!(answer, invalid, "{token}");
        }
        let two = [
            ("authorization", TOKEN),
            ("x-customer-token", C2_TOKEN),
            ("x-customer-token", C1_TOKEN),
        ];
        assert_eq!(
            merchant.json("GET", &path, &two, json!(null)).await,
            invalid
        );
        // The merchant's token is checked first.
        let without = [("x-customer-token", C2_TOKEN)];
        let answer = merchant.json("GET", &path, &without, json!(null)).await;
        assert_eq!(answer, error(401, "Unauthenticated."));
    }
}

#[tokio::test]
async fn the_beginning_of_a_hash_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reportei.db");
    let merchant = Merchant::with(Some(&file), Generator::Random).await;
    let path = "/customers/settings";
    let settings = async || merchant.call_for(C2_TOKEN, "GET", path, json!(null)).await;
    assert_eq!(settings().await.0, 200);
    // All but the first eight bytes become those of another token.
    let spoil = "UPDATE customers SET token_hash = unhex(substr(hex(token_hash), 1, 16) || hex(zeroblob(24)))";
    execute(&file, spoil).await;
    assert_eq!(settings().await, error(401, "Invalid Customer Token"));
    let spoil = "UPDATE merchants SET token_hash = unhex(substr(hex(token_hash), 1, 16) || hex(zeroblob(24)))";
    execute(&file, spoil).await;
    assert_eq!(settings().await, error(401, "Unauthenticated."));
}

#[tokio::test]
async fn nothing_is_answered_without_a_merchants_token() {
    let merchant = Merchant::new().await;
    let integration = format!("/customer-integrations/{INSTAGRAM}");
    for (method, path) in [
        ("GET", "/customers"),
        ("POST", "/api/customers"),
        ("GET", &format!("/customers/{C1}")),
        ("PUT", &format!("/customers/{C1}")),
        ("DELETE", &format!("/customers/{C1}")),
        ("POST", &format!("/customers/{C1}/update-payment-status")),
        ("GET", "/customers/settings"),
        ("GET", "/merchants/settings"),
        ("GET", "/customer-integrations"),
        ("GET", &integration),
        ("DELETE", &integration),
        ("POST", "/customer-integrations/session"),
        ("POST", "/metrics/get-data"),
        ("POST", "/metrics/get-data-async"),
        ("GET", "/no/such/path"),
        ("GET", "/api/no/such/path"),
        ("PATCH", "/customers"),
    ] {
        let token = TOKEN.strip_prefix("Bearer ").unwrap();
        for headers in [
            &[][..],
            &[("authorization", token)],
            &[("authorization", "Basic cnA6cnA=")],
            &[("authorization", "Bearer ")],
            &[("authorization", "Bearer unknown")],
            &[("authorization", TOKEN), ("authorization", TOKEN)],
        ] {
            let answer = merchant
                .json(method, path, headers, json!({"name": "x"}))
                .await;
            assert_eq!(answer, error(401, "Unauthenticated."), "{method} {path}");
        }
    }
    let lower = [("authorization", "bearer rp-demo-merchant-reportei")];
    assert_eq!(
        merchant
            .json("GET", "/customers", &lower, json!(null))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn a_merchant_sees_its_own_settings_with_its_limits_as_texts() {
    let merchant = Merchant::new().await;
    let (status, settings) = merchant.get("/api/merchants/settings").await;
    let expected = json!({"merchant": {
        "uuid": "c1e6c85a-6441-4107-ab36-b8bf581b40e0",
        "name": "Reportei",
        "app_url": "https://merchant.example",
        "redirect_url": "https://merchant.example/integrations",
        "created_at": "2024-09-24 17:07:26",
        "updated_at": "2024-09-24 17:07:26",
        "rate_limit_per_minute": "999",
        "rate_limit_per_second": "999",
        "total_customers": 2,
        "available_integrations": [
            {"name": "Instagram Business", "slug": "instagram_business"},
            {"name": "Facebook", "slug": "facebook"},
            {"name": "Meta Ads", "slug": "facebook_ads"}
        ]
    }});
    assert_eq!((status, settings), (200, expected));
}
