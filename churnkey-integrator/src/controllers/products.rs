//! Products (contract, section 4).

use async_trait::async_trait;

use super::{Serves, forward};
use crate::{
    context::RequestContext,
    error::Result,
    id::ProductId,
    model::{Product, ProductType},
    operation::ProductsOperation,
    page::{Page, PageRequest},
};

/// Reads the products that prices belong to. Optional. Prices of type `product` need it.
///
/// # A small implementation
/// ```
/// use churnkey_integrator::{
///     Page, PageRequest, ProductId, ProductsController, RequestContext, Result, controller,
///     model::{Product, ProductType},
/// };
///
/// struct Catalogue(Vec<(&'static str, &'static str)>);
///
/// impl Catalogue {
///     fn products(&self) -> Result<Vec<Product>> {
///         let products = self.0.iter();
///         let products = products.map(|(id, name)| Ok(Product::standalone(ProductId::new(*id)?, *name)));
///         products.collect()
///     }
/// }
///
/// #[controller]
/// impl ProductsController for Catalogue {
///     fn product_type(&self) -> ProductType {
///         ProductType::Standalone
///     }
///
///     async fn retrieve(&self, _: &RequestContext, id: &ProductId) -> Result<Option<Product>> {
///         Ok(self.products()?.into_iter().find(|product| product.id() == id))
///     }
///
///     async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Product>> {
///         let after: usize = page.after()?.unwrap_or(0);
///         let numbered = (1..).zip(self.products()?);
///         let rows = numbered.skip(after).take(page.limit() + 1).collect();
///         Ok(Page::from_overfetch(rows, page, |(n, _)| *n)?.map(|(_, product)| product))
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # use churnkey_integrator::Mode;
/// # let cx = RequestContext::for_test(Mode::Live);
/// # let catalogue = Catalogue(vec![("prod_pro", "Pro")]);
/// # let pro = catalogue.retrieve(&cx, &ProductId::new("prod_pro")?).await?.unwrap();
/// # let expected = serde_json::json!({ "id": "prod_pro", "type": "standalone", "name": "Pro" });
/// # assert_eq!(serde_json::to_value(&pro)?, expected);
/// # assert_eq!(catalogue.list(&cx, &PageRequest::for_test(2)).await?.data(), [pro]);
/// # Ok::<(), churnkey_integrator::HandlerError>(()) })?;
/// # Ok::<(), churnkey_integrator::HandlerError>(())
/// ```
///
/// # Contract
/// * All products are of the type that [`product_type`](Self::product_type) declares. A product of the other type is never
///   served: the answer is 500, and it is logged.
/// * Products that belong to families need a families controller.
/// * Otherwise as for [customers](crate::CustomersController#contract).
#[async_trait]
pub trait ProductsController: Serves<ProductsOperation> + Send + Sync + 'static {
    /// Whether products stand alone or belong to families. Called once, when the integration is built.
    fn product_type(&self) -> ProductType;

    /// The product with this id, in the mode of the request (`GET /churnkey/products/{id}`).
    ///
    /// # Errors
    /// Any error of the store.
    async fn retrieve(&self, cx: &RequestContext, id: &ProductId) -> Result<Option<Product>>;

    /// A page of all products of the mode (`GET /churnkey/products`). See [`crate::page`] for how to page.
    ///
    /// # Errors
    /// Any error of the store. A cursor whose key has another type is a 400.
    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Product>>;
}

forward! {
    impl ProductsController {
        fn product_type(&self) -> ProductType;
        async fn retrieve(&self, cx: &RequestContext, id: &ProductId) -> Result<Option<Product>>;
        async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Product>>;
    }
}
