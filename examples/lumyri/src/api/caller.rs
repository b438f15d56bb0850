//! Who calls, and in which app (L1).

use axum::{
    extract::{FromRequestParts, Path},
    http::{HeaderMap, header, request::Parts},
};

use super::{
    Api,
    answer::{Refusal, Result},
};
use crate::{rules, store::Scope, token::Holder};

/// A caller with a valid token.
pub(super) struct Caller {
    pub(super) company: String,
    pub(super) user: String,
    app: Option<String>,
}

impl Caller {
    /// What the caller may see.
    pub(super) fn scope(&self) -> Scope {
        Scope {
            company: self.company.clone(),
            app: self.app.clone(),
        }
    }

    /// The app, where one has to be named.
    pub(super) fn app(&self) -> Result<&str> {
        let app = self.app.as_deref();
        app.ok_or_else(|| Refusal::invalid("The header x-app-id is required"))
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self> {
        let token = bearer(&parts.headers).ok_or_else(Refusal::unauthorized)?;
        let holder = api.0.tokens.holder(token, api.0.clock.now());
        let Holder { company, user } = holder.ok_or_else(Refusal::unauthorized)?;
        let app = app(&parts.headers)?;
        Ok(Self { company, user, app })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn app(headers: &HeaderMap) -> Result<Option<String>> {
    let mut values = headers.get_all("x-app-id").iter();
    let app = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok().and_then(rules::uuid),
        (Some(_), Some(_)) => None,
    };
    match app {
        Some(app) => Ok(Some(app)),
        None => Err(Refusal::invalid("The header x-app-id must be one UUID")),
    }
}

/// The id in a customer's path. One that can be nobody's is unknown.
pub(super) struct CustomerPath(pub(super) String);

impl FromRequestParts<Api> for CustomerPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self> {
        let path: std::result::Result<Path<String>, _> = Path::from_request_parts(parts, api).await;
        let id = path.ok().and_then(|Path(id)| rules::uuid(&id));
        id.map(Self).ok_or_else(Refusal::no_such_customer)
    }
}
