//! Churnkey's list: keyset pages over the insertion number (rule 7 of the mapping).

use std::collections::{BTreeMap, BTreeSet};

use merchant_cases::block_on;
use proptest::prelude::*;
use serde_json::json;

use crate::{As, COMPANY_A, FIRST, OF_SECOND, SECOND, Shop, minimal};

/// A change of the customers between two pages.
#[derive(Debug, Clone)]
enum Event {
    Insert { in_second: bool },
    Delete(prop::sample::Index),
    Rename(prop::sample::Index, String),
    DeleteLastListed,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<bool>().prop_map(|in_second| Event::Insert { in_second }),
        any::<prop::sample::Index>().prop_map(Event::Delete),
        (any::<prop::sample::Index>(), "[a-z]{1,3}")
            .prop_map(|(one, name)| Event::Rename(one, name)),
        Just(Event::DeleteLastListed),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whoever_is_there_all_along_comes_once_and_nobody_twice(
        before in 0..8_usize,
        limit in 1..4_usize,
        mut rounds in proptest::collection::vec(proptest::collection::vec(event(), 0..4), 0..8),
    ) {
        block_on(async {
            let shop = Shop::open().await;
            let mut there = BTreeSet::from([FIRST.to_owned(), OF_SECOND.to_owned()]);
            let mut emails = 0;
            for _ in 0..before {
                there.insert(insert(&shop, &mut emails, false).await);
            }
            let mut all_along = there.clone();
            let mut times = BTreeMap::<String, usize>::new();
            let mut path = format!("/churnkey/customers?limit={limit}");
            loop {
                let page = shop.churnkey().get(&path).await.into_body();
                let listed: Vec<_> = page["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
                assert!(listed.len() <= limit);
                for id in &listed {
                    *times.entry((*id).to_owned()).or_default() += 1;
                }
                let Some(next) = page["next"].as_str() else {
                    break;
                };
                assert_eq!(listed.len(), limit);
                path = format!("/churnkey/customers?limit={limit}&cursor={next}");
                for event in rounds.pop().unwrap_or_default() {
                    let some: Vec<_> = there.iter().cloned().collect();
                    let gone = match event {
                        Event::Insert { in_second } => {
                            there.insert(insert(&shop, &mut emails, in_second).await);
                            continue;
                        }
                        Event::Rename(one, name) if !some.is_empty() => {
                            let id = one.get(&some);
                            let changed = shop.update(&As::of(COMPANY_A), id, &json!({"first_name": name})).await;
                            assert_eq!(changed.status, 200);
                            continue;
                        }
                        Event::Delete(one) if !some.is_empty() => one.get(&some).clone(),
                        Event::DeleteLastListed => listed[limit - 1].to_owned(),
                        _ => continue,
                    };
                    assert_eq!(shop.delete(&As::of(COMPANY_A), &[&gone]).await.status, 200);
                    there.remove(&gone);
                    all_along.remove(&gone);
                }
            }
            assert!(times.values().all(|times| *times == 1), "{times:?}");
            assert!(all_along.iter().all(|id| times.contains_key(id)), "{times:?}");
        });
    }
}

async fn insert(shop: &Shop, emails: &mut u32, in_second: bool) -> String {
    *emails += 1;
    let caller = if in_second {
        As::of(COMPANY_A).in_app(SECOND)
    } else {
        As::a()
    };
    let created = shop
        .create(&caller, &minimal(&format!("n{emails}@example.com")))
        .await;
    created.body["data"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_full_last_page_has_no_next() {
    let shop = Shop::open().await;
    let page = shop
        .churnkey()
        .get("/churnkey/customers?limit=2")
        .await
        .into_body();
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    assert_eq!(page.get("next"), None);
}

#[tokio::test]
async fn a_recreated_id_is_a_new_row_at_the_end() {
    let shop = Shop::open().await;
    let first = shop
        .churnkey()
        .get("/churnkey/customers?limit=1")
        .await
        .into_body();
    assert_eq!(first["data"][0]["id"], FIRST);
    assert_eq!(shop.delete(&As::a(), &[FIRST]).await.status, 200);
    let mut again = minimal("again@example.com");
    again["id"] = FIRST.into();
    assert_eq!(shop.create(&As::a(), &again).await.status, 201);
    let cursor = first["next"].as_str().unwrap();
    let rest = shop
        .churnkey()
        .get(&format!("/churnkey/customers?cursor={cursor}"))
        .await
        .into_body();
    let ids: Vec<_> = rest["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(ids, [OF_SECOND, FIRST]);
}

#[tokio::test]
async fn a_cursor_of_somebody_elses_is_400() {
    let shop = Shop::open().await;
    for cursor in ["x", "AQ", "eyJ2IjoxfQ"] {
        let answer = shop
            .churnkey()
            .get(&format!("/churnkey/customers?cursor={cursor}"))
            .await;
        assert_eq!(answer.status(), 400);
        assert_eq!(
            answer.into_body(),
            json!({"code": 400, "message": "Invalid cursor"})
        );
    }
}
