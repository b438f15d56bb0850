//! The brand and the customer of a call.

use sqlx::SqliteConnection;

use super::{
    answer::{Refused, Result},
    form::Form,
};
use crate::store::{self, Brand, Customer, customers};

/// The names of the three fields. Each endpoint has its own spelling, and reads no other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spelling {
    pub(super) customer: &'static str,
    pub(super) external_id: &'static str,
    pub(super) brand: &'static str,
}

/// The brand that the call names, if it names one.
pub(super) async fn named_brand(
    db: &mut SqliteConnection,
    form: &Form,
    name: &str,
) -> Result<Option<Brand>> {
    let Some(id) = form.number(name)? else {
        return Ok(None);
    };
    let brand = store::brand(db, id).await?;
    let brand = brand.ok_or_else(|| Refused::bad("This brand does not exist."))?;
    Ok(Some(brand))
}

/// The brand that the call names, or the only one of the account (O11).
pub(super) async fn brand(db: &mut SqliteConnection, form: &Form, name: &str) -> Result<Brand> {
    if let Some(brand) = named_brand(db, form, name).await? {
        return Ok(brand);
    }
    let only = store::only_brand(db).await?;
    only.ok_or_else(|| Refused::required(name))
}

/// The brand of an existing customer.
pub(super) async fn brand_of(db: &mut SqliteConnection, customer: &Customer) -> Result<Brand> {
    let brand = store::brand(db, customer.brand_id).await?;
    brand.ok_or_else(|| Refused::from(sqlx::Error::RowNotFound))
}

/// The customer with an external id in a brand.
pub(super) async fn by_external_id(
    db: &mut SqliteConnection,
    form: &Form,
    external_id: &str,
    brand_name: &str,
) -> Result<Customer> {
    let external_id = form.required_text(external_id)?;
    let brand = brand(db, form, brand_name).await?;
    let found = customers::by_external_id(db, external_id, Some(brand.id)).await?;
    found
        .into_iter()
        .next()
        .ok_or_else(Refused::no_such_customer)
}

/// The customer with an id, or with an external id in a brand. If several of the three are sent, they have to belong to the same
/// customer.
pub(super) async fn customer(
    db: &mut SqliteConnection,
    form: &Form,
    names: Spelling,
) -> Result<Customer> {
    let Some(id) = form.number(names.customer)? else {
        if form.text(names.external_id)?.is_none() {
            return Err(Refused::bad(format!(
                "{}, or {} with {}, is required.",
                names.customer, names.external_id, names.brand
            )));
        }
        return by_external_id(db, form, names.external_id, names.brand).await;
    };
    let external_id = form.text(names.external_id)?;
    let brand = named_brand(db, form, names.brand).await?;
    let customer = customers::by_id(db, id).await?;
    let customer = customer.ok_or_else(Refused::no_such_customer)?;
    let fits = brand.is_none_or(|brand| brand.id == customer.brand_id)
        && external_id.is_none_or(|id| customer.external_primary_id.as_deref() == Some(id));
    if !fits {
        return Err(Refused::bad(format!(
            "{}, {} and {} name different customers.",
            names.customer, names.external_id, names.brand
        )));
    }
    Ok(customer)
}
