//! The demo data: `demo.json`. Its tokens are signed with a public secret.

use std::collections::BTreeMap;

use example_app::is_empty;
use serde::Deserialize;

use super::{Error, Store, labels};
use crate::record::{Label, NewCustomer};

/// The file names companies and apps, and its records refer to those names.
#[derive(Deserialize)]
struct Demo {
    companies: BTreeMap<String, String>,
    apps: BTreeMap<String, String>,
    labels: Vec<DemoLabel>,
    customers: Vec<DemoCustomer>,
}

#[derive(Deserialize)]
struct DemoLabel {
    company: String,
    id: String,
    name: String,
    color: String,
}

#[derive(Deserialize)]
struct DemoCustomer {
    company: String,
    app: String,
    customer: NewCustomer,
}

impl Store {
    /// Loads the demo data in one transaction. `false`, and nothing is loaded, if there are customers already.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn load_demo_if_empty(&self) -> Result<bool, Error> {
        let demo: Demo = serde_json::from_str(include_str!("../../demo.json"))
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        let mut tx = self.database.writing().await?;
        if !is_empty(&mut *tx, "customers").await? {
            return Ok(false);
        }
        let now = self.clock.now();
        let company = |name: &str| demo.companies.get(name).cloned().unwrap_or_default();
        for label in demo.labels {
            let label = Label {
                id: label.id,
                company_id: company(&label.company),
                user_id: None,
                created_by: String::new(),
                updated_by: String::new(),
                created_at: now,
                updated_at: now,
                name: label.name,
                description: String::new(),
                color: label.color,
            };
            labels::insert(&mut tx, &label).await?;
        }
        for customer in &demo.customers {
            let app = demo.apps.get(&customer.app).cloned().unwrap_or_default();
            let scope = self.scope(company(&customer.company), None);
            scope.insert(&mut tx, &app, &customer.customer).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
