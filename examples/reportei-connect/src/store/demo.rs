//! The demo data: `demo.json`, with public credentials.

use std::collections::BTreeMap;

use example_app::is_empty;
use serde::Deserialize;
use serde_json::Value;
use sqlx::SqliteConnection;

use super::{Error, Store, tokens::Hash};
use crate::record::{IntegrationStatus, Moment, Network};

#[derive(Deserialize)]
struct Demo {
    networks: Vec<Network>,
    merchants: Vec<DemoMerchant>,
    customers: Vec<DemoCustomer>,
}

#[derive(Deserialize)]
struct DemoMerchant {
    uuid: String,
    name: String,
    token: String,
    app_url: Option<String>,
    redirect_url: Option<String>,
    requests_per_minute: u32,
    requests_per_second: u32,
    created_at: Moment,
}

#[derive(Deserialize)]
struct DemoCustomer {
    /// Their name.
    merchant: String,
    uuid: String,
    name: String,
    created_at: Moment,
    trial_ends_at: Moment,
    is_paying: bool,
    token: String,
    integrations: Vec<DemoIntegration>,
}

#[derive(Deserialize)]
struct DemoIntegration {
    uuid: String,
    network: String,
    source_name: String,
    status: IntegrationStatus,
    created_at: Moment,
    metrics: BTreeMap<String, Value>,
}

impl Store {
    /// Loads the demo data in one transaction. `false`, and nothing is loaded, if there is a merchant already.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn load_demo_if_empty(&self) -> Result<bool, Error> {
        let demo: Demo = serde_json::from_str(include_str!("../../demo.json"))
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        let mut tx = self.database.writing().await?;
        if !is_empty(&mut *tx, "merchants").await? {
            return Ok(false);
        }
        for network in &demo.networks {
            sqlx::query("INSERT INTO networks (slug, name) VALUES (?, ?)")
                .bind(&network.slug)
                .bind(&network.name)
                .execute(&mut *tx)
                .await?;
        }
        for merchant in &demo.merchants {
            load_merchant(&mut tx, merchant).await?;
        }
        for customer in &demo.customers {
            load_customer(&mut tx, customer).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

async fn load_merchant(tx: &mut SqliteConnection, demo: &DemoMerchant) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO merchants (uuid, name, token_hash, app_url, redirect_url,
         requests_per_minute, requests_per_second, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
    )
    .bind(&demo.uuid)
    .bind(&demo.name)
    .bind(Hash::of(&demo.token).bytes())
    .bind(&demo.app_url)
    .bind(&demo.redirect_url)
    .bind(demo.requests_per_minute)
    .bind(demo.requests_per_second)
    .bind(demo.created_at.seconds())
    .execute(tx)
    .await?;
    Ok(())
}

async fn load_customer(tx: &mut SqliteConnection, demo: &DemoCustomer) -> Result<(), Error> {
    let seq: i64 = sqlx::query_scalar(
        "INSERT INTO customers
         (uuid, merchant_id, name, token_hash, trial_ends_at, is_paying, created_at, updated_at)
         SELECT ?1, id, ?2, ?3, ?4, ?5, ?6, ?6 FROM merchants WHERE name = ?7 RETURNING seq",
    )
    .bind(&demo.uuid)
    .bind(&demo.name)
    .bind(Hash::of(&demo.token).bytes())
    .bind(demo.trial_ends_at.seconds())
    .bind(demo.is_paying)
    .bind(demo.created_at.seconds())
    .bind(&demo.merchant)
    .fetch_one(&mut *tx)
    .await?;
    for integration in &demo.integrations {
        load_integration(tx, seq, integration).await?;
    }
    Ok(())
}

async fn load_integration(
    tx: &mut SqliteConnection,
    customer: i64,
    demo: &DemoIntegration,
) -> Result<(), Error> {
    let seq: i64 = sqlx::query_scalar(
        "INSERT INTO integrations
         (uuid, customer_seq, network, source_name, status, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) RETURNING seq",
    )
    .bind(&demo.uuid)
    .bind(customer)
    .bind(&demo.network)
    .bind(&demo.source_name)
    .bind(demo.status)
    .bind(demo.created_at.seconds())
    .fetch_one(&mut *tx)
    .await?;
    for (metric, value) in &demo.metrics {
        sqlx::query("INSERT INTO metric_values (integration_seq, metric, value) VALUES (?, ?, ?)")
            .bind(seq)
            .bind(metric)
            .bind(value.to_string())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
