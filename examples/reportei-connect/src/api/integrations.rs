//! `/customer-integrations`: the networks that a customer has connected.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    PathUuid, PublicUrl,
    authenticate::AdmittedCustomer,
    customers::done,
    error::Error,
    fields::Fields,
    paging::{PageView, page_number},
};
use crate::record::{Integration, IntegrationStatus, Moment, Network};

/// An integration as its own endpoints have it.
#[derive(Serialize)]
pub(super) struct IntegrationView {
    uuid: String,
    source_name: String,
    status: IntegrationStatus,
    created_at: Moment,
    updated_at: Moment,
    integration: Network,
}

/// An integration as a customer's settings have it.
#[derive(Serialize)]
pub(super) struct IntegrationSummary {
    uuid: String,
    integration: String,
    name: String,
    slug: String,
    status: IntegrationStatus,
}

impl From<Integration> for IntegrationView {
    fn from(integration: Integration) -> Self {
        Self {
            uuid: integration.uuid,
            source_name: integration.source_name,
            status: integration.status,
            created_at: integration.created_at,
            updated_at: integration.updated_at,
            integration: integration.network,
        }
    }
}

impl From<Integration> for IntegrationSummary {
    fn from(integration: Integration) -> Self {
        Self {
            uuid: integration.uuid,
            integration: integration.network.name,
            name: integration.source_name,
            slug: integration.network.slug,
            status: integration.status,
        }
    }
}

pub(super) async fn list(
    AdmittedCustomer(data): AdmittedCustomer,
    State(public_url): State<PublicUrl>,
    RawQuery(query): RawQuery,
) -> Result<Json<PageView<IntegrationView>>, Error> {
    let mut fields = Fields::of_query(query.as_deref());
    let page = page_number(&mut fields);
    let page = fields.accept(page)?;
    let paged = data.integrations(page).await?;
    let path = "customer-integrations";
    let view = IntegrationView::from;
    Ok(Json(PageView::new(
        paged,
        page,
        None,
        &public_url,
        path,
        view,
    )))
}

pub(super) async fn show(
    AdmittedCustomer(data): AdmittedCustomer,
    PathUuid(uuid): PathUuid,
) -> Result<Json<Value>, Error> {
    let integration = data.integration(&uuid).await?;
    let integration = integration.ok_or(Error::NoSuchRecord)?;
    let view = IntegrationView::from(integration);
    Ok(Json(json!({"customer_integration": view})))
}

pub(super) async fn delete(
    AdmittedCustomer(data): AdmittedCustomer,
    PathUuid(uuid): PathUuid,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Error> {
    let mut fields = Fields::of_query(query.as_deref());
    let session = fields.text("session_id", 64);
    let session = fields.accept(session)?;
    data.disconnect(&uuid, &session).await?;
    Ok(done("Record successfully removed"))
}
