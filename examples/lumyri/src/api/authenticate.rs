//! Authentication: a token gives access to one company, the header `x-app-id` narrows that to one app (L1, L2). Handlers get no
//! more than that.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::Response,
};

use super::error::Error;
use crate::{
    record::uuid,
    store::{Scope, Store},
    token::TokenKey,
};

/// What authentication needs.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) store: Store,
    pub(super) tokens: TokenKey,
}

/// A caller with a valid token.
#[derive(Clone)]
pub(super) struct Caller {
    /// Their user id.
    pub(super) user: String,
    /// What they may see.
    pub(super) scope: Scope,
}

/// A caller who named an app, as is required to create and to read.
pub(super) struct CallerOfApp {
    pub(super) scope: Scope,
    pub(super) app: String,
}

/// Lets requests with a valid token through.
pub(super) async fn scope(
    State(gate): State<Gate>,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let token = credential(request.headers()).ok_or(Error::InvalidToken)?;
    let holder = gate.tokens.holder(token, gate.store.clock().now());
    let holder = holder.ok_or(Error::InvalidToken)?;
    let app = app(request.headers())?;
    request.extensions_mut().insert(Caller {
        user: holder.user,
        scope: gate.store.scope(holder.company, app),
    });
    Ok(next.run(request).await)
}

/// The credential in the only `Authorization` header. The letter case of the scheme does not matter.
fn credential(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (sent.next(), sent.next()) else {
        return None;
    };
    let (name, credential) = only.to_str().ok()?.split_once(' ')?;
    name.eq_ignore_ascii_case("bearer")
        .then_some(credential.trim())
}

fn app(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let mut sent = headers.get_all("x-app-id").iter();
    let app = match (sent.next(), sent.next()) {
        (None, _) => return Ok(None),
        (Some(only), None) => only.to_str().ok().and_then(uuid),
        (Some(_), Some(_)) => None,
    };
    app.map(Some)
        .ok_or(Error::invalid("x-app-id must be one UUID"))
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let caller = parts.extensions.get::<Self>();
        caller.cloned().ok_or(Error::InvalidToken)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CallerOfApp {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Caller { scope, .. } = Caller::from_request_parts(parts, state).await?;
        let app = scope.app().map(str::to_owned);
        let app = app.ok_or(Error::invalid("x-app-id is required"))?;
        Ok(Self { scope, app })
    }
}
