//! The parameters of lists, and the shape of their answers.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::Serialize;

use super::{Envelope, error::Error, fields};

const DEFAULT_LIMIT: u16 = 10;
const MAX_LIMIT: u64 = 100;

/// The parameters of a query. Unknown ones are ignored.
pub(super) struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        Ok(Self(pairs.collect()))
    }
}

impl Query {
    /// The value of a parameter, which must not be repeated.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Error> {
        let mut values = self.0.iter().filter(|(given, _)| given == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Error::invalid(format!("{name} must be given once"))),
            (value, None) => Ok(value.map(|(_, value)| value.as_str())),
        }
    }

    /// The text to search for, empty if it is left out.
    pub(super) fn term(&self, name: &str) -> Result<String, Error> {
        fields::text(name, self.one(name)?.unwrap_or_default().to_owned())
    }

    /// The number of records of a page (L14).
    pub(super) fn limit(&self, name: &str) -> Result<u16, Error> {
        let wrong = || Error::invalid(format!("{name} must be a number from 1 to {MAX_LIMIT}"));
        let Some(limit) = self.one(name)? else {
            return Ok(DEFAULT_LIMIT);
        };
        let limit = number(limit).filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit
            .and_then(|limit| u16::try_from(limit).ok())
            .ok_or_else(wrong)
    }

    /// The number of a page (L14).
    pub(super) fn page(&self, name: &str) -> Result<u64, Error> {
        let Some(page) = self.one(name)? else {
            return Ok(1);
        };
        number(page)
            .filter(|page| *page >= 1)
            .ok_or_else(|| Error::invalid(format!("{name} must be a number from 1 on")))
    }
}

/// A number in decimal digits. A larger one than `i64` holds is read as the largest.
fn number(digits: &str) -> Option<u64> {
    let are_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Whether an order is descending. The documents misspell it (L13).
pub(super) fn is_descending(order: &str) -> Option<bool> {
    match order.to_ascii_lowercase().as_str() {
        "asc" => Some(false),
        "desc" | "decs" => Some(true),
        _ => None,
    }
}

/// One page of a list.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Page<T> {
    total: u64,
    per_page: u64,
    current_page: u64,
    last_page: u64,
    data: Vec<T>,
}

impl<T> Page<T> {
    /// `per_page` is not the requested number, but the number that a page can hold (L15).
    pub(super) fn of(
        total: u64,
        limit: u16,
        current_page: u64,
        data: impl IntoIterator<Item = impl Into<T>>,
    ) -> Envelope<Self> {
        let limit = u64::from(limit).max(1);
        Envelope::of(Self {
            total,
            per_page: limit.min(total.max(1)),
            current_page,
            last_page: total.div_ceil(limit).max(1),
            data: data.into_iter().map(Into::into).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_no_more_per_page_than_there_are() {
        let shown = |total, limit| {
            let page = Page::<()>::of(total, limit, 1, Vec::<()>::new()).data;
            (page.per_page, page.last_page)
        };
        assert_eq!(shown(0, 10), (1, 1));
        assert_eq!(shown(1, 10), (1, 1));
        assert_eq!(shown(10, 10), (10, 1));
        assert_eq!(shown(11, 10), (10, 2));
        assert_eq!(shown(3, 1), (1, 3));
    }

    #[test]
    fn a_number_of_any_length_is_one() {
        assert_eq!(number("007"), Some(7));
        assert_eq!(number(&"9".repeat(50)), Some(u64::MAX));
        for text in ["", "-1", "+1", "1.0", "1e1", " 1", "\u{661}"] {
            assert_eq!(number(text), None, "{text:?}");
        }
    }
}
