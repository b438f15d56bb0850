//! How much of a merchant's record becomes metadata.

use std::fmt::Display;

/// The most metadata that one customer gets. Churnkey states no limit, so this one is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataLimits {
    /// How many entries.
    pub entries: usize,
    /// How many characters a value has.
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
    /// What stays, in the order in which it came.
    kept: Vec<(String, String)>,
    /// The keys of what went over a limit.
    left_out: Vec<String>,
}

impl MetadataLimits {
    /// A customer's metadata, in the order in which it came, without what is empty, as the record has nothing there, and without
    /// what goes over a limit. Nothing is left out, or cut, in silence: the log names such keys.
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
            tracing::warn!(%customer, keys = ?left_out, "too much metadata for Churnkey");
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
