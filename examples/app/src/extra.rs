//! The place in a mapping for what another system knows.

use std::{fmt, sync::Arc};

use churnkey_integrator::model::Customer;

/// Adds to a customer of Churnkey's what another system knows of the merchant's own record `N`, such as discounts and currency
/// from the billing side. By default that is nothing.
pub struct Extra<N>(Arc<Add<N>>);

type Add<N> = dyn Fn(&N, Customer) -> Customer + Send + Sync;

impl<N: 'static> Extra<N> {
    /// Adds what this function adds.
    pub fn new(add: impl Fn(&N, Customer) -> Customer + Send + Sync + 'static) -> Self {
        Self(Arc::new(add))
    }

    /// The customer with what is known besides.
    #[must_use]
    pub fn add_to(&self, mapped: Customer, native: &N) -> Customer {
        (self.0)(native, mapped)
    }
}

impl<N: 'static> Default for Extra<N> {
    fn default() -> Self {
        Self::new(|_, mapped| mapped)
    }
}

impl<N> Clone for Extra<N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<N> fmt::Debug for Extra<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extra(..)")
    }
}
