//! What Churnkey sees of this merchant.

use churnkey_integrator::{Currency, Email};
use example_app::{Extra, MetadataLimits};
use reportei_connect::churnkey::{Churnkey, Mapping};
use serde_json::{Value, json};

use crate::{C1, C1_TOKEN, C2, C3, Merchant, NOBODY, REPORTEI, TRIALING, churnkey};

fn unknown() -> (u16, Value) {
    (404, json!({"code": 404, "message": "Customer not found"}))
}

#[tokio::test]
async fn the_seeds_customers_as_churnkey_gets_them() {
    let merchant = Merchant::new().await;
    let (status, page) = merchant.churnkey("").await;
    assert_eq!(status, 200);
    insta::assert_json_snapshot!("customers", page);
    for customer in page["data"].as_array().unwrap() {
        let id = customer["id"].as_str().unwrap();
        assert_eq!(
            merchant.churnkey(&format!("/{id}")).await,
            (200, customer.clone())
        );
    }
}

#[tokio::test]
async fn nobody_is_found_by_an_address_and_the_manifest_says_so() {
    let merchant = Merchant::new().await;
    for path in [
        "/email/ada%40example.com",
        "/phone/%2B1",
        "/email/",
        "/phone",
    ] {
        let (status, answer) = merchant.churnkey(path).await;
        assert_eq!((status, &answer["code"]), (404, &json!(404)), "{path}");
    }
    insta::assert_json_snapshot!("manifest", merchant.manifest().await);
}

#[tokio::test]
async fn a_customer_whose_trial_is_over_stays_visible_and_no_gate_keeps_churnkey_out() {
    let merchant = Merchant::new().await;
    let metadata = async |merchant: &Merchant, id: &str| {
        let (status, customer) = merchant.churnkey(&format!("/{id}")).await;
        assert_eq!(status, 200);
        let metadata = &customer["metadata"];
        (
            metadata["trialExpired"].clone(),
            metadata["isPaying"].clone(),
        )
    };
    let closed = merchant.call_for(C1_TOKEN, "GET", "/customer-integrations", json!(null));
    assert_eq!(closed.await.0, 401);
    assert_eq!(
        metadata(&merchant, C1).await,
        (json!("true"), json!("false"))
    );
    assert_eq!(
        metadata(&merchant, C2).await,
        (json!("true"), json!("true"))
    );
    let (_, page) = merchant.churnkey("").await;
    assert_eq!(page["data"][0]["id"], C1);
    // At the second of its end it is over (R10).
    let before = merchant.at("2024-10-08T17:15:11.999Z");
    assert_eq!(
        metadata(&before, C1).await,
        (json!("false"), json!("false"))
    );
    let end = merchant.at("2024-10-08T17:15:12Z");
    assert_eq!(metadata(&end, C1).await, (json!("true"), json!("false")));
}

#[tokio::test]
async fn who_is_deleted_or_another_merchants_is_unknown() {
    let merchant = Merchant::new().await;
    let upper = C1.to_uppercase();
    for id in [
        C3,
        NOBODY,
        &upper,
        "x",
        "settings",
        "%00",
        "1%27%20OR%201%3D1",
    ] {
        let (status, answer) = merchant.churnkey(&format!("/{id}")).await;
        let refused = (400, &json!(400));
        let is_no_id = id == "%00" && (status, &answer["code"]) == refused;
        assert!(is_no_id || (status, answer) == unknown(), "{id}");
    }
    merchant.customers(REPORTEI).await.delete(C1).await.unwrap();
    assert_eq!(merchant.churnkey(&format!("/{C1}")).await, unknown());
    let (_, page) = merchant.churnkey("").await;
    assert_eq!(page["data"].as_array().unwrap().len(), 1);

    let other = Merchant::serving(merchant.store.clone(), churnkey(&merchant.store, TRIALING));
    let (_, page) = other.churnkey("").await;
    assert_eq!(page["data"][0]["id"], C3);
    assert_eq!(page["data"][0]["metadata"]["merchant"], "Trialing");
    assert_eq!(other.churnkey(&format!("/{C2}")).await, unknown());
}

#[tokio::test]
async fn there_are_no_test_data() {
    let merchant = Merchant::new().await;
    for path in ["", &format!("/{C1}")] {
        let (status, answer) = merchant.churnkey_in_test(path).await;
        assert_eq!((status, &answer["code"]), (400, &json!(400)));
    }
}

#[tokio::test]
async fn a_merchant_that_is_not_there_yet_has_no_customers() {
    let merchant = Merchant::new().await;
    let none = Merchant::serving(merchant.store.clone(), churnkey(&merchant.store, NOBODY));
    assert_eq!(none.churnkey("").await, (200, json!({"data": []})));
    assert_eq!(none.churnkey(&format!("/{C1}")).await, unknown());
}

#[tokio::test]
async fn a_merchant_may_choose_other_limits_and_add_what_is_theirs() {
    let merchant = Merchant::new().await;
    let churnkey = Churnkey {
        mapping: Mapping {
            limits: MetadataLimits {
                entries: 2,
                characters: 7,
            },
            extra: Extra::new(|native: &reportei_connect::record::Customer, mapped| {
                let email = Email::new(format!("{}@example.com", native.seq));
                mapped
                    .with_email(email.ok())
                    .with_currency(Currency::new("BRL").ok())
            }),
            ..Mapping::default()
        },
        ..churnkey(&merchant.store, REPORTEI)
    };
    let merchant = Merchant::serving(merchant.store, churnkey);
    let expected = json!({
        "id": C1,
        "name": "Reportei Customer 1",
        "email": "1@example.com",
        "currency": "brl",
        // `merchant` is one character too long.
        "metadata": {"isPaying": "false", "trialExpired": "true"}
    });
    assert_eq!(merchant.churnkey(&format!("/{C1}")).await, (200, expected));
}
