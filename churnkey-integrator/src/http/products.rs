//! The routes of a products controller.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};

use super::{
    extract::Call,
    response::{self, paged},
    routes::Routes,
};
use crate::{
    controllers::ProductsController,
    error::{Fault, HandlerError, Result},
    id::ProductId,
    model::{Product, ProductType},
    operation::ProductsOperation::{List, Retrieve},
};

/// The controller, and the type that it has declared.
pub(crate) struct Products {
    pub(crate) controller: Arc<dyn ProductsController>,
    pub(crate) declared: ProductType,
}

impl Products {
    /// A product of the other type would be read wrongly.
    pub(super) fn check(&self, product: &Product) -> Result<(), Fault> {
        if product.product_type() == self.declared {
            Ok(())
        } else {
            Err(Fault::OtherProductType)
        }
    }
}

/// Mounts both operations.
pub(crate) fn mount(routes: &mut Routes, products: &Arc<Products>) {
    routes.serve(Retrieve.into(), products, retrieve);
    routes.serve(List.into(), products, list);
}

async fn retrieve(products: Arc<Products>, call: Call) -> Result<Response> {
    let id: ProductId = call.id("id")?;
    let product = products.controller.retrieve(&call.context, &id).await?;
    let product = product.ok_or_else(|| HandlerError::not_found("Product not found"))?;
    if *product.id() != id {
        return Err(Fault::AnotherRecord.into());
    }
    products.check(&product)?;
    Ok(response::json(StatusCode::OK, &product))
}

async fn list(products: Arc<Products>, call: Call) -> Result<Response> {
    let page = call.page()?;
    let found = products.controller.list(&call.context, &page).await?;
    for product in found.data() {
        products.check(product)?;
    }
    paged(&call, page.limit(), &found)
}
