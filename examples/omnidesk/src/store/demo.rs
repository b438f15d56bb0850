//! The demo data of `demo.json`.

use std::collections::BTreeMap;

use example_app::is_empty;
use serde::Deserialize;
use sqlx::SqliteConnection;

use super::{Result, Store, hash};
use crate::address::{Address, ChannelType};

/// The demo data can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum CannotLoad {
    /// The file does not have the expected form.
    #[error("demo.json: {0}")]
    File(#[from] serde_json::Error),
    /// The file has an address that is not valid.
    #[error("demo.json: the channel {0} has no valid address")]
    Address(i64),
    /// The database refused.
    #[error("the demo data can't be stored: {0}")]
    Store(#[from] sqlx::Error),
}

#[derive(Deserialize)]
struct Demo {
    keys: Vec<Key>,
    brands: Vec<Brand>,
    customers: Vec<Customer>,
    events: Vec<Event>,
    tickets: Vec<Ticket>,
}

#[derive(Deserialize)]
struct Key {
    key: String,
    permissions: Vec<Permission>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Permission {
    CustomerRead,
    CustomerCud,
}

#[derive(Deserialize)]
struct Brand {
    id: i64,
    name: String,
    search_by_channels: bool,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Customer {
    id: i64,
    brand_id: i64,
    external_primary_id: Option<String>,
    firstname: String,
    lastname: String,
    custom: BTreeMap<String, String>,
    channels: Vec<Channel>,
    purged_at: Option<String>,
}

#[derive(Deserialize)]
struct Channel {
    id: i64,
    channel_id: i64,
    address: String,
}

#[derive(Deserialize)]
struct Event {
    id: i64,
    customer_id: i64,
    message: String,
    initiated_by: Option<String>,
    source_url: Option<String>,
    created_at: String,
}

#[derive(Deserialize)]
struct Ticket {
    id: i64,
    brand_id: i64,
    customer_id: Option<i64>,
    from: String,
    status: String,
    channel_id: i64,
    created_at: String,
}

impl Store {
    /// Loads the demo data in one transaction, with customers created at `now`. `false`, and nothing is loaded, if there are brands
    /// already.
    ///
    /// # Errors
    /// [`CannotLoad`] if the file is not valid or the database refuses.
    pub async fn load_demo(&self, now: &str) -> std::result::Result<bool, CannotLoad> {
        let demo: Demo = serde_json::from_str(include_str!("../../demo.json"))?;
        let mut tx = self.write().await?;
        if !is_empty(&mut *tx, "brands").await? {
            return Ok(false);
        }
        for key in &demo.keys {
            sqlx::query("INSERT INTO api_keys (hash, may_read, may_change) VALUES (?, ?, ?)")
                .bind(hash(&key.key))
                .bind(key.permissions.contains(&Permission::CustomerRead))
                .bind(key.permissions.contains(&Permission::CustomerCud))
                .execute(&mut *tx)
                .await?;
        }
        for brand in &demo.brands {
            sqlx::query("INSERT INTO brands (id, name, search_by_channels) VALUES (?, ?, ?)")
                .bind(brand.id)
                .bind(&brand.name)
                .bind(brand.search_by_channels)
                .execute(&mut *tx)
                .await?;
        }
        for customer in &demo.customers {
            insert(&mut tx, customer, now).await?;
            for channel in &customer.channels {
                let address = ChannelType::from_id(channel.channel_id)
                    .and_then(|kind| Address::new(kind, &channel.address))
                    .ok_or(CannotLoad::Address(channel.id))?;
                insert_channel(&mut tx, customer.id, channel.id, &address).await?;
            }
        }
        for event in &demo.events {
            sqlx::query(
                "INSERT INTO events (id, customer_id, message, initiated_by, source_url, created_at)
                    VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(event.id)
            .bind(event.customer_id)
            .bind(&event.message)
            .bind(&event.initiated_by)
            .bind(&event.source_url)
            .bind(&event.created_at)
            .execute(&mut *tx)
            .await?;
        }
        for ticket in &demo.tickets {
            sqlx::query(
                "INSERT INTO tickets (id, brand_id, customer_id, sender, status, channel_id, created_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(ticket.id)
            .bind(ticket.brand_id)
            .bind(ticket.customer_id)
            .bind(&ticket.from)
            .bind(&ticket.status)
            .bind(ticket.channel_id)
            .bind(&ticket.created_at)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

async fn insert(db: &mut SqliteConnection, customer: &Customer, now: &str) -> Result<()> {
    let custom = customer.custom.iter();
    let custom: serde_json::Map<_, _> = custom
        .map(|(key, value)| (key.clone(), value.as_str().into()))
        .collect();
    sqlx::query(
        "INSERT INTO customers (id, brand_id, external_primary_id, firstname, lastname, custom, created_at, purged_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, iif(?8 IS NULL, ?7, NULL), ?8)",
    )
    .bind(customer.id)
    .bind(customer.brand_id)
    .bind(&customer.external_primary_id)
    .bind(&customer.firstname)
    .bind(&customer.lastname)
    .bind(serde_json::Value::from(custom).to_string())
    .bind(now)
    .bind(&customer.purged_at)
    .execute(db)
    .await?;
    Ok(())
}

async fn insert_channel(
    db: &mut SqliteConnection,
    customer: i64,
    id: i64,
    address: &Address,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO channels (id, customer_id, channel_id, address, lookup_key) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(customer)
    .bind(address.kind().id())
    .bind(address.as_str())
    .bind(address.lookup_key())
    .execute(db)
    .await?;
    Ok(())
}
