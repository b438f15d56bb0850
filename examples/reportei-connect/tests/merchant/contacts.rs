//! A merchant with addresses in another system.

use churnkey_conformance::{Fixtures, check};
use churnkey_integrator::{Email, Phone, Result, async_trait};
use example_app::{Extra, email_key, phone_key};
use reportei_connect::{
    contacts::{ContactResolver, WithContacts},
    record::Customer,
};
use serde_json::{Value, json};

use crate::{C1, C2, C3, Merchant, NOBODY, REPORTEI, churnkey};

/// Addresses by their keys.
pub(crate) struct AddressBook(pub(crate) Vec<(String, &'static str)>);

impl AddressBook {
    fn owners(&self, key: Option<&str>) -> Vec<String> {
        let entries = self.0.iter().filter(|(of, _)| Some(of.as_str()) == key);
        entries.map(|(_, uuid)| (*uuid).to_owned()).collect()
    }
}

#[async_trait]
impl ContactResolver for AddressBook {
    async fn by_email(&self, email: &Email) -> Result<Vec<String>> {
        Ok(self.owners(Some(&email_key(email.as_str()))))
    }

    async fn by_phone(&self, phone: &Phone) -> Result<Vec<String>> {
        Ok(self.owners(phone_key(phone.as_str()).as_deref()))
    }
}

async fn merchant(hide_ambiguous: bool) -> Merchant {
    let book = [
        ("ada@example.com", C1),
        // A repeated entry is the same owner. Customers whom Reportei doesn't know don't count.
        ("ada@example.com", C1),
        ("ada@example.com", C3),
        ("ada@example.com", NOBODY),
        ("shared@example.com", C1),
        ("shared@example.com", C2),
        ("gone@example.com", NOBODY),
        ("foreign@example.com", C3),
        ("+5491155550101", C2),
    ];
    let book = book.map(|(address, uuid)| (address.to_owned(), uuid));
    let store = Merchant::new().await.store;
    let mut churnkey = churnkey(&store, REPORTEI);
    churnkey.mapping.hide_ambiguous = hide_ambiguous;
    // The addresses are shown as well: without them Churnkey can't write to customers.
    churnkey.mapping.extra = Extra::new(|native: &Customer, mapped| match native.uuid.as_str() {
        C1 => mapped.with_email(Email::new("ada@example.com").ok()),
        C2 => mapped.with_phone(Phone::new("+5491155550101").ok()),
        _ => mapped,
    });
    let customers = WithContacts {
        churnkey,
        resolver: AddressBook(book.to_vec()),
    };
    Merchant::serving(store, customers)
}

#[tokio::test]
async fn the_only_owner_is_found_and_of_several_none() {
    let merchant = merchant(false).await;
    for (path, id) in [
        ("/email/ada%40example.com", C1),
        ("/email/ADA%40Example.com", C1),
        ("/phone/%2B54%20911%205555-0101", C2),
    ] {
        let found = merchant.churnkey(path).await;
        assert_eq!(found, merchant.churnkey(&format!("/{id}")).await);
        assert_eq!(found.0, 200);
    }
    for path in [
        "/email/gone%40example.com",
        "/email/foreign%40example.com",
        "/phone/5491155550101",
    ] {
        assert_eq!(merchant.churnkey(path).await.0, 404, "{path}");
    }
    let several = json!({"code": 409, "message": "More than one customer has this email"});
    let asked = "/email/shared%40example.com";
    assert_eq!(merchant.churnkey(asked).await, (409, several));
    let hidden = self::merchant(true).await.churnkey(asked).await;
    assert_eq!((hidden.0, &hidden.1["code"]), (404, &json!(404)));
}

#[tokio::test]
async fn the_manifest_says_that_addresses_are_known_and_the_suite_passes() {
    let merchant = merchant(false).await;
    let without = Merchant::new().await.manifest().await;
    let with = merchant.manifest().await;
    assert_ne!(with, without);
    assert_eq!(
        with["controllers"]["customers"]["findByEmail"],
        Value::Bool(true)
    );
    let fixtures = Fixtures::new(C1, NOBODY)
        .email("ada@example.com", C1)
        .phone("+5491155550101", C2)
        .shared_email("shared@example.com");
    let report = check(&merchant.client, &fixtures).await.unwrap();
    report.assert_passed();
}
