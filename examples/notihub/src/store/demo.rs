//! The demo data: `demo.json`, with public credentials.

use churnkey_integrator::Timestamp;
use example_app::is_empty;
use serde::Deserialize;
use sqlx::SqliteConnection;

use super::{Environment, Error, Store, tokens::hash};
use crate::record::{ContactKind, NewContact, NewCustomer, Status};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Demo {
    public_key: String,
    secret_key: String,
    environments: Vec<DemoEnvironment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DemoEnvironment {
    name: String,
    client_id: String,
    client_secret: String,
    tokens: Vec<DemoToken>,
    customers: Vec<DemoCustomer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DemoToken {
    token: String,
    expires_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DemoCustomer {
    customer_id: String,
    external_id: Option<String>,
    status: Status,
    language: Option<String>,
    metadata: String,
    contacts: Vec<DemoContact>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DemoContact {
    contact_id: i64,
    #[serde(rename = "type")]
    kind: ContactKind,
    value: String,
    primary: bool,
    verified: bool,
}

impl Store {
    /// Loads the demo data in one transaction. `false`, and nothing is loaded, if there is an account already.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn load_demo_if_empty(&self) -> Result<bool, Error> {
        let demo: Demo = serde_json::from_str(include_str!("../../demo.json"))
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        let mut tx = self.database.writing().await?;
        if !is_empty(&mut *tx, "accounts").await? {
            return Ok(false);
        }
        let account: i64 = sqlx::query_scalar(
            "INSERT INTO accounts (public_key, secret_hash) VALUES (?, ?) RETURNING id",
        )
        .bind(&demo.public_key)
        .bind(hash(&demo.secret_key))
        .fetch_one(&mut *tx)
        .await?;
        for environment in demo.environments {
            self.load_environment(&mut tx, account, environment).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn load_environment(
        &self,
        connection: &mut SqliteConnection,
        account: i64,
        demo: DemoEnvironment,
    ) -> Result<(), Error> {
        let id = sqlx::query_scalar(
            "INSERT INTO environments (account_id, name, client_id, client_secret_hash)
             VALUES (?, ?, ?, ?) RETURNING id",
        )
        .bind(account)
        .bind(&demo.name)
        .bind(&demo.client_id)
        .bind(hash(&demo.client_secret))
        .fetch_one(&mut *connection)
        .await?;
        for token in demo.tokens {
            sqlx::query("INSERT INTO tokens (hash, environment_id, expires_at) VALUES (?, ?, ?)")
                .bind(hash(&token.token))
                .bind(id)
                .bind(token.expires_at.unix_millis())
                .execute(&mut *connection)
                .await?;
        }
        let environment = self.scoped(id);
        for customer in demo.customers {
            environment.load_customer(connection, customer).await?;
        }
        Ok(())
    }
}

impl Environment {
    async fn load_customer(
        &self,
        connection: &mut SqliteConnection,
        demo: DemoCustomer,
    ) -> Result<(), Error> {
        let new = NewCustomer {
            external_id: demo.external_id,
            status: demo.status,
            language: demo.language,
            metadata: demo.metadata,
            contacts: Vec::new(),
        };
        let seq = self.insert(connection, &demo.customer_id, &new).await?;
        for contact in demo.contacts {
            let new = NewContact {
                kind: contact.kind,
                value: contact.value,
                primary: contact.primary,
                verified: contact.verified,
            };
            let id = Some(contact.contact_id);
            self.insert_contact(connection, seq, id, &new).await?;
        }
        Ok(())
    }
}
