//! The routes of a families controller.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};

use super::{
    extract::Call,
    response::{self, paged},
    routes::Routes,
};
use crate::{
    controllers::FamiliesController,
    error::{Fault, HandlerError, Result},
    id::FamilyId,
    operation::FamiliesOperation::{List, Retrieve},
};

type Controller = Arc<dyn FamiliesController>;

/// Mounts both operations.
pub(crate) fn mount(routes: &mut Routes, families: &Controller) {
    routes.serve(Retrieve.into(), families, retrieve);
    routes.serve(List.into(), families, list);
}

async fn retrieve(families: Controller, call: Call) -> Result<Response> {
    let id: FamilyId = call.id("id")?;
    let family = families.retrieve(&call.context, &id).await?;
    let family = family.ok_or_else(|| HandlerError::not_found("Family not found"))?;
    if *family.id() != id {
        return Err(Fault::AnotherRecord.into());
    }
    Ok(response::json(StatusCode::OK, &family))
}

async fn list(families: Controller, call: Call) -> Result<Response> {
    let page = call.page()?;
    let found = families.list(&call.context, &page).await?;
    paged(&call, page.limit(), &found)
}
