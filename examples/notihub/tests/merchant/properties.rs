//! Rules of the mapping that hold for any customers.

use std::collections::BTreeSet;

use churnkey_integrator::{Email, Phone};
use example_app::{email_key, phone_key};
use merchant_cases::{block_on, broken, changed, paths};
use notihub::{
    churnkey::{self, Key, Mapping},
    record::{Contact, ContactKind, Customer, NewContact, NewCustomer, Status},
    store::Environment,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{BEARER, Merchant, TOKEN};

const SECRET: &str = "push-secret-";

fn status() -> impl Strategy<Value = Status> {
    select(vec![Status::Enabled, Status::Disabled])
}

/// Any addresses, and a few that are shared in several spellings.
fn email() -> impl Strategy<Value = String> {
    let any = "[^@\\s]{1,8}@[^@\\s]{1,6}\\.[^@\\s]{1,4}";
    let few = select(vec![
        "ada@example.com",
        "ADA@Example.com",
        "bob@example.com",
        "bob@EXAMPLE.com",
    ]);
    prop_oneof![
        any.prop_filter("too long", |text| ContactKind::Email.accepts(text)),
        few.prop_map(str::to_owned)
    ]
}

fn phone() -> impl Strategy<Value = String> {
    let any = "[+0-9A-Za-z().\\- ]{0,20}[0-9]{3}[0-9X-]{0,9}";
    let few = select(vec!["+1 555 0100", "001-555-0100", "555 0100", "5550100"]);
    prop_oneof![any, few.prop_map(str::to_owned)]
}

fn contact() -> impl Strategy<Value = NewContact> {
    let value = prop_oneof![
        email().prop_map(|value| (ContactKind::Email, value)),
        phone().prop_map(|value| (ContactKind::Phone, value)),
        "[!-~]{0,40}".prop_map(|token| (ContactKind::Push, format!("{SECRET}{token}"))),
    ];
    (value, any::<bool>(), any::<bool>()).prop_map(|((kind, value), primary, verified)| {
        NewContact {
            kind,
            value,
            primary,
            verified,
        }
    })
}

fn customer() -> impl Strategy<Value = NewCustomer> {
    let language = option::of(select(vec!["en", "en_US", "fil"]).prop_map(str::to_owned));
    // A number in front makes the external id unique.
    let external_id = option::of(".{0,40}");
    (
        external_id,
        status(),
        language,
        ".{0,600}",
        vec(contact(), 0..5),
    )
        .prop_map(
            |(external_id, status, language, metadata, contacts)| NewCustomer {
                external_id,
                status,
                language,
                metadata,
                contacts,
            },
        )
}

/// Stores customers, all of whom can be identified.
async fn store(environment: &Environment, customers: Vec<NewCustomer>) -> Vec<Customer> {
    let mut stored = Vec::new();
    for (number, mut new) in customers.into_iter().enumerate() {
        new.external_id = match new.external_id {
            None if new.contacts.iter().any(|one| one.kind.identifies()) => None,
            text => Some(format!("{number} {}", text.unwrap_or_default())),
        };
        stored.push(environment.create(&new).await.unwrap());
    }
    stored
}

/// All customers that Churnkey gets in live mode, page by page.
async fn crawl(merchant: &Merchant, limit: usize) -> Vec<Value> {
    merchant_cases::crawl(limit, async |query| merchant.churnkey(&query).await).await
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn mapped(native: &Customer) -> Value {
    serde_json::to_value(churnkey::customer(native, Key::CustomerId, &Mapping::default()).unwrap())
        .unwrap()
}

/// The paths that differ between customers with different contacts. Of each kind the primary one is shown, or else the oldest, if
/// Churnkey can hold it.
fn differing_contacts(one: &Customer, other: &Customer) -> BTreeSet<String> {
    let shown = |native: &Customer, kind| {
        let contacts = native.contacts.iter().filter(|one| one.kind == kind);
        let best = contacts.min_by_key(|one| (!one.primary, one.contact_id))?;
        let holds = match kind {
            ContactKind::Email => Email::new(&best.value).is_ok(),
            _ => Phone::new(&best.value).is_ok(),
        };
        holds.then(|| (best.value.clone(), best.verified))
    };
    let mut differing = BTreeSet::new();
    for (kind, value, verified) in [
        (ContactKind::Email, "email", "metadata.emailVerified"),
        (ContactKind::Phone, "phone", "metadata.phoneVerified"),
    ] {
        let (before, after) = (shown(one, kind).unzip(), shown(other, kind).unzip());
        if before.0 != after.0 {
            differing.insert(value.to_owned());
        }
        if before.1 != after.1 {
            differing.insert(verified.to_owned());
        }
    }
    differing
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Rules 1, 2, 4, 5, 9 and 10.
    #[test]
    fn whoever_is_stored_is_listed_retrieved_valid_and_without_secrets(
        live in vec(customer(), 0..8), test in vec(customer(), 0..4), limit in 1_usize..5
    ) {
        block_on(async {
            let merchant = Merchant::new().await;
            let live = store(&merchant.environment("prod").await, live).await;
            let test = store(&merchant.environment("dev").await, test).await;
            let listed = crawl(&merchant, limit).await;
            let ids: Vec<_> = listed.iter().map(|one| one["id"].as_str().unwrap()).collect();
            let expected: Vec<_> = live.iter().map(|one| one.customer_id.as_str()).collect();
            prop_assert_eq!(&ids[6..], expected);
            for customer in &listed {
                let id = customer["id"].as_str().unwrap();
                prop_assert_eq!(merchant.churnkey(&format!("/{id}")).await, (200, customer.clone()));
                prop_assert_eq!(merchant.churnkey_in_test(&format!("/{id}")).await.0, 404);
                prop_assert_eq!(broken(customer, &["email", "phone"]), None);
                let text = customer.to_string();
                prop_assert!(!text.contains(SECRET) && !text.contains(TOKEN) && !text.contains("push-token"));
            }
            for customer in &test {
                let path = format!("/{}", customer.customer_id);
                prop_assert_eq!(merchant.churnkey(&path).await.0, 404);
                prop_assert_eq!(merchant.churnkey_in_test(&path).await, (200, mapped(customer)));
            }
            Ok(())
        })?;
    }

    /// Rule 3.
    #[test]
    fn a_change_shows_where_the_table_says_and_nowhere_else(new in customer()) {
        let native = native(&new);
        let before = mapped(&native);
        let flipped = match native.status {
            Status::Enabled => Status::Disabled,
            Status::Disabled => Status::Enabled,
        };
        // No generated customer has this, so it has to make a difference.
        let text = "changed".repeat(10);
        let changes: [(&str, &[&str], Customer); 6] = [
            ("externalId", &["metadata.externalId"], Customer { external_id: Some(text.clone()), ..native.clone() }),
            ("status", &["metadata.status"], Customer { status: flipped, ..native.clone() }),
            ("language", &["metadata.language"], Customer { language: Some("pt_BR".to_owned()), ..native.clone() }),
            ("metadata", &["metadata.metadata"], Customer { metadata: text, ..native.clone() }),
            ("customerId", &["id"], Customer { customer_id: "another".to_owned(), ..native.clone() }),
            ("seq", &[], Customer { seq: native.seq + 1, ..native.clone() }),
        ];
        for (field, outputs, changed_native) in changes {
            let changed = changed(&before, &mapped(&changed_native));
            prop_assert_eq!(changed, paths(outputs), "{}", field);
        }
        for index in 0..native.contacts.len() {
            let mut changed_native = native.clone();
            let contact = &mut changed_native.contacts[index];
            contact.value = if contact.kind == ContactKind::Email { "new@example.org" } else { "12345" }.to_owned();
            contact.primary = !contact.primary;
            contact.verified = !contact.verified;
            let changed = changed(&before, &mapped(&changed_native));
            prop_assert_eq!(changed, differing_contacts(&native, &changed_native));

            // The only primary one is shown.
            let kind = native.contacts[index].kind;
            for (number, contact) in changed_native.contacts.iter_mut().enumerate() {
                contact.primary = number == index;
            }
            let (only, after) = (&changed_native.contacts[index], mapped(&changed_native));
            let verified = json!(only.verified.to_string());
            match kind {
                ContactKind::Email => prop_assert_eq!(
                    (&after["email"], &after["metadata"]["emailVerified"]), (&json!("new@example.org"), &verified)
                ),
                ContactKind::Phone => prop_assert_eq!(
                    (&after["phone"], &after["metadata"]["phoneVerified"]), (&json!("12345"), &verified)
                ),
                ContactKind::Push => {}
            }
        }
        // Each output is an unchanged native value.
        let of_kind = |kind, value: &Value| native.contacts.iter().any(|one| one.kind == kind && json!(one.value) == *value);
        prop_assert_eq!(&before["id"], &json!(native.customer_id));
        prop_assert!(before.get("email").is_none_or(|email| of_kind(ContactKind::Email, email)));
        prop_assert!(before.get("phone").is_none_or(|phone| of_kind(ContactKind::Phone, phone)));
    }

    /// Rule 6.
    #[test]
    fn who_is_found_owns_the_address_and_nobody_else_does_as_much(customers in vec(customer(), 1..8)) {
        block_on(async {
            let merchant = Merchant::new().await;
            let stored = store(&merchant.environment("prod").await, customers).await;
            let contacts = stored.iter().flat_map(|owner| &owner.contacts);
            for contact in contacts.filter(|contact| !contact.value.contains(char::is_control)) {
                let (what, key): (_, fn(&str) -> Option<String>) = match contact.kind {
                    ContactKind::Email => ("email", |text| Some(email_key(text))),
                    ContactKind::Phone => ("phone", phone_key),
                    ContactKind::Push => continue,
                };
                let owns = |contact_of: &Contact| contact_of.kind == contact.kind && key(&contact_of.value) == key(&contact.value);
                let tier = |owner: &Customer| {
                    let verified = owner.contacts.iter().filter(|one| owns(one)).map(|one| one.verified).max();
                    verified.map(|verified| (owner.status == Status::Disabled, !verified))
                };
                let best = stored.iter().filter_map(tier).min();
                let owners: Vec<_> = stored.iter().filter(|owner| tier(owner).is_some() && tier(owner) == best).collect();
                let (status, found) = merchant.churnkey(&format!("/{what}/{}", encoded(&contact.value))).await;
                match owners.as_slice() {
                    [owner] => prop_assert_eq!((status, found), (200, mapped(owner))),
                    _ => prop_assert_eq!(status, 409),
                }
                for owner in owners {
                    prop_assert_eq!(merchant.churnkey(&format!("/{}", owner.customer_id)).await.0, 200);
                }
            }
            Ok(())
        })?;
    }

    /// Rules 7 and 8.
    #[test]
    fn a_crawl_misses_and_repeats_nobody_while_customers_come_go_and_change(
        customers in vec(customer(), 1..10), limit in 1_usize..4, steps in vec((0_u8..3, any::<prop::sample::Index>()), 0..12)
    ) {
        block_on(async {
            let merchant = Merchant::new().await;
            let environment = merchant.environment("prod").await;
            store(&environment, customers).await;
            let mut alive: Vec<String> = environment.after(0, 100).await.unwrap().into_iter().map(|one| one.customer_id).collect();
            let (mut all_along, mut gone) = (alive.clone(), Vec::new());
            let mut steps = steps.into_iter().enumerate();
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let (_, page) = merchant.churnkey(&format!("?limit={limit}{cursor}")).await;
                seen.extend(page["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
                if let Some((number, (step, index))) = steps.next() {
                    match step {
                        0 => {
                            let body = json!({"externalId": format!("step {number}")});
                            let (_, created) = merchant.call("POST", "/customers", body).await;
                            alive.push(created["customerId"].as_str().unwrap().to_owned());
                        }
                        1 if !alive.is_empty() => {
                            let id = alive.remove(index.index(alive.len()));
                            merchant.call("DELETE", &format!("/customers/{id}"), Value::Null).await;
                            all_along.retain(|one| *one != id);
                            gone.push(id);
                        }
                        _ if !alive.is_empty() => {
                            let path = format!("/customers/{}", alive[index.index(alive.len())]);
                            let body = json!({"externalId": format!("renamed {number}")});
                            prop_assert_eq!(merchant.call("PUT", &path, body).await.0, 200);
                        }
                        _ => {}
                    }
                }
                match page["next"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            let once: BTreeSet<_> = seen.iter().cloned().collect();
            prop_assert_eq!(once.len(), seen.len(), "somebody came twice");
            for id in &all_along {
                prop_assert!(once.contains(id), "somebody was missed");
            }
            let after = crawl(&merchant, 3).await;
            for id in gone {
                prop_assert_eq!(merchant.churnkey(&format!("/{id}")).await.0, 404);
                prop_assert!(after.iter().all(|one| one["id"] != id.as_str()));
            }
            Ok(())
        })?;
    }

    /// No request is answered with a 500.
    #[test]
    fn any_json_is_answered_in_the_own_shape(
        keys in vec(select(vec!["externalId", "status", "language", "metadata", "contacts", "type", "value", "primary", "customerId", "contactId", "templateGroupId", "mechanisms"]), 0..6),
        values in vec(any_json(), 6)
    ) {
        block_on(async {
            let merchant = Merchant::new().await;
            let body: Value = keys.iter().map(|key| (*key).to_owned()).zip(values).collect::<serde_json::Map<_, _>>().into();
            for (method, path) in [
                ("POST", "/customers"), ("PUT", "/customers/5b1c6f0e-3a57-4c1e-9d0b-0f6f5b7a1c03"),
                ("POST", "/customers/5b1c6f0e-3a57-4c1e-9d0b-0f6f5b7a1c03/contacts"),
                ("PUT", "/customers/5b1c6f0e-3a57-4c1e-9d0b-0f6f5b7a1c03/contacts"),
                ("POST", "/customers/5b1c6f0e-3a57-4c1e-9d0b-0f6f5b7a1c03/preferences"),
            ] {
                let (status, answer) = merchant.raw(method, path, &[("authorization", BEARER)], body.to_string()).await;
                prop_assert!(matches!(status, 200 | 201 | 400 | 404), "{} {}: {} {}", method, path, body, status);
                prop_assert!(status < 400 || (answer["code"] == status && answer["message"].is_string()));
            }
            Ok(())
        })?;
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        select(vec![
            "EMAIL", "PHONE", "ENABLED", "a@b.c", "+1234", "en_US", "true"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let key = select(vec!["type", "value", "primary", "x"]).prop_map(str::to_owned);
        let entries = vec((key, inner.clone()), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            entries.prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// A stored record without a store.
fn native(new: &NewCustomer) -> Customer {
    let contacts = (1..).zip(&new.contacts).map(|(contact_id, new)| Contact {
        contact_id,
        kind: new.kind,
        value: new.value.clone(),
        primary: new.primary,
        verified: new.verified,
    });
    Customer {
        seq: 1,
        customer_id: "0f42b842-007d-4c98-9160-ae6b6e908ca0".to_owned(),
        external_id: new.external_id.clone(),
        status: new.status,
        language: new.language.clone(),
        metadata: new.metadata.clone(),
        contacts: contacts.collect(),
    }
}
