//! `/labels`, which belong to a whole company.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;

use super::{
    Api,
    answer::{PageOf, Refusal, Result, bare, enveloped},
    body::Json,
    caller::Caller,
    customers::{deleted, ids},
    parameters::{Parameters, descending, offset},
};
use crate::{
    label::{Input, Label},
    store::{LabelListing, LabelSort},
};

/// `POST /labels`
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    Json(input): Json<Input>,
) -> Result<Response> {
    let new = input.check()?;
    let now = api.0.clock.now();
    let label = Label {
        id: api.0.ids.uuid()?,
        company_id: caller.company,
        user_id: Some(caller.user),
        created_at: now,
        updated_at: now,
        created_by: new.user_name.clone(),
        updated_by: new.user_name,
        name: new.name,
        description: new.description,
        color: new.color,
    };
    api.0.store.create_label(&label).await?;
    Ok(bare(StatusCode::CREATED, &label))
}

/// `GET /labels` (L18)
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    parameters: Parameters,
) -> Result<Response> {
    let (sort, descending) = order(&parameters)?;
    let limit = parameters.limit("per_page")?;
    let page = parameters.page("current_page")?;
    let listing = LabelListing {
        name: parameters.term("name")?,
        sort,
        descending,
        limit,
        offset: offset(page, limit),
    };
    let (total, labels) = api.0.store.labels(&caller.company, &listing).await?;
    let page = PageOf::new(total, limit, page, labels);
    Ok(enveloped(StatusCode::OK, &page))
}

/// The documented defaults are `sort_by=DESC` and `order_by=name`, so each of the two may say either thing.
fn order(parameters: &Parameters) -> Result<(LabelSort, bool)> {
    let (mut sort, mut is_descending) = (None, None);
    for parameter in ["sort_by", "order_by"] {
        let Some(value) = parameters.one(parameter)? else {
            continue;
        };
        let by = match value {
            "name" => Some(LabelSort::Name),
            "description" => Some(LabelSort::Description),
            "created_at" => Some(LabelSort::CreatedAt),
            _ => None,
        };
        let twice = match (by, descending(value)) {
            (Some(by), _) => sort.replace(by).is_some(),
            (None, Some(order)) => is_descending.replace(order).is_some(),
            (None, None) => true,
        };
        if twice {
            let message =
                "sort_by must be name, description or created_at, and order_by asc or desc";
            return Err(Refusal::invalid(message));
        }
    }
    Ok((
        sort.unwrap_or(LabelSort::Name),
        is_descending.unwrap_or(true),
    ))
}

#[derive(Deserialize)]
pub(super) struct Deletion {
    label_ids: Vec<String>,
}

/// `DELETE /labels`
pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Json(deletion): Json<Deletion>,
) -> Result<Response> {
    let ids = ids("label_ids", &deletion.label_ids)?;
    api.0.store.delete_labels(&caller.company, &ids).await?;
    Ok(deleted())
}
