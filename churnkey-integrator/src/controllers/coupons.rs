//! Coupons (contract, section 4).

use async_trait::async_trait;

use super::{Serves, forward};
use crate::{
    context::RequestContext,
    error::Result,
    id::CouponId,
    model::Coupon,
    operation::CouponsOperation,
    page::{Page, PageRequest},
};

/// Reads the coupons that can be offered. Optional. Discount offers need it, and so do the discounts of customers and
/// subscriptions.
///
/// # A small implementation
/// ```
/// use churnkey_integrator::{
///     CouponId, CouponsController, Page, PageRequest, Percentage, RequestContext, Result, controller,
///     model::{Coupon, CouponDuration, CouponValue},
/// };
///
/// /// Coupons by percent, each for one invoice.
/// struct Coupons(Vec<(&'static str, u32)>);
///
/// impl Coupons {
///     fn coupons(&self) -> Result<Vec<Coupon>> {
///         let coupons = self.0.iter().map(|(id, percent)| {
///             let value = CouponValue::percentage(Percentage::whole(*percent)?);
///             Ok(Coupon::new(CouponId::new(*id)?, CouponDuration::Once, value))
///         });
///         coupons.collect()
///     }
/// }
///
/// #[controller]
/// impl CouponsController for Coupons {
///     async fn retrieve(&self, _: &RequestContext, id: &CouponId) -> Result<Option<Coupon>> {
///         Ok(self.coupons()?.into_iter().find(|coupon| coupon.id() == id))
///     }
///
///     async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Coupon>> {
///         let after: usize = page.after()?.unwrap_or(0);
///         let numbered = (1..).zip(self.coupons()?);
///         let rows = numbered.skip(after).take(page.limit() + 1).collect();
///         Ok(Page::from_overfetch(rows, page, |(n, _)| *n)?.map(|(_, coupon)| coupon))
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # use churnkey_integrator::Mode;
/// # let cx = RequestContext::for_test(Mode::Live);
/// # let coupons = Coupons(vec![("stay", 20)]);
/// # let stay = coupons.retrieve(&cx, &CouponId::new("stay")?).await?.unwrap();
/// # assert_eq!(serde_json::to_value(&stay)?["value"]["percent"], 20);
/// # assert_eq!(coupons.list(&cx, &PageRequest::for_test(2)).await?.data(), [stay]);
/// # Ok::<(), churnkey_integrator::HandlerError>(()) })?;
/// # Ok::<(), churnkey_integrator::HandlerError>(())
/// ```
///
/// # Contract
/// Expired and used-up coupons stay readable, because a subscription may still have them. Otherwise as for
/// [customers](crate::CustomersController#contract).
#[async_trait]
pub trait CouponsController: Serves<CouponsOperation> + Send + Sync + 'static {
    /// The coupon with this id, in the mode of the request (`GET /churnkey/coupons/{id}`).
    ///
    /// # Errors
    /// Any error of the store.
    async fn retrieve(&self, cx: &RequestContext, id: &CouponId) -> Result<Option<Coupon>>;

    /// A page of all coupons of the mode (`GET /churnkey/coupons`). See [`crate::page`] for how to page.
    ///
    /// # Errors
    /// Any error of the store. A cursor whose key has another type is a 400.
    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Coupon>>;
}

forward! {
    impl CouponsController {
        async fn retrieve(&self, cx: &RequestContext, id: &CouponId) -> Result<Option<Coupon>>;
        async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Coupon>>;
    }
}
