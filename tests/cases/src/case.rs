//! The cases, and the placeholders in them that are filled when they are played.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use serde::Deserialize;
use serde_json::Value;

use crate::call::{Request, encode};

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Case {
    pub(crate) system: String,
    pub(crate) name: String,
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Value,
    pub(crate) expect_status: u16,
    pub(crate) expect_body_subset: Value,
    note: String,
}

/// What a case is called: names are unique within a system only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    system: String,
    name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.system, self.name)
    }
}

impl Case {
    pub(crate) fn key(&self) -> Key {
        Key {
            system: self.system.clone(),
            name: self.name.clone(),
        }
    }

    /// The cases to be played first.
    pub(crate) fn after(&self) -> impl Iterator<Item = &str> {
        let names = self.note.strip_prefix("after:");
        let names = names.and_then(|rest| rest.split_once('|'));
        let names = names.map_or("", |(names, _)| names);
        names
            .split(';')
            .map(str::trim)
            .filter(|name| !name.is_empty())
    }
}

/// All cases of the file, with its variables.
#[derive(Debug, Clone)]
pub(crate) struct Cases(Arc<(Vec<Case>, BTreeMap<String, String>)>);

impl Cases {
    #[expect(
        clippy::unwrap_used,
        reason = "the files are part of this package, and its tests read them"
    )]
    pub(crate) fn load() -> Self {
        let cases = serde_json::from_str(include_str!("../cases.json")).unwrap();
        let variables = serde_json::from_str(include_str!("../variables.json")).unwrap();
        Self(Arc::new((cases, variables)))
    }

    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.0.1
    }

    /// The cases of a system, and those of Churnkey's that run on it.
    pub(crate) fn of(&self, system: &str) -> impl Iterator<Item = &Case> {
        let on_it = format!("[{system}] ");
        self.0.0.iter().filter(move |case| {
            case.system == system
                || (case.system == "churnkey" && case.name.starts_with(on_it.as_str()))
        })
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Case> {
        let mut cases = self.0.0.iter();
        cases.find(|case| case.system == key.system && case.name == key.name)
    }

    /// A case of the same system, or else of the backend that it runs on.
    pub(crate) fn named(&self, name: &str, system: &str, backend: &str) -> Option<&Case> {
        [system, backend].into_iter().find_map(|system| {
            self.get(&Key {
                system: system.to_owned(),
                name: name.to_owned(),
            })
        })
    }
}

/// The answers so far, and the variables.
#[derive(Debug)]
pub(crate) struct Played {
    variables: BTreeMap<String, String>,
    answers: HashMap<String, Value>,
}

impl Played {
    pub(crate) fn new(variables: BTreeMap<String, String>) -> Self {
        Self {
            variables,
            answers: HashMap::new(),
        }
    }

    pub(crate) fn remember(&mut self, name: &str, answer: Option<Value>) {
        let answer = answer.unwrap_or(Value::Null);
        self.answers.insert(name.to_owned(), answer);
    }

    pub(crate) fn request(&self, case: &Case) -> Result<Request, String> {
        let mut headers = Vec::new();
        for (name, value) in &case.headers {
            headers.push((self.fill(name)?, self.fill(value)?));
        }
        let body = encode(&self.fill_value(&case.body)?, &mut headers)?;
        Ok(Request {
            method: case.method.clone(),
            path: self.fill(&case.path)?,
            headers,
            body,
        })
    }

    /// Replaces every `{{..}}` in it by its value.
    pub(crate) fn fill_value(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => Value::String(self.fill(text)?),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.fill_value(item));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Value::Object(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| Ok((self.fill(key)?, self.fill_value(value)?)));
                Value::Object(entries.collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, open)) = rest.split_once("{{") {
            // Braces that don't close are part of the text.
            let Some((name, after)) = open.split_once("}}") else {
                break;
            };
            filled.push_str(before);
            filled.push_str(&self.value(name)?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, name: &str) -> Result<String, String> {
        let Some(from) = name.strip_prefix("from:") else {
            let value = self.variables.get(name).cloned();
            return value.ok_or_else(|| format!("there is no variable `{name}`"));
        };
        let value = from.split_once('#').and_then(|(case, pointer)| {
            let answer = self.answers.get(case)?;
            answer.pointer(pointer)
        });
        match value {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Null) | None => Err(format!("no answer holds `{name}`")),
            Some(other) => Ok(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn case(note: &str) -> Case {
        let case = json!({
            "system": "churnkey", "name": "[shop] list", "method": "GET", "path": "/{{from:first#/items/0/id}}/{{a}}",
            "headers": {"{{a}}": "{{b}}"}, "body": null, "expect_status": 200, "expect_body_subset": null,
            "note": note
        });
        serde_json::from_value(case).unwrap()
    }

    #[test]
    fn a_note_names_what_comes_before() {
        let after = |note| case(note).after().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(after("after: a, b; c d | why"), ["a, b", "c d"]);
        assert_eq!(after("after: a |"), ["a"]);
        assert_eq!(after("what comes after: a | b"), [""; 0]);
        assert_eq!(after("after: without a bar"), [""; 0]);
    }

    #[test]
    fn placeholders_are_filled_everywhere_or_named() {
        let variables = [("a", "x-a"), ("b", "2")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let mut played = Played::new(BTreeMap::from(variables));
        let error = played.request(&case("")).unwrap_err();
        assert_eq!(error, "no answer holds `from:first#/items/0/id`");
        played.remember("first", Some(json!({"items": [{"id": 7}]})));
        let request = played.request(&case("")).unwrap();
        assert_eq!(request.path, "/7/x-a");
        assert_eq!(request.headers, [("x-a".to_owned(), "2".to_owned())]);
        assert_eq!(
            played.fill_value(&json!([{"{{a}}": "{{b}}{{b}}"}, 1, "}} {{ {"])),
            Ok(json!([{"x-a": "22"}, 1, "}} {{ {"]))
        );
        assert_eq!(
            played.fill_value(&json!("{{c}}")),
            Err("there is no variable `c`".to_owned())
        );
    }

    #[test]
    fn every_case_names_cases_and_variables_that_exist() {
        let cases = Cases::load();
        let mut seen = 0;
        for system in ["notihub", "omnidesk", "lumyri", "reportei"] {
            for case in cases.of(system) {
                for name in case.after() {
                    assert!(cases.named(name, &case.system, system).is_some(), "{name}");
                }
                seen += 1;
            }
        }
        assert_eq!(seen, cases.0.0.len());
    }
}
