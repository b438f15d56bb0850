//! Limits of metadata.

use std::fmt::Display;

/// The limits of one customer's metadata. Churnkey states none, so these are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataLimits {
    /// The number of entries.
    pub entries: usize,
    /// The number of characters of a value.
    pub characters: usize,
}

impl Default for MetadataLimits {
    fn default() -> Self {
        Self {
            entries: 50,
            characters: 500,
        }
    }
}

/// Metadata within the limits.
struct Fitted {
    /// The entries within the limits, in their order.
    kept: Vec<(String, String)>,
    /// The keys of the other entries.
    left_out: Vec<String>,
}

impl MetadataLimits {
    /// A customer's metadata in its order, without empty values, and without entries that exceed a limit. Values are never cut. The
    /// log names the keys that are left out.
    pub fn fit<K, V>(
        self,
        customer: impl Display,
        entries: impl IntoIterator<Item = (K, Option<V>)>,
    ) -> Vec<(String, String)>
    where
        K: Into<String>,
        V: Into<String>,
    {
        let Fitted { kept, left_out } = self.sort(entries);
        if !left_out.is_empty() {
            tracing::warn!(%customer, keys = ?left_out, "these metadata exceed the limits and are left out");
        }
        kept
    }

    fn sort<K, V>(self, entries: impl IntoIterator<Item = (K, Option<V>)>) -> Fitted
    where
        K: Into<String>,
        V: Into<String>,
    {
        let mut fitted = Fitted {
            kept: Vec::new(),
            left_out: Vec::new(),
        };
        for (key, value) in entries {
            let (key, value) = (key.into(), value.map(Into::into).unwrap_or_default());
            if value.is_empty() {
                continue;
            }
            if fitted.kept.len() < self.entries && value.chars().count() <= self.characters {
                fitted.kept.push((key, value));
            } else {
                fitted.left_out.push(key);
            }
        }
        fitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_is_no_entry_and_what_is_too_much_is_reported() {
        let limits = MetadataLimits {
            entries: 2,
            characters: 3,
        };
        let entries = [
            ("none", None),
            ("empty", Some("")),
            ("fits", Some("\u{eb}\u{eb}\u{eb}")),
            ("long", Some("four")),
            ("second", Some("2")),
            ("third", Some("3")),
        ];
        let fitted = limits.sort(entries);
        let kept = [("fits", "\u{eb}\u{eb}\u{eb}"), ("second", "2")];
        assert_eq!(
            fitted.kept,
            kept.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        assert_eq!(fitted.left_out, ["long", "third"]);
        assert_eq!(
            MetadataLimits::default(),
            MetadataLimits {
                entries: 50,
                characters: 500
            }
        );
    }
}
