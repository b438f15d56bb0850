//! Authentication: a token gives access to one environment. Handlers get no more than that.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::Response,
};

use super::error::Error;
use crate::store::{Environment, Store};

/// The environment of the request's token.
pub(super) struct Caller(pub(super) Environment);

/// Lets requests with a valid token through.
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

/// The credential in the only `Authorization` header. The letter case of the scheme does not matter.
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
