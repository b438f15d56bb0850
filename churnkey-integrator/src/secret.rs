//! Secrets that the merchant and Churnkey share. Each goes in, and comes out only as an HMAC or a comparison inside this
//! crate: there is no `Display`, `AsRef<str>` or `Serialize`, and no accessor.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// The shared secret between the merchant and Churnkey (contract, section 2.2).
///
/// Churnkey's dashboard shows it under *Settings, Billing Providers, Custom Provider*. It has at least 16 bytes, and no
/// white space or control characters.
///
/// It is wiped from memory on drop, and never printed: `Debug` shows `IntegrationToken([redacted])`. Nothing reads it out
/// again.
///
/// # Example
/// ```
/// use churnkey_integrator::IntegrationToken;
///
/// let error = IntegrationToken::new("a-token-read-from-a-file\n").unwrap_err();
/// assert!(error.to_string().contains("ends in a line feed"));
/// ```
#[derive(Clone)]
pub struct IntegrationToken(SecretString);

impl IntegrationToken {
    /// The fewest bytes that a token may have. Use 32 random bytes.
    pub const MIN_BYTES: usize = 16;

    /// Checks and wraps a token.
    ///
    /// # Errors
    /// [`TokenError`] names the rule that the text breaks, and never repeats the text.
    pub fn new(token: impl Into<String>) -> Result<Self, TokenError> {
        // Wrapped first, so that an invalid token is wiped as well.
        let token = SecretString::from(token.into());
        check(token.expose_secret())?;
        Ok(Self(token))
    }

    /// Reads the token from an environment variable, by convention `CK_INTEGRATION_TOKEN`.
    ///
    /// # Errors
    /// [`TokenError`] if the variable is not set or not UTF-8, or if its value is not a valid token.
    pub fn from_env(variable: &str) -> Result<Self, TokenError> {
        match std::env::var(variable) {
            Ok(token) => Self::new(token),
            Err(std::env::VarError::NotPresent) => Err(TokenError::NotSet {
                variable: variable.to_owned(),
            }),
            Err(std::env::VarError::NotUnicode(_)) => Err(TokenError::NotUtf8 {
                variable: variable.to_owned(),
            }),
        }
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl fmt::Debug for IntegrationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntegrationToken([redacted])")
    }
}

impl TryFrom<String> for IntegrationToken {
    type Error = TokenError;

    fn try_from(token: String) -> Result<Self, TokenError> {
        Self::new(token)
    }
}

/// The text that is parsed stays in memory: wipe it yourself, or use [`new`](Self::new).
impl std::str::FromStr for IntegrationToken {
    type Err = TokenError;

    fn from_str(token: &str) -> Result<Self, TokenError> {
        Self::new(token)
    }
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        ///
        /// It is wiped from memory on drop, never printed, and nothing reads it out again.
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            /// Checks and wraps the secret, as Churnkey's dashboard shows it.
            ///
            /// # Errors
            /// [`InvalidSecret`] if it is empty or has white space or control characters, such as a newline at its end.
            pub fn new(secret: impl Into<String>) -> Result<Self, InvalidSecret> {
                // Wrapped first, so that an invalid one is wiped as well.
                let secret = SecretString::from(secret.into());
                let odd = |c: char| c.is_whitespace() || c.is_control();
                if secret.expose_secret().is_empty() || secret.expose_secret().contains(odd) {
                    return Err(InvalidSecret { what: $what });
                }
                Ok(Self(secret))
            }

            pub(crate) fn expose(&self) -> &[u8] {
                self.0.expose_secret().as_bytes()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidSecret;

            fn try_from(secret: String) -> Result<Self, InvalidSecret> {
                Self::new(secret)
            }
        }

        /// The text that is parsed stays in memory: wipe it yourself, or use [`new`](Self::new).
        impl std::str::FromStr for $name {
            type Err = InvalidSecret;

            fn from_str(secret: &str) -> Result<Self, InvalidSecret> {
                Self::new(secret)
            }
        }
    };
}

secret!(
    /// The API key of Churnkey's cancel flow. With it the merchant authenticates a customer to the flow in the browser
    /// (contract, section 7.1). It is neither the integration token nor the key of the Data API.
    ApiKey,
    "the cancel flow's API key"
);
secret!(
    /// The secret with which Churnkey signs its webhooks (contract, section 7.3).
    WebhookSecret,
    "the webhook secret"
);

/// The text is not a valid secret of its kind. The rejected text is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} is empty or has white space or control characters: copy it again without blanks and without a newline at its end"
)]
pub struct InvalidSecret {
    what: &'static str,
}

/// Why a text is not a valid integration token. The message says what to do, and never repeats the text.
///
/// `Debug` shows the message too, because a `main` that returns the error prints `Debug`.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The environment variable is not set.
    #[error(
        "the environment variable {variable} is not set: copy the Integration Token from Churnkey's \
         dashboard (Settings, Billing Providers, Custom Provider) into it"
    )]
    #[non_exhaustive]
    NotSet {
        /// The name of the variable.
        variable: String,
    },
    /// The environment variable is not valid UTF-8.
    #[error(
        "the environment variable {variable} is not valid UTF-8: copy the token again as plain text"
    )]
    #[non_exhaustive]
    NotUtf8 {
        /// The name of the variable.
        variable: String,
    },
    /// The text ends in a line feed or a carriage return.
    #[error(
        "the integration token ends in a line feed, as `echo` and many editors add one: remove it, \
         for example with `printf %s` or `tr -d '\\n'`"
    )]
    StrayNewline,
    /// The text has white space in another place.
    #[error("the integration token contains white space: copy it again without blanks around it")]
    WhiteSpace,
    /// The text has a control character.
    #[error("the integration token contains a control character: copy it again as plain text")]
    ControlCharacter,
    /// The text has fewer bytes than [`IntegrationToken::MIN_BYTES`].
    #[error(
        "the integration token has {bytes} bytes, but it needs at least {min}: use 32 random bytes, \
         for example from `openssl rand -hex 32`",
        min = IntegrationToken::MIN_BYTES
    )]
    #[non_exhaustive]
    TooShort {
        /// How many bytes the text has.
        bytes: usize,
    },
}

impl fmt::Debug for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn check(token: &str) -> Result<(), TokenError> {
    if token.ends_with(['\n', '\r']) {
        Err(TokenError::StrayNewline)
    } else if token.chars().any(char::is_whitespace) {
        Err(TokenError::WhiteSpace)
    } else if token.chars().any(char::is_control) {
        Err(TokenError::ControlCharacter)
    } else if token.len() < IntegrationToken::MIN_BYTES {
        Err(TokenError::TooShort { bytes: token.len() })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(token: &str) -> TokenError {
        IntegrationToken::new(token).unwrap_err()
    }

    #[test]
    fn a_token_needs_sixteen_bytes() {
        assert_eq!(error(""), TokenError::TooShort { bytes: 0 });
        let error = error("123456789012345");
        assert_eq!(error, TokenError::TooShort { bytes: 15 });
        assert!(IntegrationToken::new("1234567890123456").is_ok());
    }

    #[test]
    fn white_space_and_control_characters_are_refused_by_name() {
        assert_eq!(
            error("a-good-enough-token-0001\n"),
            TokenError::StrayNewline
        );
        assert_eq!(
            error("a-good-enough-token-0001\r\n"),
            TokenError::StrayNewline
        );
        assert_eq!(error(" a-good-enough-token-0001"), TokenError::WhiteSpace);
        assert_eq!(
            error("a-good\u{a0}enough-token-0001"),
            TokenError::WhiteSpace
        );
        assert_eq!(
            error("a-good\0enough-token-0001"),
            TokenError::ControlCharacter
        );
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = IntegrationToken::new("a-good-enough-token-0001").unwrap();
        assert_eq!(format!("{token:?}"), "IntegrationToken([redacted])");
        assert_eq!(format!("{token:#?}"), "IntegrationToken([redacted])");
        for bad in [
            "hunter2",
            "hunter2 hunter2 hunter2",
            "hunter2-hunter2-hunter2\n",
        ] {
            let error = error(bad);
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn the_other_secrets_are_never_printed_either() {
        let key = ApiKey::new("hunter2").unwrap();
        let secret = WebhookSecret::new("hunter2").unwrap();
        assert_eq!(
            format!("{key:?} {secret:?}"),
            "ApiKey([redacted]) WebhookSecret([redacted])"
        );
        for bad in ["", "hunter2\n", "hunter 2", "hunter\u{0}2"] {
            let error = ApiKey::new(bad).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter"));
            let what = "the cancel flow's API key";
            assert_eq!(error, InvalidSecret { what }, "{bad:?}");
            let error = WebhookSecret::new(bad).unwrap_err();
            let what = "the webhook secret";
            assert_eq!(error, InvalidSecret { what }, "{bad:?}");
        }
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = IntegrationToken::from_env("CK_NO_SUCH_VARIABLE").unwrap_err();
        let variable = "CK_NO_SUCH_VARIABLE".to_owned();
        assert_eq!(error, TokenError::NotSet { variable });
    }
}
