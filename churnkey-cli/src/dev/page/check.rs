//! The conformance suite: its progress, and what it found.

use std::{collections::BTreeMap, sync::Arc};

use churnkey_integrator::{Mode, Operation, Timestamp};
use http::{StatusCode, header};
use maud::{Markup, html};

use super::calls::of_operation;
use crate::{
    arguments::ReportForm,
    dev::{
        Dev,
        calls::{Call, Party},
        merchant::Refusal,
        work::State,
    },
    report::{Checked, Found},
};

/// What the page shows now.
pub(super) fn content(dev: &Dev, mode: Mode) -> Markup {
    let state = dev.check.state();
    html! {
        h1 { "Check" }
        p {
            "The conformance suite of the contract: up to a thousand calls in both modes, most of them reads, and "
            "actions that have to be refused. It takes a customer's and other records that it finds by listing, or those that "
            code { "churnkey.toml" } " names."
        }
        p #status role="status" { (status(dev, &state)) }
        div data-live {
            @match &state {
                State::NotYet => (form(dev, mode, "Run the suite")),
                State::Running { after, .. } => (progress(dev, *after)),
                State::Ended { after, result, .. } => {
                    @match &**result {
                        Err(reason) => p.problem role="alert" { "It could not be run: " (reason) "." },
                        Ok(ran) => (findings(&ran.checked, &ran.spared, *after)),
                    }
                    (form(dev, mode, "Run it again"))
                },
            }
        }
    }
}

fn status<T>(dev: &Dev, state: &State<T>) -> String {
    match state {
        State::NotYet => "It has not been run yet.".to_owned(),
        State::Running { since, after } => {
            let calls = calls_since(dev, *after).len();
            format!(
                "It has been running since {} UTC: {calls} calls.",
                clock(*since)
            )
        }
        State::Ended { since, result, .. } => {
            let how = if result.is_ok() { "ended" } else { "failed" };
            format!("The run of {} UTC has {how}.", clock(*since))
        }
    }
}

fn clock(time: Timestamp) -> String {
    time.to_string().chars().skip(11).take(8).collect()
}

fn form(dev: &Dev, mode: Mode, button: &str) -> Markup {
    let disposable = &dev.merchant.settings().fixtures.disposable;
    html! {
        form method="post" action="/check" {
            input type="hidden" name="csrf" value=(dev.csrf);
            @if mode == Mode::Test { input type="hidden" name="mode" value="test"; }
            @if disposable.is_empty() {
                p.faint {
                    "No action is carried out, as no record is named that may be changed: " code { "disposable" } " in "
                    code { "churnkey.toml" } "."
                }
            } @else {
                label.choice {
                    input type="checkbox" name="sure" value="yes";
                    "Carry out the actions that " code { "churnkey.toml" } " allows: "
                    (disposable.iter().map(|change| String::from(change.clone())).collect::<Vec<_>>().join(", "))
                }
            }
            button { (button) }
        }
    }
}

fn calls_since(dev: &Dev, after: u64) -> Vec<Arc<Call>> {
    let is_its = |call: &Call| call.number > after && matches!(call.party, Party::Suite(_));
    dev.merchant.calls().all(is_its)
}

/// How many calls each operation has had.
fn progress(dev: &Dev, after: u64) -> Markup {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for call in calls_since(dev, after) {
        if let Some(operation) = call.operation {
            *counts.entry(operation.name()).or_default() += 1;
        }
    }
    html! {
        div.scrolls tabindex="0" role="region" aria-label="Progress" {
            table {
                thead { tr { th scope="col" { "Operation" } th scope="col" { "Calls" } } }
                tbody {
                    @for operation in Operation::all() {
                        @let count = counts.get(operation.name()).copied().unwrap_or(0);
                        tr { th scope="row" { (operation.name()) } td { @if count > 0 { (count) } } }
                    }
                }
            }
        }
    }
}

fn findings(checked: &Checked, spared: &[String], after: u64) -> Markup {
    html! {
        h2 { "What came out" }
        p class=(if checked.has_findings() { "problem" } else { "good" }) { "Rules " (checked.summary()) }
        p {
            "The report: "
            @for (at, (file, _)) in REPORTS.iter().enumerate() {
                @if at > 0 { ", " }
                a href={ "/check/" (file) } download { (file) }
            }
        }
        @for (costs, findings) in checked.by_cost() {
            h3 { "This costs " (costs) }
            @for found in findings { (article(found, after)) }
        }
        @if checked.has_skipped() {
            h2 { "What was not checked" }
            p { "What it needs is an option of " code { "churnkey check" } ", or a key of " code { "[fixtures]" } " in " code { "churnkey.toml" } "." }
            ul {
                @for skipped in checked.skipped() {
                    li { (skipped.subject()) ": it needs " code { (skipped.needs) } }
                }
            }
        }
        @if !spared.is_empty() {
            p { "Not done, as it was not asked for: " (spared.join(", ")) "." }
        }
    }
}

fn article(found: &Found, after: u64) -> Markup {
    html! {
        section.card {
            h4 { (found.operation.name()) ": " (found.rule.name()) }
            dl {
                dt { "Expected" } dd { (found.expected) }
                dt { "Got" } dd { (found.got) }
                dt { "Contract" } dd { "section " (found.section) }
            }
            p { a href=(of_operation(found.operation, after)) { "The calls of " (found.operation.name()) } }
        }
    }
}

const REPORTS: [(&str, ReportForm); 4] = [
    ("report.html", ReportForm::Html),
    ("report.json", ReportForm::Json),
    ("report.xml", ReportForm::Junit),
    ("report.txt", ReportForm::Text),
];

/// The report as a file.
pub(super) fn report(
    dev: &Dev,
    file: &str,
) -> Result<([(header::HeaderName, String); 2], String), Refusal> {
    let form = REPORTS.iter().find(|(name, _)| *name == file);
    let (State::Ended { result, .. }, Some((_, form))) = (dev.check.state(), form) else {
        return Err(no_report());
    };
    let Ok(ran) = &*result else {
        return Err(no_report());
    };
    let kind = match form {
        ReportForm::Html => "text/html; charset=utf-8",
        ReportForm::Json => "application/json",
        ReportForm::Junit => "application/xml",
        ReportForm::Text => "text/plain; charset=utf-8",
    };
    let written = ran.checked.written(*form);
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"churnkey-{file}\""),
        ),
    ];
    Ok((headers, anstream::adapter::strip_str(&written).to_string()))
}

fn no_report() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "there is no such report: run the suite first",
    )
}
