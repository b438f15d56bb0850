//! What Churnkey sees of the demo data, and of customers in every state.

use churnkey_conformance::Client;
use churnkey_integrator::{Currency, Mode, model::Address};
use example_app::{Extra, MetadataLimits, demo_token};
use omnidesk::{
    churnkey::{Churnkey, Mapping, integration},
    store::Scope,
};
use serde_json::{Value, json};

use crate::{Shop, churnkey};

fn client(customers: Churnkey) -> Client {
    let token = demo_token().unwrap();
    let integration = integration(customers, token.clone()).unwrap();
    Client::new(integration.into_router(), token)
}

async fn ids(client: &Client) -> Vec<String> {
    let body = client.get("/churnkey/customers").await.into_body();
    let customers = body["data"].as_array().unwrap().iter();
    customers
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_demo_data_are_shown_as_the_mapping_says() {
    let shop = Shop::open().await;
    let churnkey = shop.churnkey();
    let mut seen = Vec::new();
    for path in [
        "/features",
        "/customers",
        "/customers?limit=3",
        "/customers/1",
        "/customers/4",
        "/customers/email/zoe%40example.org",
        "/customers/email/thomas%40example.org",
        "/customers/phone/%2B31612312311",
        "/customers/phone/+31%20612-312-311",
        "/customers/phone/31612312311",
    ] {
        let answer = churnkey.get(&format!("/churnkey{path}")).await;
        seen.push(json!({"path": path, "status": answer.status(), "body": answer.into_body()}));
    }
    insta::assert_json_snapshot!("demo", seen);
}

#[tokio::test]
async fn a_customer_who_is_gone_looks_like_one_who_never_was() {
    let shop = Shop::open().await;
    shop.call("DELETE", "/2", &[])
        .await
        .done("Customer deleted.");
    let churnkey = shop.churnkey();
    let unknown = churnkey.get("/churnkey/customers/999").await;
    assert_eq!(
        (unknown.status(), unknown.message()),
        (404, Some("Customer not found"))
    );
    for id in [
        "2",
        "4",
        "01",
        "+1",
        "1.0",
        "-1",
        "abc",
        "99999999999999999999",
        "%27",
    ] {
        let answer = churnkey.get(&format!("/churnkey/customers/{id}")).await;
        assert_eq!(
            (answer.status(), answer.body()),
            (404, unknown.body()),
            "{id}"
        );
    }
    assert_eq!(
        churnkey
            .get("/churnkey/customers/email/zoe%40example.org")
            .await
            .status(),
        404
    );
    assert_eq!(ids(&churnkey).await, ["1", "3"]);

    shop.call("DELETE", "/channel/2", &[])
        .await
        .done("Channel deleted.");
    let one = churnkey.get("/churnkey/customers/1").await;
    assert_eq!((one.status(), one.body().get("phone")), (200, None));
    assert_eq!(
        churnkey
            .get("/churnkey/customers/phone/%2B31612312311")
            .await
            .status(),
        404
    );
    let test = churnkey
        .in_mode(Mode::Test)
        .get("/churnkey/customers/1")
        .await;
    assert_eq!(test.status(), 400, "there are no test customers");
}

#[tokio::test]
async fn the_oldest_address_is_shown_and_every_one_found() {
    let shop = Shop::open().await;
    let add = [
        ("customer_id", "2"),
        ("extra_email", "Second@B\u{fc}cher.example"),
        ("extra_telephone", "+316"),
    ];
    shop.call("POST", "/addChannelOnly", &add)
        .await
        .done("Channel added.");
    let churnkey = shop.churnkey();
    for path in [
        "/customers/2",
        "/customers/email/zoe%40example.org",
        "/customers/email/SECOND%40xn--bcher-kva.example",
        "/customers/email/second%40bu%CC%88cher.example",
        "/customers/phone/00316",
        "/customers/phone/+316",
    ] {
        let body = churnkey.get(&format!("/churnkey{path}")).await.into_body();
        assert_eq!(
            [&body["id"], &body["email"], &body["phone"]],
            ["2", "zoe@example.org", "+316"],
            "{path}"
        );
    }
    assert_eq!(
        churnkey.get("/churnkey/customers/phone/316").await.status(),
        404
    );
}

#[tokio::test]
async fn a_scope_is_one_brand_or_its_external_ids() {
    let shop = Shop::open().await;
    let thomas = "/churnkey/customers/email/thomas%40example.org";
    assert_eq!(shop.churnkey().get(thomas).await.status(), 409);

    let second = client(churnkey(&shop.store, Scope::Brand(2)));
    assert_eq!(ids(&second).await, ["3"]);
    assert_eq!(second.get(thomas).await.body()["id"], "3");
    assert_eq!(second.get("/churnkey/customers/1").await.status(), 404);
    assert_eq!(
        second
            .get("/churnkey/customers/email/zoe%40example.org")
            .await
            .status(),
        404
    );

    let fields = [
        ("brand_id", "1"),
        ("search_customer_channel_value", "nameless"),
    ];
    shop.call("POST", "", &fields)
        .await
        .done("User created and channel linked.");
    let first = churnkey(&shop.store, Scope::ExternalIdsOf(1));
    assert_eq!(first.invisible().await.unwrap(), 1);
    let first = client(first);
    assert_eq!(ids(&first).await, ["text", "C-2"]);
    assert_eq!(first.get(thomas).await.body()["id"], "text");
    assert_eq!(
        first.get("/churnkey/customers/C-2").await.body()["name"],
        "Zoë"
    );
    for id in ["1", "5", "c-2"] {
        assert_eq!(
            first
                .get(&format!("/churnkey/customers/{id}"))
                .await
                .status(),
            404
        );
    }
    let all = churnkey(&shop.store, Scope::AllBrands);
    assert_eq!(all.invisible().await.unwrap(), 0);
}

#[tokio::test]
async fn a_merchant_chooses_what_becomes_of_ambiguity_limits_and_extras() {
    let shop = Shop::open().await;
    let mapping = Mapping {
        hide_ambiguous: true,
        limits: MetadataLimits {
            entries: 3,
            characters: 7,
        },
        extra: Extra::new(|native: &omnidesk::store::Customer, mapped| {
            let line = native.custom.get("custom_testfield");
            let address = line.map(|line| Address::new().with_line1(line.clone()));
            mapped
                .with_currency(Currency::new("EUR").ok())
                .with_addresses(address)
        }),
    };
    let customers = Churnkey {
        mapping,
        ..churnkey(&shop.store, Scope::AllBrands)
    };
    let churnkey = client(customers);
    let hidden = churnkey
        .get("/churnkey/customers/email/thomas%40example.org")
        .await;
    assert_eq!(
        (hidden.status(), hidden.message()),
        (404, Some("Customer not found"))
    );
    let one = churnkey.get("/churnkey/customers/1").await.into_body();
    assert_eq!(
        (&one["currency"], &one["addresses"]),
        (&json!("eur"), &json!([{"line1": "text"}]))
    );
    let metadata = json!({"externalPrimaryId": "text", "brandId": "1", "brandName": "MyBrand"});
    assert_eq!(one["metadata"], metadata);
    let three = churnkey.get("/churnkey/customers/3").await.into_body();
    assert_eq!(
        three["metadata"],
        json!({"externalPrimaryId": "text", "brandId": "2"})
    );
    assert_eq!(three["addresses"], Value::Null);
}
