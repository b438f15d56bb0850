//! `/customers/{id}/preferences`.

use axum::{Json, http::StatusCode};

use super::{Ids, authenticate::Caller, body::Sent, error::Error, fields};
use crate::record::Preference;

pub(super) async fn set(
    Caller(environment): Caller,
    ids: Ids,
    Sent(body): Sent,
) -> Result<(StatusCode, Json<Vec<Preference>>), Error> {
    let preferences = fields::preferences(body)?;
    let all = environment.set_preferences(&ids.customer, &preferences);
    Ok((StatusCode::CREATED, Json(all.await?)))
}

pub(super) async fn list(
    Caller(environment): Caller,
    ids: Ids,
) -> Result<Json<Vec<Preference>>, Error> {
    Ok(Json(environment.preferences(&ids.customer).await?))
}
