//! What Churnkey sees of Notihub's customers.

use churnkey_integrator::Currency;
use example_app::{Extra, MetadataLimits};
use notihub::churnkey::{Churnkey, Key, Mapping};
use serde_json::{Value, json};

use crate::{C3, C4, DISABLED, IN_DEV, Merchant};

const NOT_FOUND: &str = "Customer not found";

#[tokio::test]
async fn the_demo_data_look_like_this_to_churnkey() {
    let merchant = Merchant::new().await;
    let (_, live) = merchant.churnkey("?limit=100").await;
    let (_, test) = merchant.churnkey_in_test("?limit=100").await;
    insta::assert_json_snapshot!("demo_data", json!({"live": live, "test": test}));
}

#[tokio::test]
async fn the_address_is_the_primary_one_or_else_the_oldest() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C3}/contacts");
    let email =
        |value: &str, primary: bool| json!({"type": "EMAIL", "value": value, "primary": primary});
    let seen = async || merchant.churnkey(&format!("/{C3}")).await.1;

    merchant
        .call("POST", &path, email("second@email.com", false))
        .await;
    assert_eq!(seen().await["email"], "avalid@email.com");
    merchant
        .call("POST", &path, email("third@email.com", true))
        .await;
    let customer = seen().await;
    assert_eq!(customer["email"], "third@email.com");
    assert_eq!(customer["metadata"]["emailVerified"], "false");
    merchant
        .call("DELETE", &format!("{path}/19"), Value::Null)
        .await;
    merchant
        .call("DELETE", &format!("{path}/18"), Value::Null)
        .await;
    let customer = seen().await;
    assert_eq!(customer["email"], "avalid@email.com");
    assert_eq!(customer["metadata"]["emailVerified"], "true");
}

#[tokio::test]
async fn every_owner_of_an_address_counts_in_the_order_of_the_tiers() {
    let merchant = Merchant::new().await;
    let find = async || merchant.churnkey("/email/Shared%2Btag%40Example.com").await;
    let add = async |status: &str, verified: bool| {
        let body = json!({"status": status, "contacts": [
            {"type": "EMAIL", "value": "other@example.com", "primary": true},
            {"type": "EMAIL", "value": "shared+TAG@example.com", "verified": verified}]});
        let (_, created) = merchant.call("POST", "/customers", body).await;
        created["customerId"].clone()
    };
    assert_eq!(find().await.0, 404);
    // Each rank wins over the ones before. Two customers of the same rank are ambiguous.
    for (status, verified) in [
        ("DISABLED", false),
        ("DISABLED", true),
        ("ENABLED", false),
        ("ENABLED", true),
    ] {
        let first = add(status, verified).await;
        let (_, found) = find().await;
        assert_eq!(found["id"], first, "{status} {verified}");
        add(status, verified).await;
        let ambiguous = json!({"code": 409, "message": "More than one customer has this email"});
        assert_eq!(find().await, (409, ambiguous), "{status} {verified}");
    }
}

#[tokio::test]
async fn one_customer_with_an_address_twice_is_one_owner() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C4}/contacts");
    for value in ["+31 6 1231 2311", "0031612312311"] {
        let body = json!({"type": "PHONE", "value": value});
        assert_eq!(merchant.call("POST", &path, body).await.0, 201);
    }
    for phone in ["%2B31612312311", "+31612312311", "0031-612312311"] {
        let (_, found) = merchant.churnkey(&format!("/phone/{phone}")).await;
        assert_eq!(found["id"], C4);
    }
    for phone in ["31612312311", "612312311", "%2B3161231231", "call%20me"] {
        let (status, _) = merchant.churnkey(&format!("/phone/{phone}")).await;
        assert_eq!(status, 404, "{phone}");
    }
}

#[tokio::test]
async fn addresses_are_compared_composed_in_lower_case_and_with_the_domain_in_ascii() {
    let merchant = Merchant::new().await;
    let body = json!({"contacts": [{"type": "EMAIL", "value": "Zoe\u{308}@B\u{fc}cher.example"}]});
    let (_, created) = merchant.call("POST", "/customers", body).await;
    for asked in [
        "ZO%C3%AB%40b%C3%9Ccher.example",
        "zo%C3%AB%40XN--BCHER-KVA.example",
    ] {
        let (_, found) = merchant.churnkey(&format!("/email/{asked}")).await;
        assert_eq!(found["id"], created["customerId"]);
        // The address is shown as it was entered.
        assert_eq!(found["email"], "Zoe\u{308}@B\u{fc}cher.example");
    }
    // In a mailbox, the letter case of only ASCII letters is ignored.
    let (status, _) = merchant
        .churnkey("/email/zo%C3%8B%40b%C3%BCcher.example")
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_push_token_finds_nobody() {
    let merchant = Merchant::new().await;
    for asked in ["/email/push-token", "/phone/push-token"] {
        assert_eq!(merchant.churnkey(asked).await.0, 404);
    }
}

#[tokio::test]
async fn a_disabled_customer_stays_visible() {
    let merchant = Merchant::new().await;
    let (status, customer) = merchant.churnkey(&format!("/{DISABLED}")).await;
    assert_eq!(
        (status, &customer["metadata"]["status"]),
        (200, &json!("DISABLED"))
    );
    let alone = json!({"type": "EMAIL", "value": "alone@example.com"});
    merchant
        .call("POST", &format!("/customers/{DISABLED}/contacts"), alone)
        .await;
    let (status, customer) = merchant.churnkey("/email/alone%40example.com").await;
    assert_eq!((status, &customer["id"]), (200, &json!(DISABLED)));
}

#[tokio::test]
async fn each_mode_has_its_environment() {
    let merchant = Merchant::new().await;
    let id = format!("/{IN_DEV}");
    assert_eq!(merchant.churnkey(&id).await.0, 404);
    assert_eq!(merchant.churnkey_in_test(&id).await.0, 200);
    let email = "/email/only-dev%40example.com";
    assert_eq!(merchant.churnkey(email).await.1["message"], NOT_FOUND);
    assert_eq!(merchant.churnkey_in_test(email).await.1["id"], IN_DEV);
    assert_eq!(merchant.churnkey_in_test(&format!("/{C3}")).await.0, 404);
}

#[tokio::test]
async fn metadata_over_a_limit_is_left_out_whole() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C3}");
    let seen = async |metadata: String| {
        merchant
            .call("PUT", &path, json!({"metadata": metadata}))
            .await;
        merchant.churnkey(&format!("/{C3}")).await.1["metadata"].clone()
    };
    let longest = "\u{eb}".repeat(500);
    assert_eq!(seen(longest.clone()).await["metadata"], longest);
    let metadata = seen(longest + "x").await;
    assert_eq!(metadata.get("metadata"), None);
    assert_eq!(metadata["externalId"], "ext-3");
}

#[tokio::test]
async fn a_merchant_may_choose_other_ids_other_limits_and_404_and_add_what_is_theirs() {
    let mapping = Mapping {
        hide_ambiguous: true,
        limits: MetadataLimits {
            entries: 2,
            characters: 9,
        },
        extra: Extra::new(|native: &notihub::record::Customer, mapped| {
            mapped
                .with_name(native.external_id.clone())
                .with_currency(Currency::new("EUR").ok())
        }),
    };
    let merchant = Merchant::with(None, Key::ExternalId, mapping.clone()).await;
    let (status, customer) = merchant.churnkey("/ext-3").await;
    let expected = json!({
        "id": "ext-3", "name": "ext-3", "email": "avalid@email.com", "phone": "+5491155550101", "currency": "eur",
        "metadata": {"externalId": "ext-3", "status": "ENABLED"}
    });
    assert_eq!((status, customer), (200, expected));
    assert_eq!(merchant.churnkey(&format!("/{C3}")).await.0, 404);
    assert_eq!(
        merchant.churnkey("/email/shared%40example.com").await.0,
        404
    );

    // The customer without an external id is left out, also at the end of a page.
    let mut ids = Vec::new();
    let mut query = "?limit=1".to_owned();
    loop {
        let (_, page) = merchant.churnkey(&query).await;
        ids.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].clone()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        query = format!("?limit=1&cursor={next}");
    }
    assert_eq!(
        ids,
        [
            "your-custom-id",
            "your-custom-id-2",
            "ext-3",
            "ext-5",
            "ext-6"
        ]
    );

    // Customers without an external id, or with one that is not valid for Churnkey, are not seen. Both are counted.
    merchant
        .call("POST", "/customers", json!({"externalId": "a\u{7}b"}))
        .await;
    let churnkey = Churnkey {
        live: Some(merchant.environment("prod").await),
        test: Some(merchant.environment("dev").await),
        key: Key::ExternalId,
        mapping,
    };
    assert_eq!(churnkey.invisible().await.unwrap(), 2);
    let by_own_id = Churnkey {
        key: Key::CustomerId,
        ..churnkey
    };
    assert_eq!(by_own_id.invisible().await.unwrap(), 0);
}
