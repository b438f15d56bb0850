//! Enums whose variants are a word each on the wire, such as `live` and `test`.

use std::fmt;

/// The text names no variant of the enum.
///
/// The rejected text is not kept, so that it can't reach a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidVariant {
    what: &'static str,
    expected: &'static [&'static str],
}

impl InvalidVariant {
    pub(crate) const fn new(what: &'static str, expected: &'static [&'static str]) -> Self {
        Self { what, expected }
    }
}

impl fmt::Display for InvalidVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a {}: expected ", self.what)?;
        for (number, word) in self.expected.iter().enumerate() {
            let separator = match self.expected.len() - number {
                _ if number == 0 => "",
                1 => " or ",
                _ => ", ",
            };
            write!(f, "{separator}`{word}`")?;
        }
        Ok(())
    }
}

/// Converts an enum from and to the words that its variants have on the wire.
macro_rules! words {
    ($name:ident, $what:literal: $($variant:ident = $word:literal),+) => {
        impl $name {
            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        /// Writes the word on the wire.
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        /// Reads the word on the wire, in lower case only.
        impl std::str::FromStr for $name {
            type Err = crate::variant::InvalidVariant;

            fn from_str(word: &str) -> Result<Self, crate::variant::InvalidVariant> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(crate::variant::InvalidVariant::new($what, &[$($word),+])),
                }
            }
        }
    };
}

pub(crate) use words;
