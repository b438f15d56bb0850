//! What a record costs that is made of a database's row, written and dropped, beyond a struct of one's own.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark that can't run should stop"
)]

mod ratio;

use std::hint::black_box;

use churnkey_integrator::{
    Currency, CustomerId, Email, Phone,
    model::{Address, Country, Customer},
};
use ratio::{Goals, compare};
use serde::Serialize;

/// What a driver returns for a row: owned texts.
#[derive(Clone)]
struct Row {
    id: String,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    country: String,
    city: String,
    postal_code: String,
    line1: String,
    currency: String,
    metadata: Vec<(String, String)>,
}

/// A record as a merchant would write it by hand, with nothing checked.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plain {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    addresses: Vec<PlainAddress>,
    currency: String,
    #[serde(serialize_with = "as_map")]
    metadata: Vec<(String, String)>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlainAddress {
    country: String,
    city: String,
    postal_code: String,
    line1: String,
}

fn as_map<S: serde::Serializer>(
    entries: &[(String, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
}

fn plain(row: Row) -> Plain {
    Plain {
        id: row.id,
        name: row.name,
        email: row.email,
        phone: row.phone,
        addresses: vec![PlainAddress {
            country: row.country,
            city: row.city,
            postal_code: row.postal_code,
            line1: row.line1,
        }],
        currency: row.currency,
        metadata: row.metadata,
    }
}

fn customer(row: Row) -> Customer {
    let address = Address::new()
        .with_country(Country::new(&row.country).unwrap())
        .with_city(row.city)
        .with_postal_code(row.postal_code)
        .with_line1(row.line1);
    Customer::new(CustomerId::new(row.id).unwrap())
        .with_name(row.name)
        .with_email(row.email.map(Email::new).transpose().unwrap())
        .with_phone(row.phone.map(Phone::new).transpose().unwrap())
        .with_addresses([address])
        .with_currency(Currency::new(&row.currency).unwrap())
        .with_metadata(row.metadata)
}

fn main() {
    let row = Row {
        id: "cus_00000001".to_owned(),
        name: Some("Ada Lovelace".to_owned()),
        email: Some("ada.lovelace@example.com".to_owned()),
        phone: Some("+441632960001".to_owned()),
        country: "GB".to_owned(),
        city: "London".to_owned(),
        postal_code: "SW1Y 4JH".to_owned(),
        line1: "12 St James's Square".to_owned(),
        currency: "usd".to_owned(),
        metadata: vec![("plan".to_owned(), "pro".to_owned())],
    };
    let ours = || serde_json::to_vec(&customer(black_box(&row).clone())).unwrap();
    let rival = || serde_json::to_vec(&plain(black_box(&row).clone())).unwrap();
    assert_eq!(ours(), rival());
    let goals = Goals {
        instructions: Some(1.3),
        time: None,
    };
    compare(
        "row to JSON, row cloned by both",
        2_000,
        &goals,
        |n| (0..n).for_each(|_| drop(black_box(ours()))),
        |n| (0..n).for_each(|_| drop(black_box(rival()))),
    );
}
