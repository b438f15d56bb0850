//! Rules of the mapping that hold for any customers.

use std::collections::BTreeSet;

use churnkey_integrator::Timestamp;
use example_app::Generator;
use merchant_cases::{block_on, broken, changed, paths};
use proptest::{collection::vec, prelude::*, sample::Index};
use reportei_connect::{
    churnkey::{Mapping, customer as shown},
    contacts::WithContacts,
    record::{Customer, Moment},
};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{C1, C2, C3, Merchant, NOBODY, REPORTEI, TRIALING, churnkey, contacts::AddressBook};

fn moment() -> impl Strategy<Value = Moment> {
    // The years 0000 to 9999.
    (-62_167_219_200_i64..253_402_207_200).prop_map(|seconds| seconds.try_into().unwrap())
}

fn uuid() -> impl Strategy<Value = String> {
    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
}

/// A name that the API accepts.
fn name() -> impl Strategy<Value = String> {
    "(?s).{1,255}"
        .prop_map(|name| name.trim().to_owned())
        .prop_filter("blank", |name| !name.is_empty())
}

prop_compose! {
    fn customer()(
        seq in 1..i64::MAX, uuid in uuid(), name in name(), created_at in moment(), updated_at in moment(),
        trial_ends_at in moment(), is_paying in any::<bool>()
    ) -> Customer {
        Customer { seq, uuid, name, created_at, updated_at, trial_ends_at, is_paying }
    }
}

fn mapped(native: &Customer, merchant: &str, now: Timestamp) -> Value {
    let mapped = shown(native, merchant, now, &Mapping::default());
    serde_json::to_value(mapped.unwrap()).unwrap()
}

/// All customers that Churnkey gets, page by page.
async fn crawl(merchant: &Merchant, limit: usize) -> Vec<Value> {
    merchant_cases::crawl(limit, async |query| merchant.churnkey(&query).await).await
}

fn ids(customers: &[Value]) -> Vec<&str> {
    customers
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect()
}

/// Every token's hash, in hexadecimal digits.
async fn hashes(file: &std::path::Path) -> Vec<String> {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let hashes = sqlx::query_scalar(
        "SELECT lower(hex(token_hash)) FROM customers UNION SELECT lower(hex(token_hash)) FROM merchants",
    );
    hashes.fetch_all(&mut connection).await.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Rules 1, 4 and 10.
    #[test]
    fn every_customer_has_a_valid_form(
        native in customer(), merchant in ".{0,600}", now in moment()
    ) {
        let mapped = mapped(&native, &merchant, now.timestamp());
        prop_assert_eq!(broken(&mapped, &["name"]), None);
        prop_assert_eq!(&mapped["id"], &json!(native.uuid));
    }

    /// Rule 3.
    #[test]
    fn a_change_shows_where_the_table_says_and_nowhere_else(
        native in customer(), moment in -62_000_000_000_i64..253_000_000_000
    ) {
        let moment = Moment::try_from(moment).unwrap();
        let now = moment.timestamp();
        let before = mapped(&native, "Reportei", now);
        let changes: [(&[&str], Customer); 6] = [
            (&["id"], Customer { uuid: NOBODY.to_owned(), ..native.clone() }),
            (&["name"], Customer { name: format!("{}.", native.name), ..native.clone() }),
            (&["metadata.createdAt"], Customer { created_at: native.created_at.later(1), ..native.clone() }),
            (&[], Customer { updated_at: native.updated_at.later(1), ..native.clone() }),
            (&["metadata.isPaying"], Customer { is_paying: !native.is_paying, ..native.clone() }),
            (&[], Customer { seq: native.seq - 1, ..native.clone() }),
        ];
        for (outputs, changed_native) in changes {
            let changed = changed(&before, &mapped(&changed_native, "Reportei", now));
            prop_assert_eq!(changed, paths(outputs));
        }
        // At the second of its end the trial is over (R10).
        let ending = |seconds| {
            let native = Customer { trial_ends_at: moment.later(seconds), ..native.clone() };
            mapped(&native, "Reportei", now)
        };
        let (end, expired) = ("metadata.trialEndsAt", "metadata.trialExpired");
        prop_assert_eq!(changed(&ending(1), &ending(2)), paths(&[end]));
        prop_assert_eq!(changed(&ending(0), &ending(1)), paths(&[end, expired]));
        prop_assert_eq!(changed(&ending(-1), &ending(0)), paths(&[end]));
        let renamed = changed(&before, &mapped(&native, "Other", now));
        prop_assert_eq!(renamed, BTreeSet::from(["metadata.merchant".to_owned()]));
        // Each output is a native value, or follows from one.
        prop_assert_eq!(before, json!({
            "id": native.uuid,
            "name": native.name,
            "metadata": {
                "merchant": "Reportei",
                "isPaying": native.is_paying.to_string(),
                "trialEndsAt": native.trial_ends_at.timestamp().to_string(),
                "trialExpired": (native.trial_ends_at.timestamp() <= now).to_string(),
                "createdAt": native.created_at.timestamp().to_string(),
            },
        }));
    }

    /// Rules 2, 5 and 9.
    #[test]
    fn whoever_is_stored_is_listed_and_retrieved_without_secrets_by_their_own_merchant(
        ours in vec(name(), 0..8), theirs in vec(name(), 0..4), limit in 1_usize..5
    ) {
        block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("reportei.db");
            let merchant = Merchant::with(Some(&file), Generator::Random).await;
            let mut secrets = Vec::new();
            let (mut our_ids, mut their_ids) = (vec![C1.to_owned(), C2.to_owned()], vec![C3.to_owned()]);
            for (names, uuid, ids) in [(ours, REPORTEI, &mut our_ids), (theirs, TRIALING, &mut their_ids)] {
                let customers = merchant.customers(uuid).await;
                for name in names {
                    let created = customers.create(&name).await.unwrap();
                    secrets.push(created.api_token);
                    ids.push(created.customer.uuid);
                }
            }
            secrets.extend(["rp-demo-merchant".to_owned(), "a1a1a1a1".to_owned(), "a2a2a2a2".to_owned()]);
            secrets.extend(hashes(&file).await);

            let listed = crawl(&merchant, limit).await;
            prop_assert_eq!(ids(&listed), our_ids.clone());
            for customer in &listed {
                let id = customer["id"].as_str().unwrap();
                prop_assert_eq!(merchant.churnkey(&format!("/{id}")).await, (200, customer.clone()));
                prop_assert_eq!(&customer["metadata"]["merchant"], "Reportei");
                let text = customer.to_string();
                prop_assert!(!secrets.iter().any(|secret| text.contains(secret)));
            }
            let other = Merchant::serving(merchant.store.clone(), churnkey(&merchant.store, TRIALING));
            let others = crawl(&other, limit).await;
            prop_assert_eq!(ids(&others), their_ids.clone());
            for (merchant, foreign) in [(&merchant, &their_ids), (&other, &our_ids)] {
                for id in foreign {
                    prop_assert_eq!(merchant.churnkey(&format!("/{id}")).await.0, 404);
                }
            }
            Ok(())
        })?;
    }

    /// Rule 6, for a merchant with addresses in another system.
    #[test]
    fn who_is_found_owns_the_address_and_is_the_only_one_who_does(
        entries in vec(("[ab]@example\\.com", prop::sample::select(vec![C1, C2, C3])), 0..6)
    ) {
        block_on(async {
            let store = Merchant::new().await.store;
            let customers = WithContacts {
                churnkey: churnkey(&store, REPORTEI),
                resolver: AddressBook(entries.clone()),
            };
            let merchant = Merchant::serving(store, customers);
            for address in ["a@example.com", "b@example.com"] {
                let ours = entries.iter().filter(|(of, uuid)| of == address && *uuid != C3);
                let owners: BTreeSet<_> = ours.map(|(_, uuid)| *uuid).collect();
                let (status, found) = merchant.churnkey(&format!("/email/{}", address.replace('@', "%40"))).await;
                match owners.first() {
                    None => prop_assert_eq!(status, 404),
                    Some(owner) if owners.len() == 1 => prop_assert_eq!((status, &found["id"]), (200, &json!(owner))),
                    Some(_) => prop_assert_eq!(status, 409),
                }
                for owner in owners {
                    prop_assert_eq!(merchant.churnkey(&format!("/{owner}")).await.0, 200);
                }
            }
            Ok(())
        })?;
    }

    /// Rules 7 and 8.
    #[test]
    fn a_crawl_misses_and_repeats_nobody_while_customers_come_go_and_change(
        names in vec(name(), 1..10), limit in 1_usize..4, steps in vec((0_u8..3, any::<Index>()), 0..12)
    ) {
        block_on(async {
            let merchant = Merchant::with(None, Generator::Random).await;
            let customers = merchant.customers(REPORTEI).await;
            for name in names {
                customers.create(&name).await.unwrap();
            }
            let mut alive: Vec<_> = customers.after(0, 100).await.unwrap().into_iter().map(|one| one.uuid).collect();
            let (mut all_along, mut gone) = (alive.clone(), Vec::new());
            let mut steps = steps.into_iter();
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let (_, page) = merchant.churnkey(&format!("?limit={limit}{cursor}")).await;
                let page_ids = page["data"].as_array().unwrap();
                seen.extend(ids(page_ids).into_iter().map(str::to_owned));
                match steps.next() {
                    Some((0, _)) => alive.push(customers.create("new").await.unwrap().customer.uuid),
                    Some((1, index)) if !alive.is_empty() => {
                        let uuid = alive.remove(index.index(alive.len()));
                        customers.delete(&uuid).await.unwrap();
                        all_along.retain(|one| *one != uuid);
                        gone.push(uuid);
                    }
                    Some((_, index)) if !alive.is_empty() => {
                        let uuid = &alive[index.index(alive.len())];
                        customers.rename(uuid, "A").await.unwrap();
                        customers.set_paying(uuid, true).await.unwrap();
                    }
                    _ => {}
                }
                match page["next"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            let once: BTreeSet<_> = seen.iter().collect();
            prop_assert_eq!(once.len(), seen.len(), "somebody came twice");
            prop_assert!(all_along.iter().all(|uuid| once.contains(uuid)), "somebody was missed");
            let after = crawl(&merchant, limit).await;
            for uuid in gone {
                prop_assert_eq!(merchant.churnkey(&format!("/{uuid}")).await.0, 404);
                prop_assert!(!ids(&after).contains(&uuid.as_str()));
            }
            Ok(())
        })?;
    }
}
