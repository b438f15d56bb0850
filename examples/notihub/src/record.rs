//! Notihub's records, and the rules of their fields.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A customer of one environment.
#[derive(Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    /// The insertion number. It never changes.
    #[serde(skip)]
    pub seq: i64,
    /// A UUID.
    pub customer_id: String,
    /// The id in the owner's system, unique in the environment.
    pub external_id: Option<String>,
    /// Whether the customer gets messages.
    pub status: Status,
    /// `None` is the environment's default.
    pub language: Option<String>,
    /// Free text.
    pub metadata: String,
    /// In the order of their ids.
    #[sqlx(skip)]
    pub contacts: Vec<Contact>,
}

/// Whether a customer gets messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(rename_all = "UPPERCASE")]
pub enum Status {
    /// The customer gets messages.
    Enabled,
    /// The customer gets no messages, but is still a customer.
    Disabled,
}

/// Where a customer can be reached.
#[derive(Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Unique over all environments.
    pub contact_id: i64,
    /// The kind.
    #[serde(rename = "type")]
    #[sqlx(rename = "type")]
    pub kind: ContactKind,
    /// The address, the number or the device's token.
    pub value: String,
    /// At most one contact of each kind is the customer's primary one.
    #[sqlx(rename = "is_primary")]
    pub primary: bool,
    /// Whether it is verified.
    #[sqlx(rename = "is_verified")]
    pub verified: bool,
}

/// The kinds of contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(rename_all = "UPPERCASE")]
pub enum ContactKind {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// The token of a device, which is a secret.
    Push,
}

/// A customer to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCustomer {
    /// See [`Customer::external_id`].
    pub external_id: Option<String>,
    /// See [`Customer::status`].
    pub status: Status,
    /// See [`Customer::language`].
    pub language: Option<String>,
    /// See [`Customer::metadata`].
    pub metadata: String,
    /// If several of a kind are primary, the last one is taken (N10).
    pub contacts: Vec<NewContact>,
}

/// A contact to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewContact {
    /// See [`Contact::kind`].
    pub kind: ContactKind,
    /// See [`Contact::value`].
    pub value: String,
    /// See [`Contact::primary`].
    pub primary: bool,
    /// See [`Contact::verified`].
    pub verified: bool,
}

/// Changes of a customer. `None` leaves a field as it is (N13). Contacts have calls of their own (N14).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CustomerChanges {
    /// `Some(None)` clears it.
    pub external_id: Option<Option<String>>,
    /// See [`Customer::status`].
    pub status: Option<Status>,
    /// `Some(None)` clears it.
    pub language: Option<Option<String>>,
    /// See [`Customer::metadata`].
    pub metadata: Option<String>,
}

/// Changes of a contact. `None` leaves a field as it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ContactChanges {
    /// See [`Contact::kind`].
    pub kind: Option<ContactKind>,
    /// See [`Contact::value`].
    pub value: Option<String>,
    /// See [`Contact::primary`].
    pub primary: Option<bool>,
    /// See [`Contact::verified`].
    pub verified: Option<bool>,
}

/// Which messages of a group of templates a customer wants. Without a preference, all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preference {
    /// The group.
    pub template_group_id: String,
    /// In the order in which they were sent.
    pub mechanisms: Vec<Mechanism>,
}

/// How a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mechanism {
    /// By e-mail.
    Email,
    /// As a text message.
    #[serde(alias = "SMS")]
    Phone,
    /// On a device.
    Push,
    /// Not at all. It can't be combined with others.
    None,
}

/// No `Debug` output contains personal data or push tokens.
macro_rules! shows_nothing {
    ($($record:ident)*) => {
        $(impl fmt::Debug for $record {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($record)).finish_non_exhaustive()
            }
        })*
    };
}

shows_nothing!(Contact NewCustomer NewContact CustomerChanges ContactChanges);

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("customer_id", &self.customer_id)
            .finish_non_exhaustive()
    }
}

impl Status {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
        }
    }
}

impl ContactKind {
    /// Whether a text is valid as the value of such a contact.
    #[must_use]
    pub fn accepts(self, value: &str) -> bool {
        match self {
            Self::Email => is_email(value),
            Self::Phone => is_phone(value),
            Self::Push => {
                (1..=4096).contains(&value.len())
                    && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
            }
        }
    }

    /// Whether such a contact can identify a customer.
    #[must_use]
    pub fn identifies(self) -> bool {
        matches!(self, Self::Email | Self::Phone)
    }
}

/// `^[^@\s]+@[^@\s]+\.[^@\s]+$`, at most 254 bytes. The pattern is documented, and accepts what the crate `email_address` refuses,
/// such as `a@b..c`.
fn is_email(value: &str) -> bool {
    let Some((mailbox, domain)) = value.split_once('@') else {
        return false;
    };
    let mut inner = domain.chars();
    // A dot needs a character on both sides.
    let has_inner_dot =
        inner.next().is_some() && inner.next_back().is_some() && inner.any(|c| c == '.');
    value.len() <= 254
        && !mailbox.is_empty()
        && has_inner_dot
        && !domain.contains('@')
        && !value.contains(char::is_whitespace)
}

/// The documents' own sample is `123-444-XXXX`, so E.164 can't be required (N8).
fn is_phone(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+().- ".contains(&byte);
    (3..=32).contains(&value.len()) && value.bytes().all(allowed) && digits >= 3
}

/// `^[a-z]{2,3}(_[A-Z]{2})?$` (N6).
#[must_use]
pub fn is_language(text: &str) -> bool {
    let (language, country) = match text.split_once('_') {
        Some((language, country)) => (language, Some(country)),
        None => (text, None),
    };
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && country.is_none_or(|country| {
            country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase())
        })
}

/// Whether a customer can be identified: by an external id, an e-mail address or a phone number.
#[must_use]
pub fn is_identified(
    external_id: Option<&str>,
    kinds: impl IntoIterator<Item = ContactKind>,
) -> bool {
    external_id.is_some() || kinds.into_iter().any(ContactKind::identifies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_has_one_at_and_a_dot_inside_its_domain() {
        for good in [
            "a@b.c",
            "a@b..c",
            "a.b+c@d.example",
            "\u{eb}@\u{fc}.de",
            "a@..b",
            "!@#.$",
        ] {
            assert!(ContactKind::Email.accepts(good), "{good}");
        }
        let longest = format!("{}@b.cd", "x".repeat(250));
        assert!(ContactKind::Email.accepts(&longest[1..]));
        assert!(!ContactKind::Email.accepts(&longest));
        for bad in [
            "",
            "nope",
            "a@b",
            "@b.c",
            "a@.c",
            "a@b.",
            "a@b@c.d",
            "a b@c.d",
            "a@b.c\n",
            "a@\u{a0}b.c",
            "a@.",
        ] {
            assert!(!ContactKind::Email.accepts(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_phone_number_has_three_digits_at_least() {
        for good in [
            "123",
            "123-444-XXXX",
            "+5491155550101",
            "(0) 1.2 ext 3",
            &"1".repeat(32),
        ] {
            assert!(ContactKind::Phone.accepts(good), "{good}");
        }
        for bad in [
            "",
            "12",
            "12X",
            "1/2/3",
            "123\n",
            "\u{661}\u{662}\u{663}",
            &"1".repeat(33),
        ] {
            assert!(!ContactKind::Phone.accepts(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_push_token_is_printable_ascii() {
        assert!(ContactKind::Push.accepts("push-token ~"));
        assert!(ContactKind::Push.accepts(&"x".repeat(4096)));
        for bad in ["", "a\tb", "\u{eb}", &"x".repeat(4097)] {
            assert!(!ContactKind::Push.accepts(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_language_may_have_a_country() {
        for good in ["en", "fil", "en_US", "es_AR"] {
            assert!(is_language(good), "{good}");
        }
        for bad in [
            "", "e", "engl", "EN", "en_", "en_us", "en_USA", "en-US", "en_US_x", " en",
        ] {
            assert!(!is_language(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_push_token_alone_identifies_nobody() {
        assert!(is_identified(Some("x"), []));
        assert!(is_identified(None, [ContactKind::Push, ContactKind::Phone]));
        assert!(!is_identified(None, [ContactKind::Push]));
    }

    #[test]
    fn records_print_nothing_about_a_person() {
        let contact = NewContact {
            kind: ContactKind::Push,
            value: "secret".to_owned(),
            primary: false,
            verified: true,
        };
        assert_eq!(format!("{contact:?}"), "NewContact { .. }");
    }
}
