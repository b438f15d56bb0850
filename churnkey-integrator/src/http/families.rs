//! The routes of a families controller.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};

use super::{
    extract::Call,
    part::{About, Part, Parts},
    record::with_id,
    response,
    routes::Routes,
};
use crate::{
    controllers::FamiliesController,
    error::Result,
    id::FamilyId,
    model::Family,
    operation::{
        FamiliesOperation::{List, Retrieve},
        Operation,
    },
};

static ABOUT: About = About {
    method: "families",
    first: Operation::Families(Retrieve),
    needs: &[],
    without: &[],
};

pub(crate) struct Families {
    controller: Box<dyn FamiliesController>,
}

impl Families {
    pub(crate) fn new(controller: impl FamiliesController) -> Self {
        Self {
            controller: Box::new(controller),
        }
    }
}

impl Part for Families {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn mount(self: Arc<Self>, _: &Parts, routes: &mut Routes) -> Option<()> {
        routes
            .of(&self, self.controller.operations())
            .serve(Retrieve, retrieve)
            .serve(List, list);
        Some(())
    }
}

async fn retrieve(families: Arc<Families>, call: Call) -> Result<Response> {
    let id: FamilyId = call.id("id")?;
    let family = families.controller.retrieve(&call.context, &id).await?;
    let family = with_id(family, &id, Family::id, "Family not found")?;
    Ok(response::json(StatusCode::OK, &family))
}

async fn list(families: Arc<Families>, call: Call) -> Result<Response> {
    let page = call.page()?;
    let found = families.controller.list(&call.context, &page).await?;
    call.paged(&page, &found)
}
