//! For a merchant's tests (feature `testing`): what only this crate can make.
//!
//! A unit test calls a controller or an action as any other function. It makes the arguments with `for_test`:
//! [`RequestContext::for_test`], [`PageRequest::for_test`], [`Attempt::for_test`], [`SignedRead::for_test`], and `for_test` of every request in
//! [`actions`](crate::actions).
//!
//! ```
//! use churnkey_integrator::{
//!     CustomerId, CustomersController, Mode, Page, PageRequest, RequestContext, Result, TenantId, controller,
//!     model::Customer,
//! };
//!
//! struct Shops;
//!
//! #[controller]
//! impl CustomersController for Shops {
//!     async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
//!         let is_there = cx.tenant()?.as_str() == "tea" && id.as_str() == "cus_1";
//!         Ok(is_there.then(|| Customer::new(id.clone())))
//!     }
//!
//!     async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
//!         let after: u32 = page.after()?.unwrap_or(0);
//!         let rows = (after + 1..=3).take(page.limit() + 1).collect();
//!         Page::from_overfetch(rows, page, |n| *n)?
//!             .try_map(|n| Ok(Customer::new(CustomerId::new(format!("cus_{n}"))?)))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! // #[tokio::test]
//! // async fn a_shop_has_its_own_customers() -> Result<()> {
//! let cx = RequestContext::for_test(Mode::Live).for_tenant(TenantId::new("tea")?);
//! let found = Shops.retrieve(&cx, &CustomerId::new("cus_1")?).await?;
//! assert!(found.is_some());
//!
//! let first = Shops.list(&cx, &PageRequest::for_test(2)).await?;
//! let cursor = first.next().expect("there is one more").clone();
//! let second = Shops.list(&cx, &PageRequest::for_test(2).with_cursor(cursor)).await?;
//! assert_eq!(second.data()[0].id().as_str(), "cus_3");
//! # Ok(())
//! # }
//! ```
//!
//! The functions here are for a client that calls a whole integration. The crate `churnkey-conformance` has one, and
//! the suite that checks an integration against the contract.

use http::{HeaderValue, Method};

#[cfg(doc)]
use crate::{attempt::Attempt, context::RequestContext, page::PageRequest, replays::SignedRead};
use crate::{
    auth::{Signature, sign_for_mode},
    http::full_cause,
    secret::IntegrationToken,
    time::Timestamp,
};

/// Why an integration in this process rejected a request or failed, the controller's own error included: all that
/// the log would say at the most detailed level. It is an extension of the response, so no caller over HTTP sees it.
#[must_use]
pub fn cause<B>(response: &http::Response<B>) -> Option<String> {
    full_cause(response.extensions())
}

/// The value of an `Authorization` header with the token itself. `Debug` does not show it.
#[must_use]
pub fn bearer(token: &IntegrationToken) -> HeaderValue {
    let text = [b"Bearer ", token.expose()].concat();
    // A token holds no control characters.
    let mut value = HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("Bearer"));
    value.set_sensitive(true);
    value
}

/// [`sign`](crate::sign) for a mode that need not be one, to see that an integration rejects it.
#[must_use]
pub fn sign_in_mode(
    token: &IntegrationToken,
    method: &Method,
    path: &str,
    mode: &str,
    body: &[u8],
    at: Timestamp,
) -> Signature {
    sign_for_mode(token, method, path, mode, body, at)
}
