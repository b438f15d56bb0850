//! [`Call`]: the parameters of a request (path, `limit`, `cursor`), and the page that a list answers with. An invalid
//! parameter is a 400 that names it.

use std::{borrow::Cow, sync::Arc, time::Instant};

use axum::{
    body::Bytes,
    extract::{FromRequestParts, RawPathParams},
    http::{Method, StatusCode},
    response::Response,
};
use serde::Serialize;

use super::{Shared, authenticated_request::AuthenticatedRequest, idempotency, response};
use crate::{
    context::RequestContext,
    error::{ContractViolation, HandlerError, Result},
    operation::Operation,
    page::{Page, PageRequest},
    signed_cursor::{Binding, CursorSigner},
    tenants::Merchant,
};

/// An authenticated request for one operation.
pub(super) struct Call {
    pub(super) context: RequestContext,
    pub(super) shared: Arc<Shared>,
    merchant: Arc<Merchant>,
    pub(super) operation: Operation,
    pub(super) body: Bytes,
    parameters: RawPathParams,
    query: Option<String>,
}

impl Call {
    pub(super) async fn new(
        operation: Operation,
        shared: Arc<Shared>,
        mut authenticated: AuthenticatedRequest,
    ) -> Result<Self> {
        let parameters = RawPathParams::from_request_parts(authenticated.parts_mut(), &()).await;
        let parameters = parameters
            .map_err(|_| HandlerError::bad_request("The path is not percent-encoded UTF-8"))?;
        let (ends, attempt) = match operation.method() {
            Method::POST => (
                Instant::now() + shared.limits.action_deadline,
                idempotency::attempt(operation, &shared, &authenticated, &parameters)?,
            ),
            _ => (authenticated.deadline(), None),
        };
        let mode = authenticated.mode();
        let merchant = Arc::clone(authenticated.merchant());
        let (request, body, request_id) = authenticated.into_parts();
        let context = RequestContext::new(mode, request_id, ends, request.extensions);
        Ok(Self {
            context: context
                .with_attempt(attempt)
                .of_tenant(merchant.id().cloned()),
            body,
            query: request.uri.query().map(str::to_owned),
            shared,
            merchant,
            operation,
            parameters,
        })
    }

    /// A path parameter, percent-decoded once: `+` and `%2B` are both a plus, and `%252B` is `%2B`.
    pub(super) fn parameter(&self, name: &str) -> Result<&str> {
        // If the app nests the router under `/shops/{id}`, the app's `id` comes before ours.
        let named = self.parameters.iter().filter(|(key, _)| *key == name);
        named
            .last()
            .map(|(_, value)| value)
            .ok_or_else(|| HandlerError::from(format!("the route has no parameter {name}")))
    }

    /// A path parameter that is an id.
    pub(super) fn id<T: TryFrom<String>>(&self, name: &str) -> Result<T>
    where
        T::Error: std::fmt::Display,
    {
        read_id(name, self.parameter(name)?, self.shared.limits.id_bytes)
    }

    /// `limit` and `cursor`. Each may occur once. Other parameters are ignored.
    pub(super) fn page(&self) -> Result<PageRequest> {
        let limits = &self.shared.limits;
        let limit = match self.query_parameter("limit")? {
            None => limits.default_page,
            Some(text) => clamped(&text, limits.max_page)
                .ok_or_else(|| HandlerError::bad_request("limit must be a positive integer"))?,
        };
        let cursor = match self.query_parameter("cursor")? {
            None => None,
            Some(text) => Some(
                self.with_binding(|to| self.cursor_signer().verify(&text, to))
                    .ok_or_else(HandlerError::invalid_cursor)?,
            ),
        };
        Ok(PageRequest::new(limit, cursor))
    }

    /// The answer to a list: a page, with the signed cursor of the next one.
    pub(super) fn paged<T: Serialize>(
        &self,
        asked: &PageRequest,
        page: &Page<T>,
    ) -> Result<Response> {
        let (held, limit) = (page.data().len(), asked.limit());
        if held > limit {
            return Err(ContractViolation::PageOverLimit { held, limit }.into());
        }
        let sign = |cursor| self.with_binding(|to| self.cursor_signer().sign(cursor, to));
        let next = page.next().map(sign).transpose()?;
        let body = PageBody {
            data: page.data(),
            next,
        };
        Ok(response::json(StatusCode::OK, &body))
    }

    fn cursor_signer(&self) -> CursorSigner<'_> {
        CursorSigner {
            keys: self.merchant.cursor_keys(),
            max_bytes: self.shared.limits.cursor_bytes,
        }
    }

    /// What a cursor of this list is bound to.
    fn with_binding<T>(&self, use_it: impl FnOnce(Binding<'_>) -> T) -> T {
        let path_keys: Vec<&str> = self.parameters.iter().map(|(_, value)| value).collect();
        use_it(Binding {
            list: self.operation.name(),
            path_keys: &path_keys,
            mode: self.context.mode(),
            tenant: self.merchant.id(),
        })
    }

    fn query_parameter(&self, name: &str) -> Result<Option<Cow<'_, str>>> {
        let query = self.query.as_deref().unwrap_or_default();
        let mut values = form_urlencoded::parse(query.as_bytes())
            .filter_map(|(key, value)| (key == name).then_some(value));
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(HandlerError::bad_request(format!(
                "{name} must not be repeated"
            ))),
            (value, None) => Ok(value),
        }
    }
}

#[derive(Serialize)]
struct PageBody<'a, T> {
    data: &'a [T],
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Reads an id that the caller sent under this name.
pub(super) fn read_id<T: TryFrom<String>>(name: &str, text: &str, max: usize) -> Result<T>
where
    T::Error: std::fmt::Display,
{
    if text.len() > max {
        return Err(HandlerError::bad_request(format!(
            "{name} must not be longer than {max} bytes"
        )));
    }
    T::try_from(text.to_owned()).map_err(|e| HandlerError::bad_request(format!("{name}: {e}")))
}

/// A positive integer, clamped to the maximum. Numbers are read as JavaScript writes them, so `1e+21` is a large limit like
/// any other.
fn clamped(text: &str, max: u16) -> Option<u16> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    if number >= f64::from(max) {
        return (number.is_infinite() || number.fract() == 0.0).then_some(max);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the checks around it leave an integer from 1 to the maximum"
    )]
    (number >= 1.0 && number.fract() == 0.0).then_some(number as u16)
}

#[cfg(test)]
mod tests {
    use super::clamped;

    #[test]
    fn a_large_limit_is_clamped_and_anything_but_a_positive_integer_is_rejected() {
        for (text, limit) in [
            ("1", 1),
            ("10", 10),
            ("007", 7),
            ("499", 499),
            ("500", 500),
            ("501", 500),
            ("1000000000", 500),
            ("1e9", 500),
            ("1e+21", 500),
            ("18446744073709551616", 500),
            (&"9".repeat(400), 500),
        ] {
            assert_eq!(clamped(text, 500), Some(limit), "{text}");
        }
        for text in [
            "", "0", "00", "-1", "+1", "abc", "1.5", "600.5", "0.5", "1_0", " 1", "1 ", "0x10",
            "inf", "NaN", "१",
        ] {
            assert_eq!(clamped(text, 500), None, "{text}");
        }
    }
}
