//! The merchant's ids: opaque text.

use serde::{Deserialize, Serialize};

/// The text is not a valid id. The message names the rule that it breaks.
///
/// The rejected text is not kept, so that it can't reach a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {what} {problem}")]
pub struct InvalidId {
    what: &'static str,
    problem: &'static str,
}

/// The longest id that any type here holds, in bytes. [`max_id_bytes`](crate::IntegrationBuilder::max_id_bytes) bounds
/// more tightly what callers may send.
pub(crate) const MAX_BYTES: usize = 1024;

/// The last rule of [`check`] as a pattern of JSON Schema.
#[cfg(feature = "openapi")]
pub(crate) const NO_CONTROL_CHARACTERS: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";

fn check(what: &'static str, id: &str) -> Result<(), InvalidId> {
    let problem = if id.is_empty() {
        "must not be empty"
    } else if id.len() > MAX_BYTES {
        "must have at most 1024 bytes"
    } else if has_control_character(id) {
        // A NUL byte can't be stored by PostgreSQL, and a line feed forges log lines.
        "must not contain control characters"
    } else {
        return Ok(());
    };
    Err(InvalidId { what, problem })
}

/// Whether there is a control character of Unicode. Texts of printable ASCII only, as nearly all are, are read without decoding
/// them.
pub(crate) fn has_control_character(text: &str) -> bool {
    // Without an early end, so that the compiler compares many bytes at a time.
    let plain = text
        .bytes()
        .fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte));
    !plain && text.chars().any(char::is_control)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        ///
        /// Opaque text of 1 to 1024 bytes without control characters, compared byte by byte (contract, section 2.7).
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(
            feature = "openapi",
            derive(schemars::JsonSchema),
            schemars(!try_from, extend("minLength" = 1, "maxLength" = MAX_BYTES, "pattern" = NO_CONTROL_CHARACTERS))
        )]
        #[serde(try_from = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks and wraps an id.
            ///
            /// # Errors
            /// [`InvalidId`] if the text is empty, is longer than 1024 bytes, or has a control character.
            pub fn new(id: impl Into<String>) -> Result<Self, InvalidId> {
                let id = id.into();
                check($what, &id)?;
                Ok(Self(id.into_boxed_str()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The id as text, owned.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0.into_string()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.into_string()
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidId;

            fn try_from(id: &str) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(id: String) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(id: &str) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }
    };
}

id!(
    /// The merchant's id of a customer.
    CustomerId,
    "customer id"
);
id!(
    /// The merchant's id of a subscription.
    SubscriptionId,
    "subscription id"
);
id!(
    /// The merchant's id of a coupon.
    CouponId,
    "coupon id"
);
id!(
    /// The merchant's id of a line item of a subscription.
    ItemId,
    "item id"
);
id!(
    /// The merchant's id of a price.
    PriceId,
    "price id"
);
id!(
    /// The merchant's id of a product.
    ProductId,
    "product id"
);
id!(
    /// A platform's id of one of its [tenants](crate::Tenant). Every request of the tenant is logged with it, so use no
    /// personal data.
    TenantId,
    "tenant id"
);
id!(
    /// The merchant's id of a product family.
    FamilyId,
    "family id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_any_text_without_control_characters() {
        for good in ["cus_1", "a/b", "..", "' OR 1=1 --", "Zoë", " ", "email"] {
            assert_eq!(CustomerId::new(good).unwrap().as_str(), good);
        }
        assert!(CustomerId::new("x".repeat(1024)).is_ok());
    }

    #[test]
    fn a_control_character_is_found_wherever_it_is() {
        let controls = ('\0'..='\u{10ff}').filter(|c| c.is_control());
        assert_eq!(controls.clone().count(), 65);
        for control in controls {
            for text in [
                format!("{control}abc"),
                format!("Zo\u{eb}{control}"),
                format!("{}{control}", "x".repeat(99)),
            ] {
                assert!(has_control_character(&text), "{text:?}");
            }
        }
        for text in ["", " ", "cus_1~", "Zo\u{eb}", "\u{a0}", "\u{1f600}"] {
            assert!(!has_control_character(text), "{text:?}");
        }
    }

    #[test]
    fn an_id_converts_from_text_and_back() {
        let id = CustomerId::new("cus_1").unwrap();
        assert_eq!("cus_1".parse(), Ok(id.clone()));
        assert_eq!(CustomerId::try_from("cus_1"), Ok(id.clone()));
        assert_eq!(CustomerId::try_from("cus_1".to_owned()), Ok(id.clone()));
        assert_eq!(CustomerId::try_from(""), CustomerId::new(""));
        assert_eq!(id.as_ref(), "cus_1");
        assert_eq!(String::from(id.clone()), id.into_string());
    }

    #[test]
    fn an_invalid_id_says_which_rule_it_broke_and_never_repeats_the_text() {
        let message = |id: &str| CustomerId::new(id).unwrap_err().to_string();
        assert_eq!(message(""), "a customer id must not be empty");
        assert_eq!(
            message("a\0b"),
            "a customer id must not contain control characters"
        );
        assert_eq!(
            message(&"x".repeat(1025)),
            "a customer id must have at most 1024 bytes"
        );
    }
}
