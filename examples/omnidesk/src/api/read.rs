//! Reading customers.

use std::collections::BTreeMap;

use axum::response::Response;
use serde::Serialize;

use super::{
    Api,
    answer::{Refused, Result, json},
    form::Form,
    identify,
};
use crate::store::{Channel, Customer, customers};

const DEFAULT_LIMIT: i64 = 15;
const MAX_LIMIT: i64 = 99;
/// The most words of a search: each one is searched in every customer.
const MAX_WORDS: usize = 10;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    r#type: &'static str,
    item_start: i64,
    item_total: i64,
    item_limit: i64,
    items: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: i64,
    external_primary_id: Option<&'a str>,
    brand_name: &'a str,
    firstname: &'a str,
    lastname: &'a str,
    channels: Vec<ChannelEntry<'a>>,
}

#[derive(Serialize)]
struct ChannelEntry<'a> {
    id: i64,
    channel_id: i64,
    channel_name: &'static str,
    address: &'a str,
}

#[derive(Serialize)]
struct Single<'a> {
    r#type: &'static str,
    item: Item<'a>,
}

#[derive(Serialize)]
struct Item<'a> {
    #[serde(flatten)]
    entry: Entry<'a>,
    brand_id: i64,
    created_at: &'a str,
    #[serde(flatten)]
    custom: &'a BTreeMap<String, String>,
}

impl<'a> From<&'a Customer> for Entry<'a> {
    fn from(customer: &'a Customer) -> Self {
        let channel = |channel: &'a Channel| ChannelEntry {
            id: channel.id,
            channel_id: channel.kind.id(),
            channel_name: channel.kind.name(),
            address: &channel.address,
        };
        Self {
            id: customer.id,
            external_primary_id: customer.external_primary_id.as_deref(),
            brand_name: &customer.brand_name,
            firstname: &customer.firstname,
            lastname: &customer.lastname,
            channels: customer.channels.iter().map(channel).collect(),
        }
    }
}

/// `GET /`
pub(super) async fn index(api: &Api, query: &Form) -> Result<Response> {
    let start = query.number("itemStart")?.unwrap_or(0);
    let limit = query.number("itemLimit")?.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refused::bad("itemLimit must be from 1 to 99."));
    }
    let words = match query.sent("query") {
        None => Vec::new(),
        Some(text) => words(text)
            .ok_or_else(|| Refused::bad("query must consist of letters, digits and spaces."))?,
    };
    if words.len() > MAX_WORDS {
        return Err(Refused::bad("query must have at most 10 words."));
    }
    let mut db = api.store.read().await?;
    let (total, customers) = customers::index(&mut db, &words, start, limit).await?;
    json(&Index {
        r#type: "index",
        item_start: start,
        item_total: total,
        item_limit: limit,
        items: customers.iter().map(Entry::from).collect(),
    })
}

/// The words to search for (O16), if the text has the pattern `^[0-9a-zA-Z ]+$`.
fn words(text: &str) -> Option<Vec<String>> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b' ';
    let words = text.split(' ').filter(|word| !word.is_empty());
    (!text.is_empty() && text.bytes().all(allowed))
        .then(|| words.map(str::to_ascii_lowercase).collect())
}

fn single(customer: &Customer) -> Result<Response> {
    json(&Single {
        r#type: "item",
        item: Item {
            entry: customer.into(),
            brand_id: customer.brand_id,
            created_at: &customer.created_at,
            custom: &customer.custom,
        },
    })
}

/// `GET /{id}`
pub(super) async fn item(api: &Api, id: i64) -> Result<Response> {
    let mut db = api.store.read().await?;
    let customer = customers::by_id(&mut db, id).await?;
    single(&customer.ok_or_else(Refused::no_such_customer)?)
}

/// `POST /SearchByPrimaryExternalID`
pub(super) async fn search_by_external_id(api: &Api, form: &Form) -> Result<Response> {
    let mut db = api.store.read().await?;
    let customer = identify::by_external_id(&mut db, form, "primary_id", "brand_id").await?;
    single(&customer)
}

/// `POST /SearchByCustomerChannelValue`
pub(super) async fn search_by_address(api: &Api, form: &Form) -> Result<Response> {
    let address = form.required_text("customerChannelValue")?;
    let mut db = api.store.read().await?;
    let brand = identify::brand(&mut db, form, "brand_id").await?;
    let customer = customers::by_address(&mut db, brand.id, address).await?;
    single(&customer.ok_or_else(Refused::no_such_customer)?)
}
