//! A table in memory: rows by their number, and an index by id.

use std::collections::HashMap;

/// Rows that are numbered from 1 on.
pub(crate) struct Table<R> {
    rows: Vec<R>,
    by_id: HashMap<String, usize>,
}

impl<R> Table<R> {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            by_id: HashMap::with_capacity(rows),
        }
    }

    pub(crate) fn push(&mut self, id: String, row: R) {
        self.by_id.insert(id, self.rows.len());
        self.rows.push(row);
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&R> {
        self.rows.get(*self.by_id.get(id)?)
    }

    /// At most this many rows after the one with this number. The first of them has the next number.
    pub(crate) fn after(&self, number: u64, limit: usize) -> &[R] {
        let begin = usize::try_from(number).unwrap_or(usize::MAX);
        let rows = self.rows.get(begin..).unwrap_or_default();
        rows.get(..limit).unwrap_or(rows)
    }
}
