//! What customers pay for: the catalogue, and their subscriptions.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{PoisonError, RwLock},
};

use churnkey_integrator::{
    CouponId, CustomerId, PriceId,
    model::{Coupon, Family, Price, Product},
};
use example_billing::{Catalogue, Subscription};

use super::Table;

/// The records that customers pay for, of one mode, behind one lock. An action changes them under the lock.
#[derive(Debug, Default)]
pub struct Books(RwLock<Tables>);

/// The tables behind the lock.
#[derive(Debug, Default)]
pub struct Tables {
    /// The families of products.
    pub families: Table<Family>,
    /// The products.
    pub products: Table<Product>,
    /// The prices.
    pub prices: Table<Price>,
    /// The coupons.
    pub coupons: Table<Coupon>,
    subscriptions: Table<Subscription>,
    by_customer: HashMap<CustomerId, BTreeSet<u64>>,
}

impl Books {
    // A poisoned lock is used on: nothing panics while it is held, so nothing is half changed.

    /// Reads the tables.
    pub fn read<T>(&self, look: impl FnOnce(&Tables) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the tables, while nobody reads them.
    pub fn write<T>(&self, change: impl FnOnce(&mut Tables) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Tables {
    /// Adds a subscription, or replaces the one with its id.
    pub fn subscribe(&mut self, subscription: Subscription) {
        let customer_id = subscription.customer_id.clone();
        let before = self.subscriptions.by_id(&subscription.id);
        let owner = before.map(|before| before.customer_id.clone());
        let seq = self.subscriptions.put(subscription);
        if let Some(own) = owner.and_then(|owner| self.by_customer.get_mut(&owner)) {
            own.remove(&seq);
        }
        self.by_customer.entry(customer_id).or_default().insert(seq);
    }

    /// The subscriptions of all customers.
    #[must_use]
    pub fn subscriptions(&self) -> &Table<Subscription> {
        &self.subscriptions
    }

    /// A customer's subscriptions after an insertion number, each with its own number.
    pub fn subscriptions_of(
        &self,
        customer_id: &CustomerId,
        after: u64,
    ) -> impl Iterator<Item = (u64, &Subscription)> {
        let own = self.by_customer.get(customer_id).into_iter();
        let seqs = own.flat_map(move |own| own.range(after.saturating_add(1)..));
        seqs.filter_map(|seq| Some((*seq, self.subscriptions.by_seq(*seq)?)))
    }
}

impl Catalogue for Tables {
    fn price(&self, id: &PriceId) -> Option<Price> {
        self.prices.by_id(id).cloned()
    }

    fn coupon(&self, id: &CouponId) -> Option<Coupon> {
        self.coupons.by_id(id).cloned()
    }
}
