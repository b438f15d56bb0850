//! Personal data: it is serialized for Churnkey, and printed nowhere.

use std::fmt;

use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use crate::id::NO_CONTROL_CHARACTERS;
use crate::id::has_control_character;

/// Text about a person. It is serialized as it is, and never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
#[serde(transparent)]
pub(crate) struct Private(Box<str>);

impl Private {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Private {
    fn from(text: String) -> Self {
        Self(text.into_boxed_str())
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The text is not a valid e-mail address or phone number. The rejected text is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}")]
pub struct InvalidContact {
    what: &'static str,
    problem: &'static str,
}

fn check(
    what: &'static str,
    text: &str,
    max_bytes: usize,
    too_long: &'static str,
) -> Result<(), InvalidContact> {
    let problem = if text.chars().all(char::is_whitespace) {
        "must not be empty"
    } else if text.len() > max_bytes {
        too_long
    } else if has_control_character(text) {
        "must not contain control characters"
    } else {
        return Ok(());
    };
    Err(InvalidContact { what, problem })
}

macro_rules! contact {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        ///
        /// [`as_str`](Self::as_str) and [`into_string`](Self::into_string) are the only ways to the text. `Debug` does not show
        /// it, and there is no `Display`, `AsRef<str>` or `Into<String>`, so that neither a log line nor a generic function
        /// gets it by accident.
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(
            feature = "openapi",
            derive(schemars::JsonSchema),
            schemars(!try_from, extend("minLength" = 1, "maxLength" = $max, "pattern" = NO_CONTROL_CHARACTERS))
        )]
        #[serde(try_from = "String")]
        pub struct $name(Box<str>);

        impl $name {
            #[doc = concat!("Checks and wraps ", $what, ".")]
            ///
            /// # Errors
            #[doc = concat!(
                "[`InvalidContact`] if the text is blank, is longer than ", $max,
                " bytes, or has a control character. The syntax is not checked."
            )]
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidContact> {
                let text = text.into();
                check(
                    $what,
                    &text,
                    $max,
                    concat!("must have at most ", $max, " bytes"),
                )?;
                Ok(Self(text.into_boxed_str()))
            }

            /// The text as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text as it was given, owned.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0.into_string()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidContact;

            fn try_from(text: String) -> Result<Self, InvalidContact> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidContact;

            fn try_from(text: &str) -> Result<Self, InvalidContact> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidContact;

            fn from_str(text: &str) -> Result<Self, InvalidContact> {
                Self::new(text)
            }
        }
    };
}

contact!(
    /// An e-mail address: opaque text of 1 to 320 bytes. Its syntax is not checked, because the merchant decides which
    /// addresses are valid. Two addresses are equal if their bytes are; compare [`lookup_key`](Self::lookup_key) to find
    /// a customer.
    Email,
    "an e-mail address",
    320
);
contact!(
    /// A phone number as the merchant keeps it, of 1 to 64 bytes. E.164 (`+441632960001`) is best. Two numbers are equal
    /// if their bytes are; compare [`lookup_key`](Self::lookup_key) to find a customer.
    Phone,
    "a phone number",
    64
);

impl Email {
    /// The address in the form in which customers are looked up: trimmed, with the domain and the ASCII letters of the
    /// mailbox in lower case. Store it beside the address, index it, and compare it whole.
    ///
    /// Dots and `+tags` are kept, because they may distinguish mailboxes. Letters outside of ASCII are kept too: the lower
    /// case of some, such as the Kelvin sign `\u{212a}`, is a letter of another person's address.
    ///
    /// Send mail to the address that is stored, never to the one that was asked for.
    ///
    /// ```
    /// # use churnkey_integrator::Email;
    /// let asked = Email::new("Ada@Example.COM")?;
    /// assert_eq!(asked.lookup_key(), "ada@example.com");
    /// # Ok::<(), churnkey_integrator::InvalidContact>(())
    /// ```
    #[must_use]
    pub fn lookup_key(&self) -> String {
        let address = self.0.trim();
        match address.rsplit_once('@') {
            Some((mailbox, domain)) => {
                format!("{}@{}", mailbox.to_ascii_lowercase(), domain.to_lowercase())
            }
            None => address.to_ascii_lowercase(),
        }
    }
}

impl Phone {
    /// The number in the form in which customers are looked up: its ASCII digits after one leading `+`, with a leading
    /// `00` read as `+`. A number without either stays without: only the merchant knows its country. `None` if there is no
    /// digit, so that such a text finds nobody.
    ///
    /// ```
    /// # use churnkey_integrator::Phone;
    /// let asked = Phone::new("+44 (1632) 960-001")?;
    /// assert_eq!(asked.lookup_key().as_deref(), Some("+441632960001"));
    /// # Ok::<(), churnkey_integrator::InvalidContact>(())
    /// ```
    #[must_use]
    pub fn lookup_key(&self) -> Option<String> {
        let digits: String = self.0.chars().filter(char::is_ascii_digit).collect();
        if digits.is_empty() {
            None
        } else if self.0.trim_start().starts_with('+') {
            Some(format!("+{digits}"))
        } else {
            Some(match digits.strip_prefix("00") {
                Some(international) if !international.is_empty() => format!("+{international}"),
                _ => digits,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// RUSTSEC-2023-0082 and RUSTSEC-2024-0369: parsers of phone numbers that panic on crafted ones.
        #[test]
        fn no_text_can_make_a_lookup_key_panic_and_a_key_is_its_own_key(text in ".{0,70}") {
            if let Ok(phone) = Phone::new(text.clone())
                && let Some(key) = phone.lookup_key()
            {
                let again = Phone::new(key.clone()).ok().and_then(|key| key.lookup_key());
                prop_assert!(key.starts_with('+') || key.bytes().all(|byte| byte.is_ascii_digit()));
                prop_assert_eq!(again, Some(key));
            }
            if let Ok(email) = Email::new(text) {
                let key = email.lookup_key();
                prop_assert_eq!(Email::new(key.clone()).unwrap().lookup_key(), key);
            }
        }
    }

    #[test]
    fn personal_data_never_prints() {
        let email = Email::new("ada@example.com").unwrap();
        let phone = Phone::new("+441632960001").unwrap();
        let name = Private::from("Ada".to_owned());
        assert_eq!(
            format!("{email:?} {phone:?} {name:?}"),
            "Email([redacted]) Phone([redacted]) [redacted]"
        );
        let error = Email::new("ada\0@example.com").unwrap_err();
        assert_eq!(
            error.to_string(),
            "an e-mail address must not contain control characters"
        );
        let error = Phone::new("1".repeat(65)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a phone number must have at most 64 bytes"
        );
    }

    /// U+212A, the Kelvin sign, is a `k` in lower case, but `\u{212a}ate@` is not Kate's mailbox.
    #[test]
    fn no_letter_of_a_mailbox_becomes_another_ones_in_its_key() {
        let letters = '\u{80}'..=char::MAX;
        let letters = letters.filter(|letter| !letter.is_control() && !letter.is_whitespace());
        let letters: Vec<char> = letters.collect();
        for mailbox in letters.chunks(64) {
            let address = String::from_iter(mailbox) + "@example.com";
            assert_eq!(Email::new(&address).unwrap().lookup_key(), address);
        }
    }

    #[test]
    fn lookup_keys_fold_what_may_differ_and_keep_the_rest() {
        let email = |text| Email::new(text).unwrap().lookup_key();
        assert_eq!(
            email(" Zoe+Billing@Example.com "),
            "zoe+billing@example.com"
        );
        assert_eq!(email("z.o.e@example.com"), "z.o.e@example.com");
        assert_eq!(email("ZOË@BÜCHER.EXAMPLE"), "zoË@bücher.example");
        assert_eq!(email("\"A@B\"@EXAMPLE.COM"), "\"a@b\"@example.com");
        assert_eq!(email("NO ADDRESS"), "no address");

        let phone = |text| Phone::new(text).unwrap().lookup_key();
        assert_eq!(phone("+358 40 123 4567").unwrap(), "+358401234567");
        assert_eq!(phone("00358401234567").unwrap(), "+358401234567");
        assert_eq!(phone("0401234567").unwrap(), "0401234567");
        assert_eq!(phone("00").unwrap(), "00");
        assert_eq!(phone("call me"), None);
    }
}
