//! What a merchant may choose about the mapping of its customers to Churnkey's.

use std::{fmt, sync::Arc};

use churnkey_integrator::model::Customer;

use crate::MetadataLimits;

/// What a merchant with records `N` may choose about their mapping.
pub struct Mapping<N> {
    /// Whether an address that several customers share is answered with 404 instead of 409. None of them is ever chosen:
    /// Churnkey would offer one the subscriptions of another.
    pub hide_ambiguous: bool,
    /// How much metadata a customer gets.
    pub limits: MetadataLimits,
    /// Adds what the merchant's system doesn't know, such as discounts and currency from the billing system.
    pub extra: Extra<N>,
}

/// A function that adds to a customer what another system knows of the merchant's record `N`. The default adds nothing.
pub struct Extra<N>(Arc<Add<N>>);

type Add<N> = dyn Fn(&N, Customer) -> Customer + Send + Sync;

impl<N: 'static> Extra<N> {
    /// Wraps the function.
    pub fn new(add: impl Fn(&N, Customer) -> Customer + Send + Sync + 'static) -> Self {
        Self(Arc::new(add))
    }

    /// Calls the function.
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

// Derived, these would ask the same of `N`.

impl<N: 'static> Default for Mapping<N> {
    fn default() -> Self {
        Self {
            hide_ambiguous: false,
            limits: MetadataLimits::default(),
            extra: Extra::default(),
        }
    }
}

impl<N> Clone for Mapping<N> {
    fn clone(&self) -> Self {
        Self {
            hide_ambiguous: self.hide_ambiguous,
            limits: self.limits,
            extra: self.extra.clone(),
        }
    }
}

impl<N> fmt::Debug for Mapping<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping")
            .field("hide_ambiguous", &self.hide_ambiguous)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
