//! Customers by an insertion number that never changes, and indexes over them.

use std::{
    collections::{BTreeMap, HashMap},
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
    by_email: HashMap<String, Vec<u64>>,
    by_phone: HashMap<String, Vec<u64>>,
}

/// The result of a look-up by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// Nobody.
    None,
    /// Exactly this one.
    One(Box<Customer>),
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
        tables.one_of(tables.by_email.get(&email.lookup_key()))
    }

    /// The owner of this phone number. Punctuation is ignored.
    #[must_use]
    pub fn by_phone(&self, phone: &Phone) -> Match {
        let tables = self.read();
        let key = phone.lookup_key();
        tables.one_of(key.and_then(|key| tables.by_phone.get(&key)))
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
            self.by_email.entry(key).or_default().push(seq);
        }
        if let Some(key) = customer.phone().and_then(Phone::lookup_key) {
            self.by_phone.entry(key).or_default().push(seq);
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
            self.by_email.entry(key).or_default().retain(|s| *s != seq);
        }
        if let Some(key) = customer.phone().and_then(Phone::lookup_key) {
            self.by_phone.entry(key).or_default().retain(|s| *s != seq);
        }
    }

    fn one_of(&self, owners: Option<&Vec<u64>>) -> Match {
        match owners.map(Vec::as_slice) {
            None | Some([]) => Match::None,
            Some([seq]) => match self.by_seq.get(seq) {
                Some(customer) => Match::One(Box::new(customer.clone())),
                None => Match::None,
            },
            Some(_) => Match::Many,
        }
    }
}
