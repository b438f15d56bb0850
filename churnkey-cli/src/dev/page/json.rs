//! A record as it came: its JSON, whose keys lead to what the contract says of them.

use maud::{Markup, html};
use serde_json::Value;

use crate::dev::contract::{Mistake, Place, Record, below, element};

/// The JSON of a record, with its mistakes where they are.
pub(super) fn json(what: &str, record: &Record) -> Markup {
    let lines = Lines {
        mistakes: &record.mistakes,
    };
    html! {
        details.raw open {
            summary { (what) }
            pre.json tabindex="0" role="region" aria-label=(what) {
                (lines.value(&record.raw, record.place.as_ref(), "", 0, ""))
            }
        }
    }
}

struct Lines<'r> {
    mistakes: &'r [Mistake],
}

impl Lines<'_> {
    /// A value, from behind its key to the end of its last line.
    fn value(
        &self,
        value: &Value,
        place: Option<&Place>,
        path: &str,
        depth: usize,
        comma: &str,
    ) -> Markup {
        let place = place.map(|place| place.variant_of(value));
        let place = place.as_ref();
        let inner = depth.saturating_add(1);
        match value {
            Value::Object(fields) => {
                let missing = self.missing(value, path);
                // Of a variant that is none of the contract's, nothing is known.
                let is_known = place.is_some_and(|place| place.schema.fields().next().is_some());
                let last = fields.len().saturating_sub(1);
                html! {
                    "{" (self.marks(path)) "\n"
                    @for (at, (name, value)) in fields.iter().enumerate() {
                        @let field = place.and_then(|place| place.field(name));
                        (indent(inner))
                        (key(name, field.as_ref().map(|(anchor, _)| &**anchor), is_known))
                        ": "
                        (self.value(value, field.as_ref().map(|(_, place)| place), &below(path, name), inner, comma_unless(at == last)))
                    }
                    @for (name, mistake) in missing {
                        @let field = place.and_then(|place| place.field(name));
                        (indent(inner))
                        (key(name, field.as_ref().map(|(anchor, _)| &**anchor), is_known))
                        (mark(mistake)) "\n"
                    }
                    (indent(depth)) "}" (comma) "\n"
                }
            }
            Value::Array(elements) if !elements.is_empty() => {
                let of_each = place.and_then(Place::elements);
                let last = elements.len().saturating_sub(1);
                html! {
                    "[" (self.marks(path)) "\n"
                    @for (at, value) in elements.iter().enumerate() {
                        (indent(inner))
                        (self.value(value, of_each.as_ref(), &element(path, at), inner, comma_unless(at == last)))
                    }
                    (indent(depth)) "]" (comma) "\n"
                }
            }
            value => html! {
                span.(kind(value)) { (value) } (comma) (self.marks(path)) "\n"
            },
        }
    }

    /// What should be in an object and is not.
    fn missing(&self, object: &Value, path: &str) -> Vec<(&str, &Mistake)> {
        let below_it = self.mistakes.iter().filter_map(|mistake| {
            let name = match path {
                "" => &*mistake.path,
                path => mistake.path.strip_prefix(path)?.strip_prefix('.')?,
            };
            let is_field = !name.is_empty() && !name.contains(['.', '[']);
            (is_field && object.get(name).is_none()).then_some((name, mistake))
        });
        below_it.collect()
    }

    /// What is wrong with the value itself.
    fn marks(&self, path: &str) -> Markup {
        let here = self.mistakes.iter().filter(|mistake| mistake.path == path);
        html! { @for mistake in here { (mark(mistake)) } }
    }
}

fn mark(mistake: &Mistake) -> Markup {
    html! { "  " strong.problem { "✗ " (mistake.says) } }
}

/// The key, which leads to what the contract says, or is told to be none of its keys.
fn key(name: &str, anchor: Option<&str>, is_known: bool) -> Markup {
    // As JSON writes it.
    let name = Value::from(name);
    html! {
        @match anchor {
            Some(anchor) => a.key href=(format!("/contract#{anchor}")) { (name) },
            None => { span.key { (name) } @if is_known { span.faint { " (not in the contract)" } } },
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        _ => "literal",
    }
}

fn comma_unless(is_last: bool) -> &'static str {
    if is_last { "" } else { "," }
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}
