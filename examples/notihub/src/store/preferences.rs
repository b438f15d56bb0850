//! Which messages a customer wants.

use sqlx::SqliteConnection;

use super::{Environment, Error};
use crate::record::{Mechanism, Preference};

impl Environment {
    /// Sets preferences, one for each template group, and returns all preferences of the customer.
    ///
    /// # Errors
    /// [`Error::NoSuchCustomer`], or [`Error::Failed`].
    pub async fn set_preferences(
        &self,
        customer: &str,
        preferences: &[Preference],
    ) -> Result<Vec<Preference>, Error> {
        let mut tx = self.store.database.writing().await?;
        let seq = self.known(&mut tx, customer).await?;
        for preference in preferences {
            sqlx::query(
                "INSERT INTO preferences (customer_seq, template_group_id, mechanisms) VALUES (?, ?, ?)
                 ON CONFLICT DO UPDATE SET mechanisms = excluded.mechanisms",
            )
            .bind(seq)
            .bind(&preference.template_group_id)
            .bind(as_text(&preference.mechanisms)?)
            .execute(&mut *tx)
            .await?;
        }
        let all = of(&mut tx, seq).await?;
        tx.commit().await?;
        Ok(all)
    }

    /// The customer's preferences, in the order in which their groups were set first.
    ///
    /// # Errors
    /// [`Error::NoSuchCustomer`], or [`Error::Failed`].
    pub async fn preferences(&self, customer: &str) -> Result<Vec<Preference>, Error> {
        let mut tx = self.store.database.reading().await?;
        let seq = self.known(&mut tx, customer).await?;
        of(&mut tx, seq).await
    }
}

async fn of(connection: &mut SqliteConnection, seq: i64) -> Result<Vec<Preference>, Error> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT template_group_id, mechanisms FROM preferences WHERE customer_seq = ? ORDER BY id",
    )
    .bind(seq)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(template_group_id, mechanisms)| {
            Ok(Preference {
                template_group_id,
                mechanisms: from_text(&mechanisms)?,
            })
        })
        .collect()
}

fn as_text(mechanisms: &[Mechanism]) -> Result<String, Error> {
    serde_json::to_string(mechanisms).map_err(|error| sqlx::Error::Encode(error.into()).into())
}

fn from_text(text: &str) -> Result<Vec<Mechanism>, Error> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()).into())
}
