//! `/labels`. They belong to the whole company, so no app has to be named.

use axum::{Json, http::StatusCode};
use serde::Deserialize;

use super::{
    DELETED, Deleted, Envelope,
    authenticate::Caller,
    body::Sent,
    error::Error,
    fields::{LabelFields, ids},
    lists::{Page, Query, is_descending},
};
use crate::{
    record::Label,
    store::{LabelListing, LabelSort},
};

/// Answers without an envelope, as the vendor does.
pub(super) async fn create(
    Caller { scope, user }: Caller,
    Sent(fields): Sent<LabelFields>,
) -> Result<(StatusCode, Json<Label>), Error> {
    let label = scope.create_label(&fields.new_label(user)?).await?;
    Ok((StatusCode::CREATED, Json(label)))
}

pub(super) async fn list(
    Caller { scope, .. }: Caller,
    query: Query,
) -> Result<Json<Envelope<Page<Label>>>, Error> {
    let listing = listing(&query)?;
    let (total, labels) = scope.labels(&listing).await?;
    Ok(Json(Page::of(total, listing.limit, listing.page, labels)))
}

#[derive(Deserialize)]
pub(super) struct Deletion {
    label_ids: Vec<String>,
}

/// Like the deletion of customers. A deleted label is removed from its customers (L18).
pub(super) async fn delete(
    Caller { scope, .. }: Caller,
    Sent(deletion): Sent<Deletion>,
) -> Result<Json<Envelope<Deleted>>, Error> {
    scope
        .delete_labels(&ids("label_ids", &deletion.label_ids)?)
        .await?;
    Ok(Json(DELETED))
}

fn listing(query: &Query) -> Result<LabelListing, Error> {
    let (sort, descending) = order(query)?;
    Ok(LabelListing {
        limit: query.limit("per_page")?,
        page: query.page("current_page")?,
        name: query.term("name")?,
        sort,
        descending,
    })
}

/// The documented defaults are `sort_by=DESC` and `order_by=name`. So both parameters take the values of both (L18).
fn order(query: &Query) -> Result<(LabelSort, bool), Error> {
    let (mut sort, mut descending) = (None, None);
    for name in ["sort_by", "order_by"] {
        let Some(value) = query.one(name)? else {
            continue;
        };
        let said = match value {
            "name" => sort.replace(LabelSort::Name).is_none(),
            "description" => sort.replace(LabelSort::Description).is_none(),
            "created_at" => sort.replace(LabelSort::CreatedAt).is_none(),
            other => match is_descending(other) {
                Some(order) => descending.replace(order).is_none(),
                None => false,
            },
        };
        if !said {
            return Err(Error::invalid(
                "sort_by must be name, description or created_at, and order_by asc or desc",
            ));
        }
    }
    Ok((sort.unwrap_or(LabelSort::Name), descending.unwrap_or(true)))
}
