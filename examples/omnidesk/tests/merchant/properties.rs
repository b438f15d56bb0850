//! Rules of the mapping, checked with generated records.

use std::collections::{BTreeMap, BTreeSet};

use churnkey_conformance::Client;
use churnkey_integrator::model::Customer as Mapped;
use example_app::{MetadataLimits, demo_token};
use merchant_cases::block_on;
use omnidesk::{
    address::{Address, ChannelType},
    churnkey::{Mapping, customer, integration},
    store::{Channel, Customer, Scope, Store, changes, timeline},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::Index,
};
use serde_json::{Map, Value};

use crate::{NOW, churnkey};

/// A customer before the store assigns an id.
#[derive(Clone, Debug)]
struct Native {
    brand: i64,
    external_id: Option<String>,
    firstname: String,
    lastname: String,
    custom: BTreeMap<String, String>,
    addresses: Vec<Address>,
}

/// Few addresses, so that some are shared, and some are spelled in two ways.
fn address() -> impl Strategy<Value = Address> {
    let text = |kind, pattern| {
        let text = proptest::string::string_regex(pattern).unwrap();
        text.prop_map(move |text| Address::new(kind, &text).unwrap())
    };
    prop_oneof![
        4 => text(ChannelType::Email, "[abA](\\+x)?@(b\u{fc}cher|xn--bcher-kva|shop)\\.example"),
        4 => text(ChannelType::Telephone, "\\+(00)?31[0-9]"),
        1 => text(ChannelType::Facebook, "[0-9]{1,9}"),
        1 => text(ChannelType::Twitter, "[a-zA-Z0-9_ ]{1,9}"),
    ]
}

fn native() -> impl Strategy<Value = Native> {
    let name = "[a-zA-ZÀ-ÖØ-öø-ÿŠš.' -]{0,12}";
    let value = prop_oneof![4 => "(?s).{0,20}", 1 => "[a-z]{499,502}"];
    (
        1..=2_i64,
        option::of("[A-Z\u{eb}'/ ]{1,5}"),
        name,
        name,
        btree_map("custom_[A-Za-z0-9_]{1,6}", value, 0..4),
        vec(address(), 0..4),
    )
        .prop_map(
            |(brand, external_id, firstname, lastname, custom, addresses)| Native {
                brand,
                external_id,
                firstname,
                lastname,
                custom,
                addresses,
            },
        )
}

impl Native {
    /// As if the store had it. Every address has a row of its own.
    fn stored(&self) -> Customer {
        let channels = (1..).zip(&self.addresses).map(|(id, address)| Channel {
            id,
            kind: address.kind(),
            address: address.as_str().to_owned(),
        });
        Customer {
            id: 7,
            brand_id: self.brand,
            brand_name: "Brand".to_owned(),
            external_primary_id: self.external_id.clone(),
            firstname: self.firstname.clone(),
            lastname: self.lastname.clone(),
            custom: self.custom.clone(),
            created_at: NOW.to_owned(),
            channels: channels.collect(),
        }
    }

    fn owns(&self, kind: ChannelType, key: &str) -> bool {
        let mut addresses = self.addresses.iter();
        addresses.any(|one| one.kind() == kind && one.lookup_key().as_deref() == Some(key))
    }
}

/// A store with both brands of the demo data and no customers but these.
async fn store(natives: &mut [Native]) -> (Store, Vec<i64>) {
    let store = Store::open(None).await.unwrap();
    store.load_demo(NOW).await.unwrap();
    let mut tx = store.write().await.unwrap();
    sqlx::raw_sql("DELETE FROM customers")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut ids = Vec::new();
    let mut taken = BTreeSet::new();
    for native in natives {
        // Unique within a brand, as the API ensures.
        let key = native.external_id.clone().map(|id| (native.brand, id));
        if key.is_some_and(|key| !taken.insert(key)) {
            native.external_id = None;
        }
        ids.push(add(&store, native).await);
    }
    (store, ids)
}

async fn add(store: &Store, native: &Native) -> i64 {
    let mut tx = store.write().await.unwrap();
    let external_id = native.external_id.as_deref();
    let id = changes::create(&mut tx, native.brand, external_id, NOW)
        .await
        .unwrap();
    let names = (
        Some(native.firstname.as_str()),
        Some(native.lastname.as_str()),
    );
    changes::rename(&mut tx, id, names.0, names.1)
        .await
        .unwrap();
    changes::set_custom(&mut tx, id, &native.custom)
        .await
        .unwrap();
    for address in &native.addresses {
        changes::add_address(&mut tx, id, address).await.unwrap();
    }
    tx.commit().await.unwrap();
    id
}

async fn remove(store: &Store, id: i64, purge: bool) {
    let mut tx = store.write().await.unwrap();
    let done = match purge {
        true => changes::purge(&mut tx, id, NOW).await,
        false => changes::delete(&mut tx, id).await,
    };
    assert!(done.unwrap());
    tx.commit().await.unwrap();
}

fn client_of(store: &Store, scope: Scope) -> Client {
    let customers = churnkey(store, scope);
    let token = demo_token().unwrap();
    let integration = integration(customers, token.clone()).unwrap();
    Client::new(integration.into_router(), token)
}

/// Reads pages of this size to the end.
async fn crawl(client: &Client, limit: usize) -> Vec<Value> {
    let get = async |query| {
        let answer = client.get(&format!("/churnkey/customers{query}")).await;
        (answer.status(), answer.into_body())
    };
    merchant_cases::crawl(limit, get).await
}

fn ids_of(customers: &[Value]) -> Vec<i64> {
    let ids = customers.iter();
    ids.map(|one| one["id"].as_str().unwrap().parse().unwrap())
        .collect()
}

async fn retrieve(client: &Client, id: i64) -> (u16, Value) {
    let answer = client.get(&format!("/churnkey/customers/{id}")).await;
    (answer.status(), answer.into_body())
}

async fn find(client: &Client, kind: ChannelType, key: &str) -> (u16, Value) {
    let what = match kind {
        ChannelType::Email => "email",
        _ => "phone",
    };
    let key = utf8_percent_encode(key, NON_ALPHANUMERIC);
    let answer = client
        .get(&format!("/churnkey/customers/{what}/{key}"))
        .await;
    (answer.status(), answer.into_body())
}

/// Every address that Churnkey may look somebody up by.
fn keys(natives: &[Native]) -> BTreeSet<(ChannelType, String)> {
    let addresses = natives.iter().flat_map(|native| &native.addresses);
    addresses
        .filter_map(|address| Some((address.kind(), address.lookup_key()?)))
        .collect()
}

fn mapped(native: &Customer) -> Value {
    let customer = customer(native, Scope::AllBrands, &Mapping::default());
    serde_json::to_value(customer.unwrap()).unwrap()
}

/// The JSON pointers at which two objects differ.
fn differences(one: &Value, other: &Value) -> BTreeSet<String> {
    fn leaves(value: &Value, at: &str, to: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    leaves(value, &format!("{at}/{key}"), to);
                }
            }
            leaf => {
                to.insert(at.to_owned(), leaf.clone());
            }
        }
    }
    let (mut a, mut b) = (BTreeMap::new(), BTreeMap::new());
    leaves(one, "", &mut a);
    leaves(other, "", &mut b);
    let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let differ = keys.into_iter().filter(|key| a.get(*key) != b.get(*key));
    differ.cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Rules 1, 4 and 10.
    #[test]
    fn every_customer_maps_to_what_the_schema_allows(native in native()) {
        let value = mapped(&native.stored());
        let mapped: Mapped = serde_json::from_value(value.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(mapped).unwrap(), value.clone());
        let allowed = ["id", "name", "lastName", "email", "phone", "metadata"];
        for (key, value) in value.as_object().unwrap() {
            prop_assert!(allowed.contains(&key.as_str()), "{}", key);
            let text = value.as_str();
            prop_assert!(key == "metadata" || text.is_some_and(|text| !text.is_empty()), "{}", key);
        }
        let metadata: Map<String, Value> = value["metadata"].as_object().unwrap().clone();
        let limits = MetadataLimits::default();
        prop_assert!(metadata.len() <= limits.entries);
        for value in metadata.values() {
            let length = value.as_str().unwrap().chars().count();
            prop_assert!((1..=limits.characters).contains(&length));
        }
        for (name, value) in &native.custom {
            let fits = (1..=limits.characters).contains(&value.chars().count());
            prop_assert_eq!(metadata.get(name).is_some(), fits);
        }
    }

    /// Rule 3.
    #[test]
    fn a_field_changes_what_the_table_says_and_nothing_else(native in native()) {
        type Change<'a> = &'a dyn Fn(&mut Customer);
        let (before, map) = (native.stored(), mapped);
        let shown = map(&before);
        let changed = |change: Change<'_>| {
            let mut after = before.clone();
            change(&mut after);
            differences(&shown, &map(&after))
        };
        let only = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<BTreeSet<_>>();
        // No generated customer has this, so it has to make a difference.
        let text = "changed".repeat(3);
        let checks: [(Change<'_>, &[&str]); 8] = [
            (&|c| c.id = 8, &["/id"]),
            (&|c| c.brand_id = 3, &["/metadata/brandId"]),
            (&|c| c.brand_name = "Other".to_owned(), &["/metadata/brandName"]),
            (&|c| c.external_primary_id = Some(text.clone()), &["/metadata/externalPrimaryId"]),
            (&|c| c.firstname = text.clone(), &["/name"]),
            (&|c| c.lastname = text.clone(), &["/lastName"]),
            (&|c| c.created_at = c.created_at.replace('2', "1"), &[]),
            (&|c| c.channels.retain(|one| one.kind <= ChannelType::Telephone), &[]),
        ];
        for (change, paths) in checks {
            prop_assert_eq!(changed(change), only(paths));
        }
        let differ = changed(&|c| { c.custom.insert("custom_x".to_owned(), "changed".to_owned()); });
        prop_assert_eq!(differ, only(&["/metadata/custom_x"]));
        // The oldest of each type is shown. Churnkey can hold every address that is generated here.
        let shown = [(ChannelType::Email, "/email"), (ChannelType::Telephone, "/phone")];
        let oldest_differs = |change: Change<'_>| {
            let mut after = before.clone();
            change(&mut after);
            let oldest = |customer: &Customer, kind| {
                let mut channels = customer.channels.iter();
                channels.find(|one| one.kind == kind).map(|one| one.address.clone())
            };
            let differs = |(kind, _): &(ChannelType, &str)| oldest(&before, *kind) != oldest(&after, *kind);
            let paths: Vec<_> = shown.into_iter().filter(differs).map(|(_, path)| path).collect();
            only(&paths)
        };
        let changes: [Change<'_>; 3] = [
            &|c| c.channels.reverse(),
            &|c| c.channels.retain(|one| one.kind > ChannelType::Telephone),
            &|c| for one in &mut c.channels { one.address.insert(0, '1') },
        ];
        for change in changes {
            prop_assert_eq!(changed(change), oldest_differs(change));
        }
    }

    /// Rules 2 and 5.
    #[test]
    fn a_list_entry_is_what_retrieve_answers_and_holds_no_secret(mut natives in vec(native(), 0..8), limit in 1..4_usize) {
        block_on(async {
            let (store, ids) = store(&mut natives).await;
            let mut tx = store.write().await.unwrap();
            for id in &ids {
                let event = timeline::NewEvent { message: "SECRET-EVENT", initiated_by: Some("SECRET-BY"), source_url: None };
                timeline::add_event(&mut tx, *id, event, NOW).await.unwrap();
                timeline::link_ticket(&mut tx, 1, *id, 858462).await.unwrap();
            }
            tx.commit().await.unwrap();
            let client = client_of(&store, Scope::AllBrands);
            let listed = crawl(&client, limit).await;
            assert_eq!(ids_of(&listed), ids);
            for (id, entry) in ids.iter().zip(&listed) {
                assert_eq!(retrieve(&client, *id).await, (200, entry.clone()));
            }
            let told = Value::from(listed).to_string();
            for secret in ["SECRET", "858462", "od-demo", NOW] {
                assert!(!told.contains(secret), "{secret}");
            }
        });
    }

    /// Rule 6.
    #[test]
    fn a_look_up_finds_its_only_owner_and_never_one_of_several(mut natives in vec(native(), 0..8)) {
        block_on(async {
            let (store, ids) = store(&mut natives).await;
            let client = client_of(&store, Scope::AllBrands);
            for (kind, key) in keys(&natives) {
                let owners = ids.iter().zip(&natives).filter(|(_, native)| native.owns(kind, &key));
                let owners: Vec<i64> = owners.map(|(id, _)| *id).collect();
                let (status, body) = find(&client, kind, &key).await;
                match owners.as_slice() {
                    [owner] => {
                        assert_eq!((status, &body), (200, &retrieve(&client, *owner).await.1));
                    }
                    owners => {
                        assert!(owners.len() > 1);
                        assert_eq!(status, 409);
                    }
                }
                for owner in owners {
                    assert_eq!(retrieve(&client, owner).await.0, 200);
                }
            }
            assert_eq!(find(&client, ChannelType::Email, "c@shop.example").await.0, 404);
            assert_eq!(find(&client, ChannelType::Telephone, "+3199").await.0, 404);
        });
    }

    /// Rule 7.
    #[test]
    fn a_crawl_gives_everybody_who_stays_once_whatever_happens_meanwhile(
        mut natives in vec(native(), 1..10),
        limit in 1..4_usize,
        events in vec((0..4_u8, any::<Index>(), native()), 0..20),
    ) {
        block_on(async {
            let (store, ids) = store(&mut natives).await;
            let client = client_of(&store, Scope::AllBrands);
            let (mut there, mut stayed) = (ids.clone(), BTreeSet::from_iter(ids));
            let (mut events, mut seen, mut next) = (events.into_iter(), Vec::new(), String::new());
            loop {
                let body = client.get(&format!("/churnkey/customers?limit={limit}{next}")).await.into_body();
                let page = body["data"].as_array().unwrap();
                assert!(page.len() <= limit);
                seen.extend(ids_of(page));
                let Some(cursor) = body["next"].as_str() else { break };
                next = format!("&cursor={cursor}");
                for (what, at, mut native) in events.by_ref().take(2) {
                    native.external_id = None;
                    match what {
                        0 => there.push(add(&store, &native).await),
                        1 if !there.is_empty() => {
                            let mut tx = store.write().await.unwrap();
                            let name = Some(native.firstname.as_str());
                            changes::rename(&mut tx, *at.get(&there), name, None).await.unwrap();
                            tx.commit().await.unwrap();
                        }
                        // The cursor's own row, or any other.
                        purge if !there.is_empty() => {
                            let last = there.iter().position(|id| seen.last() == Some(id));
                            let at = last.filter(|_| at.index(2) == 0).unwrap_or_else(|| at.index(there.len()));
                            let gone = there.swap_remove(at);
                            remove(&store, gone, purge == 2).await;
                            stayed.remove(&gone);
                        }
                        _ => {}
                    }
                }
            }
            let once = BTreeSet::from_iter(seen.iter().copied());
            assert_eq!(once.len(), seen.len(), "nobody comes twice");
            assert!(stayed.is_subset(&once), "{stayed:?} {seen:?}");
            assert!(seen.is_sorted());
        });
    }

    /// Rule 8.
    #[test]
    fn nothing_of_who_is_gone_is_reachable(mut natives in vec(native(), 1..6), at in any::<Index>(), purge in any::<bool>()) {
        block_on(async {
            let (store, ids) = store(&mut natives).await;
            let at = at.index(ids.len());
            remove(&store, ids[at], purge).await;
            let client = client_of(&store, Scope::AllBrands);
            assert_eq!(retrieve(&client, ids[at]).await.0, 404);
            assert!(!ids_of(&crawl(&client, 2).await).contains(&ids[at]));
            for (kind, key) in keys(&natives[at..=at]) {
                let (_, body) = find(&client, kind, &key).await;
                assert_ne!(body["id"], ids[at].to_string());
            }
            if let Some(external_id) = &natives[at].external_id {
                let brand = Scope::ExternalIdsOf(natives[at].brand);
                let id = utf8_percent_encode(external_id, NON_ALPHANUMERIC);
                let answer = client_of(&store, brand).get(&format!("/churnkey/customers/{id}")).await;
                assert_eq!(answer.status(), 404);
            }
        });
    }

    /// Rule 9.
    #[test]
    fn brands_never_mix(mut natives in vec(native(), 0..8), limit in 1..4_usize) {
        block_on(async {
            let (store, ids) = store(&mut natives).await;
            for brand in [1, 2] {
                let client = client_of(&store, Scope::Brand(brand));
                let own: Vec<i64> = ids.iter().zip(&natives).filter(|(_, one)| one.brand == brand).map(|(id, _)| *id).collect();
                assert_eq!(ids_of(&crawl(&client, limit).await), own);
                for (id, native) in ids.iter().zip(&natives) {
                    let status = if native.brand == brand { 200 } else { 404 };
                    assert_eq!(retrieve(&client, *id).await.0, status);
                }
                for (kind, key) in keys(&natives) {
                    let owners = natives.iter().filter(|one| one.brand == brand && one.owns(kind, &key)).count();
                    let status = [404, 200, 409][owners.min(2)];
                    assert_eq!(find(&client, kind, &key).await.0, status);
                }
                let named = client_of(&store, Scope::ExternalIdsOf(brand));
                let listed = crawl(&named, limit).await;
                for entry in &listed {
                    assert_eq!(entry["metadata"]["brandId"], brand.to_string());
                }
                let with_id = natives.iter().filter(|one| one.brand == brand && one.external_id.is_some());
                assert_eq!(listed.len(), with_id.count());
            }
        });
    }
}
