//! The routes of a products controller.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use serde_json::Value;

use super::{
    extract::Call,
    part::{About, Part, Parts},
    record::with_id,
    response,
    routes::Routes,
};
use crate::{
    controllers::ProductsController,
    error::{ContractViolation, Result},
    id::ProductId,
    model::{Product, ProductType},
    operation::{
        Operation,
        ProductsOperation::{List, Retrieve},
    },
};

static ABOUT: About = About {
    method: "products",
    first: Operation::Products(Retrieve),
    needs: &[],
    without: &[],
};

/// The controller and its declared type.
pub(crate) struct Products {
    controller: Box<dyn ProductsController>,
    declared: ProductType,
}

impl Products {
    pub(crate) fn new(controller: impl ProductsController) -> Self {
        Self {
            declared: controller.product_type(),
            controller: Box::new(controller),
        }
    }

    /// An error if the product is not of the declared type: Churnkey would misread it.
    fn check(&self, product: &Product) -> Result<(), ContractViolation> {
        if product.product_type() == self.declared {
            Ok(())
        } else {
            Err(ContractViolation::OtherProductType)
        }
    }
}

impl Part for Products {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// Products of type `Family` need families, and where there are families, no other type makes sense.
    fn problems(&self, parts: &Parts) -> Vec<String> {
        let problem = match (self.declared, parts.has("families")) {
            (ProductType::Family, false) => {
                "product_type() is Family, which needs .families(..): add it, or declare Standalone"
            }
            (ProductType::Standalone, true) => {
                ".families(..) is registered, so products must belong to families: declare Family in product_type(), or \
                 remove .families(..)"
            }
            _ => return Vec::new(),
        };
        vec![problem.to_owned()]
    }

    fn declares(&self) -> Vec<(&'static str, Value)> {
        vec![("type", self.declared.as_str().into())]
    }

    fn mount(self: Arc<Self>, _: &Parts, routes: &mut Routes) -> Option<()> {
        routes
            .of(&self, self.controller.operations())
            .serve(Retrieve, retrieve)
            .serve(List, list);
        Some(())
    }
}

async fn retrieve(products: Arc<Products>, call: Call) -> Result<Response> {
    let id: ProductId = call.id("id")?;
    let product = products.controller.retrieve(&call.context, &id).await?;
    let product = with_id(product, &id, Product::id, "Product not found")?;
    products.check(&product)?;
    Ok(response::json(StatusCode::OK, &product))
}

async fn list(products: Arc<Products>, call: Call) -> Result<Response> {
    let page = call.page()?;
    let found = products.controller.list(&call.context, &page).await?;
    for product in found.data() {
        products.check(product)?;
    }
    call.paged(&page, &found)
}
