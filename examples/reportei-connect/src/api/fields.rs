//! The fields of a body or a query, each checked by its rule. Errors are collected, so that the caller gets all of them at once.

use std::ops::RangeInclusive;

use axum::http::Uri;
use churnkey_integrator::Timestamp;
use serde_json::{Map, Value};

use super::error::Error;

/// The fields that were sent, and the errors so far.
///
/// A rule returns `None` for a value that is not valid. For an optional field, `Some(None)` means that it was not sent.
pub(super) struct Fields {
    sent: Map<String, Value>,
    is_object: bool,
    broken: Vec<(String, String)>,
}

impl Fields {
    pub(super) fn new(sent: Map<String, Value>) -> Self {
        Self {
            sent,
            is_object: true,
            broken: Vec::new(),
        }
    }

    /// For JSON that is a list or a single value. It lacks every required field, and is refused even if none is required.
    pub(super) fn of_no_object() -> Self {
        Self {
            is_object: false,
            ..Self::new(Map::new())
        }
    }

    /// If a key is repeated, the last value counts.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self::new(
            pairs
                .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
                .collect(),
        )
    }

    /// The values, if all are valid.
    pub(super) fn accept<T>(self, fields: Option<T>) -> Result<T, Error> {
        match fields {
            Some(fields) if self.is_object && self.broken.is_empty() => Ok(fields),
            _ => Err(Error::Invalid(self.broken)),
        }
    }

    /// The value that was sent. `null` counts as not sent.
    pub(super) fn take(&mut self, field: &str) -> Option<Value> {
        self.sent.remove(field).filter(|value| !value.is_null())
    }

    pub(super) fn breaks<T>(&mut self, field: &str, rule: String) -> Option<T> {
        self.broken.push((field.to_owned(), rule));
        None
    }

    pub(super) fn missing<T>(&mut self, field: &str) -> Option<T> {
        let rule = format!("The {} field is required.", name(field));
        self.breaks(field, rule)
    }

    /// A text that is not blank, trimmed, of at most this many characters.
    pub(super) fn text(&mut self, field: &str, max: usize) -> Option<String> {
        match self.optional_text(field, max)? {
            Some(text) => Some(text),
            None => self.missing(field),
        }
    }

    /// The same, where a blank text counts as not sent.
    pub(super) fn optional_text(&mut self, field: &str, max: usize) -> Option<Option<String>> {
        let text = match self.take(field) {
            None => return Some(None),
            Some(Value::String(text)) => text,
            Some(_) => {
                let rule = format!("The {} field must be a string.", name(field));
                return self.breaks(field, rule);
            }
        };
        let text = text.trim();
        if text.chars().count() > max {
            let name = name(field);
            let rule = format!("The {name} field must not be greater than {max} characters.");
            return self.breaks(field, rule);
        }
        Some((!text.is_empty()).then(|| text.to_owned()))
    }

    /// A web address.
    pub(super) fn optional_url(&mut self, field: &str) -> Option<Option<String>> {
        let Some(text) = self.optional_text(field, 2048)? else {
            return Some(None);
        };
        let is_web = text.parse::<Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
        if !is_web {
            let rule = format!("The {} field must be a valid URL.", name(field));
            return self.breaks(field, rule);
        }
        Some(Some(text))
    }

    /// `true`, `false`, 1, 0, `"1"` or `"0"`.
    pub(super) fn boolean(&mut self, field: &str) -> Option<bool> {
        match self.optional_boolean(field)? {
            Some(boolean) => Some(boolean),
            None => self.missing(field),
        }
    }

    pub(super) fn optional_boolean(&mut self, field: &str) -> Option<Option<bool>> {
        let boolean = match self.take(field) {
            None => return Some(None),
            Some(Value::Bool(boolean)) => Some(boolean),
            Some(Value::Number(number)) => match number.as_i64() {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
            Some(Value::String(text)) => match text.as_str() {
                "0" => Some(false),
                "1" => Some(true),
                _ => None,
            },
            Some(_) => None,
        };
        match boolean {
            Some(boolean) => Some(Some(boolean)),
            None => {
                let rule = format!("The {} field must be true or false.", name(field));
                self.breaks(field, rule)
            }
        }
    }

    /// A boolean in a query, where all values are texts.
    pub(super) fn flag(&mut self, field: &str) -> Option<bool> {
        if let Some(Value::String(text)) = self.sent.get(field)
            && let Ok(flag) = text.parse()
        {
            return Some(flag);
        }
        self.optional_boolean(field)
            .map(|flag| flag.unwrap_or_default())
    }

    /// An integer, also as text. `default` if it was not sent.
    pub(super) fn integer(
        &mut self,
        field: &str,
        default: i64,
        range: RangeInclusive<i64>,
    ) -> Option<i64> {
        let integer = match self.take(field) {
            None => return Some(default),
            Some(Value::Number(number)) => number
                .as_i64()
                .or_else(|| number.as_u64().and(Some(i64::MAX))),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        let name = name(field);
        let (min, max) = (range.start(), range.end());
        let rule = match integer {
            Some(integer) if range.contains(&integer) => return Some(integer),
            None => format!("The {name} field must be an integer."),
            Some(integer) if integer < *min => format!("The {name} field must be at least {min}."),
            Some(_) => format!("The {name} field must not be greater than {max}."),
        };
        self.breaks(field, rule)
    }

    /// A day, or a time in RFC 3339.
    pub(super) fn date(&mut self, field: &str) -> Option<Timestamp> {
        match self.optional_date(field)? {
            Some(date) => Some(date),
            None => self.missing(field),
        }
    }

    pub(super) fn optional_date(&mut self, field: &str) -> Option<Option<Timestamp>> {
        let Some(text) = self.optional_text(field, 64)? else {
            return Some(None);
        };
        match format!("{text}T00:00:00Z").parse().or(text.parse()) {
            Ok(date) => Some(Some(date)),
            Err(_) => {
                let rule = format!("The {} field must be a valid date.", name(field));
                self.breaks(field, rule)
            }
        }
    }
}

/// The name of a field in a message.
fn name(field: &str) -> String {
    field.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The result of a rule, or its message.
    fn check<T>(
        value: Value,
        rule: impl FnOnce(&mut Fields, &str) -> Option<T>,
    ) -> Result<T, String> {
        let mut fields = Fields::new(Map::from_iter([("a_field".to_owned(), value)]));
        let given = rule(&mut fields, "a_field");
        fields.accept(given).map_err(|error| match error {
            Error::Invalid(mut broken) => broken.remove(0).1,
            other => format!("{other:?}"),
        })
    }

    fn broken<T>(rule: &str) -> Result<T, String> {
        Err(format!("The a field field {rule}."))
    }

    #[test]
    fn a_text_is_trimmed_and_has_its_length_in_characters() {
        let text = |value| check(value, |fields, field| fields.text(field, 3));
        assert_eq!(text(json!(" \u{eb}\u{eb}\u{eb}\n")), Ok("\u{eb}".repeat(3)));
        assert_eq!(
            text(json!("' --")),
            broken("must not be greater than 3 characters")
        );
        for nothing in [json!(null), json!(""), json!(" \t\n")] {
            assert_eq!(text(nothing), broken("is required"));
        }
        for other in [json!(1), json!(true), json!([]), json!({})] {
            assert_eq!(text(other), broken("must be a string"));
        }
    }

    #[test]
    fn a_boolean_has_six_spellings() {
        let boolean = |value| check(value, Fields::boolean);
        for (value, meant) in [
            (json!(true), true),
            (json!(1), true),
            (json!("1"), true),
            (json!(false), false),
            (json!(0), false),
            (json!("0"), false),
        ] {
            assert_eq!(boolean(value), Ok(meant));
        }
        assert_eq!(boolean(json!(null)), broken("is required"));
        for other in [json!("true"), json!(2), json!(1.5), json!(""), json!([])] {
            assert_eq!(boolean(other), broken("must be true or false"));
        }
    }

    #[test]
    fn an_integer_has_bounds_and_may_be_a_text() {
        let integer = |value| check(value, |fields, field| fields.integer(field, 7, 1..=100));
        assert_eq!(integer(json!(null)), Ok(7));
        assert_eq!(integer(json!(1)), Ok(1));
        assert_eq!(integer(json!("100")), Ok(100));
        assert_eq!(integer(json!(0)), broken("must be at least 1"));
        assert_eq!(
            integer(json!("-9223372036854775808")),
            broken("must be at least 1")
        );
        assert_eq!(
            integer(json!(u64::MAX)),
            broken("must not be greater than 100")
        );
        for other in [
            json!("1e1"),
            json!(""),
            json!(1.5),
            json!("99999999999999999999"),
        ] {
            assert_eq!(integer(other), broken("must be an integer"));
        }
    }

    #[test]
    fn an_address_is_one_of_the_web() {
        let url = |value| check(value, Fields::optional_url);
        assert_eq!(url(json!("")), Ok(None));
        for good in ["https://shop.example/a?b=c", "http://127.0.0.1:1/"] {
            assert_eq!(url(json!(good)), Ok(Some(good.to_owned())));
        }
        for bad in [
            "javascript:alert(1)",
            "//shop.example",
            "/a",
            "https://",
            "a b",
        ] {
            assert_eq!(url(json!(bad)), broken("must be a valid URL"), "{bad}");
        }
    }

    #[test]
    fn a_date_is_a_day_or_a_moment() {
        let date = |value| check(value, Fields::date).map(|date| date.to_string());
        let day = Ok("2024-01-31T00:00:00.000Z".to_owned());
        assert_eq!(date(json!("2024-01-31")), day);
        assert_eq!(date(json!("2024-01-31T01:00:00+01:00")), day);
        assert_eq!(date(json!("2024-02-30")), broken("must be a valid date"));
        assert_eq!(date(json!("yesterday")), broken("must be a valid date"));
    }

    #[test]
    fn all_that_is_broken_is_told() {
        let mut fields = Fields::of_query(Some("page=0&page=x&descending=2"));
        let page = fields.integer("page", 1, 1..=i64::MAX);
        let descending = fields.flag("descending");
        let Err(Error::Invalid(broken)) = fields.accept(page.zip(descending)) else {
            panic!("it was accepted");
        };
        let fields: Vec<_> = broken.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["page", "descending"]);
    }
}
