//! New customers.

use axum::response::Response;
use example_app::lower_case_email;
use sqlx::SqliteConnection;

use super::{
    Api,
    answer::{Done, Refused, Result, json},
    form::Form,
    identify,
    update::{Changes, link_tickets},
};
use crate::{
    address::{Address, ChannelType},
    store::{Brand, Customer, changes, customers, timeline},
};

/// How a call identifies a customer (O18).
#[derive(Clone, Copy)]
enum Key<'a> {
    ExternalId(&'a str),
    Address(&'a str),
}

/// `POST /`
pub(super) async fn find_or_create(api: &Api, form: &Form) -> Result<Response> {
    let mut changes = Changes::of(form)?;
    changes.addresses = [
        linked_channel(form)?,
        form.address("extra_email", ChannelType::Email)?,
        form.address("extra_telephone", ChannelType::Telephone)?,
    ]
    .into_iter()
    .flatten()
    .collect();
    let ticket = form.number("ticket_id")?;

    let mut db = api.store.write().await?;
    let brand = identify::brand(&mut db, form, "brand_id").await?;
    let key = key(form, &brand)?;
    let (customer, message) = match find(&mut db, &brand, key).await? {
        Some(customer) => (customer, "Channel linked to existing customer."),
        None => {
            let external_id = match key {
                Key::ExternalId(id) => Some(id),
                Key::Address(text) => {
                    link_key(&mut changes, text)?;
                    None
                }
            };
            let customer = create(&mut db, &brand, external_id, &api.now()).await?;
            (customer, "User created and channel linked.")
        }
    };
    let new = changes.apply(&mut db, &brand, &customer).await?;
    if let Some(ticket) = ticket
        && !timeline::link_ticket(&mut db, brand.id, customer.id, ticket).await?
    {
        return Err(Refused::bad("This ticket does not exist."));
    }
    link_tickets(&mut db, form, &brand, &customer, &new).await?;
    db.commit().await?;
    json(&Done::new(message).customer(customer.id))
}

/// O19: a channel without an address is ignored, an address without a channel is refused.
fn linked_channel(form: &Form) -> Result<Option<Address>> {
    if form.sent("customer_link_channel").is_none_or(str::is_empty) {
        return Ok(None);
    }
    let kind = form.channel_type("channel_id")?;
    let kind = kind.ok_or_else(|| Refused::required("channel_id"))?;
    form.address("customer_link_channel", kind)
}

fn key<'a>(form: &'a Form, brand: &Brand) -> Result<Key<'a>> {
    if let Some(id) = form.text("primary_id")? {
        return Ok(Key::ExternalId(id));
    }
    if !brand.search_by_channels {
        return Err(Refused::required("primary_id"));
    }
    let address = form.text("search_customer_channel_value")?;
    address
        .map(Key::Address)
        .ok_or_else(|| Refused::bad("primary_id or search_customer_channel_value is required."))
}

async fn find(db: &mut SqliteConnection, brand: &Brand, key: Key<'_>) -> Result<Option<Customer>> {
    Ok(match key {
        Key::ExternalId(id) => {
            let found = customers::by_external_id(db, id, Some(brand.id)).await?;
            found.into_iter().next()
        }
        Key::Address(text) => customers::by_address(db, brand.id, text).await?,
    })
}

/// Links the address by which a new customer was searched. Otherwise the same call would create another customer.
fn link_key(changes: &mut Changes<'_>, text: &str) -> Result<()> {
    let is_it = |address: &Address| match address.kind() {
        ChannelType::Email => address.as_str() == lower_case_email(text),
        _ => address.as_str() == text,
    };
    if changes.addresses.iter().any(is_it) {
        return Ok(());
    }
    let address = Address::guess(text).ok_or_else(|| {
        Refused::bad("search_customer_channel_value is not a valid address of any channel.")
    })?;
    changes.addresses.push(address);
    Ok(())
}

/// Creates a customer. Refuses an external id that is in use.
pub(super) async fn create(
    db: &mut SqliteConnection,
    brand: &Brand,
    external_id: Option<&str>,
    now: &str,
) -> Result<Customer> {
    let id = changes::create(db, brand.id, external_id, now).await;
    let id = id.map_err(|error| match error.as_database_error() {
        Some(database) if database.is_unique_violation() => {
            Refused::bad("This customer already exists.")
        }
        _ => error.into(),
    })?;
    let customer = customers::by_id(db, id).await?;
    customer.ok_or_else(|| sqlx::Error::RowNotFound.into())
}

/// `POST /createCustomerCRUD`
pub(super) async fn create_strictly(api: &Api, form: &Form) -> Result<Response> {
    let changes = Changes::with_pairs(form)?;
    let external_id = form.required_text("primaryID")?;
    let mut db = api.store.write().await?;
    let brand = identify::brand(&mut db, form, "brandID").await?;
    let customer = create(&mut db, &brand, Some(external_id), &api.now()).await?;
    changes.apply(&mut db, &brand, &customer).await?;
    db.commit().await?;
    json(&Done::new("Customer created.").customer(customer.id))
}
