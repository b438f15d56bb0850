//! The controllers, by which Churnkey reads a merchant's data: one trait per resource.
//!
//! | trait | method | route | required? |
//! | --- | --- | --- | --- |
//! | [`CustomersController`] | `retrieve` | `GET /churnkey/customers/{id}` | yes |
//! | | `list` | `GET /churnkey/customers?limit&cursor` | no |
//! | | `find_by_email` | `GET /churnkey/customers/email/{email}` | no |
//! | | `find_by_phone` | `GET /churnkey/customers/phone/{phone}` | no |
//! | [`SubscriptionsController`] | `retrieve` | `GET /churnkey/customers/{customerId}/subscriptions/{id}` | yes |
//! | | `list` | `GET /churnkey/customers/{customerId}/subscriptions?limit&cursor` | no |
//! | [`PricesController`] | `retrieve` | `GET /churnkey/prices/{id}` | yes |
//! | | `list` | `GET /churnkey/prices?limit&cursor` | yes |
//! | [`CouponsController`] | `retrieve` | `GET /churnkey/coupons/{id}` | yes |
//! | | `list` | `GET /churnkey/coupons?limit&cursor` | yes |
//! | [`ProductsController`] | `retrieve` | `GET /churnkey/products/{id}` | yes |
//! | | `list` | `GET /churnkey/products?limit&cursor` | yes |
//! | [`FamiliesController`] | `retrieve` | `GET /churnkey/families/{id}` | yes |
//! | | `list` | `GET /churnkey/families?limit&cursor` | yes |
//!
//! "Required" means: once the controller is registered. The customers controller always is. Churnkey also needs
//! subscriptions and prices before an integration can be published.
//!
//! Put [`#[controller]`](macro@crate::controller) on the `impl` block. Without it, the compiler's first error is about
//! lifetimes. A method that the block does not have is not mounted, and not in the manifest.

mod coupons;
mod customers;
mod families;
mod prices;
mod products;
mod sole_owner;
mod subscriptions;

pub use coupons::CouponsController;
pub use customers::CustomersController;
pub use families::FamiliesController;
pub use prices::PricesController;
pub use products::ProductsController;
pub use sole_owner::sole_owner;
pub use subscriptions::SubscriptionsController;

use std::sync::Arc;

/// The operations that a controller serves.
///
/// [`#[controller]`](macro@crate::controller) implements this from the methods of the `impl` block. Implement it by hand for
/// a controller that delegates to another one, or whose operations depend on its configuration:
///
/// ```
/// use churnkey_integrator::{
///     CustomerId, CustomersController, CustomersOperation, RequestContext, Result, Serves,
///     async_trait, model::Customer,
/// };
///
/// struct Shop {
///     customers_are_listed: bool,
/// }
///
/// impl Serves<CustomersOperation> for Shop {
///     fn operations(&self) -> &'static [CustomersOperation] {
///         if self.customers_are_listed {
///             &[CustomersOperation::Retrieve, CustomersOperation::List]
///         } else {
///             &[CustomersOperation::Retrieve]
///         }
///     }
/// }
///
/// #[async_trait]
/// impl CustomersController for Shop {
///     async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
///         Ok(None)
///     }
/// }
/// ```
///
/// An operation that is listed here is mounted, and the manifest advertises it. A required operation is mounted in any case.
/// If the method of a listed operation is missing, the answer is 500, and the log says what to do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which operations it serves (`{O}`)",
    label = "put `#[controller]` on this `impl`, in the place of `#[async_trait]`",
    note = "`#[controller]` writes `operations()` from the methods that the `impl` block has",
    note = "or write `impl Serves<{O}> for {Self}` with `operations()` by hand"
)]
pub trait Serves<O: 'static> {
    /// The operations whose methods are implemented.
    fn operations(&self) -> &'static [O];
}

/// Implements a trait for `Arc<T>` and `Box<T>` where `T` implements it.
macro_rules! forward {
    (impl $trait:ident { $($method:tt)* }) => {
        $crate::controllers::forward!(std::sync::Arc<T>, $trait { $($method)* });
        $crate::controllers::forward!(std::boxed::Box<T>, $trait { $($method)* });
    };
    ($pointer:ty, $trait:ident {
        $(fn $declares:ident(&self) -> $declared:ty;)*
        $(async fn $method:ident(&self $(, $argument:ident: $type:ty)* $(,)?) -> $answer:ty;)*
    }) => {
        #[deny(clippy::missing_trait_methods)]
        #[::async_trait::async_trait]
        impl<T: $trait + ?Sized> $trait for $pointer {
            $(fn $declares(&self) -> $declared {
                (**self).$declares()
            })*

            $(async fn $method(&self $(, $argument: $type)*) -> $answer {
                (**self).$method($($argument),*).await
            })*
        }
    };
}
pub(crate) use forward;

impl<O: 'static, T: Serves<O> + ?Sized> Serves<O> for Arc<T> {
    fn operations(&self) -> &'static [O] {
        (**self).operations()
    }
}

impl<O: 'static, T: Serves<O> + ?Sized> Serves<O> for Box<T> {
    fn operations(&self) -> &'static [O] {
        (**self).operations()
    }
}
