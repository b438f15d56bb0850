//! The merchant's own store: tables in memory, one set of them a mode.

mod books;
mod customers;
mod table;

use std::sync::Arc;

use churnkey_integrator::Timestamp;
use example_app::{Clock, DataSet};

pub use books::{Books, Tables};
pub use customers::{Customers, Match};
pub use table::{Row, Table};

/// Both data sets, seen at a moment. A clone has the same data.
#[derive(Debug, Clone)]
pub struct Store {
    /// Real customers.
    pub live: Arc<Shop>,
    /// Test customers. Nothing reads from one what belongs to the other.
    pub test: Arc<Shop>,
    clock: Clock,
}

/// The records of one mode.
#[derive(Debug, Default)]
pub struct Shop {
    /// Who they are.
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
            clock,
        }
    }

    /// The same data, seen at another time.
    #[must_use]
    pub fn at(&self, clock: Clock) -> Self {
        Self {
            clock,
            ..self.clone()
        }
    }

    /// The time that the data live in.
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
