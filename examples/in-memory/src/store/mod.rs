//! The merchant's own store: tables in memory, a set for each mode.

mod books;
mod customers;
mod table;

use std::sync::Arc;

use churnkey_integrator::Timestamp;
use example_app::{Clock, DataSet, SharedClock};

pub use books::{Books, Tables};
pub use customers::{Customers, Match};
pub use table::{Row, Table};

/// The data of both modes, and their clock. A clone has the same data.
#[derive(Debug, Clone)]
pub struct Store {
    /// Real customers.
    pub live: Arc<Shop>,
    /// Test customers. The two never mix.
    pub test: Arc<Shop>,
    clock: SharedClock,
}

/// The records of one mode.
#[derive(Debug, Default)]
pub struct Shop {
    /// The customers.
    pub customers: Customers,
    /// What they pay for.
    pub books: Books,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            live: Arc::default(),
            test: Arc::default(),
            clock: SharedClock::new(clock),
        }
    }

    /// The same data at another time.
    #[must_use]
    pub fn at(&self, clock: Clock) -> Self {
        Self {
            clock: SharedClock::new(clock),
            ..self.clone()
        }
    }

    /// Sets the clock of this store and of all clones of it.
    pub fn set_clock(&self, clock: Clock) {
        self.clock.set(clock);
    }

    /// The time in which the data are served and changed.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Shop {
    /// Adds all records of a data set, in their order.
    pub fn extend(&self, data: DataSet) {
        self.customers.extend(data.customers);
        self.books.write(|tables| {
            tables.families.extend(data.families);
            tables.products.extend(data.products);
            tables.prices.extend(data.prices);
            tables.coupons.extend(data.coupons);
            for subscription in &data.subscriptions {
                tables.subscribe(example_billing::Subscription::from_served(subscription));
            }
        });
    }
}
