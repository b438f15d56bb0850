//! Addresses of customers: the four types of channel, and the rules for the addresses of each.

use std::fmt;

use email_address::{EmailAddress, Options};
use example_app::{email_key, lower_case_email, phone_key};

use crate::fields::is_digits;

/// The longest address, in bytes. An e-mail address can't be longer (RFC 5321), and Churnkey's model holds all of them.
const MAX_BYTES: usize = 254;
/// The most digits of a telephone number: 15 by E.164, and some for an extension.
const MAX_DIGITS: usize = 32;

/// A type of channel (O9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChannelType {
    /// An e-mail address.
    Email,
    /// A telephone number in international form.
    Telephone,
    /// The number of a Facebook account.
    Facebook,
    /// A Twitter handle without its `@`.
    Twitter,
}

impl ChannelType {
    const ALL: [Self; 4] = [Self::Email, Self::Telephone, Self::Facebook, Self::Twitter];

    /// Its id on the wire and in the database.
    #[must_use]
    pub fn id(self) -> i64 {
        match self {
            Self::Email => 1,
            Self::Telephone => 2,
            Self::Facebook => 3,
            Self::Twitter => 4,
        }
    }

    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Telephone => "telephone",
            Self::Facebook => "facebook",
            Self::Twitter => "twitter",
        }
    }

    /// The type with this id.
    #[must_use]
    pub fn from_id(id: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// The type with this id or name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if is_digits(text) {
            return Self::from_id(text.parse().ok()?);
        }
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

/// A valid address of some type. `Debug` shows only the type.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    kind: ChannelType,
    text: String,
}

impl Address {
    /// Checks an address by its type. E-mail addresses are kept in lower case, see [`lower_case_email`].
    #[must_use]
    pub fn new(kind: ChannelType, text: &str) -> Option<Self> {
        let valid = text.len() <= MAX_BYTES
            && match kind {
                ChannelType::Email => is_email(text),
                ChannelType::Telephone => text
                    .strip_prefix('+')
                    .is_some_and(|digits| is_digits(digits) && digits.len() <= MAX_DIGITS),
                ChannelType::Facebook => is_digits(text),
                ChannelType::Twitter => is_handle(text),
            };
        let text = match kind {
            ChannelType::Email => lower_case_email(text),
            _ => text.to_owned(),
        };
        // Some letters have more bytes in lower case.
        (valid && text.len() <= MAX_BYTES).then_some(Self { kind, text })
    }

    /// The address in a text without a type: of the first type that it is valid for.
    #[must_use]
    pub fn guess(text: &str) -> Option<Self> {
        ChannelType::ALL
            .into_iter()
            .find_map(|kind| Self::new(kind, text))
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> ChannelType {
        self.kind
    }

    /// The address as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The key that Churnkey's look-ups compare. `None` for types that Churnkey doesn't look up.
    #[must_use]
    pub fn lookup_key(&self) -> Option<String> {
        match self.kind {
            ChannelType::Email => Some(email_key(&self.text)),
            ChannelType::Telephone => phone_key(&self.text),
            ChannelType::Facebook | ChannelType::Twitter => None,
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.kind).finish()
    }
}

fn is_handle(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b' ';
    !text.is_empty() && text.bytes().all(allowed)
}

/// The addresses that mail programs agree on: no quoted mailboxes, a domain of at least two labels, letters of any script.
fn is_email(text: &str) -> bool {
    let options = Options::default()
        .with_required_tld()
        .without_domain_literal()
        .without_display_text();
    let host = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    // The crate's options still accept quotes, an empty display name, and symbols in a domain.
    !text.contains(['"', ' '])
        && EmailAddress::parse_with_options(text, options)
            .is_ok_and(|address| address.domain().chars().all(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn accepts(kind: ChannelType, text: &str, stored: &str) {
        let address = Address::new(kind, text).unwrap();
        assert_eq!((address.kind(), address.as_str()), (kind, stored));
    }

    #[test]
    fn a_channel_is_named_by_its_number_or_its_name() {
        for (text, kind) in [
            ("1", Some(ChannelType::Email)),
            ("02", Some(ChannelType::Telephone)),
            ("facebook", Some(ChannelType::Facebook)),
            ("4", Some(ChannelType::Twitter)),
            ("8", None),
            ("0", None),
            ("Email", None),
            ("fax", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(ChannelType::parse(text), kind, "{text}");
        }
    }

    #[test]
    fn an_address_is_checked_by_its_channel() {
        accepts(
            ChannelType::Email,
            "O'Neil+A@Ex-ample.ORG",
            "o'neil+a@ex-ample.org",
        );
        accepts(
            ChannelType::Email,
            "zoë@bücher.example",
            "zoë@bücher.example",
        );
        accepts(ChannelType::Telephone, "+31612312311", "+31612312311");
        accepts(ChannelType::Facebook, "007", "007");
        accepts(ChannelType::Twitter, "Zoe S_1", "Zoe S_1");
        for (kind, text) in [
            (ChannelType::Email, "text"),
            (ChannelType::Email, "[email protected]"),
            (ChannelType::Email, "a@b"),
            (ChannelType::Email, "a@@b.nl"),
            (ChannelType::Email, "a@b@c.nl"),
            (ChannelType::Email, ".a@b.nl"),
            (ChannelType::Email, "a..b@c.nl"),
            (ChannelType::Email, "a@b..nl"),
            (ChannelType::Email, "a@-b.nl"),
            (ChannelType::Email, "a@b_c.nl"),
            (ChannelType::Email, "a@[127.0.0.1]"),
            (ChannelType::Email, "\"a b\"@c.nl"),
            (ChannelType::Email, "\"a\"@c.nl"),
            (ChannelType::Email, "A <a@b.nl>"),
            (ChannelType::Email, " <a@b.nl>"),
            (ChannelType::Email, "<a@b.nl>"),
            (ChannelType::Email, "a@b.nl\n"),
            (ChannelType::Telephone, "31612312311"),
            (ChannelType::Telephone, "+"),
            (ChannelType::Telephone, "+31 6"),
            (ChannelType::Telephone, "+٣١"),
            (ChannelType::Facebook, "-1"),
            (ChannelType::Facebook, ""),
            (ChannelType::Twitter, "@zoe"),
            (ChannelType::Twitter, ""),
        ] {
            assert_eq!(Address::new(kind, text), None, "{kind:?} {text:?}");
        }
        // The lower case of the Kelvin sign is a k, but this is another mailbox.
        let kelvin = Address::new(ChannelType::Email, "\u{212a}AtE@Example.org").unwrap();
        assert_eq!(kelvin.as_str(), "\u{212a}ate@example.org");
        assert_ne!(kelvin.lookup_key().as_deref(), Some("kate@example.org"));
        let long = format!("{}@example.org", "a".repeat(300));
        assert_eq!(Address::new(ChannelType::Email, &long), None);
        assert_eq!(
            Address::new(ChannelType::Telephone, &format!("+{}", "1".repeat(33))),
            None
        );
    }

    #[test]
    fn a_text_without_a_type_is_taken_by_its_form() {
        for (text, kind) in [
            ("a@b.nl", Some(ChannelType::Email)),
            ("+1", Some(ChannelType::Telephone)),
            ("1", Some(ChannelType::Facebook)),
            ("zoe", Some(ChannelType::Twitter)),
            ("@zoe", None),
        ] {
            let guessed = Address::guess(text);
            assert_eq!(guessed.map(|address| address.kind()), kind, "{text}");
        }
    }

    #[test]
    fn an_address_never_prints() {
        let address = Address::new(ChannelType::Email, "ada@example.org").unwrap();
        assert_eq!(format!("{address:?}"), "Address(Email)");
    }
}
