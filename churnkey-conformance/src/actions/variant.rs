//! The ways in which the manifest lets an action be asked for: at which moment, and for which kind of duration.

use std::fmt;

use churnkey_integrator::{CalendarUnit, Operation, Timestamp, actions::Schedule};
use serde_json::{Value, json};

use super::body::{Body, SCHEDULES, shape};
use crate::suite::Suite;

/// The kinds of durations, as the manifest names them.
const DURATIONS: [&str; 2] = ["period", "date"];

/// One way to ask for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Variant {
    /// The field that says when, and what it says.
    when: Option<(&'static str, &'static str)>,
    /// The kind of the duration.
    lasts: Option<&'static str>,
}

impl Variant {
    /// Whether it takes effect when the period ends.
    pub(crate) fn is_planned(self) -> bool {
        self.when
            .is_some_and(|(_, moment)| moment == Schedule::EndOfPeriod.as_str())
    }

    /// Whether its duration ends at a date.
    pub(crate) fn is_until_a_date(self) -> bool {
        self.lasts == Some("date")
    }

    /// A period of the unit, or a date that is so much after a moment.
    fn duration(self, unit: CalendarUnit, after: Timestamp) -> Value {
        if self.is_until_a_date() {
            json!({ "type": "date", "date": after.plus(1, unit) })
        } else {
            json!({ "type": "period", "amount": 1, "unit": unit })
        }
    }

    /// What is asked for.
    pub(crate) fn set(self, body: &mut Body, unit: CalendarUnit, after: Timestamp) {
        if let Some((field, moment)) = self.when {
            body.insert(field.to_owned(), moment.into());
        }
        if self.lasts.is_some() {
            body.insert("duration".to_owned(), self.duration(unit, after));
        }
    }
}

/// As in a request.
impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((field, moment)) = self.when {
            write!(f, "{field} {moment}")?;
        }
        if let Some(kind) = self.lasts {
            let and = if self.when.is_some() { " and " } else { "" };
            write!(f, "{and}a duration of type {kind}")?;
        }
        Ok(())
    }
}

impl Suite {
    /// Every way that the manifest declares, the usual one first.
    pub(crate) fn variants(&self, operation: Operation) -> Vec<Variant> {
        let Some(shape) = shape(operation) else {
            return Vec::new();
        };
        let declared = |names: [&'static str; 2], feature: &str| {
            let is_declared = |name: &&'static str| {
                self.feature(operation, &format!("{feature}/{name}")) == Some(true)
            };
            let mut declared: Vec<&'static str> = names.into_iter().filter(is_declared).collect();
            if declared.is_empty() {
                declared.push(names[0]);
            }
            declared
        };
        let moments = match shape.when {
            Some((field, feature)) => {
                let moments = declared(SCHEDULES, feature).into_iter();
                moments.map(|moment| Some((field, moment))).collect()
            }
            None => vec![None],
        };
        let kinds = match shape.lasts {
            true => {
                let kinds = declared(DURATIONS, "durations").into_iter();
                kinds.map(Some).collect()
            }
            false => vec![None],
        };
        let each = kinds
            .into_iter()
            .flat_map(|lasts| moments.iter().map(move |&when| Variant { when, lasts }));
        each.collect()
    }
}
