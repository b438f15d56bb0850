//! The merchant's own keys and values of a record.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The merchant's own keys and values of a record, sorted by key. The values may be about a person, so `Debug` shows the
/// keys only.
///
/// It is made of a map or of pairs, or read from a JSON object of texts, as a column may hold one. Of several values of one
/// key, the last counts.
///
/// ```
/// use churnkey_integrator::{CustomerId, model::{Customer, Metadata}};
///
/// let ada = Customer::new(CustomerId::new("cus_ada")?);
/// let ada = ada.with_metadata([("plan", "pro"), ("campaign", "spring")]);
/// assert_eq!(ada.metadata().get("plan"), Some("pro"));
///
/// let column = r#"{"plan": "pro", "campaign": "spring"}"#;
/// let metadata: Metadata = serde_json::from_str(column)?;
/// assert_eq!(*ada.metadata(), metadata);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(with = "std::collections::BTreeMap<String, String>")
)]
// A `BTreeMap` takes half a kilobyte for the one or two entries that records have.
pub struct Metadata(Box<[(Box<str>, Box<str>)]>);

impl Metadata {
    fn of(mut entries: Vec<(Box<str>, Box<str>)>) -> Self {
        if !entries.is_sorted_by(|(key, _), (next, _)| key < next) {
            // Reversed, the last value of a key comes first, and is the one that is kept.
            entries.reverse();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|(next, _), (key, _)| key == next);
        }
        Self(entries.into())
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.binary_search_by(|(known, _)| (**known).cmp(key));
        let (_, value) = self.0.get(found.ok()?)?;
        Some(value)
    }

    /// All keys and values, sorted by key.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<String>, V: Into<String>, E: IntoIterator<Item = (K, V)>> From<E> for Metadata {
    fn from(entries: E) -> Self {
        let entries = entries.into_iter();
        Self::of(
            entries
                .map(|(key, value)| (key.into().into(), value.into().into()))
                .collect(),
        )
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.0.iter().map(|(key, _)| key);
        f.debug_set().entries(keys).finish()
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> de::Visitor<'de> for Entries {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                // Most records have one, and a vector of its size becomes a slice without another allocation.
                let mut entries = Vec::with_capacity(1);
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Metadata::of(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_sorted_and_the_last_value_of_a_key_counts() {
        let text = r#"{"b":"1","a":"2","b":"3","a":"4","c":"5"}"#;
        let read: Metadata = serde_json::from_str(text).unwrap();
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(written, r#"{"a":"4","b":"3","c":"5"}"#);
        assert_eq!(read, Metadata::from([("c", "5"), ("b", "3"), ("a", "4")]));
        assert_eq!(read.get("b"), Some("3"));
        assert_eq!(read.get("d"), None);
        assert_eq!(
            read.iter().collect::<Vec<_>>(),
            [("a", "4"), ("b", "3"), ("c", "5")]
        );
        assert_eq!(read.len(), 3);
        assert_eq!(format!("{read:?}"), r#"{"a", "b", "c"}"#);
        assert!(Metadata::default().is_empty());
    }
}
