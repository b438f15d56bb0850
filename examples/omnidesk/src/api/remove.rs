//! Deleting and purging.

use axum::response::Response;

use super::{
    Api,
    answer::{Done, Refused, Result, json},
    form::Form,
    identify,
};
use crate::store::{Transaction, changes};

/// `DELETE /{id}`
pub(super) async fn item(api: &Api, id: i64) -> Result<Response> {
    let mut db = api.store.write().await?;
    if !changes::delete(&mut db, id).await? {
        return Err(Refused::no_such_customer());
    }
    db.commit().await?;
    json(&Done::new("Customer deleted."))
}

/// `DELETE /channel/{id}`
pub(super) async fn channel(api: &Api, id: i64) -> Result<Response> {
    let mut db = api.store.write().await?;
    if !changes::remove_channel(&mut db, id).await? {
        return Err(Refused::bad("This channel does not exist."));
    }
    db.commit().await?;
    json(&Done::new("Channel deleted."))
}

/// `DELETE /purgeData/{id}`
pub(super) async fn purge(api: &Api, id: i64) -> Result<Response> {
    erase(api, api.store.write().await?, id).await
}

/// `DELETE /purgedata`, the older form. Its fields are in the query or in the body; the body wins.
pub(super) async fn purge_named(api: &Api, query: &Form, body: &Form) -> Result<Response> {
    let form = query.overlaid(body);
    let mut db = api.store.write().await?;
    let customer = identify::by_external_id(&mut db, &form, "externalPrimaryID", "brandID").await?;
    erase(api, db, customer.id).await
}

async fn erase(api: &Api, mut db: Transaction, id: i64) -> Result<Response> {
    if !changes::purge(&mut db, id, &api.now()).await? {
        return Err(Refused::no_such_customer());
    }
    db.commit().await?;
    json(&Done::new("Customer data purged."))
}
