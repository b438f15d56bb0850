//! Customers, with the discounts that hold for them.

use std::collections::BTreeMap;

use churnkey_integrator::{
    Currency, CustomerId, Email, Phone, Result,
    model::{Address, Country, Customer, Discount},
};
use serde::Deserialize;
use tokio_postgres::{
    Row,
    types::{Json, ToSql},
};

use super::{Shop, Statement};

impl Shop {
    /// The customer with this id.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>> {
        let statement = &self.statements.customers.by_id;
        let found = self.customers(statement, &[&id.as_str()]).await?;
        Ok(found.into_iter().next())
    }

    /// At most so many customers after an insertion number, each with theirs.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn customers_after(&self, seq: i64, limit: i64) -> Result<Vec<(i64, Customer)>> {
        let statement = &self.statements.customers.after;
        let rows = self.database.query(statement, &[&seq, &limit]).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("seq")?, customer(row)?)))
            .collect()
    }

    /// Who has this e-mail address, whatever its letter case. Two are enough to know that there are several.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn customers_by_email(&self, email: &Email) -> Result<Vec<Customer>> {
        let key = email.lookup_key();
        self.customers(&self.statements.customers_by_email, &[&key])
            .await
    }

    /// Who has this phone number, whatever its punctuation. Two are enough to know that there are several.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn customers_by_phone(&self, phone: &Phone) -> Result<Vec<Customer>> {
        let Some(key) = phone.lookup_key() else {
            return Ok(Vec::new());
        };
        self.customers(&self.statements.customers_by_phone, &[&key])
            .await
    }

    async fn customers(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Customer>> {
        let rows = self.database.query(statement, parameters).await?;
        rows.iter().map(customer).collect()
    }
}

/// From your columns to Churnkey's model. A `with_*` method takes a nullable column as it is.
fn customer(row: &Row) -> Result<Customer> {
    let id: String = row.try_get("id")?;
    let email: Option<String> = row.try_get("email")?;
    let phone: Option<String> = row.try_get("phone")?;
    let currency: Option<&str> = row.try_get("currency")?;
    let addresses: Option<Json<Vec<StoredAddress>>> = row.try_get("addresses")?;
    let addresses = addresses.map_or_else(Vec::new, |addresses| addresses.0);
    let discounts: Vec<Json<Discount>> = row.try_get("discounts")?;
    let metadata: Json<BTreeMap<String, String>> = row.try_get("metadata")?;

    Ok(Customer::new(CustomerId::new(id)?)
        .with_name(row.try_get::<_, Option<String>>("name")?)
        .with_last_name(row.try_get::<_, Option<String>>("last_name")?)
        .with_email(email.map(Email::new).transpose()?)
        .with_phone(phone.map(Phone::new).transpose()?)
        .with_addresses(addresses.into_iter().map(Address::from))
        .with_discounts(discounts.into_iter().map(|discount| discount.0))
        .with_currency(currency.map(Currency::new).transpose()?)
        .with_metadata(metadata.0))
}

/// An address as the column has it. Its country may be in words: whoever filled the column was not asked for a code.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredAddress {
    country: Option<String>,
    state: Option<String>,
    city: Option<String>,
    postal_code: Option<String>,
    line1: Option<String>,
    line2: Option<String>,
}

impl From<StoredAddress> for Address {
    /// Leaves out a country that is no code, or one customer's would keep all others from being served.
    fn from(stored: StoredAddress) -> Self {
        let country = stored.country.and_then(|code| Country::new(&code).ok());
        Self::new()
            .with_country(country)
            .with_state(stored.state)
            .with_city(stored.city)
            .with_postal_code(stored.postal_code)
            .with_line1(stored.line1)
            .with_line2(stored.line2)
    }
}
