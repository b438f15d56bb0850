//! `/merchants/settings`: the merchant itself.

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Value, json};

use super::{authenticate::Caller, error::Error};
use crate::{
    record::{Moment, Network},
    store::Store,
};

#[derive(Serialize)]
struct MerchantView<'a> {
    uuid: &'a str,
    name: &'a str,
    app_url: Option<&'a str>,
    redirect_url: Option<&'a str>,
    created_at: Moment,
    updated_at: Moment,
    /// A text, as in the vendor's API.
    rate_limit_per_minute: String,
    /// A text as well.
    rate_limit_per_second: String,
    total_customers: i64,
    available_integrations: Vec<Network>,
}

pub(super) async fn settings(
    Caller(customers): Caller,
    State(store): State<Store>,
) -> Result<Json<Value>, Error> {
    let merchant = customers.merchant();
    let view = MerchantView {
        uuid: &merchant.uuid,
        name: &merchant.name,
        app_url: merchant.app_url.as_deref(),
        redirect_url: merchant.redirect_url.as_deref(),
        created_at: merchant.created_at,
        updated_at: merchant.updated_at,
        rate_limit_per_minute: merchant.requests_per_minute.to_string(),
        rate_limit_per_second: merchant.requests_per_second.to_string(),
        total_customers: customers.count().await?,
        available_integrations: store.networks().await?,
    };
    Ok(Json(json!({"merchant": view})))
}
