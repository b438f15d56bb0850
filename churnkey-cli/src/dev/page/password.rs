//! The password of the pages, where machines other than this one can reach them (HTTP Basic, RFC 7617).
//!
//! With a password the pages may be called by any `Host`. The check of that header is there for DNS rebinding: another
//! site gives its own name an address of this machine, so that its scripts are of the same origin as the pages. A browser
//! keeps a password for the origin that asked for it, and the name of the other site is another origin. So that site gets
//! a 401, whatever its name resolves to.
//!
//! The browser API has no password, because the component would have no place for it. Its `Host` has to be an address or
//! `localhost`, none of which a site can give to another machine.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, StatusCode, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Fewer could be guessed by another machine.
const LEAST_CHARACTERS: usize = 12;
/// A wrong password is answered after it, so that trying many takes long.
const DELAY: Duration = Duration::from_secs(1);

const CHALLENGE: &str = r#"Basic realm="churnkey dev", charset="UTF-8""#;

/// A text that can't be the password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidPassword {
    #[error(
        "it has {0} characters, which another machine could guess: take at least {LEAST_CHARACTERS}"
    )]
    TooShort(usize),
    #[error(
        "it has a control character, which no browser can send: remove it, such as a line feed at the end"
    )]
    Control,
}

/// What every page asks for. It has no `Debug`, and does not keep the text.
pub(crate) struct Password {
    digest: [u8; 32],
}

impl Password {
    pub(crate) fn new(text: &str) -> Result<Self, InvalidPassword> {
        if text.chars().any(char::is_control) {
            return Err(InvalidPassword::Control);
        }
        match text.chars().count() {
            count if count < LEAST_CHARACTERS => Err(InvalidPassword::TooShort(count)),
            _ => Ok(Self {
                digest: Sha256::digest(text).into(),
            }),
        }
    }

    /// The answer to a request without the password. A wrong one is answered late.
    pub(super) async fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        if headers.contains_key(header::AUTHORIZATION) {
            if self.is_in(headers) {
                return None;
            }
            tokio::time::sleep(DELAY).await;
        }
        let challenge = [(header::WWW_AUTHENTICATE, CHALLENGE)];
        let why =
            "this page asks for the password that the tool was started with, with any user name";
        Some((StatusCode::UNAUTHORIZED, challenge, why).into_response())
    }

    fn is_in(&self, headers: &HeaderMap) -> bool {
        let sent = sent(headers).unwrap_or_default();
        // Digests have one length, so that the time of the comparison does not tell that of the password.
        Sha256::digest(sent).as_slice().ct_eq(&self.digest).into()
    }
}

/// The password of a request: what follows the user name, which may be any.
fn sent(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let mut credentials = BASE64_STANDARD.decode(credentials.trim()).ok()?;
    let colon = credentials.iter().position(|byte| *byte == b':')?;
    Some(credentials.split_off(colon.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_accepted(password: &str, authorization: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        Password::new(password).unwrap().is_in(&headers)
    }

    fn basic(credentials: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(credentials))
    }

    #[test]
    fn the_user_name_may_be_any_and_the_password_is_all_behind_its_colon() {
        let password = "zo\u{eb}: a secret";
        for credentials in [
            "zo\u{eb}: a secret",
            "ada:zo\u{eb}: a secret",
            ":zo\u{eb}: a secret",
        ] {
            let expected = credentials != "zo\u{eb}: a secret";
            assert_eq!(is_accepted(password, &basic(credentials)), expected);
        }
        let lower_case = basic("ada:zo\u{eb}: a secret").replace("Basic", "basic");
        assert!(is_accepted(password, &lower_case));
    }

    /// The example of RFC 7617, section 2.1: user `test`, password `123£`.
    #[test]
    fn the_charset_is_utf8() {
        assert_eq!(
            sent(&HeaderMap::from_iter([(
                header::AUTHORIZATION,
                "Basic dGVzdDoxMjPCow==".parse().unwrap()
            )])),
            Some("123\u{a3}".into())
        );
    }

    #[test]
    fn anything_else_is_not_the_password() {
        let password = "correct horse";
        let right = basic("ada:correct horse");
        assert!(is_accepted(password, &right));
        let bearer = right.replace("Basic", "Bearer");
        for wrong in [
            "",
            "Basic",
            "Basic ",
            "Basic ada:correct horse",
            "Basic %%%",
            &basic(""),
            &basic("correct horse"),
            &basic("ada:"),
            &basic("ada:correct hors"),
            &basic("ada:correct horsee"),
            &basic("ada:Correct horse"),
            &bearer,
        ] {
            assert!(!is_accepted(password, wrong), "{wrong}");
        }
    }

    #[test]
    fn a_password_that_can_be_guessed_or_not_be_sent_is_none() {
        let invalid = |text| Password::new(text).err();
        assert_eq!(invalid(""), Some(InvalidPassword::TooShort(0)));
        assert_eq!(invalid("elevenchars"), Some(InvalidPassword::TooShort(11)));
        // Characters, not bytes.
        assert_eq!(
            invalid("\u{eb}\u{eb}\u{eb}\u{eb}\u{eb}\u{eb}"),
            Some(InvalidPassword::TooShort(6))
        );
        assert_eq!(invalid("twelve chars"), None);
        assert_eq!(invalid("twelve chars\n"), Some(InvalidPassword::Control));
    }
}
