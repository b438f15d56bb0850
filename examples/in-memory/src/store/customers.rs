//! Customers by an insertion number that never changes, and indexes over them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use churnkey_integrator::{CustomerId, Email, Phone, model::Customer};

/// The customers of one mode.
#[derive(Debug, Default)]
pub struct Customers(RwLock<Tables>);

#[derive(Debug, Default)]
struct Tables {
    last: u64,
    by_seq: BTreeMap<u64, Customer>,
    by_id: HashMap<CustomerId, u64>,
    by_email: Index,
    by_phone: Index,
}

/// The rows by a key that several of them may have.
#[derive(Debug, Default)]
struct Index(BTreeSet<(Box<str>, u64)>);

/// The result of a look-up by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// Nobody.
    None,
    /// Exactly this one.
    One(Customer),
    /// More than one.
    Many,
}

impl Customers {
    /// Adds customers, in this order. A customer with a known id replaces the former one, as a new row.
    pub fn extend(&self, customers: impl IntoIterator<Item = Customer>) {
        let mut tables = self.write();
        for customer in customers {
            tables.remove(customer.id());
            tables.insert(customer);
        }
    }

    /// Removes a customer. Nothing happens if there is none with this id.
    pub fn remove(&self, id: &CustomerId) {
        self.write().remove(id);
    }

    /// The customer with this id.
    #[must_use]
    pub fn by_id(&self, id: &CustomerId) -> Option<Customer> {
        let tables = self.read();
        tables.by_seq.get(tables.by_id.get(id)?).cloned()
    }

    /// At most this many customers after an insertion number, each with its own number.
    #[must_use]
    pub fn after(&self, seq: u64, limit: usize) -> Vec<(u64, Customer)> {
        let tables = self.read();
        let rows = tables.by_seq.range(seq.saturating_add(1)..).take(limit);
        rows.map(|(seq, customer)| (*seq, customer.clone()))
            .collect()
    }

    /// The owner of this e-mail address. Letter case is ignored.
    #[must_use]
    pub fn by_email(&self, email: &Email) -> Match {
        let tables = self.read();
        tables.one_of(tables.by_email.rows(email.lookup_key()))
    }

    /// The owner of this phone number. Punctuation is ignored.
    #[must_use]
    pub fn by_phone(&self, phone: &Phone) -> Match {
        let tables = self.read();
        let key = phone.lookup_key();
        // What is no phone number has no key, and finds nobody.
        key.map_or(Match::None, |key| tables.one_of(tables.by_phone.rows(key)))
    }

    // A poisoned lock is used on: nothing panics while it is held, so nothing is half changed.
    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn insert(&mut self, customer: Customer) {
        self.last += 1;
        let seq = self.last;
        self.by_id.insert(customer.id().clone(), seq);
        if let Some(key) = customer.email().map(Email::lookup_key) {
            self.by_email.insert(key, seq);
        }
        if let Some(key) = customer.phone().and_then(Phone::lookup_key) {
            self.by_phone.insert(key, seq);
        }
        self.by_seq.insert(seq, customer);
    }

    fn remove(&mut self, id: &CustomerId) {
        let Some(seq) = self.by_id.remove(id) else {
            return;
        };
        let Some(customer) = self.by_seq.remove(&seq) else {
            return;
        };
        if let Some(key) = customer.email().map(Email::lookup_key) {
            self.by_email.remove(key, seq);
        }
        if let Some(key) = customer.phone().and_then(Phone::lookup_key) {
            self.by_phone.remove(key, seq);
        }
    }

    fn one_of(&self, mut owners: impl Iterator<Item = u64>) -> Match {
        match (owners.next(), owners.next()) {
            (None, _) => Match::None,
            (Some(seq), None) => match self.by_seq.get(&seq) {
                Some(customer) => Match::One(customer.clone()),
                None => Match::None,
            },
            (Some(_), Some(_)) => Match::Many,
        }
    }
}

impl Index {
    fn insert(&mut self, key: String, seq: u64) {
        self.0.insert((key.into(), seq));
    }

    fn remove(&mut self, key: String, seq: u64) {
        self.0.remove(&(key.into(), seq));
    }

    fn rows(&self, key: String) -> impl Iterator<Item = u64> {
        let key: Box<str> = key.into();
        let rows = self.0.range((key.clone(), 0)..=(key, u64::MAX));
        rows.map(|(_, seq)| *seq)
    }
}
