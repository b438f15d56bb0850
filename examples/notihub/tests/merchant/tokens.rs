//! `POST /token/`, and the environment of a token.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{BEARER, C3, Merchant, TOKEN, error};

async fn exchange(merchant: &Merchant, keys: &str) -> (u16, serde_json::Value) {
    let basic = format!("Basic {}", STANDARD.encode(keys));
    merchant
        .raw("POST", "/token/", &[("authorization", &basic)], "")
        .await
}

#[tokio::test]
async fn four_keys_are_exchanged_for_a_token_and_earlier_ones_stay_good() {
    let merchant = Merchant::new().await;
    let keys = "pk_test:sk_test:env_prod:cs_prod";
    let first = exchange(&merchant, keys).await;
    let token = format!("{:064x}", 1);
    assert_eq!(
        first,
        (
            200,
            json!({"accessToken": token, "expiresAt": 1_728_583_200_000_i64})
        )
    );
    let (_, second) = exchange(&merchant, keys).await;
    assert_ne!(second["accessToken"], token);
    for token in [&token, second["accessToken"].as_str().unwrap(), TOKEN] {
        let bearer = format!("bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let (status, _) = merchant
            .raw("GET", &format!("/customers/{C3}"), &headers, "")
            .await;
        assert_eq!(status, 200);
    }
}

#[tokio::test]
async fn keys_that_do_not_fit_open_nothing() {
    let merchant = Merchant::new().await;
    let refused = error(401, "Invalid credentals");
    for keys in [
        "",
        "pk_test:sk_test",
        "pk_test:sk_test:env_prod",
        "pk_test:sk_test:env_prod:cs_prod:",
        "pk_test:sk_test:env_prod:cs_dev",
        "pk_test:wrong:env_prod:cs_prod",
        "pk_test::env_prod:",
        "nobody:sk_test:env_prod:cs_prod",
        "pk_test:sk_test:env_other:cs_prod",
        "pk_test' OR 1=1--:sk_test:env_prod:cs_prod",
        "\0:\0:\0:\0",
    ] {
        assert_eq!(exchange(&merchant, keys).await, refused, "{keys}");
    }
    let same = STANDARD.encode("pk_test:sk_test:env_prod:cs_prod");
    let basic = format!("Basic {same}");
    for headers in [
        vec![],
        vec![("authorization", "Basic ???")],
        vec![("authorization", "Basic")],
        vec![("authorization", "Basic /w==")],
        vec![("authorization", BEARER)],
        vec![
            ("authorization", basic.as_str()),
            ("authorization", basic.as_str()),
        ],
    ] {
        assert_eq!(merchant.raw("POST", "/token", &headers, "").await, refused);
    }
}

#[tokio::test]
async fn without_a_good_token_nothing_is_learnt() {
    let merchant = Merchant::new().await;
    let refused = error(401, "Invalid access token");
    let old = "Bearer 3333333333333333333333333333333333333333333333333333333333333333";
    let twice = [("authorization", BEARER), ("authorization", BEARER)];
    for headers in [
        &[][..],
        &[("authorization", old)],
        &[("authorization", TOKEN)],
        &[("authorization", "Bearer")],
        &[("authorization", "Bearer ")],
        &[("authorization", "Basic 1111")],
        &[("authorization", "Bearer ' OR 1=1--")],
        &twice,
    ] {
        for (method, path) in [
            ("GET", "/customers"),
            ("POST", "/customers"),
            ("PATCH", "/customers"),
            ("GET", "/no/such/path"),
        ] {
            let answer = merchant.raw(method, path, headers, "{").await;
            assert_eq!(answer, refused, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_token_is_over_at_its_last_moment() {
    // The demo data's old token ended one second before the clock of the tests.
    let clock = |text: &str| text.parse().unwrap();
    for (now, open) in [
        ("2024-10-10T11:59:58.999Z", true),
        ("2024-10-10T11:59:59Z", false),
    ] {
        let generator = example_app::Generator::counting();
        let store = notihub::store::Store::open(None, clock(now), generator).await;
        let store = store.unwrap();
        store.load_demo_if_empty().await.unwrap();
        let found = store.opened_by(&"3".repeat(64)).await.unwrap();
        assert_eq!(found.is_some(), open);
    }
}
