//! Signs the cursor of the next page, and verifies the one that comes back. The text is the framework's, so that one cursor
//! is good for every server.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{Mode, signature::keyed};

const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;
const MAX_BYTES: usize = 512;

/// The keys of cursors. Each has read what a cursor is bound to: the list of customers, in one mode.
#[derive(Debug)]
pub struct CursorKeys {
    live: Hmac<Sha256>,
    test: Hmac<Sha256>,
}

impl CursorKeys {
    /// The keys that follow from the integration token.
    #[must_use]
    pub fn new(token: &str) -> Self {
        let label = b"churnkey-integrator cursor seal";
        let key = keyed(token.as_bytes()).chain_update(label).finalize();
        let key = keyed(&key.into_bytes());
        let bound_to = |mode: Mode| {
            let no_path_keys = 0_u64.to_be_bytes();
            let mut key = key.clone();
            key.update(&[VERSION]);
            for part in [b"customers.list", mode.as_str().as_bytes(), &no_path_keys] {
                key.update(&(part.len() as u64).to_be_bytes());
                key.update(part);
            }
            key
        };
        Self {
            live: bound_to(Mode::Live),
            test: bound_to(Mode::Test),
        }
    }

    /// The cursor of the page after the customer with this number.
    #[must_use]
    pub fn sign(&self, mode: Mode, after: u64) -> String {
        let payload = after.to_string();
        let tag = self
            .tagged(mode, payload.as_bytes())
            .finalize()
            .into_bytes();
        let mut bytes = Vec::with_capacity(1 + TAG_BYTES + payload.len());
        bytes.push(VERSION);
        bytes.extend(tag.iter().take(TAG_BYTES));
        bytes.extend_from_slice(payload.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(super) fn verify(&self, mode: Mode, text: &str) -> Option<u64> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (tag, payload) = rest.split_at_checked(TAG_BYTES)?;
        let tagged = self.tagged(mode, payload);
        if *version != VERSION || tagged.verify_truncated_left(tag).is_err() {
            return None;
        }
        std::str::from_utf8(payload).ok()?.parse().ok()
    }

    fn tagged(&self, mode: Mode, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = match mode {
            Mode::Live => self.live.clone(),
            Mode::Test => self.test.clone(),
        };
        mac.update(&(payload.len() as u64).to_be_bytes());
        mac.update(payload);
        mac
    }
}
