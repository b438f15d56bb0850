//! Signed cursors: a cursor is signed when it is sent, and verified when it comes back.
//!
//! The text is URL-safe base64 of a version byte, a 128-bit tag and the key's JSON. The tag is a truncated HMAC-SHA256 over
//! version, list, path keys, mode and payload, under a key that is derived from the integration token. So a cursor is valid
//! for one list of one owner in one mode, and any changed bit makes it invalid. A cursor of a
//! [tenant](crate::Tenant) is valid for that tenant only, even if another one has the same token.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{
    auth::keyed, context::Mode, error::ContractViolation, id::TenantId, page::Cursor,
    secret::IntegrationToken,
};

const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;
const KEY_LABEL: &[u8] = b"churnkey-integrator cursor seal";

/// What a cursor is bound to.
#[derive(Clone, Copy)]
pub(crate) struct Binding<'a> {
    /// The name of the list's operation.
    pub(crate) list: &'a str,
    /// The parameters of the path, such as the id of the customer whose subscriptions are listed.
    pub(crate) path_keys: &'a [&'a str],
    pub(crate) mode: Mode,
    pub(crate) tenant: Option<&'a TenantId>,
}

/// The keys that sign and verify cursors.
#[derive(Clone)]
pub(crate) struct CursorKeys {
    signing: Hmac<Sha256>,
    further: Vec<Hmac<Sha256>>,
}

impl CursorKeys {
    pub(crate) fn new(token: &IntegrationToken) -> Self {
        Self {
            signing: derived(token),
            further: Vec::new(),
        }
    }

    /// Verifies with this token too.
    pub(crate) fn also_accept(&mut self, token: &IntegrationToken) {
        self.further.push(derived(token));
    }
}

fn derived(token: &IntegrationToken) -> Hmac<Sha256> {
    let key = keyed(token.expose()).chain_update(KEY_LABEL).finalize();
    keyed(&key.into_bytes())
}

/// Signs and verifies cursors of a bounded length.
#[derive(Clone, Copy)]
pub(crate) struct CursorSigner<'a> {
    pub(crate) keys: &'a CursorKeys,
    pub(crate) max_bytes: usize,
}

impl CursorSigner<'_> {
    /// The text that is sent as `next`.
    pub(crate) fn sign(
        &self,
        cursor: &Cursor,
        to: Binding<'_>,
    ) -> Result<String, ContractViolation> {
        let payload = cursor.payload();
        let mut bytes = Vec::with_capacity(1 + TAG_BYTES + payload.len());
        bytes.push(VERSION);
        let tag = tagged(&self.keys.signing, payload, to)
            .finalize()
            .into_bytes();
        bytes.extend(tag.iter().take(TAG_BYTES));
        bytes.extend_from_slice(payload);
        let text = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        if text.len() > self.max_bytes {
            return Err(ContractViolation::CursorTooLong {
                length: text.len(),
                max: self.max_bytes,
            });
        }
        Ok(text)
    }

    /// The cursor in the text, if it was signed for this list, these keys and this mode. A caller is not told why it was
    /// not.
    pub(crate) fn verify(&self, text: &str, to: Binding<'_>) -> Option<Cursor> {
        if text.len() > self.max_bytes {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (tag, payload) = rest.split_at_checked(TAG_BYTES)?;
        let is_ours =
            |key: &Hmac<Sha256>| tagged(key, payload, to).verify_truncated_left(tag).is_ok();
        let is_ours = is_ours(&self.keys.signing) || self.keys.further.iter().any(is_ours);
        if *version != VERSION || !is_ours {
            return None;
        }
        Cursor::from_payload(payload.to_vec())
    }
}

/// Each part follows its length, so that no two bindings are signed as the same bytes.
fn tagged(key: &Hmac<Sha256>, payload: &[u8], to: Binding<'_>) -> Hmac<Sha256> {
    let mut mac = key.clone();
    mac.update(&[VERSION]);
    let mut part = |bytes: &[u8]| {
        mac.update(&(bytes.len() as u64).to_be_bytes());
        mac.update(bytes);
    };
    if let Some(tenant) = to.tenant {
        // No list is called so.
        part(b"tenant");
        part(tenant.as_str().as_bytes());
    }
    part(to.list.as_bytes());
    part(to.mode.as_str().as_bytes());
    part(&(to.path_keys.len() as u64).to_be_bytes());
    for key in to.path_keys {
        part(key.as_bytes());
    }
    part(payload);
    mac
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    fn token(text: &str) -> IntegrationToken {
        IntegrationToken::new(text).unwrap()
    }

    fn signer_for(keys: &CursorKeys, max_bytes: usize) -> CursorSigner<'_> {
        CursorSigner { keys, max_bytes }
    }

    static KEYS: LazyLock<CursorKeys> =
        LazyLock::new(|| CursorKeys::new(&token("the-first-integration-token")));

    fn signer() -> CursorSigner<'static> {
        signer_for(&KEYS, 512)
    }

    const LIST: Binding<'static> = Binding {
        list: "customers.list",
        path_keys: &[],
        mode: Mode::Live,
        tenant: None,
    };

    fn signed(signer: &CursorSigner<'_>) -> (Cursor, String) {
        let cursor = Cursor::new(&42).unwrap();
        let text = signer.sign(&cursor, LIST).unwrap();
        (cursor, text)
    }

    #[test]
    fn what_was_signed_is_verified_again_and_fits_into_a_url() {
        let (cursor, text) = signed(&signer());
        assert_eq!(signer().verify(&text, LIST), Some(cursor));
        assert_eq!(text.len(), 26);
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        );
    }

    #[test]
    fn a_cursor_is_good_for_its_own_list_owner_and_mode_only() {
        let (_, text) = signed(&signer());
        let others = [
            Binding {
                list: "subscriptions.list",
                ..LIST
            },
            Binding {
                path_keys: &["cus_1"],
                ..LIST
            },
            Binding {
                path_keys: &[""],
                ..LIST
            },
            Binding {
                mode: Mode::Test,
                ..LIST
            },
        ];
        for other in others {
            assert_eq!(signer().verify(&text, other), None);
        }
        let joined = Binding {
            path_keys: &["ab"],
            ..LIST
        };
        let split = Binding {
            path_keys: &["a", "b"],
            ..LIST
        };
        let text = signer().sign(&Cursor::new(&1).unwrap(), joined).unwrap();
        assert!(signer().verify(&text, joined).is_some());
        assert_eq!(signer().verify(&text, split), None);
    }

    #[test]
    fn a_cursor_is_good_for_its_own_tenant_only_also_under_the_same_token() {
        let tenants = ["a", "b", "tenant"].map(|id| TenantId::new(id).unwrap());
        let of = |tenant| Binding { tenant, ..LIST };
        let owners: Vec<_> = [None].into_iter().chain(tenants.iter().map(Some)).collect();
        for minted in &owners {
            let cursor = Cursor::new(&42).unwrap();
            let text = signer().sign(&cursor, of(*minted)).unwrap();
            for asked in &owners {
                let verified = signer().verify(&text, of(*asked));
                assert_eq!(verified.is_some(), minted == asked, "{minted:?} {asked:?}");
            }
        }
        // A list may be named as a tenant is, and an owner too: the parts are told apart by their lengths.
        let tenant = Binding {
            tenant: tenants.first(),
            list: "b",
            ..LIST
        };
        let joined = Binding {
            list: "tenantab",
            ..LIST
        };
        let text = signer().sign(&Cursor::new(&1).unwrap(), tenant).unwrap();
        assert_eq!(signer().verify(&text, joined), None);
    }

    #[test]
    fn during_a_rotation_every_accepted_token_verifies_and_the_first_one_signs() {
        let (old, new) = (
            token("the-former-integration-token"),
            token("the-newer-integration-token"),
        );
        let mut both = CursorKeys::new(&new);
        both.also_accept(&old);
        let (old, new) = (CursorKeys::new(&old), CursorKeys::new(&new));
        let (before, during, after) = (
            signer_for(&old, 512),
            signer_for(&both, 512),
            signer_for(&new, 512),
        );
        let (_, from_before) = signed(&before);
        let (_, from_during) = signed(&during);
        assert!(during.verify(&from_before, LIST).is_some());
        assert_eq!(after.verify(&from_before, LIST), None);
        assert!(after.verify(&from_during, LIST).is_some());
    }

    #[test]
    fn the_length_is_bounded_on_minting_and_on_reading() {
        let long = Cursor::new(&"x".repeat(400)).unwrap();
        let error = signer().sign(&long, LIST).unwrap_err().to_string();
        assert!(
            error.starts_with("the signed cursor has 559 bytes, but at most 512 are allowed"),
            "{error}"
        );
        let roomy = signer_for(&KEYS, 600);
        let text = roomy.sign(&long, LIST).unwrap();
        assert!(roomy.verify(&text, LIST).is_some());
        assert_eq!(signer().verify(&text, LIST), None);
    }

    #[test]
    fn a_cursor_may_be_as_long_as_the_limit_and_no_longer() {
        let (_, text) = signed(&signer_for(&KEYS, 26));
        assert_eq!(text.len(), 26);
        assert!(signer_for(&KEYS, 26).verify(&text, LIST).is_some());
        let tight = signer_for(&KEYS, 25);
        let error = tight.sign(&Cursor::new(&42).unwrap(), LIST).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the signed cursor has 26 bytes, but at most 25 are allowed: page by a shorter key, or raise max_cursor_bytes"
        );
        assert_eq!(tight.verify(&text, LIST), None);
    }

    #[test]
    fn any_flipped_bit_of_the_text_spoils_a_cursor() {
        let (_, text) = signed(&signer());
        for at in 0..text.len() {
            for bit in 0..7 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let flipped = String::from_utf8(bytes).unwrap();
                assert_eq!(signer().verify(&flipped, LIST), None, "{flipped}");
            }
        }
    }

    proptest! {
        #[test]
        fn keys_survive_the_round_trip(key in any::<(i64, String)>()) {
            let roomy = signer_for(&KEYS, 10_000);
            let cursor = Cursor::new(&key).unwrap();
            let text = roomy.sign(&cursor, LIST).unwrap();
            let opened = roomy.verify(&text, LIST).unwrap();
            prop_assert_eq!(opened.key::<(i64, String)>().unwrap(), key);
        }

        #[test]
        fn invented_cursors_never_open(text in ".{0,600}", url_safe in "[A-Za-z0-9_-]{0,600}") {
            prop_assert_eq!(signer().verify(&text, LIST), None);
            prop_assert_eq!(signer().verify(&url_safe, LIST), None);
        }
    }
}
