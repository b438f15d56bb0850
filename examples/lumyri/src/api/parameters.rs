//! The parameters of a list.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{
    Api,
    answer::{Refusal, Result},
};
use crate::rules;

/// What follows the question mark. Unknown names are ignored.
pub(super) struct Parameters(Vec<(String, String)>);

impl FromRequestParts<Api> for Parameters {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        Ok(Self(pairs.collect()))
    }
}

impl Parameters {
    /// The value of a parameter, which must not come twice.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.0.iter().filter(|(given, _)| given == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Refusal::invalid(format!("{name} must be given once"))),
            (value, None) => Ok(value.map(|(_, value)| value.as_str())),
        }
    }

    /// What to search for; nothing if it is left out.
    pub(super) fn term(&self, name: &str) -> Result<String> {
        let term = self.one(name)?.unwrap_or_default().to_owned();
        Ok(rules::text(name, term)?)
    }

    /// How many records a page has (L14).
    pub(super) fn limit(&self, name: &str) -> Result<i64> {
        match self.number(name)? {
            None => Ok(10),
            Some(limit @ 1..=100) => Ok(limit),
            Some(_) => Err(Refusal::invalid(format!("{name} must be 1 to 100"))),
        }
    }

    /// The number of a page, from 1 on (L14).
    pub(super) fn page(&self, name: &str) -> Result<i64> {
        match self.number(name)? {
            None => Ok(1),
            Some(0) => Err(Refusal::invalid(format!("{name} must be at least 1"))),
            Some(page) => Ok(page),
        }
    }

    /// A number that is not negative. The largest one stands for all that are larger.
    fn number(&self, name: &str) -> Result<Option<i64>> {
        let Some(digits) = self.one(name)? else {
            return Ok(None);
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::invalid(format!("{name} must be a number")));
        }
        Ok(Some(digits.parse().unwrap_or(i64::MAX)))
    }
}

/// Whether an order is a descending one; the documentation spells it in its own way (L13).
pub(super) fn descending(order: &str) -> Option<bool> {
    match order.to_ascii_lowercase().as_str() {
        "asc" => Some(false),
        "desc" | "decs" => Some(true),
        _ => None,
    }
}

/// How many records come before a page.
pub(super) fn offset(page: i64, limit: i64) -> i64 {
    page.saturating_sub(1).saturating_mul(limit)
}
