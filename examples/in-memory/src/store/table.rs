//! A table: rows by an insertion number that never changes, and an index by id.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

use churnkey_integrator::{
    CouponId, FamilyId, PriceId, ProductId, SubscriptionId,
    model::{Coupon, Family, Price, Product},
};

/// A row with an id.
pub trait Row {
    /// The id's type.
    type Id: Clone + Eq + Hash;
    /// The id.
    fn id(&self) -> &Self::Id;
}

macro_rules! rows {
    ($($row:ty: $id:ty),*) => {$(
        impl Row for $row {
            type Id = $id;

            fn id(&self) -> &$id {
                self.id()
            }
        }
    )*};
}

rows!(Coupon: CouponId, Family: FamilyId, Price: PriceId, Product: ProductId);

impl Row for example_billing::Subscription {
    type Id = SubscriptionId;

    fn id(&self) -> &SubscriptionId {
        &self.id
    }
}

/// Rows in order of insertion.
#[derive(Debug)]
pub struct Table<R: Row> {
    last: u64,
    by_seq: BTreeMap<u64, R>,
    by_id: HashMap<R::Id, u64>,
}

impl<R: Row> Default for Table<R> {
    fn default() -> Self {
        Self {
            last: 0,
            by_seq: BTreeMap::new(),
            by_id: HashMap::new(),
        }
    }
}

impl<R: Row> Table<R> {
    /// Adds rows. A row with a known id replaces the former one.
    pub fn extend(&mut self, rows: impl IntoIterator<Item = R>) {
        for row in rows {
            self.put(row);
        }
    }

    /// Adds or replaces a row, and returns its insertion number.
    pub fn put(&mut self, row: R) -> u64 {
        let known = self.by_id.get(row.id()).copied();
        let seq = known.unwrap_or(self.last + 1);
        self.last = self.last.max(seq);
        self.by_id.insert(row.id().clone(), seq);
        self.by_seq.insert(seq, row);
        seq
    }

    /// The row with this id.
    #[must_use]
    pub fn by_id(&self, id: &R::Id) -> Option<&R> {
        self.by_seq.get(self.by_id.get(id)?)
    }

    /// The row with this insertion number.
    #[must_use]
    pub fn by_seq(&self, seq: u64) -> Option<&R> {
        self.by_seq.get(&seq)
    }

    /// At most this many rows after an insertion number, each with its own number.
    pub fn after(&self, seq: u64, limit: usize) -> impl Iterator<Item = (u64, &R)> {
        let rows = self.by_seq.range(seq.saturating_add(1)..).take(limit);
        rows.map(|(seq, row)| (*seq, row))
    }
}
