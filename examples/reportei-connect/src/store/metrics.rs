//! The values of an integration.

use std::collections::HashMap;

use serde_json::Value;

use super::{CustomerData, Error};

impl CustomerData {
    /// The values of an integration, by the metric's id or reference key.
    ///
    /// # Errors
    /// [`Error::NoSuchRecord`], [`Error::Failed`].
    pub async fn metric_values(&self, integration: &str) -> Result<HashMap<String, Value>, Error> {
        let found = self.integration(integration).await?;
        let integration = found.ok_or(Error::NoSuchRecord)?;
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT metric, value FROM metric_values WHERE integration_seq = ?")
                .bind(integration.seq)
                .fetch_all(self.store.database.pool())
                .await?;
        rows.into_iter()
            .map(|(metric, value)| {
                let value = serde_json::from_str(&value);
                let value = value.map_err(|error| sqlx::Error::Decode(error.into()))?;
                Ok((metric, value))
            })
            .collect()
    }
}
