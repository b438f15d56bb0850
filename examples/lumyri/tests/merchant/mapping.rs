//! What Churnkey sees of a customer. The rules are checked with customers that the native API accepted (the others are in
//! `owners` and `paging`).

use std::collections::BTreeSet;

use churnkey_integrator::{Currency, model};
use example_app::Extra;
use lumyri::{
    churnkey::{self, Mapping},
    record::{Address, Customer, Tag},
};
use merchant_cases::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    As, COMPANY_A, FIRST, LABEL_1, LABEL_2, MAIN, NOBODY, OF_SECOND, SECOND, SECRET, Shop, USER,
    token,
};

#[tokio::test]
async fn the_demo_customers_are_shown_as_in_the_snapshot() {
    let shop = Shop::open().await;
    let list = shop.churnkey().get("/churnkey/customers").await;
    assert_eq!(list.status(), 200);
    insta::assert_json_snapshot!("demo_data", list.body());
    let one = shop
        .churnkey()
        .get(&format!("/churnkey/customers/{FIRST}"))
        .await;
    assert_eq!(one.body(), &list.body()["data"][0]);
    let features = shop.churnkey().get("/churnkey/features").await;
    let customers =
        json!({"retrieve": true, "list": true, "findByEmail": true, "findByPhone": true});
    assert_eq!(
        features.body()["controllers"],
        json!({"customers": customers})
    );
}

#[tokio::test]
async fn what_is_over_the_limit_is_left_out_whole_and_from_the_end() {
    let shop = Shop::open().await;
    let address = |n: usize| json!({"category": "Other", "location": {"name": format!("{n}"), "geo": [n, -1.50]}});
    let addresses: Vec<_> = (0..30).map(address).collect();
    let body = json!({"address": addresses, "avatar": "x".repeat(501)});
    assert_eq!(shop.update(&As::a(), FIRST, &body).await.status, 200);
    let path = format!("/churnkey/customers/{FIRST}");
    let seen = shop.churnkey().get(&path).await.into_body();
    assert_eq!(seen["addresses"].as_array().unwrap().len(), 30);
    assert_eq!(seen["addresses"][29], json!({"line1": "29"}));
    let metadata = seen["metadata"].as_object().unwrap();
    assert_eq!(metadata.len(), 50);
    assert_eq!(metadata["labels"], "label1,label2");
    assert_eq!(metadata["address.22.geo"], "22,-1.5");
    assert!(!metadata.contains_key("avatar") && !metadata.contains_key("address.23.category"));
}

#[tokio::test]
async fn a_number_that_churnkey_can_not_hold_is_left_out() {
    let shop = Shop::open().await;
    let path = format!("/churnkey/customers/{FIRST}");
    for (phone, seen) in [
        (json!("call me"), json!("call me")),
        (json!(" "), Value::Null),
        (json!(""), Value::Null),
        (json!(null), Value::Null),
        (json!("\u{ff11}".repeat(32)), Value::Null),
    ] {
        let changed = shop.update(&As::a(), FIRST, &json!({"phone": phone})).await;
        assert_eq!(changed.status, 200, "{phone}");
        let customer = shop.churnkey().get(&path).await;
        assert_eq!(
            (customer.status(), &customer.body()["phone"]),
            (200, &seen),
            "{phone}"
        );
    }
}

#[tokio::test]
async fn billing_may_add_what_is_not_known_here() {
    let mapping = Mapping {
        extra: Extra::new(|native: &Customer, mapped| match native.id.as_str() {
            FIRST => mapped.with_currency(Currency::new("USD").unwrap()),
            _ => mapped,
        }),
        ..Mapping::default()
    };
    let shop = Shop::with(mapping, None).await;
    let list = shop.churnkey().get("/churnkey/customers").await.into_body();
    assert_eq!(list["data"][0]["currency"], "usd");
    assert_eq!(list["data"][1].get("currency"), None);
}

#[tokio::test]
async fn there_are_only_live_customers() {
    let shop = Shop::open().await;
    let client = shop.churnkey().in_mode(churnkey_integrator::Mode::Test);
    let answer = client.get(&format!("/churnkey/customers/{FIRST}")).await;
    assert_eq!(answer.status(), 400);
}

/// A body that the native API accepts.
fn body() -> impl Strategy<Value = Value> {
    let name = "[^\\p{Cc}]{0,6}[a-zA-Z\u{eb}][^\\p{Cc}]{0,6}";
    let address = (
        proptest::sample::select(vec!["Home", "home", "OFFICE", "Other"]),
        "[^\\p{Cc}]{0,12}",
        -90.0..=90.0,
        -180.0..=180.0,
    );
    let address = address.prop_map(|(category, name, latitude, longitude)| {
        json!({"category": category, "location": {"name": name, "geo": [latitude, longitude]}})
    });
    let labels = proptest::option::of(proptest::sample::subsequence(vec![LABEL_1, LABEL_2], 0..=2));
    (
        name,
        name,
        "[a-zA-Z0-9+.\u{eb}'-]{1,12}@[a-z\u{fc}]{1,8}\\.(co|example|COM)",
        proptest::option::of("[^\\p{Cc}]{0,32}"),
        proptest::collection::vec(address, 0..30),
        "[^\\p{Cc}]{0,10}",
        labels,
    )
        .prop_map(|(first, last, email, phone, address, avatar, labels)| {
            json!({"first_name": first, "last_name": last, "email": email, "phone": phone, "address": address,
                "avatar": avatar, "labels": labels})
        })
}

/// Sends a body to the native API, and reads the record.
async fn record(shop: &Shop, app: &str, body: &Value) -> Customer {
    let caller = As::of(COMPANY_A).in_app(app);
    let created = shop.create(&caller, body).await;
    assert_eq!(created.status, 201, "{} {body}", created.body);
    let id = created.body["data"]["id"].as_str().unwrap();
    let scope = shop.store.scope(COMPANY_A.to_owned(), None);
    scope.customer(id).await.unwrap().unwrap()
}

fn seen(native: &Customer) -> Value {
    serde_json::to_value(churnkey::customer(native, &Mapping::default()).unwrap()).unwrap()
}

/// The fields in which two customers differ, and the keys of metadata and addresses.
fn differing(one: &Value, other: &Value) -> BTreeSet<String> {
    let keys = |at: &str| {
        let fields = [one, other].map(|customer| customer.pointer(at).and_then(Value::as_object));
        let keys = fields
            .into_iter()
            .flatten()
            .flat_map(|fields| fields.keys());
        keys.map(|key| format!("{at}/{key}"))
            .collect::<BTreeSet<_>>()
    };
    let mut keys: BTreeSet<_> = keys("").into_iter().chain(keys("/metadata")).collect();
    keys.remove("/metadata");
    keys.retain(|key| one.pointer(key) != other.pointer(key));
    keys
}

fn change(native: &Customer, change: impl FnOnce(&mut Customer)) -> (Value, Value) {
    let mut changed = native.clone();
    change(&mut changed);
    (seen(native), seen(&changed))
}

#[track_caller]
fn only(changed: &(Value, Value), documented: &[&str]) {
    let differing = differing(&changed.0, &changed.1);
    let documented: BTreeSet<_> = documented.iter().map(|key| (*key).to_owned()).collect();
    assert_eq!(differing, documented);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Rules 1, 2, 4 and 10.
    #[test]
    fn every_customer_has_one_valid_form(body in body()) {
        block_on(async {
            let shop = Shop::open().await;
            let native = record(&shop, MAIN, &body).await;
            let path = format!("/churnkey/customers/{}", native.id);
            let one = shop.churnkey().get(&path).await;
            assert_eq!(one.status(), 200, "{body}");
            let list = shop.churnkey().get("/churnkey/customers").await.into_body();
            assert_eq!(&list["data"][2], one.body());

            let customer = one.body().as_object().unwrap();
            for (key, value) in customer {
                match key.as_str() {
                    "id" | "name" | "lastName" | "email" | "phone" => {
                        assert!(!value.as_str().unwrap().is_empty(), "{key}");
                    }
                    "addresses" => {
                        for address in value.as_array().unwrap() {
                            assert!(address.as_object().unwrap().iter().all(|(key, line)| key == "line1" && line.is_string()));
                        }
                    }
                    "metadata" => {
                        let metadata = value.as_object().unwrap();
                        assert!(metadata.len() <= 50);
                        let lengths = metadata.values().map(|value| value.as_str().unwrap().chars().count());
                        assert!(lengths.clone().all(|length| (1..=500).contains(&length)));
                    }
                    other => panic!("{other}"),
                }
            }
            let model: model::Customer = serde_json::from_value(one.body().clone()).unwrap();
            assert_eq!(&serde_json::to_value(model).unwrap(), one.body());
            assert_eq!(one.body()["name"].as_str(), Some(body["first_name"].as_str().unwrap().trim()));
            assert_eq!(one.body()["email"], body["email"]);
        });
    }

    /// Rule 3.
    #[test]
    fn a_field_changes_what_is_documented_and_nothing_else(body in body()) {
        block_on(async {
            let shop = Shop::open().await;
            let native = record(&shop, MAIN, &body).await;
            // No generated customer has this, so it has to make a difference.
            let text = "changed".repeat(3);
            only(&change(&native, |c| c.id = NOBODY.to_owned()), &["/id"]);
            only(&change(&native, |c| c.first_name = text.clone()), &["/name"]);
            only(&change(&native, |c| c.last_name = text.clone()), &["/lastName"]);
            only(&change(&native, |c| c.email = "changed@example.org".to_owned()), &["/email"]);
            only(&change(&native, |c| c.phone = Some("+1 555 0100 changed".to_owned())), &["/phone"]);
            only(&change(&native, |c| c.company = NOBODY.to_owned()), &["/metadata/companyId"]);
            only(&change(&native, |c| c.app = SECOND.to_owned()), &["/metadata/appId"]);
            only(&change(&native, |c| c.seq += 1), &[]);

            // The metadata of addresses are shown as far as they fit.
            let changed = change(&native, |c| c.address.clear());
            let rest = changed.1["metadata"].as_object().unwrap().len();
            let of = |index| ["category", "geo"].map(|what| format!("/metadata/address.{index}.{what}"));
            let metadata = (0..native.address.len()).flat_map(of).take(50 - rest);
            let addresses = (!native.address.is_empty()).then(|| "/addresses".to_owned());
            let documented: Vec<_> = metadata.chain(addresses).collect();
            let documented: Vec<_> = documented.iter().map(String::as_str).collect();
            only(&changed, &documented);

            // These may make room for the metadata of addresses, or take it: a customer without addresses rules that out.
            let bare = Customer { address: Vec::new(), ..native };
            only(&change(&bare, |c| c.avatar = text.clone()), &["/metadata/avatar"]);
            let tag = Tag { id: NOBODY.to_owned(), name: text, color: "red".to_owned() };
            only(&change(&bare, |c| c.labels = Some(vec![tag])), &["/metadata/labelIds", "/metadata/labels"]);
        });
    }

    /// Rule 5. The caller, the token, the time and the keys of the indexes are not shown.
    #[test]
    fn nothing_is_shown_that_is_not_documented(body in body()) {
        block_on(async {
            let shop = Shop::open().await;
            let native = record(&shop, MAIN, &body).await;
            let path = format!("/churnkey/customers/{}", native.id);
            let text = shop.churnkey().get(&path).await.body().to_string();
            let claims = json!({"company_id": COMPANY_A, "iss": "lumyri-demo", "user_id": USER});
            for secret in [USER, "lumyri-demo", SECRET, &token(&claims), "2024-10-10", "1728561600"] {
                assert!(!text.contains(secret), "{secret}");
            }
        });
    }

    /// Rule 8.
    #[test]
    fn nothing_of_a_deleted_customer_is_left(body in body()) {
        block_on(async {
            let shop = Shop::open().await;
            let native = record(&shop, MAIN, &body).await;
            assert_eq!(shop.delete(&As::a(), &[&native.id]).await.status, 200);
            let churnkey = shop.churnkey();
            let unknown = churnkey.get("/churnkey/customers/nobody").await;
            let gone = churnkey.get(&format!("/churnkey/customers/{}", native.id)).await;
            assert_eq!((gone.status(), gone.into_body()), (404, unknown.into_body()));
            let list = churnkey.get("/churnkey/customers").await.into_body();
            let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
            assert_eq!(ids, [FIRST, OF_SECOND]);
            let email: String = native.email.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let found = churnkey.get(&format!("/churnkey/customers/email/{email}")).await;
            assert_eq!(found.status(), 404);
            let left: i64 = sqlx::query_scalar(
                "SELECT (SELECT count(*) FROM customers) + (SELECT count(*) FROM customer_labels)",
            )
            .fetch_one(shop.store.pool())
            .await
            .unwrap();
            assert_eq!(left, 3 + 2);
        });
    }
}

#[test]
fn labels_are_shown_by_id_and_by_name() {
    let tag = |id: &str, name: &str| Tag {
        id: id.to_owned(),
        name: name.to_owned(),
        color: "red".to_owned(),
    };
    let address = r#"{"category": "OFFICE", "location": {"name": "", "geo": [1.50, -2e1]}}"#;
    let address: Address = serde_json::from_str(address).unwrap();
    let native = Customer {
        seq: 1,
        id: FIRST.to_owned(),
        company: COMPANY_A.to_owned(),
        app: MAIN.to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
        email: "ada@example.com".to_owned(),
        phone: None,
        address: vec![address],
        avatar: "https://example.com/a.png".to_owned(),
        labels: Some(vec![tag("2", "b"), tag("1", "a, c")]),
    };
    assert_eq!(
        seen(&native),
        json!({"id": FIRST, "name": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "addresses": [{}],
            "metadata": {"companyId": COMPANY_A, "appId": MAIN, "labelIds": "2,1", "labels": "b,a, c",
                "avatar": "https://example.com/a.png", "address.0.category": "OFFICE", "address.0.geo": "1.50,-2e1"}})
    );
}
