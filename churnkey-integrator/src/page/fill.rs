//! A page that fetches on until it is full.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use super::{Cursor, Page, PageRequest};
use crate::error::Result;

/// How often one page fetches. Each fetch asks for more rows than are missing, so these are thousands of rows.
const MOST_FETCHES: u32 = 16;
/// The most rows that one fetch asks for, unless the page itself is larger.
const LARGEST_FETCH: u32 = 1000;

impl<T> Page<T> {
    /// Fetches rows until the page is full or the table ends. Use it where some rows are to be left out of the list.
    ///
    /// * `fetch` gets a key and a number: it returns so many rows after the key, or from the beginning if there is none,
    ///   in the order of the key. Fewer rows mean that the table ends there. What belongs to all of these rows, such as
    ///   the items of subscriptions, is best looked up here, in one query. The function may borrow what it needs, but not
    ///   to change it: take the connection from the pool inside.
    /// * `key` reads a row's key. It is what the next page begins behind; see [`crate::page`].
    /// * `map` turns a row into a record. `Ok(None)` leaves the row out and says nothing. An error ends the request;
    ///   [`fill_valid`](Self::fill_valid) is for tables with rows that don't fit.
    ///
    /// A page has a `next` only if another row can be served, so no page is empty for the rows that were left out. There
    /// is one exception, because a request must end: a page stops after 16 fetches, of at most 1000 rows each unless the
    /// page itself is larger. It is then short or even empty, has a `next`, and logs a warning. Leave such rows out in the
    /// query.
    ///
    /// ```
    /// use churnkey_integrator::{CustomerId, Page, PageRequest, Result, model::Customer};
    ///
    /// struct Row {
    ///     seq: i64,
    ///     public_id: Option<String>,
    /// }
    ///
    /// struct Shop; // a pool, say
    ///
    /// impl Shop {
    ///     async fn customers_after(&self, seq: i64, limit: i64) -> Result<Vec<Row>> {
    /// #       let _ = (seq, limit);
    /// #       /*
    ///         ..
    /// #       */
    /// #       Ok(Vec::new())
    ///     }
    ///
    ///     async fn list(&self, page: &PageRequest) -> Result<Page<Customer>> {
    ///         Page::fill(
    ///             page,
    ///             |after, limit| self.customers_after(after.unwrap_or(0), limit),
    ///             |row| row.seq,
    ///             |row| match row.public_id {
    ///                 Some(id) => Ok(Some(Customer::new(CustomerId::new(id)?))),
    ///                 None => Ok(None), // has not confirmed the address yet
    ///             },
    ///         )
    ///         .await
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// The first error of `fetch` or `map`; a 400 if the cursor's key is of another type; [`InvalidCursorKey`] if a key has
    /// no JSON form.
    ///
    /// [`InvalidCursorKey`]: crate::InvalidCursorKey
    pub async fn fill<K, R, F>(
        page: &PageRequest,
        fetch: impl FnMut(Option<K>, i64) -> F,
        key: impl Fn(&R) -> K,
        mut map: impl FnMut(R) -> Result<Option<T>>,
    ) -> Result<Self>
    where
        K: Clone + Serialize + DeserializeOwned,
        F: Future<Output = Result<Vec<R>>>,
    {
        Self::fill_by(page, fetch, key, |row, _| map(row)).await
    }

    /// The same as [`fill`](Self::fill), for a table with rows that don't fit: an empty id, a currency that doesn't exist.
    /// A row whose `map` ends with one of this crate's own errors about a value is left out, and a warning is logged. Any
    /// other error ends the request as before.
    ///
    /// Those errors are [`InvalidField`], [`InvalidContact`], [`InvalidId`], [`InvalidAmount`], [`InvalidDecimal`],
    /// [`InvalidPercentage`], [`InvalidTimestamp`], [`InvalidVariant`], [`InvalidCurrency`] and [`InvalidCountry`]. They may
    /// be the source of an error of your own, but [`HandlerError`] says where they can't be seen. For a rule of your own,
    /// there is [`InvalidField::new`].
    ///
    /// The warning holds the row's key, as its `Debug` writes it, and the error's text, which names the field and the rule
    /// and no value. Don't page by personal data: the key is readable in the cursor too. An [`Email`] as a key is not
    /// shown in the warning, text is.
    ///
    /// Each row is reported once in a crawl, by the page that it would have been on, or by the page before.
    ///
    /// # Errors
    /// As [`fill`](Self::fill), but for the errors that leave a row out.
    ///
    /// [`InvalidField`]: crate::model::InvalidField
    /// [`InvalidField::new`]: crate::model::InvalidField::new
    /// [`InvalidContact`]: crate::InvalidContact
    /// [`InvalidId`]: crate::InvalidId
    /// [`InvalidAmount`]: crate::InvalidAmount
    /// [`InvalidDecimal`]: crate::InvalidDecimal
    /// [`InvalidPercentage`]: crate::InvalidPercentage
    /// [`InvalidTimestamp`]: crate::InvalidTimestamp
    /// [`InvalidVariant`]: crate::InvalidVariant
    /// [`InvalidCurrency`]: crate::InvalidCurrency
    /// [`InvalidCountry`]: crate::model::InvalidCountry
    /// [`HandlerError`]: crate::HandlerError
    /// [`Email`]: crate::Email
    pub async fn fill_valid<K, R, F>(
        page: &PageRequest,
        fetch: impl FnMut(Option<K>, i64) -> F,
        key: impl Fn(&R) -> K,
        mut map: impl FnMut(R) -> Result<Option<T>>,
    ) -> Result<Self>
    where
        K: Clone + Debug + Serialize + DeserializeOwned,
        F: Future<Output = Result<Vec<R>>>,
    {
        let map = |row, key: &K| {
            map(row).or_else(|error| {
                let reason = error.invalid_value().ok_or(error)?;
                tracing::warn!(?key, reason, "a row was left out of the page");
                #[cfg(feature = "metrics")]
                metrics::counter!(crate::metrics::ROWS_LEFT_OUT).increment(1);
                Ok(None)
            })
        };
        Self::fill_by(page, fetch, key, map).await
    }

    async fn fill_by<K, R, F>(
        page: &PageRequest,
        mut fetch: impl FnMut(Option<K>, i64) -> F,
        key: impl Fn(&R) -> K,
        mut map: impl FnMut(R, &K) -> Result<Option<T>>,
    ) -> Result<Self>
    where
        K: Clone + Serialize + DeserializeOwned,
        F: Future<Output = Result<Vec<R>>>,
    {
        let mut data = Vec::with_capacity(page.limit());
        let mut last: Option<K> = page.after()?;
        // One more than the page holds tells whether there are more.
        let mut missing = u32::from(page.limit) + 1;
        for round in 0..MOST_FETCHES {
            let asked = (missing << round).min(missing.max(LARGEST_FETCH));
            let rows = fetch(last.clone(), asked.into()).await?;
            let is_end = rows.len() < asked as usize;
            for row in rows {
                let at = key(&row);
                if let Some(record) = map(row, &at)? {
                    missing -= 1;
                    if missing == 0 {
                        // Behind the rows that were left out since the last record, or the next page would report them again.
                        return Self::ending_behind(last.as_ref(), data);
                    }
                    data.push(record);
                }
                last = Some(at);
            }
            if is_end {
                return Ok(Self::new(data, None));
            }
        }
        tracing::warn!(
            fetches = MOST_FETCHES,
            records = data.len(),
            "the page ends before it is full, because too many rows were left out: leave them out in the query"
        );
        Self::ending_behind(last.as_ref(), data)
    }

    fn ending_behind<K: Serialize>(key: Option<&K>, data: Vec<T>) -> Result<Self> {
        let next = key.map(Cursor::new).transpose()?;
        Ok(Self::new(data, next))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;
    use crate::model::InvalidField;

    /// How a row fares.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Fate {
        Served,
        LeftOut,
        Invalid,
    }

    /// A row for each number from 1 on.
    struct Table {
        fates: Vec<Fate>,
        fetches: Cell<u32>,
        reported: Cell<usize>,
    }

    impl Table {
        fn new(fates: Vec<Fate>) -> Self {
            Self {
                fates,
                fetches: Cell::new(0),
                reported: Cell::new(0),
            }
        }

        fn after(&self, seq: Option<usize>, limit: i64) -> Vec<(usize, Fate)> {
            self.fetches.set(self.fetches.get() + 1);
            let rows = (1..).zip(self.fates.iter().copied());
            let rows = rows.skip(seq.unwrap_or(0));
            rows.take(usize::try_from(limit).unwrap()).collect()
        }

        /// A page, of which fetching and reading keys do not wait.
        fn page(&self, page: &PageRequest) -> Page<usize> {
            let filling = Page::fill_valid(
                page,
                async |after, limit| Ok(self.after(after, limit)),
                |(seq, _)| *seq,
                |(seq, fate)| match fate {
                    Fate::Served => Ok(Some(seq)),
                    Fate::LeftOut => Ok(None),
                    Fate::Invalid => {
                        self.reported.set(self.reported.get() + 1);
                        Err(InvalidField::new("seq", "must be another").into())
                    }
                },
            );
            filling.now_or_never().unwrap().unwrap()
        }

        fn count(&self, fate: Fate) -> usize {
            self.fates.iter().filter(|one| **one == fate).count()
        }
    }

    fn behind(next: Option<&Cursor>, limit: u16) -> PageRequest {
        PageRequest::new(limit, next.cloned())
    }

    fn fates() -> impl Strategy<Value = Vec<Fate>> {
        let fate = prop_oneof![
            3 => Just(Fate::Served),
            2 => Just(Fate::LeftOut),
            1 => Just(Fate::Invalid)
        ];
        proptest::collection::vec(fate, 0..200)
    }

    proptest! {
        #[test]
        fn every_page_but_the_last_is_full_and_each_row_comes_or_is_reported_once(
            fates in fates(),
            limit in 1_u16..20,
        ) {
            let table = Table::new(fates);
            let mut came: Vec<usize> = Vec::new();
            let mut page = table.page(&behind(None, limit));
            loop {
                came.extend(page.data());
                let Some(next) = page.next() else { break };
                prop_assert_eq!(page.data().len(), usize::from(limit));
                page = table.page(&behind(Some(next), limit));
                prop_assert!(!page.data().is_empty(), "no page behind a next is empty");
            }
            let served = (1..).zip(&table.fates).filter(|(_, fate)| **fate == Fate::Served);
            let served: Vec<usize> = served.map(|(seq, _)| seq).collect();
            prop_assert_eq!(came, served);
            prop_assert_eq!(table.reported.get(), table.count(Fate::Invalid));
        }
    }

    #[test]
    fn a_table_without_rows_that_are_left_out_is_fetched_once_a_page() {
        let table = Table::new(vec![Fate::Served; 20]);
        let page = table.page(&behind(None, 10));
        assert_eq!(page.data(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        let page = table.page(&behind(page.next(), 10));
        assert_eq!((page.data().len(), page.next()), (10, None));
        assert_eq!(table.fetches.get(), 2);
    }

    #[test]
    fn few_rows_that_are_left_out_cost_one_small_fetch() {
        let mut fates = vec![Fate::Served; 300];
        fates[50] = Fate::LeftOut;
        let table = Table::new(fates);
        let asked = Cell::new(0);
        let first = behind(None, 100);
        let filling = Page::fill(
            &first,
            async |after, limit| {
                asked.set(asked.get() + limit);
                Ok(table.after(after, limit))
            },
            |(seq, _)| *seq,
            |(seq, fate)| Ok((fate == Fate::Served).then_some(seq)),
        );
        let page = filling.now_or_never().unwrap().unwrap();
        assert_eq!(page.data().len(), 100);
        assert_eq!((table.fetches.get(), asked.get()), (2, 101 + 2));
    }

    #[test]
    fn a_page_gives_up_in_the_end_and_the_crawl_goes_on_behind_it() {
        let mut fates = vec![Fate::LeftOut; 40_000];
        fates.extend([Fate::Served, Fate::Served]);
        let table = Table::new(fates);
        let mut page = table.page(&behind(None, 1));
        assert_eq!((page.data(), table.fetches.get()), ([].as_slice(), 16));
        let mut pages = 1;
        while page.data().is_empty() {
            page = table.page(&behind(page.next(), 1));
            pages += 1;
        }
        assert_eq!((page.data(), pages), ([40_001].as_slice(), 5));
        let last = table.page(&behind(page.next(), 1));
        assert_eq!((last.data(), last.next()), ([40_002].as_slice(), None));
    }

    #[test]
    fn an_error_about_anything_but_a_value_ends_the_request() {
        let table = Table::new(vec![Fate::Served, Fate::Invalid]);
        let fetch = async |after, limit| Ok(table.after(after, limit));
        let key = |row: &(usize, Fate)| row.0;
        let page = behind(None, 5);
        let refuse = |(_, fate)| match fate {
            Fate::Invalid => Err(InvalidField::new("seq", "must be another").into()),
            Fate::Served | Fate::LeftOut => Ok(Some(())),
        };
        let strict = Page::fill(&page, fetch, key, refuse).now_or_never();
        assert_eq!(strict.unwrap().unwrap_err().status(), 500);

        let broken = Page::<()>::fill_valid(&page, fetch, key, |_| Err("hunter2".into()));
        assert_eq!(broken.now_or_never().unwrap().unwrap_err().status(), 500);
        let gone = async |_: Option<usize>, _| Err("no connection".into());
        let gone = Page::fill_valid(&page, gone, key, refuse).now_or_never();
        assert_eq!(gone.unwrap().unwrap_err().status(), 500);

        let foreign = Cursor::new(&"text").unwrap();
        let page = behind(Some(&foreign), 5);
        let foreign = Page::fill_valid(&page, fetch, key, refuse);
        assert_eq!(foreign.now_or_never().unwrap().unwrap_err().status(), 400);
    }
}
