//! The body of an action, field by field. Every error is a 400 that names the field and never repeats the value.
//!
//! Reading is tolerant (contract, sections 2.7 and 5): unknown fields are ignored, `null` counts as absent, and the documented
//! aliases are accepted. A field that occurs twice is an error, because either of the two could be meant.

use std::{fmt, num::NonZeroU32};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::extract::{Call, read_id};
use crate::{
    actions::{ActionDuration, Durations, Schedule, Schedules},
    error::{HandlerError, Result},
    time::CalendarUnit,
};

/// The fields of a JSON object that are not `null`, in order. Not a map, which would hide that a field occurs twice.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            if value.get() != "null" {
                fields.push((name, value));
            }
        }
        Ok(Object(fields))
    }
}

impl<'a> Object<'a> {
    /// The unparsed value under one of these names. An error if there are several.
    fn raw(&self, names: &[&str]) -> Result<Option<&'a RawValue>> {
        let mut values = self
            .0
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()));
        match (values.next(), values.next()) {
            (Some((name, _)), Some(_)) => Err(bad(name, "must not be given twice")),
            (value, _) => Ok(value.map(|(_, value)| *value)),
        }
    }

    fn get(&self, names: &[&str]) -> Result<Option<Value>> {
        // The text is JSON already, so an error means that it is nested too deeply. No field has such a value.
        let read = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or(Value::Array(vec![]));
        Ok(self.raw(names)?.map(read))
    }
}

/// The fields of a request for an action.
pub(super) struct Fields<'a> {
    object: Object<'a>,
    max_id_bytes: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn of(call: &'a Call) -> Result<Self> {
        let object = serde_json::from_slice(&call.body)
            .map_err(|_| HandlerError::bad_request("The body must be a JSON object"))?;
        Ok(Self {
            object,
            max_id_bytes: call.shared.limits.id_bytes,
        })
    }

    /// An id under the first of these names, or under one of its aliases.
    pub(super) fn id<T: TryFrom<String>>(&self, names: &[&'static str]) -> Result<T>
    where
        T::Error: fmt::Display,
    {
        let name = names.first().copied().unwrap_or_default();
        match self.object.get(names)? {
            Some(Value::String(text)) => read_id(name, &text, self.max_id_bytes),
            Some(_) => Err(bad(name, "must be a string")),
            None => Err(bad(name, "is missing")),
        }
    }

    /// When the action takes effect. It may be absent if only one schedule is declared.
    pub(super) fn schedule(&self, name: &'static str, served: Schedules) -> Result<Schedule> {
        let schedule = match self.object.get(&[name])? {
            None => return served.only().ok_or_else(|| bad(name, "is missing")),
            Some(word) => [Schedule::Immediate, Schedule::EndOfPeriod]
                .into_iter()
                .find(|schedule| word == schedule.as_str())
                .ok_or_else(|| bad(name, "must be immediate or end-of-period"))?,
        };
        if !served.has(schedule) {
            let only = served.only().map_or("", Schedule::as_str);
            return Err(bad(name, format!("must be {only} for this integration")));
        }
        Ok(schedule)
    }

    /// A boolean, or `None` if it is absent.
    pub(super) fn flag(&self, name: &'static str) -> Result<Option<bool>> {
        match self.object.get(&[name])? {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(bad(name, "must be true or false")),
        }
    }

    /// `duration`: a period or a date, as `type` says, or else the other fields (contract, section 5.6).
    pub(super) fn duration(&self, served: Durations) -> Result<ActionDuration> {
        let Some(duration) = self.object.raw(&["duration"])? else {
            return Err(bad("duration", "is missing"));
        };
        let duration: Object<'_> = serde_json::from_str(duration.get())
            .map_err(|_| bad("duration", "must be an object"))?;
        let duration = duration.read_duration()?;
        if !served.has(duration) {
            let rule = match duration {
                ActionDuration::Period { .. } => "must be a date for this integration",
                ActionDuration::Date(_) => "must be a period for this integration",
            };
            return Err(bad("duration", rule));
        }
        Ok(duration)
    }
}

impl Object<'_> {
    fn read_duration(&self) -> Result<ActionDuration> {
        let has = |name| Ok::<_, HandlerError>(self.raw(&[name])?.is_some());
        let kind = self.get(&["type"])?;
        let is_date = match kind.as_ref().map(Value::as_str) {
            Some(Some("period")) => false,
            Some(Some("date")) => true,
            Some(_) => return Err(bad("duration.type", "must be period or date")),
            None => match (has("date")?, has("amount")? || has("unit")?) {
                (true, false) => true,
                (false, true) => false,
                _ => return Err(bad("duration", "must have amount and unit, or a date")),
            },
        };
        if is_date {
            let date = self.get(&["date"])?;
            let date = date.ok_or_else(|| bad("duration.date", "is missing"))?;
            let date = date.as_str().and_then(|text| text.parse().ok());
            return date.map(ActionDuration::Date).ok_or_else(|| {
                bad(
                    "duration.date",
                    "must be RFC 3339, such as 2026-03-01T00:00:00Z",
                )
            });
        }
        let amount = self.get(&["amount"])?;
        let amount = amount.ok_or_else(|| bad("duration.amount", "is missing"))?;
        let unit = self.get(&["unit"])?;
        let unit = unit.ok_or_else(|| bad("duration.unit", "is missing"))?;
        let amount = amount
            .as_f64()
            .and_then(positive_integer)
            .ok_or_else(|| bad("duration.amount", "must be a positive integer"))?;
        let unit = CalendarUnit::deserialize(unit)
            .map_err(|_| bad("duration.unit", "must be day, week, month or year"))?;
        ActionDuration::period(amount, unit)
    }
}

fn bad(name: &str, rule: impl fmt::Display) -> HandlerError {
    HandlerError::bad_request(format!("{name} {rule}"))
}

/// Read as in JavaScript: `2.0` is 2. A number above `u32::MAX` becomes `u32::MAX`, which is too long in any unit.
fn positive_integer(number: f64) -> Option<NonZeroU32> {
    if number.fract() != 0.0 {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from a float saturates, which is what is wanted"
    )]
    NonZeroU32::new(number as u32)
}
