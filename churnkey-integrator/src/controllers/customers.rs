//! Customers (contract, section 4).

use async_trait::async_trait;

use super::{Serves, forward};
use crate::{
    context::RequestContext,
    error::{ContractViolation, Result},
    id::CustomerId,
    model::Customer,
    operation::CustomersOperation,
    page::{Page, PageRequest},
    pii::{Email, Phone},
};

/// Reads the customers in the merchant's own store.
///
/// # A small implementation
/// ```
/// use std::collections::BTreeMap;
///
/// use churnkey_integrator::{
///     CustomerId, CustomersController, Email, HandlerError, Mode, Page, PageRequest,
///     RequestContext, Result, controller, model::Customer,
/// };
///
/// struct Account {
///     id: String,
///     name: String,
///     email: String,
///     /// `Email::lookup_key` of it, written with it.
///     email_key: String,
/// }
///
/// /// Accounts in the order in which they came, one map a mode.
/// struct Shop {
///     live: BTreeMap<u64, Account>,
///     test: BTreeMap<u64, Account>,
/// }
///
/// impl Shop {
///     fn accounts(&self, cx: &RequestContext) -> &BTreeMap<u64, Account> {
///         match cx.mode() {
///             Mode::Live => &self.live,
///             Mode::Test => &self.test,
///         }
///     }
/// }
///
/// fn customer(account: &Account) -> Result<Customer> {
///     Ok(Customer::new(CustomerId::new(&account.id)?)
///         .with_name(account.name.clone())
///         .with_email(Email::new(&account.email)?))
/// }
///
/// #[controller]
/// impl CustomersController for Shop {
///     async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
///         let mut accounts = self.accounts(cx).values();
///         accounts.find(|a| a.id == id.as_str()).map(customer).transpose()
///     }
///
///     async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
///         let after: u64 = page.after()?.unwrap_or(0);
///         let rows = self.accounts(cx).range(after + 1..).take(page.limit() + 1).collect();
///         Page::from_overfetch(rows, page, |(seq, _)| **seq)?.try_map(|(_, a)| customer(a))
///     }
///
///     async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>> {
///         let asked = email.lookup_key();
///         let mut owners = self.accounts(cx).values().filter(|a| a.email_key == asked);
///         match (owners.next(), owners.next()) {
///             (_, Some(_)) => Err(HandlerError::ambiguous("email")),
///             (owner, None) => owner.map(customer).transpose(),
///         }
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let (email, email_key) = ("Ada@example.com".into(), "ada@example.com".into());
/// # let ada = Account { id: "cus_1".into(), name: "Ada".into(), email, email_key };
/// # let shop = Shop { live: BTreeMap::from([(1, ada)]), test: BTreeMap::new() };
/// # let (live, test) = (RequestContext::for_test(Mode::Live), RequestContext::for_test(Mode::Test));
/// # let ada = shop.retrieve(&live, &CustomerId::new("cus_1")?).await?.unwrap();
/// # assert_eq!(ada.name(), Some("Ada"));
/// # assert_eq!(shop.list(&live, &PageRequest::for_test(1)).await?.data(), [ada.clone()]);
/// # assert_eq!(shop.find_by_email(&live, &Email::new("ADA@example.com")?).await?, Some(ada));
/// # assert_eq!(shop.retrieve(&test, &CustomerId::new("cus_1")?).await?, None);
/// # Ok::<(), churnkey_integrator::HandlerError>(()) })?;
/// # Ok::<(), churnkey_integrator::HandlerError>(())
/// ```
///
/// If the compiler complains about lifetimes, look for a missing `#[controller]` on the block.
///
/// # Contract
/// * Live and test data never mix: choose the data set by [`RequestContext::mode`].
/// * If there is no such customer, return `Ok(None)`. The framework answers 404.
/// * [`retrieve`](Self::retrieve) returns the customer with the requested id. Another customer is never served: the answer
///   is 500, or 404 if the ids differ in letter case alone, and it is logged.
/// * [`list`](Self::list) follows an order that never changes, such as an insertion number, so that a crawl lists every
///   customer who exists from its start to its end exactly once.
/// * If several customers match a look-up, return [`HandlerError::ambiguous`](crate::HandlerError::ambiguous). Never guess.
/// * Any error may be returned with `?`. See [`HandlerError`](crate::HandlerError) for what the caller sees of it.
/// * The future may be dropped at any `.await`, when its deadline passes or the caller disconnects.
#[async_trait]
pub trait CustomersController: Serves<CustomersOperation> + Send + Sync + 'static {
    /// The customer with this id, in the mode of the request (`GET /churnkey/customers/{id}`).
    ///
    /// # Errors
    /// Any error of the store.
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>>;

    /// A page of all customers of the mode (`GET /churnkey/customers`). See [`crate::page`] for how to page.
    ///
    /// # Errors
    /// Any error of the store. A cursor whose key has another type is a 400.
    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let _ = (cx, page);
        Err(ContractViolation::not_implemented(CustomersOperation::List).into())
    }

    /// The one customer with this e-mail address (`GET /churnkey/customers/email/{email}`). Ignore letter case:
    /// [`Email::lookup_key`] is the form to index and compare. Return the address as it is stored.
    ///
    /// # Errors
    /// [`HandlerError::ambiguous`](crate::HandlerError::ambiguous) if there are several, or any error of the store.
    async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        let _ = (cx, email);
        Err(ContractViolation::not_implemented(CustomersOperation::FindByEmail).into())
    }

    /// The one customer with this phone number (`GET /churnkey/customers/phone/{phone}`).
    /// [`Phone::lookup_key`] is the form to index and compare.
    ///
    /// # Errors
    /// [`HandlerError::ambiguous`](crate::HandlerError::ambiguous) if there are several, or any error of the store.
    async fn find_by_phone(&self, cx: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        let _ = (cx, phone);
        Err(ContractViolation::not_implemented(CustomersOperation::FindByPhone).into())
    }
}

forward! {
    impl CustomersController {
        async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>>;
        async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>>;
        async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>>;
        async fn find_by_phone(&self, cx: &RequestContext, phone: &Phone) -> Result<Option<Customer>>;
    }
}
