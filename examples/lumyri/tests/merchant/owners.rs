//! Looking customers up by e-mail address and phone number, as Churnkey does.

use std::collections::BTreeMap;

use lumyri::churnkey::Mapping;
use merchant_cases::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{As, COMPANY_A, COMPANY_B, FIRST, MAIN, OF_SECOND, SECOND, Shop, minimal};

fn path(kind: &str, value: &str) -> String {
    let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("/churnkey/customers/{kind}/{value}")
}

#[tokio::test]
async fn spellings_of_one_address_find_its_owner() {
    let shop = Shop::open().await;
    let mut body = minimal("Zo\u{eb}+Tag@B\u{fc}cher.example");
    body["phone"] = "0049 (30) 1234-5".into();
    let created = shop.create(&As::a(), &body).await;
    let id = &created.body["data"]["id"];
    let churnkey = shop.churnkey();
    for (kind, value) in [
        ("email", "zo\u{eb}+tag@b\u{fc}cher.example"),
        ("email", " ZO\u{eb}+TAG@xn--bcher-kva.EXAMPLE "),
        ("email", "zoe\u{308}+tag@bu\u{308}cher.example"),
        ("phone", "+493012345"),
        ("phone", "+49 30 12345"),
        ("phone", "00493012345"),
    ] {
        let answer = churnkey.get(&path(kind, value)).await;
        assert_eq!(answer.status(), 200, "{value}");
        assert_eq!(&answer.body()["id"], id);
        assert_eq!(answer.body()["email"], body["email"]);
        assert_eq!(answer.body()["phone"], body["phone"]);
    }
    for (kind, value) in [
        ("email", "zo\u{eb}@b\u{fc}cher.example"),
        ("email", "ZO\u{cb}+TAG@b\u{fc}cher.example"),
        ("email", "%"),
        ("email", "@"),
        ("phone", "493012345"),
        ("phone", "12345"),
        ("phone", "call me"),
        ("phone", "+"),
    ] {
        let answer = churnkey.get(&path(kind, value)).await;
        assert_eq!(answer.status(), 404, "{value}");
    }
}

#[tokio::test]
async fn several_owners_are_409_or_nobody_but_never_one_of_them() {
    let shop = Shop::open().await;
    let second = As::of(COMPANY_A).in_app(SECOND);
    let twin = shop
        .create(&second, &minimal("customer1@example.com"))
        .await;
    assert_eq!(twin.status, 201);
    for (kind, value, message) in [
        (
            "email",
            "customer1@example.com",
            "More than one customer has this email",
        ),
        (
            "phone",
            "+83497898519",
            "More than one customer has this phone",
        ),
    ] {
        let answer = shop.churnkey().get(&path(kind, value)).await;
        assert_eq!(answer.status(), 409);
        assert_eq!(answer.into_body(), json!({"code": 409, "message": message}));
    }

    let mapping = Mapping {
        hide_ambiguous: true,
        ..Mapping::default()
    };
    let shop = Shop::with(mapping, None).await;
    let answer = shop.churnkey().get(&path("phone", "+83497898519")).await;
    assert_eq!(answer.status(), 404);
    let gone = shop.delete(&second, &[OF_SECOND]).await;
    assert_eq!(gone.status, 200);
    let answer = shop.churnkey().get(&path("phone", "+83497898519")).await;
    assert_eq!(answer.body()["id"], FIRST);
}

#[tokio::test]
async fn one_app_has_one_owner_of_an_address() {
    for (app, owner) in [(MAIN, FIRST), (SECOND, OF_SECOND)] {
        let shop = Shop::with(Mapping::default(), Some(app)).await;
        let churnkey = shop.churnkey();
        let found = churnkey.get(&path("phone", "+83497898519")).await;
        assert_eq!(found.body()["id"], owner);
        let all = churnkey.get("/churnkey/customers").await.into_body();
        assert_eq!(all["data"].as_array().unwrap().len(), 1);
        assert_eq!(all["data"][0]["id"], owner);
    }
}

#[tokio::test]
async fn looking_up_uses_an_index() {
    let shop = Shop::open().await;
    for (condition, index) in [
        (
            "c.company = ?1 AND ?2 IS NULL AND c.email_key = ?3",
            "customers_by_email",
        ),
        (
            "c.company = ?1 AND c.app = ?2 AND c.email_key = ?3",
            "customers_by_email",
        ),
        (
            "c.company = ?1 AND ?2 IS NULL AND c.phone_key = ?3",
            "customers_by_phone",
        ),
        (
            "c.company = ?1 AND c.app = ?2 AND c.phone_key = ?3",
            "customers_by_phone",
        ),
        (
            "c.company = ?1 AND ?2 IS NULL AND c.seq > ?3 ORDER BY c.seq LIMIT 2",
            "customers_of_company",
        ),
        (
            "c.company = ?1 AND c.app = ?2 AND c.seq > ?3 ORDER BY c.seq LIMIT 2",
            "customers_of_app",
        ),
    ] {
        let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM customers c WHERE {condition}");
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(COMPANY_A)
            .bind(MAIN)
            .bind(1)
            .fetch_all(shop.store.pool())
            .await
            .unwrap();
        let [(.., step)] = plan.as_slice() else {
            panic!("{plan:?}");
        };
        assert!(
            step.contains(index) && step.starts_with("SEARCH"),
            "{condition}: {step}"
        );
    }
}

/// A customer of the test below: company, app, e-mail address and phone number from a few values.
type Spec = (bool, bool, usize, usize);

const EMAILS: [&str; 4] = ["a@b.co", "A@B.co", "c@d.co", "C@d.CO"];
const PHONES: [&str; 4] = ["+1555", "+1 (555)", "1555", ""];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Rules 6, 8 and 9 of the mapping.
    #[test]
    fn a_look_up_finds_every_owner_of_the_company_and_nobody_else(
        specs in proptest::collection::vec(any::<Spec>().prop_map(|(b, s, e, p)| (b, s, e % 4, p % 4)), 0..10),
        gone in any::<u16>(),
    ) {
        block_on(async {
            let shop = Shop::open().await;
            shop.delete(&As::of(COMPANY_A), &[FIRST, OF_SECOND]).await;
            let mut seen = BTreeMap::<String, (usize, usize)>::new();
            let mut hidden = Vec::new();
            for (n, (of_b, in_second, email, phone)) in specs.into_iter().enumerate() {
                let company = if of_b { COMPANY_B } else { COMPANY_A };
                let caller = As::of(company).in_app(if in_second { SECOND } else { MAIN });
                let mut body = minimal(EMAILS[email]);
                body["phone"] = PHONES[phone].into();
                let answer = shop.create(&caller, &body).await;
                if answer.status == 409 {
                    continue;
                }
                let id = answer.body["data"]["id"].as_str().unwrap().to_owned();
                if gone & (1 << n) != 0 {
                    assert_eq!(shop.delete(&caller, &[&id]).await.status, 200);
                    hidden.push(id);
                } else if of_b {
                    hidden.push(id);
                } else {
                    seen.insert(id, (email / 2, [0, 0, 1, 2][phone]));
                }
            }

            let churnkey = shop.churnkey();
            let unknown = churnkey.get("/churnkey/customers/nobody").await.into_body();
            for id in &hidden {
                let answer = churnkey.get(&format!("/churnkey/customers/{id}")).await;
                assert_eq!((answer.status(), answer.into_body()), (404, unknown.clone()));
            }
            let listed = churnkey.get("/churnkey/customers?limit=500").await.into_body();
            let listed = listed["data"].as_array().unwrap();
            let mut ids: Vec<_> = listed.iter().map(|one| one["id"].as_str().unwrap()).collect();
            ids.sort_unstable();
            assert_eq!(ids, seen.keys().collect::<Vec<_>>());

            for (kind, values, class) in [
                ("email", EMAILS, [0, 0, 1, 1]),
                ("phone", PHONES, [0, 0, 1, 2]),
            ] {
                for (value, class) in values.into_iter().zip(class).filter(|(value, _)| !value.is_empty()) {
                    let owners: Vec<_> = seen
                        .iter()
                        .filter(|(_, (email, phone))| class == if kind == "email" { *email } else { *phone })
                        .map(|(id, _)| id)
                        .collect();
                    let answer = churnkey.get(&path(kind, value)).await;
                    match owners.as_slice() {
                        [] => assert_eq!(answer.status(), 404),
                        [owner] => {
                            assert_eq!(answer.status(), 200);
                            assert_eq!(answer.body()["id"], Value::from(owner.as_str()));
                            let by_id = churnkey.get(&format!("/churnkey/customers/{owner}")).await;
                            assert_eq!(by_id.into_body(), answer.into_body());
                        }
                        _ => assert_eq!(answer.status(), 409),
                    }
                }
            }
        });
    }
}
