//! What callers may send, whatever the record.

use serde::{Deserialize, Deserializer};
use uuid::Uuid;

/// What is wrong with what was sent. Only the caller gets to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid(pub(crate) String);

/// A key of a JSON object: to leave it out and to send null are two things.
#[derive(Clone, Default)]
pub(crate) enum Sent<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<T> Sent<T> {
    /// The value, with that which null stands for. `None` if nothing was sent.
    pub(crate) fn or_null(self, null: T) -> Option<T> {
        match self {
            Self::Absent => None,
            Self::Null => Some(null),
            Self::Value(value) => Some(value),
        }
    }

    pub(crate) fn try_map<U>(
        self,
        check: impl FnOnce(T) -> Result<U, Invalid>,
    ) -> Result<Sent<U>, Invalid> {
        Ok(match self {
            Self::Absent => Sent::Absent,
            Self::Null => Sent::Null,
            Self::Value(value) => Sent::Value(check(value)?),
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sent<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::deserialize(deserializer)? {
            Some(value) => Self::Value(value),
            None => Self::Null,
        })
    }
}

/// A UUID in its hyphenated form, in lower case. The other forms that the standard library of UUIDs reads are none of ours.
pub(crate) fn uuid(text: &str) -> Option<String> {
    (text.len() == 36)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
        .map(|uuid| uuid.to_string())
}

/// Text without control characters: none is wanted, and NUL ends a text for some who read it.
pub(crate) fn text(field: &str, value: String) -> Result<String, Invalid> {
    if value.chars().any(char::is_control) {
        return Err(Invalid(format!(
            "{field} must not contain control characters"
        )));
    }
    Ok(value)
}

/// A name of 1 to 255 characters, without the space around it.
pub(crate) fn name(field: &str, value: &str) -> Result<String, Invalid> {
    let name = text(field, value.trim().to_owned())?;
    match name.chars().count() {
        1..=255 => Ok(name),
        _ => Err(Invalid(format!("{field} must have 1 to 255 characters"))),
    }
}

pub(crate) fn email(value: String) -> Result<String, Invalid> {
    let no_gap = !value.chars().any(|c| c.is_whitespace() || c.is_control());
    let parts = value.split_once('@').is_some_and(|(mailbox, domain)| {
        let mut labels = domain.split('.');
        !mailbox.is_empty()
            && !domain.contains('@')
            && domain.contains('.')
            && labels.all(|label| !label.is_empty())
    });
    if no_gap && parts && value.len() <= 254 {
        Ok(value)
    } else {
        Err(Invalid("email must be a valid address".to_owned()))
    }
}

/// Free text of at most 32 characters.
pub(crate) fn phone(value: String) -> Result<String, Invalid> {
    if value.chars().count() > 32 {
        return Err(Invalid("phone must have at most 32 characters".to_owned()));
    }
    text("phone", value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_hyphens_and_is_kept_in_lower_case() {
        let id = "346dd239-cbe4-44fe-b9ee-be88fd2fa853";
        assert_eq!(uuid(id).as_deref(), Some(id));
        assert_eq!(uuid(&id.to_uppercase()).as_deref(), Some(id));
        for text in [
            "",
            "x",
            "346dd239cbe444feb9eebe88fd2fa853",
            "{346dd239-cbe4-44fe-b9ee-be88fd2fa853}",
            "346dd239-cbe4-44fe-b9ee-be88fd2fa85g",
            "\u{e9}46dd239-cbe4-44fe-b9ee-be88fd2fa85",
        ] {
            assert_eq!(uuid(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_has_one_at_and_a_domain_of_labels() {
        let longest = format!("{}@b.co", "a".repeat(249));
        for good in [
            "a@b.co",
            "zo\u{eb}+tag@b\u{fc}cher.example",
            "'--@x.y",
            &longest,
        ] {
            assert_eq!(email(good.to_owned()).as_deref(), Ok(good));
        }
        let too_long = format!("{}@b.co", "a".repeat(250));
        for bad in [
            "", "a", "@b.co", "a@", "a@b", "a@b.", "a@.co", "a@b..co", "a@b@c.co", " a@b.co",
            "a b@c.co", "a@b.co\0", &too_long,
        ] {
            assert!(email(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_is_counted_in_characters_without_the_space_around_it() {
        let longest = "\u{eb}".repeat(255);
        assert_eq!(name("first_name", &format!(" {longest} ")), Ok(longest));
        let invalid = |value: &str| name("first_name", value).unwrap_err().0;
        assert_eq!(invalid("  "), "first_name must have 1 to 255 characters");
        let too_long = "x".repeat(256);
        assert_eq!(
            invalid(&too_long),
            "first_name must have 1 to 255 characters"
        );
        assert_eq!(
            invalid("a\0b"),
            "first_name must not contain control characters"
        );
    }
}
