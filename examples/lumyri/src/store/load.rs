//! Loading the demo data.

use churnkey_integrator::Timestamp;

use super::{Store, StoreError, customers, labels};
use crate::{
    customer::NewCustomer,
    demo::{Demo, DemoCustomer},
    label::Label,
};

impl Store {
    /// Stores the demo data, unless there is any customer. Says whether it did.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is stored.
    pub async fn load_if_empty(&self, demo: &Demo, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let filled: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM customers)")
            .fetch_one(&mut *transaction)
            .await?;
        if filled {
            return Ok(false);
        }
        let company = |name: &str| demo.companies.get(name).cloned().unwrap_or_default();
        for label in &demo.labels {
            let label = Label {
                id: label.id.clone(),
                company_id: company(&label.company),
                user_id: None,
                created_at: now,
                updated_at: now,
                created_by: String::new(),
                updated_by: String::new(),
                name: label.name.clone(),
                description: String::new(),
                color: label.color.clone(),
            };
            labels::insert(&mut transaction, &label).await?;
        }
        for customer in &demo.customers {
            let new = new_customer(demo, customer);
            customers::insert(&mut transaction, &new, now).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}

fn new_customer(demo: &Demo, customer: &DemoCustomer) -> NewCustomer {
    let id = |ids: &std::collections::BTreeMap<String, String>, name: &str| {
        ids.get(name).cloned().unwrap_or_default()
    };
    NewCustomer {
        id: customer.id.clone(),
        company: id(&demo.companies, &customer.company),
        app: id(&demo.apps, &customer.app),
        first_name: customer.first_name.clone(),
        last_name: customer.last_name.clone(),
        email: customer.email.clone(),
        phone: customer.phone.clone(),
        address: customer.address.clone(),
        avatar: customer.avatar.clone(),
        labels: customer.labels.clone(),
    }
}
