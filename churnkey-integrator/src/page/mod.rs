//! Keyset paging: a page starts after a key, not at an offset.
//!
//! An offset costs more the larger it is, and repeats or loses records if rows before it are added or removed while Churnkey
//! reads. A key that never changes, such as an insertion number, has neither problem. The merchant's part is three lines:
//!
//! ```
//! # use churnkey_integrator::{Page, PageRequest, Result};
//! # struct Row { seq: i64 }
//! # fn query(_sql: &str, _after: i64, _limit: i64) -> Vec<Row> { Vec::new() }
//! fn list(page: &PageRequest) -> Result<Page<Row>> {
//!     let after: i64 = page.after()?.unwrap_or(0);
//!     let rows = query(
//!         "SELECT .. FROM customers WHERE seq > $1 ORDER BY seq LIMIT $2",
//!         after,
//!         page.fetch_limit(),
//!     );
//!     Ok(Page::from_overfetch(rows, page, |last| last.seq)?)
//! }
//! ```
//!
//! Where some rows are to be left out of the list, [`Page::fill`] fetches on until the page is full.
//!
//! The cursor on the wire is signed: `list` gets only keys that this integration has issued, for this list and this mode.
//! Any other cursor is answered 400. A cursor is not encrypted: Churnkey can read the key, so don't page by personal data.

mod fill;

use serde::{Serialize, de::DeserializeOwned};

use crate::error::{HandlerError, Result};

/// Where a page ends: the merchant's own key, as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    key: String,
}

/// The key of a cursor can't be written as JSON.
#[derive(Debug, thiserror::Error)]
#[error("the page's key can't be written as JSON: use a number, a text or a tuple of those")]
pub struct InvalidCursorKey(#[source] serde_json::Error);

impl Cursor {
    /// A cursor that points after this key.
    ///
    /// # Errors
    /// [`InvalidCursorKey`] if the key has no JSON form.
    pub fn new<K: Serialize>(key: &K) -> Result<Self, InvalidCursorKey> {
        Ok(Self {
            key: serde_json::to_string(key).map_err(InvalidCursorKey)?,
        })
    }

    /// The key, in the type that it was created from.
    ///
    /// # Errors
    /// A 400 if it is of another type ([`HandlerError::invalid_cursor`]).
    pub fn key<K: DeserializeOwned>(&self) -> Result<K> {
        serde_json::from_str(&self.key).map_err(|_| HandlerError::invalid_cursor())
    }

    pub(crate) fn payload(&self) -> &[u8] {
        self.key.as_bytes()
    }

    pub(crate) fn from_payload(payload: Vec<u8>) -> Option<Self> {
        String::from_utf8(payload).ok().map(|key| Self { key })
    }
}

/// The page that is asked for (contract, section 2.5).
///
/// The limit is clamped to the bounds of [`page_limit`](crate::IntegrationBuilder::page_limit).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    limit: u16,
    cursor: Option<Cursor>,
}

impl PageRequest {
    pub(crate) fn new(limit: u16, cursor: Option<Cursor>) -> Self {
        Self { limit, cursor }
    }

    /// A request for a first page, to call a controller in a unit test. A limit of 0 is taken for 1.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_test(limit: u16) -> Self {
        Self::new(limit.max(1), None)
    }

    /// The same request for the page behind a cursor, such as [`Page::next`].
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_cursor(mut self, cursor: Cursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// The maximum number of records in the page, at least 1.
    #[must_use]
    pub fn limit(&self) -> usize {
        usize::from(self.limit)
    }

    /// The number of rows to fetch from the store: one more than the limit, which shows whether there is a next page.
    #[must_use]
    pub fn fetch_limit(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The key after which the page starts; `None` for the first page.
    ///
    /// # Errors
    /// A 400 if the key is of another type ([`HandlerError::invalid_cursor`]): return it as it is.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>> {
        self.cursor.as_ref().map(Cursor::key).transpose()
    }

    /// The cursor as it is, for a controller that passes it on to another one.
    #[must_use]
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }
}

/// A page of records, and where the next page starts (contract, section 2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    data: Vec<T>,
    next: Option<Cursor>,
}

impl<T> Page<T> {
    /// A page of the rows that were fetched by [`fetch_limit`](PageRequest::fetch_limit). It keeps at most `limit` of them,
    /// and has a `next` only if there was one more, so that a full last page has none.
    ///
    /// `key` returns the key of the last row that is kept.
    ///
    /// # Errors
    /// [`InvalidCursorKey`] if the key has no JSON form.
    pub fn from_overfetch<K: Serialize>(
        mut rows: Vec<T>,
        page: &PageRequest,
        key: impl FnOnce(&T) -> K,
    ) -> Result<Self, InvalidCursorKey> {
        let more = rows.len() > page.limit();
        rows.truncate(page.limit());
        let next = match rows.last() {
            Some(last) if more => Some(Cursor::new(&key(last))?),
            _ => None,
        };
        Ok(Self { data: rows, next })
    }

    /// Makes a page of records in memory, which are sorted by their key, each key once.
    ///
    /// ```
    /// # use churnkey_integrator::{CustomerId, Page, PageRequest, Result, model::Customer};
    /// struct Account {
    ///     seq: u64,
    ///     id: String,
    /// }
    ///
    /// fn list(accounts: &[Account], page: &PageRequest) -> Result<Page<Customer>> {
    ///     let accounts = Page::from_sorted(accounts, page, |account| account.seq)?;
    ///     accounts.try_map(|account| Ok(Customer::new(CustomerId::new(&account.id)?)))
    /// }
    /// ```
    ///
    /// # Errors
    /// A 400 if the cursor's key is of another type ([`HandlerError::invalid_cursor`]), [`InvalidCursorKey`] if a key has no
    /// JSON form.
    pub fn from_sorted<'a, K: Ord + Serialize + DeserializeOwned>(
        records: &'a [T],
        page: &PageRequest,
        key: impl Fn(&T) -> K,
    ) -> Result<Page<&'a T>> {
        let after: Option<K> = page.after()?;
        let start = after.map_or(0, |after| {
            records.partition_point(|record| key(record) <= after)
        });
        let rows = records.iter().skip(start).take(page.limit() + 1).collect();
        Ok(Page::from_overfetch(rows, page, |last| key(last))?)
    }

    /// A page of these records, with the cursor of the next page if there is one.
    #[must_use]
    pub fn new(data: Vec<T>, next: Option<Cursor>) -> Self {
        Self { data, next }
    }

    /// Converts each record.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(each).collect(),
            next: self.next,
        }
    }

    /// Converts each record, and stops at the first error.
    ///
    /// # Errors
    /// The first error of `each`.
    pub fn try_map<U, E>(self, each: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        Ok(Page {
            data: self.data.into_iter().map(each).collect::<Result<_, E>>()?,
            next: self.next,
        })
    }

    /// The records, and where the next page begins: for a look-up of what belongs to all of them in one query. Put them
    /// together again by [`new`](Self::new).
    ///
    /// ```
    /// # use churnkey_integrator::{Page, PageRequest, Result};
    /// # struct Row { seq: i64, id: String }
    /// # fn subscriptions_after(_: i64, _: i64) -> Vec<Row> { Vec::new() }
    /// # fn items_of(_: &[&str]) -> Vec<u32> { Vec::new() }
    /// # fn subscription(row: Row, _items: &[u32]) -> Result<String> { Ok(row.id) }
    /// fn list(page: &PageRequest) -> Result<Page<String>> {
    ///     let rows = subscriptions_after(page.after()?.unwrap_or(0), page.fetch_limit());
    ///     let (rows, next) = Page::from_overfetch(rows, page, |last| last.seq)?.into_parts();
    ///     let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    ///     let items = items_of(&ids);
    ///     Page::new(rows, next).try_map(|row| subscription(row, &items))
    /// }
    /// ```
    #[must_use]
    pub fn into_parts(self) -> (Vec<T>, Option<Cursor>) {
        (self.data, self.next)
    }

    /// The records.
    #[must_use]
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// Where the next page starts; `None` on the last page.
    #[must_use]
    pub fn next(&self) -> Option<&Cursor> {
        self.next.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(limit: u16) -> PageRequest {
        PageRequest::new(limit, None)
    }

    #[test]
    fn a_full_last_page_has_no_next() {
        let page = Page::from_overfetch(vec![1, 2], &request(2), |last| *last).unwrap();
        assert_eq!((page.data(), page.next()), ([1, 2].as_slice(), None));
        let page = Page::from_overfetch(Vec::<i32>::new(), &request(2), |last| *last).unwrap();
        assert_eq!((page.data(), page.next()), ([].as_slice(), None));
    }

    #[test]
    fn one_row_more_than_the_limit_becomes_the_cursor_of_the_last_row_kept() {
        let page = Page::from_overfetch(vec![1, 2, 3], &request(2), |last| *last).unwrap();
        assert_eq!(page.data(), [1, 2]);
        assert_eq!(page.next().unwrap().key::<i32>().unwrap(), 2);
        assert_eq!(request(2).fetch_limit(), 3);
    }

    #[test]
    fn a_page_of_sorted_records_begins_behind_the_key_also_if_its_record_is_gone() {
        let records = [10, 20, 30, 40];
        let page = |after: Option<i32>| {
            let cursor = after.map(|after| Cursor::new(&after).unwrap());
            let page = Page::from_sorted(&records, &PageRequest::new(2, cursor), |key| *key);
            let (records, next) = page.unwrap().into_parts();
            let next = next.map(|next| next.key::<i32>().unwrap());
            (records.into_iter().copied().collect::<Vec<_>>(), next)
        };
        assert_eq!(page(None), (vec![10, 20], Some(20)));
        assert_eq!(page(Some(20)), (vec![30, 40], None));
        assert_eq!(page(Some(15)), (vec![20, 30], Some(30)));
        assert_eq!(page(Some(40)), (vec![], None));

        let foreign = PageRequest::new(2, Some(Cursor::new(&"text").unwrap()));
        let error = Page::from_sorted(&records, &foreign, |key| *key).unwrap_err();
        assert_eq!(error.status(), 400);
    }

    #[test]
    fn a_request_says_after_which_key_its_page_begins() {
        assert_eq!(request(2).after::<i32>().unwrap(), None);
        let cursor = Cursor::new(&7).unwrap();
        let second = PageRequest::new(2, Some(cursor.clone()));
        assert_eq!(second.after().unwrap(), Some(7));
        assert_eq!(second.cursor(), Some(&cursor));
    }

    #[test]
    fn a_key_of_another_type_is_a_400() {
        let cursor = Cursor::new(&("2026", 7)).unwrap();
        assert_eq!(
            cursor.key::<(String, i64)>().unwrap(),
            ("2026".to_owned(), 7)
        );
        let page = PageRequest::new(2, Some(cursor.clone()));
        let (key, after) = (cursor.key::<i64>(), page.after::<i64>());
        for error in [key.unwrap_err(), after.unwrap_err()] {
            assert_eq!((error.status(), error.message()), (400, "Invalid cursor"));
        }
    }
}
