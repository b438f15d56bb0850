//! What the merchant and Churnkey share and nobody else may know.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// The shared secret between the merchant and Churnkey (contract, section 2.2).
///
/// Churnkey's dashboard shows it under *Settings, Billing Providers, Custom Provider*. At least
/// 16 bytes, without white space or control characters. It is wiped from memory on drop and never
/// printed: `Debug` shows `IntegrationToken([redacted])`.
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
    /// The fewest bytes that a token may have. Use 32 random ones.
    pub const MIN_BYTES: usize = 16;

    /// Checks and wraps a token.
    ///
    /// # Errors
    /// [`TokenError`] names the rule that the text broke, never the text.
    pub fn new(token: impl Into<String>) -> Result<Self, TokenError> {
        // Wrapped first, so that a refused token is wiped as well.
        let token = SecretString::from(token.into());
        check(token.expose_secret())?;
        Ok(Self(token))
    }

    /// Reads the token from an environment variable, by convention `CK_INTEGRATION_TOKEN`.
    ///
    /// # Errors
    /// [`TokenError`] if the variable is not set, not UTF-8, or not a token.
    pub fn from_env(variable: &str) -> Result<Self, TokenError> {
        match std::env::var(variable) {
            Ok(token) => Self::new(token),
            Err(std::env::VarError::NotPresent) => Err(TokenError::NotSet(variable.to_owned())),
            Err(std::env::VarError::NotUnicode(_)) => Err(TokenError::NotUtf8),
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

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        ///
        /// Wiped from memory on drop and never printed.
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            /// Checks and wraps the secret as Churnkey's dashboard shows it.
            ///
            /// # Errors
            /// [`InvalidSecret`] if it is empty or holds white space or control characters, as a copy with a line
            /// feed at its end does.
            pub fn new(secret: impl Into<String>) -> Result<Self, InvalidSecret> {
                // Wrapped first, so that a refused one is wiped as well.
                let secret = SecretString::from(secret.into());
                let odd = |c: char| c.is_whitespace() || c.is_control();
                if secret.expose_secret().is_empty() || secret.expose_secret().contains(odd) {
                    return Err(InvalidSecret($what));
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
    };
}

secret!(
    /// The key of Churnkey's cancel flow, with which the merchant vouches for a customer in the browser
    /// (contract, section 7.1). Neither the integration token nor the key of the Data API.
    ApiKey,
    "the cancel flow's API key"
);
secret!(
    /// The secret with which Churnkey signs its webhooks (contract, section 7.3).
    WebhookSecret,
    "the webhook secret"
);

/// The text can't be this secret. The text itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is empty or holds white space or control characters: copy it again without blanks and without a newline at its end"
)]
pub struct InvalidSecret(&'static str);

/// Why a text can't be the integration token. Says what to do, never what the text was.
///
/// `Debug` is the sentence, too: that is what a `main` that returns the error prints.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The environment variable is missing.
    #[error(
        "the environment variable {0} is not set: copy the Integration Token from Churnkey's \
         dashboard (Settings, Billing Providers, Custom Provider) into it"
    )]
    NotSet(String),
    /// The environment variable is not valid UTF-8.
    #[error("the integration token is not valid UTF-8")]
    NotUtf8,
    /// A line feed or carriage return at the end.
    #[error(
        "the integration token ends in a line feed (a stray newline, as `echo` and many editors \
         add one): remove it, for example with `printf %s` or `tr -d '\\n'`"
    )]
    StrayNewline,
    /// White space somewhere.
    #[error("the integration token contains white space: copy it again without blanks around it")]
    WhiteSpace,
    /// A control character somewhere.
    #[error("the integration token contains a control character: copy it again as plain text")]
    ControlCharacter,
    /// Fewer than [`IntegrationToken::MIN_BYTES`].
    #[error(
        "the integration token has {0} bytes, it needs at least {min}; 32 random bytes are a good \
         choice, for example from `openssl rand -hex 32`",
        min = IntegrationToken::MIN_BYTES
    )]
    TooShort(usize),
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
        Err(TokenError::TooShort(token.len()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(token: &str) -> TokenError {
        IntegrationToken::new(token).unwrap_err()
    }

    #[test]
    fn a_token_needs_sixteen_bytes() {
        assert_eq!(refusal(""), TokenError::TooShort(0));
        assert_eq!(refusal("123456789012345"), TokenError::TooShort(15));
        assert!(IntegrationToken::new("1234567890123456").is_ok());
    }

    #[test]
    fn white_space_and_control_characters_are_refused_by_name() {
        assert_eq!(
            refusal("a-good-enough-token-0001\n"),
            TokenError::StrayNewline
        );
        assert_eq!(
            refusal("a-good-enough-token-0001\r\n"),
            TokenError::StrayNewline
        );
        assert_eq!(refusal(" a-good-enough-token-0001"), TokenError::WhiteSpace);
        assert_eq!(
            refusal("a-good\u{a0}enough-token-0001"),
            TokenError::WhiteSpace
        );
        assert_eq!(
            refusal("a-good\0enough-token-0001"),
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
            let error = refusal(bad);
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
            assert_eq!(error, InvalidSecret("the cancel flow's API key"), "{bad:?}");
            let error = WebhookSecret::new(bad).unwrap_err();
            assert_eq!(error, InvalidSecret("the webhook secret"), "{bad:?}");
        }
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = IntegrationToken::from_env("CK_NO_SUCH_VARIABLE").unwrap_err();
        assert_eq!(error, TokenError::NotSet("CK_NO_SUCH_VARIABLE".into()));
    }
}
