//! The fields of a query or a body, and the types of their values. Values are taken literally (O5).

use std::{borrow::Cow, collections::BTreeMap, fmt};

use percent_encoding::percent_decode;

use super::answer::{Refused, Result};
use crate::{
    address::{Address, ChannelType},
    fields::{CUSTOM, MAX_TEXT, is_custom_name, is_custom_value, is_digits, is_name, is_text},
};

/// Fields by name. If a name is repeated, the last value counts. `Debug` shows only the names.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn set(&mut self, name: String, value: String) {
        self.0.insert(name, value);
    }

    pub(super) fn from_query(query: &str) -> Result<Self> {
        Self::from_urlencoded(query.as_bytes())
    }

    /// Not `form_urlencoded`, which replaces bytes that are not UTF-8.
    pub(super) fn from_urlencoded(bytes: &[u8]) -> Result<Self> {
        let text = |bytes: &[u8]| {
            let spaced: Vec<u8> = bytes
                .iter()
                .map(|byte| if *byte == b'+' { b' ' } else { *byte })
                .collect();
            let decoded: Cow<'_, [u8]> = percent_decode(&spaced).into();
            String::from_utf8(decoded.into_owned())
                .map_err(|_| Refused::bad("The parameters must be UTF-8."))
        };
        let mut form = Self::default();
        for pair in bytes.split(|byte| *byte == b'&') {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = text(halves.next().unwrap_or_default())?;
            let value = text(halves.next().unwrap_or_default())?;
            if !pair.is_empty() {
                form.set(name, value);
            }
        }
        Ok(form)
    }

    /// These fields, overridden by those of another form.
    pub(super) fn overlaid(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.0.extend(other.0.clone());
        both
    }

    /// A field as it was sent.
    pub(super) fn sent(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// An external id or similar text. Empty counts as not sent.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>> {
        let text = self.sent(name).filter(|text| !text.is_empty());
        if text.is_none_or(is_text) {
            return Ok(text);
        }
        Err(Refused::bad(format!(
            "{name} must have at most {MAX_TEXT} characters, none of them a control character."
        )))
    }

    pub(super) fn required_text(&self, name: &str) -> Result<&str> {
        self.text(name)?.ok_or_else(|| Refused::required(name))
    }

    /// A number. A larger one than the type holds is read as the largest.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>> {
        match self.sent(name) {
            None => Ok(None),
            Some(digits) if is_digits(digits) => Ok(Some(digits.parse().unwrap_or(i64::MAX))),
            Some(_) => Err(Refused::bad(format!("{name} must be a number."))),
        }
    }

    /// A person's name. Empty counts as not sent (O7).
    pub(super) fn name(&self, name: &str) -> Result<Option<&str>> {
        let text = self.sent(name).filter(|text| !text.is_empty());
        if text.is_none_or(is_name) {
            return Ok(text);
        }
        Err(Refused::bad(format!(
            "{name} may hold letters, dots, hyphens, apostrophes and spaces, {MAX_TEXT} at most."
        )))
    }

    /// An address of a type.
    pub(super) fn address(&self, name: &str, kind: ChannelType) -> Result<Option<Address>> {
        let Some(text) = self.sent(name) else {
            return Ok(None);
        };
        let address = Address::new(kind, text);
        let address = address.ok_or_else(|| {
            Refused::bad(format!("{name} is not a valid address of its channel."))
        })?;
        Ok(Some(address))
    }

    /// A type of channel, by id or name.
    pub(super) fn channel_type(&self, name: &str) -> Result<Option<ChannelType>> {
        let kind = self.sent(name).map(|text| {
            ChannelType::parse(text)
                .ok_or_else(|| Refused::bad(format!("{name} is not a channel that exists.")))
        });
        kind.transpose()
    }

    /// True for any value except these three (O20).
    pub(super) fn flag(&self, name: &str) -> bool {
        self.sent(name)
            .is_some_and(|value| !matches!(value, "" | "0" | "false"))
    }

    /// The custom fields. An empty value deletes the field (O8).
    pub(super) fn custom(&self) -> Result<BTreeMap<&str, &str>> {
        let mut custom = BTreeMap::new();
        for (name, value) in &self.0 {
            if !name.starts_with(CUSTOM) {
                continue;
            }
            if !is_custom_name(name) {
                let message =
                    "A custom field is named custom_ and 1 to 64 letters, digits or underscores.";
                return Err(Refused::bad(message));
            }
            if !is_custom_value(value) {
                return Err(Refused::bad(
                    "A custom field holds at most 4096 characters.",
                ));
            }
            custom.insert(name.as_str(), value.as_str());
        }
        Ok(custom)
    }

    /// The pairs `customerChannelType_<n>` and `customerChannelValue_<n>`, in the order of their numbers (O23).
    pub(super) fn channel_pairs(&self) -> Result<Vec<Address>> {
        let mut pairs = BTreeMap::<u64, (Option<&str>, Option<&str>)>::new();
        for (name, value) in &self.0 {
            let number = |prefix| {
                let number = name.strip_prefix(prefix)?;
                is_digits(number).then(|| number.parse().ok())?
            };
            if let Some(n) = number("customerChannelType_") {
                pairs.entry(n).or_default().0 = Some(value);
            } else if let Some(n) = number("customerChannelValue_") {
                pairs.entry(n).or_default().1 = Some(value);
            }
        }
        let addresses = pairs.into_iter().map(|(n, pair)| {
            let (Some(kind), Some(text)) = pair else {
                return Err(Refused::bad(format!(
                    "customerChannelType_{n} and customerChannelValue_{n} need each other."
                )));
            };
            let kind = ChannelType::parse(kind).ok_or_else(|| {
                Refused::bad(format!(
                    "customerChannelType_{n} is not a channel that exists."
                ))
            })?;
            Address::new(kind, text).ok_or_else(|| {
                Refused::bad(format!(
                    "customerChannelValue_{n} is not a valid address of its channel."
                ))
            })
        });
        addresses.collect()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_fields_with_one_name_the_last_counts_and_values_are_literal() {
        let form = Form::from_query("a=1&a=%27x+y%27&&b&=none&c=%2B=&d=%zz").unwrap();
        assert_eq!(form.sent("a"), Some("'x y'"));
        assert_eq!((form.sent("b"), form.sent("")), (Some(""), Some("none")));
        assert_eq!((form.sent("c"), form.sent("d")), (Some("+="), Some("%zz")));
        assert_eq!(form.sent("e"), None);
        let no_utf8 = Err(Refused::bad("The parameters must be UTF-8."));
        assert_eq!(Form::from_query("a=%C3"), no_utf8);
        assert_eq!(Form::from_query(""), Ok(Form::default()));
    }

    #[test]
    fn a_form_prints_no_values() {
        let form = Form::from_query("firstname=Ada").unwrap();
        assert_eq!(format!("{form:?}"), "{\"firstname\"}");
    }
}
