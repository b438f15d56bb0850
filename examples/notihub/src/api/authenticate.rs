//! Who calls: a token opens one environment, and only that is handed on.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::Response,
};

use super::error::Error;
use crate::store::{Environment, Store};

/// The environment that the request's token opened.
pub(super) struct Caller(pub(super) Environment);

/// Lets a request through that has a good token.
pub(super) async fn environment(
    State(store): State<Store>,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let token = credential(request.headers(), "bearer").ok_or(Error::InvalidToken)?;
    let environment = store.opened_by(token).await?.ok_or(Error::InvalidToken)?;
    request.extensions_mut().insert(environment);
    Ok(next.run(request).await)
}

/// What the only `Authorization` header holds behind its scheme, whose letter case does not matter.
pub(super) fn credential<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (sent.next(), sent.next()) else {
        return None;
    };
    let (name, credential) = only.to_str().ok()?.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme)
        .then_some(credential.trim())
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let environment = parts.extensions.get::<Environment>();
        environment.cloned().map(Self).ok_or(Error::InvalidToken)
    }
}
