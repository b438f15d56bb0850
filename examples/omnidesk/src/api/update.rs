//! Changing a customer.

use std::collections::BTreeMap;

use axum::response::Response;
use sqlx::SqliteConnection;

use super::{
    Api,
    answer::{Done, Refused, Result, json},
    form::Form,
    identify::{self, Spelling},
};
use crate::{
    address::{Address, ChannelType},
    store::{Brand, Customer, Transaction, changes, customers, timeline},
};

/// Changes of a customer. Fields that are not sent stay as they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes<'a> {
    pub(super) firstname: Option<&'a str>,
    pub(super) lastname: Option<&'a str>,
    pub(super) custom: BTreeMap<&'a str, &'a str>,
    pub(super) addresses: Vec<Address>,
}

impl<'a> Changes<'a> {
    /// The names and the custom fields, which have the same names in every endpoint.
    pub(super) fn of(form: &'a Form) -> Result<Self> {
        Ok(Self {
            firstname: form.name("firstname")?,
            lastname: form.name("lastname")?,
            custom: form.custom()?,
            addresses: Vec::new(),
        })
    }

    /// The same, and the channel pairs.
    pub(super) fn with_pairs(form: &'a Form) -> Result<Self> {
        Ok(Self {
            addresses: form.channel_pairs()?,
            ..Self::of(form)?
        })
    }

    /// Applies the changes. Returns the new addresses.
    pub(super) async fn apply(
        &self,
        db: &mut SqliteConnection,
        brand: &Brand,
        customer: &Customer,
    ) -> Result<Vec<&Address>> {
        changes::rename(db, customer.id, self.firstname, self.lastname).await?;
        if !self.custom.is_empty() {
            let mut custom = customer.custom.clone();
            for (name, value) in &self.custom {
                match *value {
                    "" => custom.remove(*name),
                    value => custom.insert((*name).to_owned(), value.to_owned()),
                };
            }
            changes::set_custom(db, customer.id, &custom).await?;
        }
        let mut new = Vec::new();
        for address in &self.addresses {
            // O24: if the brand searches by channels, an address belongs to one customer only.
            if brand.search_by_channels
                && changes::is_anothers(db, brand.id, customer.id, address).await?
            {
                return Err(Refused::bad("This address belongs to another customer."));
            }
            if changes::add_address(db, customer.id, address).await? {
                new.push(address);
            }
        }
        Ok(new)
    }
}

/// Links the tickets from the new addresses, unless the call forbids it (O20).
pub(super) async fn link_tickets(
    db: &mut SqliteConnection,
    form: &Form,
    brand: &Brand,
    customer: &Customer,
    new: &[&Address],
) -> Result<()> {
    if !form.flag("noSync") {
        for address in new {
            timeline::link_tickets_from(db, brand.id, customer.id, address).await?;
        }
    }
    Ok(())
}

async fn update(
    mut db: Transaction,
    changes: &Changes<'_>,
    customer: &Customer,
) -> Result<Response> {
    let brand = identify::brand_of(&mut db, customer).await?;
    changes.apply(&mut db, &brand, customer).await?;
    db.commit().await?;
    json(&Done::new("Customer updated."))
}

/// `PUT /`
pub(super) async fn named(api: &Api, form: &Form) -> Result<Response> {
    const NAMES: Spelling = Spelling {
        customer: "customerID",
        external_id: "primaryID",
        brand: "brandID",
    };
    let changes = Changes::of(form)?;
    let mut db = api.store.write().await?;
    let external_id = form.text(NAMES.external_id)?;
    let across_brands = form.sent(NAMES.customer).is_none() && form.sent(NAMES.brand).is_none();
    let customer = match external_id {
        // O21: without a brand, the external id has to be unique over all brands.
        Some(external_id) if across_brands => {
            let mut found = customers::by_external_id(&mut db, external_id, None).await?;
            let customer = found.pop().ok_or_else(Refused::no_such_customer)?;
            if !found.is_empty() {
                return Err(Refused::bad(
                    "Several brands have a customer with this primaryID: brandID is required.",
                ));
            }
            customer
        }
        _ => identify::customer(&mut db, form, NAMES).await?,
    };
    update(db, &changes, &customer).await
}

/// `PUT /{id}`
pub(super) async fn item(api: &Api, id: i64, form: &Form) -> Result<Response> {
    let changes = Changes::with_pairs(form)?;
    let mut db = api.store.write().await?;
    let brand = identify::named_brand(&mut db, form, "brandID").await?;
    let customer = customers::by_id(&mut db, id).await?;
    let customer = customer.ok_or_else(Refused::no_such_customer)?;
    if brand.is_some_and(|brand| brand.id != customer.brand_id) {
        return Err(Refused::bad("This customer belongs to another brand."));
    }
    update(db, &changes, &customer).await
}

/// `PUT /updateCustomer`
pub(super) async fn by_external_id(api: &Api, form: &Form) -> Result<Response> {
    let changes = Changes::with_pairs(form)?;
    let mut db = api.store.write().await?;
    let customer = identify::by_external_id(&mut db, form, "externalPrimaryID", "brandID").await?;
    update(db, &changes, &customer).await
}

/// `POST /addChannelOnly`
pub(super) async fn add_channel(api: &Api, form: &Form) -> Result<Response> {
    const NAMES: Spelling = Spelling {
        customer: "customer_id",
        external_id: "primary_id",
        brand: "brand_id",
    };
    let addresses = [
        form.address("extra_email", ChannelType::Email)?,
        form.address("extra_telephone", ChannelType::Telephone)?,
        form.address("extra_twitter", ChannelType::Twitter)?,
        form.address("extra_facebook", ChannelType::Facebook)?,
    ];
    let changes = Changes {
        addresses: addresses.into_iter().flatten().collect(),
        ..Changes::default()
    };
    if changes.addresses.is_empty() {
        return Err(Refused::bad(
            "One of extra_email, extra_telephone, extra_twitter and extra_facebook is required.",
        ));
    }
    let mut db = api.store.write().await?;
    let customer = identify::customer(&mut db, form, NAMES).await?;
    let brand = identify::brand_of(&mut db, &customer).await?;
    let new = changes.apply(&mut db, &brand, &customer).await?;
    link_tickets(&mut db, form, &brand, &customer, &new).await?;
    db.commit().await?;
    json(&Done::new("Channel added."))
}
