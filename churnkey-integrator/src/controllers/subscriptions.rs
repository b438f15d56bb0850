//! Subscriptions (contract, section 4).

use async_trait::async_trait;

use super::{Serves, forward};
use crate::{
    context::RequestContext,
    error::{ContractViolation, Result},
    id::{CustomerId, SubscriptionId},
    model::Subscription,
    operation::SubscriptionsOperation,
    page::{Page, PageRequest},
};

/// Reads the subscriptions of a customer. Churnkey needs it before an integration can be published. Every action gets its
/// subscription from here.
///
/// # A small implementation
/// ```
/// use churnkey_integrator::{
///     Amount, Currency, CustomerId, ItemId, Page, PageRequest, PriceId, RequestContext, Result,
///     SubscriptionId, SubscriptionsController, Timestamp, controller,
///     model::{
///         BillingDuration, Item, Period, Price, PriceAmount, Subscription, SubscriptionStatus,
///     },
/// };
///
/// struct Row {
///     id: &'static str,
///     account: &'static str,
///     paid_until: Timestamp,
///     seats: u64,
/// }
///
/// /// A shop with one plan, $29.99 a seat and month. It has no test data, so it is built with `.live_only()`.
/// struct Shop(Vec<Row>);
///
/// fn subscription(row: &Row) -> Result<Subscription> {
///     let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(2999)?);
///     let plan = Price::standalone(PriceId::new("plan")?, BillingDuration::MONTHLY, amount);
///     let started: Timestamp = "2026-01-01T00:00:00Z".parse()?;
///     let status = SubscriptionStatus::active(Period::new(started, row.paid_until)?);
///     Ok(Subscription::new(
///         SubscriptionId::new(row.id)?,
///         CustomerId::new(row.account)?,
///         status,
///         started,
///         BillingDuration::MONTHLY,
///         [Item::new(ItemId::new(row.id)?, plan, row.seats)?],
///     ))
/// }
///
/// #[controller]
/// impl SubscriptionsController for Shop {
///     async fn retrieve(
///         &self,
///         _: &RequestContext,
///         customer_id: &CustomerId,
///         id: &SubscriptionId,
///     ) -> Result<Option<Subscription>> {
///         let mut rows = self.0.iter();
///         let row = rows.find(|r| r.account == customer_id.as_str() && r.id == id.as_str());
///         row.map(subscription).transpose()
///     }
///
///     async fn list(
///         &self,
///         _: &RequestContext,
///         customer_id: &CustomerId,
///         page: &PageRequest,
///     ) -> Result<Page<Subscription>> {
///         let after: usize = page.after()?.unwrap_or(0);
///         let own = (1..).zip(&self.0).filter(|(_, r)| r.account == customer_id.as_str());
///         let rows = own.filter(|(n, _)| *n > after).take(page.limit() + 1).collect();
///         Page::from_overfetch(rows, page, |(n, _)| *n)?.try_map(|(_, row)| subscription(row))
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # use churnkey_integrator::Mode;
/// # let paid_until: Timestamp = "2026-02-01T00:00:00Z".parse()?;
/// # let row = |id, account| Row { id, account, paid_until, seats: 3 };
/// # let shop = Shop(vec![row("sub_a", "cus_1"), row("sub_b", "cus_2"), row("sub_c", "cus_1")]);
/// # let (cx, customer) = (RequestContext::for_test(Mode::Live), CustomerId::new("cus_1")?);
/// # let own = shop.retrieve(&cx, &customer, &SubscriptionId::new("sub_a")?).await?.unwrap();
/// # assert_eq!(own.items()[0].quantity(), 3);
/// # assert_eq!(shop.retrieve(&cx, &customer, &SubscriptionId::new("sub_b")?).await?, None);
/// # let first = shop.list(&cx, &customer, &PageRequest::for_test(1)).await?;
/// # let page = PageRequest::for_test(1).with_cursor(first.next().unwrap().clone());
/// # let second = shop.list(&cx, &customer, &page).await?;
/// # assert_eq!((second.data()[0].id().as_str(), second.next()), ("sub_c", None));
/// # Ok::<(), churnkey_integrator::HandlerError>(()) })?;
/// # Ok::<(), churnkey_integrator::HandlerError>(())
/// ```
///
/// # Contract
/// * Live and test data never mix: choose the data set by [`RequestContext::mode`], in every controller and action, or build
///   with [`live_only`](crate::IntegrationBuilder::live_only).
/// * A subscription of another customer is never served. If [`retrieve`](Self::retrieve) returns one, the answer is 404. If
///   a [`list`](Self::list) contains one, the answer is 500, and it is logged.
/// * Cancelled subscriptions stay readable. What is scheduled for later, such as a cancellation, does not change the status
///   until then.
/// * For a customer who does not exist, the list may be empty: the framework looks the customer up, and answers 404.
/// * Line items hold whole prices, of the type that the prices controller declares.
/// * Otherwise as for [customers](crate::CustomersController#contract).
#[async_trait]
pub trait SubscriptionsController: Serves<SubscriptionsOperation> + Send + Sync + 'static {
    /// The customer's subscription with this id, in the mode of the request
    /// (`GET /churnkey/customers/{customerId}/subscriptions/{id}`).
    ///
    /// # Errors
    /// Any error of the store.
    async fn retrieve(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>>;

    /// A page of all subscriptions of the customer (`GET /churnkey/customers/{customerId}/subscriptions`). See
    /// [`crate::page`] for how to page.
    ///
    /// # Errors
    /// Any error of the store. A cursor whose key has another type is a 400.
    async fn list(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        page: &PageRequest,
    ) -> Result<Page<Subscription>> {
        let _ = (cx, customer_id, page);
        Err(ContractViolation::not_implemented(SubscriptionsOperation::List).into())
    }
}

forward! {
    impl SubscriptionsController {
        async fn retrieve(
            &self,
            cx: &RequestContext,
            customer_id: &CustomerId,
            id: &SubscriptionId,
        ) -> Result<Option<Subscription>>;
        async fn list(
            &self,
            cx: &RequestContext,
            customer_id: &CustomerId,
            page: &PageRequest,
        ) -> Result<Page<Subscription>>;
    }
}
