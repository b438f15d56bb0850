//! Authentication: a merchant by the Bearer token, and for some calls one of their customers by a second token.

use std::time::Instant;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use example_app::in_time;

use super::{Api, error::Error, limits::Allowance};
use crate::store::{CustomerData, Customers};

const CUSTOMER_TOKEN: HeaderName = HeaderName::from_static("x-customer-token");

/// The merchant whose token the request has.
pub(super) struct Caller(pub(super) Customers);

/// The customer whose token the request has, of that merchant.
pub(super) struct OwnCustomer(pub(super) CustomerData);

/// The same, if the trial is running or they pay.
pub(super) struct AdmittedCustomer(pub(super) CustomerData);

/// Finds the merchant of the token, if it is valid, and counts the request. Nearly every handler needs a [`Caller`].
pub(super) async fn merchant(State(api): State<Api>, request: Request, next: Next) -> Response {
    let mut allowance = Allowance::UNCOUNTED;
    let answer = counted(&api, request, next, &mut allowance);
    let mut response = in_time(answer, Error::TooSlow).await;
    allowance.write(response.headers_mut());
    response
}

/// The answer, with the headers of the rate limit, even if it is late.
async fn counted(
    api: &Api,
    mut request: Request,
    next: Next,
    allowance: &mut Allowance,
) -> Response {
    let found = match bearer(request.headers()) {
        Some(token) => api.store.opened_by(token).await,
        None => Ok(None),
    };
    match found {
        Err(error) => Error::from(error).into_response(),
        Ok(None) => next.run(request).await,
        Ok(Some(customers)) => {
            *allowance = api.limits.take(customers.merchant(), Instant::now());
            match allowance.retry_after {
                Some(seconds) => Error::TooManyRequests(seconds).into_response(),
                None => {
                    request.extensions_mut().insert(customers);
                    next.run(request).await
                }
            }
        }
    }
}

/// The token in the only `Authorization` header. The letter case of `Bearer` does not matter.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = only(headers, &header::AUTHORIZATION)?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// A header that must not be repeated.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut sent = headers.get_all(name).iter();
    match (sent.next(), sent.next()) {
        (Some(only), None) => only.to_str().ok(),
        _ => None,
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let customers = parts.extensions.get::<Customers>();
        customers.cloned().map(Self).ok_or(Error::Unauthenticated)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OwnCustomer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Caller(customers) = Caller::from_request_parts(parts, state).await?;
        let token = only(&parts.headers, &CUSTOMER_TOKEN).ok_or(Error::InvalidCustomerToken)?;
        let data = customers.opened_by(token).await?;
        data.map(Self).ok_or(Error::InvalidCustomerToken)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AdmittedCustomer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let OwnCustomer(data) = OwnCustomer::from_request_parts(parts, state).await?;
        if !data.customer().is_admitted(data.now()) {
            return Err(Error::TrialEnded);
        }
        Ok(Self(data))
    }
}
