//! The seal of a cursor: what leaves for the wire, and what is let in again.
//!
//! Url-safe base64 of a version byte, a 128-bit tag and the key's JSON. The tag is an HMAC-SHA256, cut short, under a
//! key that is derived from the integration token, over version, list, path keys, mode and payload; so a cursor is
//! good for one list of one owner in one mode, and any changed bit spoils it.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{auth::keyed, context::Mode, page::Cursor, secret::IntegrationToken};

const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;
const KEY_LABEL: &[u8] = b"churnkey-integrator cursor seal";

/// What a cursor is bound to.
#[derive(Clone, Copy)]
pub(crate) struct Binding<'a> {
    /// The name of the list's operation.
    pub(crate) list: &'a str,
    /// The path's parameters, such as the customer whose subscriptions are listed.
    pub(crate) path_keys: &'a [&'a str],
    pub(crate) mode: Mode,
}

/// The keys that seal (the first) and open (all of them) cursors.
#[derive(Clone)]
pub(crate) struct Seal {
    keys: Vec<Hmac<Sha256>>,
    max_bytes: usize,
}

/// The sealed cursor would be longer than the limit.
#[derive(Debug, thiserror::Error)]
#[error(
    "the sealed cursor has {length} bytes, but at most {max} are allowed: page by a shorter key, or raise max_cursor_bytes"
)]
pub(crate) struct CursorTooLong {
    length: usize,
    max: usize,
}

impl Seal {
    pub(crate) fn new<'a>(
        tokens: impl IntoIterator<Item = &'a IntegrationToken>,
        max_bytes: usize,
    ) -> Self {
        let derived = |token: &IntegrationToken| {
            let key = keyed(token.expose()).chain_update(KEY_LABEL).finalize();
            keyed(&key.into_bytes())
        };
        Self {
            keys: tokens.into_iter().map(derived).collect(),
            max_bytes,
        }
    }

    /// The text that is sent as `next`.
    pub(crate) fn close(&self, cursor: &Cursor, to: Binding<'_>) -> Result<String, CursorTooLong> {
        let payload = cursor.payload();
        let mut bytes = Vec::with_capacity(1 + TAG_BYTES + payload.len());
        bytes.push(VERSION);
        for key in self.keys.iter().take(1) {
            let tag = tagged(key, payload, to).finalize().into_bytes();
            bytes.extend(tag.iter().take(TAG_BYTES));
        }
        bytes.extend_from_slice(payload);
        let text = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        if text.len() > self.max_bytes {
            return Err(CursorTooLong {
                length: text.len(),
                max: self.max_bytes,
            });
        }
        Ok(text)
    }

    /// The cursor inside, if the text was sealed here for this list, these keys and this mode. Why not, is
    /// nobody's business.
    pub(crate) fn open(&self, text: &str, to: Binding<'_>) -> Option<Cursor> {
        if text.len() > self.max_bytes {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (tag, payload) = rest.split_at_checked(TAG_BYTES)?;
        let is_ours =
            |key: &Hmac<Sha256>| tagged(key, payload, to).verify_truncated_left(tag).is_ok();
        if *version != VERSION || !self.keys.iter().any(is_ours) {
            return None;
        }
        Cursor::from_payload(payload.to_vec()).ok()
    }
}

/// Each part with its length in front, so that no two bindings share a text.
fn tagged(key: &Hmac<Sha256>, payload: &[u8], to: Binding<'_>) -> Hmac<Sha256> {
    let mut mac = key.clone();
    mac.update(&[VERSION]);
    let mut part = |bytes: &[u8]| {
        mac.update(&(bytes.len() as u64).to_be_bytes());
        mac.update(bytes);
    };
    part(to.list.as_bytes());
    part(to.mode.as_str().as_bytes());
    part(&(to.path_keys.len() as u64).to_be_bytes());
    for key in to.path_keys {
        part(key.as_bytes());
    }
    part(payload);
    mac
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal")
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}
