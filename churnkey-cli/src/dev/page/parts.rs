//! Values of a record as they can be read, and what is wrong with them in place.

use churnkey_integrator::Timestamp;
use maud::{Markup, html};
use serde::de::DeserializeOwned;

use crate::dev::contract::{Mistake, Part, Record};

/// All that is wrong with a record.
pub(super) fn mistakes(record: &Record) -> Markup {
    html! {
        @if !record.mistakes.is_empty() {
            div.wrong {
                p.problem { "✗ This is not as the contract says:" }
                ul {
                    @for Mistake { path, says } in &record.mistakes {
                        li { code { (if path.is_empty() { "the record" } else { path }) } ": " (says) }
                    }
                }
            }
        }
    }
}

/// What is wrong with an answer, and not with one of its records.
pub(super) fn wrong_answer(wrong: &[String]) -> Markup {
    html! {
        @if !wrong.is_empty() {
            div.wrong role="alert" {
                p.problem { "✗ The answer is not as the contract says:" }
                ul { @for sentence in wrong { li { (sentence) } } }
            }
        }
    }
}

/// A value that can be read, or else what came instead and what is wrong with it.
pub(super) fn value<T: DeserializeOwned>(
    part: &Part<'_>,
    shown: impl FnOnce(T) -> Markup,
) -> Markup {
    if part.is_absent() {
        return html! {};
    }
    match part.read() {
        Some(value) if !part.is_wrong() => shown(value),
        _ => html! {
            @match (part.text(), part.value) {
                (Some(text), _) => (text),
                (None, Some(value)) => code { (value) },
                (None, None) => {},
            }
            (marks(part))
        },
    }
}

/// What is wrong with a value and in it.
pub(super) fn marks(part: &Part<'_>) -> Markup {
    html! {
        @for mistake in part.mistakes() { " " strong.problem { "✗ " (mistake.says) } }
    }
}

/// A line of a definition list, unless there is nothing to say.
pub(super) fn line<T: DeserializeOwned>(
    name: &str,
    part: &Part<'_>,
    shown: impl FnOnce(T) -> Markup,
) -> Markup {
    html! {
        @if !part.is_absent() { dt { (name) } dd { (value(part, shown)) } }
    }
}

/// A line for what is only shown if it can't be read.
pub(super) fn unread(name: &str, part: &Part<'_>) -> Markup {
    html! {
        @if part.is_wrong() { (line(name, part, |_: serde_json::Value| html! {})) }
    }
}

pub(super) fn text(text: &String) -> Markup {
    html! { (text) }
}

/// The time in UTC, as its day if that is all that it says.
pub(super) fn time(time: Timestamp) -> Markup {
    let written = time.to_string();
    let day = written.get(..10).unwrap_or_default();
    let hour = written.get(11..16).unwrap_or_default();
    html! {
        time datetime=(written) {
            (day) @if !written.ends_with("T00:00:00.000Z") { " " (hour) " UTC" }
        }
    }
}
