//! Families (contract, section 4).

use async_trait::async_trait;

use super::{Serves, forward};
use crate::{
    context::RequestContext,
    error::Result,
    id::FamilyId,
    model::Family,
    operation::FamiliesOperation,
    page::{Page, PageRequest},
};

/// Reads the families that products belong to. Optional. Products of type `family` need it.
///
/// # A small implementation
/// ```
/// use churnkey_integrator::{
///     FamiliesController, FamilyId, Page, PageRequest, RequestContext, Result, controller,
///     model::Family,
/// };
///
/// struct Catalogue;
///
/// #[controller]
/// impl FamiliesController for Catalogue {
///     async fn retrieve(&self, _: &RequestContext, id: &FamilyId) -> Result<Option<Family>> {
///         Ok((id.as_str() == "core").then(|| Family::new(id.clone(), "Core plans")))
///     }
///
///     /// One family needs no pages.
///     async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Family>> {
///         let core = Family::new(FamilyId::new("core")?, "Core plans");
///         Ok(Page::new(vec![core], None))
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # use churnkey_integrator::Mode;
/// # let cx = RequestContext::for_test(Mode::Live);
/// # let core = Catalogue.retrieve(&cx, &FamilyId::new("core")?).await?.unwrap();
/// # assert_eq!(core.name(), "Core plans");
/// # assert_eq!(Catalogue.retrieve(&cx, &FamilyId::new("other")?).await?, None);
/// # assert_eq!(Catalogue.list(&cx, &PageRequest::for_test(2)).await?.data(), [core]);
/// # Ok::<(), churnkey_integrator::HandlerError>(()) })?;
/// # Ok::<(), churnkey_integrator::HandlerError>(())
/// ```
///
/// # Contract
/// As for [customers](crate::CustomersController#contract).
#[async_trait]
pub trait FamiliesController: Serves<FamiliesOperation> + Send + Sync + 'static {
    /// The family with this id, in the mode of the request (`GET /churnkey/families/{id}`).
    ///
    /// # Errors
    /// Any error of the store.
    async fn retrieve(&self, cx: &RequestContext, id: &FamilyId) -> Result<Option<Family>>;

    /// A page of all families of the mode (`GET /churnkey/families`). See [`crate::page`] for how to page.
    ///
    /// # Errors
    /// Any error of the store. A cursor whose key has another type is a 400.
    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Family>>;
}

forward! {
    impl FamiliesController {
        async fn retrieve(&self, cx: &RequestContext, id: &FamilyId) -> Result<Option<Family>>;
        async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Family>>;
    }
}
