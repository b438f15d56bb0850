//! `POST /token/`: exchanges four keys for an access token.

use axum::{Json, extract::State, http::HeaderMap};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::{authenticate::credential, error::Error};
use crate::store::{Keys, Store};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Issued {
    access_token: String,
    expires_at: i64,
}

pub(super) async fn issue(
    State(store): State<Store>,
    headers: HeaderMap,
) -> Result<Json<Issued>, Error> {
    let sent = credential(&headers, "basic").ok_or(Error::InvalidKeys)?;
    let decoded = STANDARD.decode(sent).map_err(|_| Error::InvalidKeys)?;
    let decoded = String::from_utf8(decoded).map_err(|_| Error::InvalidKeys)?;
    let keys = keys(&decoded).ok_or(Error::InvalidKeys)?;
    let issued = store.issue_token(keys).await?;
    let issued = issued.ok_or(Error::InvalidKeys)?;
    Ok(Json(Issued {
        access_token: issued.token,
        expires_at: issued.expires_at,
    }))
}

/// Basic credentials with four parts instead of two.
fn keys(text: &str) -> Option<Keys<'_>> {
    let mut parts = text.split(':');
    let keys = Keys {
        public_key: parts.next()?,
        secret_key: parts.next()?,
        client_id: parts.next()?,
        client_secret: parts.next()?,
    };
    parts.next().is_none().then_some(keys)
}
