//! Prices (contract, section 4).

use async_trait::async_trait;

use super::{Serves, forward};
use crate::{
    context::RequestContext,
    error::Result,
    id::PriceId,
    model::{Price, PriceType},
    operation::PricesOperation,
    page::{Page, PageRequest},
};

/// Reads the prices that a subscription can have. Churnkey needs it before an integration can be published.
///
/// # A small implementation
/// ```
/// use churnkey_integrator::{
///     Amount, Currency, Page, PageRequest, PriceId, PricesController, RequestContext, Result,
///     controller,
///     model::{BillingDuration, Price, PriceAmount, PriceType},
/// };
///
/// /// A shop with a handful of plans, in cents of a dollar a month.
/// struct Plans(Vec<(&'static str, u64)>);
///
/// impl Plans {
///     fn prices(&self) -> Result<Vec<Price>> {
///         let usd = Currency::new("usd")?;
///         let prices = self.0.iter().map(|(id, cents)| {
///             let amount = PriceAmount::fixed(usd, Amount::per_unit(*cents)?);
///             Ok(Price::standalone(PriceId::new(*id)?, BillingDuration::MONTHLY, amount))
///         });
///         prices.collect()
///     }
/// }
///
/// #[controller]
/// impl PricesController for Plans {
///     fn price_type(&self) -> PriceType {
///         PriceType::Standalone
///     }
///
///     async fn retrieve(&self, _: &RequestContext, id: &PriceId) -> Result<Option<Price>> {
///         Ok(self.prices()?.into_iter().find(|price| price.id() == id))
///     }
///
///     async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Price>> {
///         let after: usize = page.after()?.unwrap_or(0);
///         let numbered = (1..).zip(self.prices()?);
///         let rows = numbered.skip(after).take(page.limit() + 1).collect();
///         Ok(Page::from_overfetch(rows, page, |(n, _)| *n)?.map(|(_, price)| price))
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # use churnkey_integrator::Mode;
/// # let cx = RequestContext::for_test(Mode::Live);
/// # let plans = Plans(vec![("basic", 999), ("pro", 2999)]);
/// # let pro = plans.retrieve(&cx, &PriceId::new("pro")?).await?.unwrap();
/// # let first = plans.list(&cx, &PageRequest::for_test(1)).await?;
/// # assert_eq!(first.data()[0].id().as_str(), "basic");
/// # let page = PageRequest::for_test(1).with_cursor(first.next().unwrap().clone());
/// # let second = plans.list(&cx, &page).await?;
/// # assert_eq!((second.data(), second.next()), (&[pro][..], None));
/// # Ok::<(), churnkey_integrator::HandlerError>(()) })?;
/// # Ok::<(), churnkey_integrator::HandlerError>(())
/// ```
///
/// # Contract
/// * All prices are of the type that [`price_type`](Self::price_type) declares. A price of the other type is never served,
///   not even in a subscription: the answer is 500, and it is logged.
/// * Prices that belong to products need a products controller. If there is one, all prices belong to products.
/// * If live and test mode have different prices, choose by [`RequestContext::mode`]. Plans in code, as above, may be the
///   same in both.
/// * Otherwise as for [customers](crate::CustomersController#contract).
#[async_trait]
pub trait PricesController: Serves<PricesOperation> + Send + Sync + 'static {
    /// Whether prices stand alone or belong to products. Called once, when the integration is built.
    fn price_type(&self) -> PriceType;

    /// The price with this id, in the mode of the request (`GET /churnkey/prices/{id}`).
    ///
    /// # Errors
    /// Any error of the store.
    async fn retrieve(&self, cx: &RequestContext, id: &PriceId) -> Result<Option<Price>>;

    /// A page of all prices of the mode (`GET /churnkey/prices`). See [`crate::page`] for how to page.
    ///
    /// # Errors
    /// Any error of the store. A cursor whose key has another type is a 400.
    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Price>>;
}

forward! {
    impl PricesController {
        fn price_type(&self) -> PriceType;
        async fn retrieve(&self, cx: &RequestContext, id: &PriceId) -> Result<Option<Price>>;
        async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Price>>;
    }
}
