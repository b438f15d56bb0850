//! What the integration offers to Churnkey, and what is missing.

use std::time::Instant;

use churnkey_conformance::served;
use churnkey_integrator::{
    ApplyCouponOperation::ApplyCoupon, CancelOperation::Cancel, ChangePriceOperation::ChangePrice,
    ExtendTrialOperation::ExtendTrial, Mode, Operation, PauseOperation::Pause, Readiness,
};
use maud::{Markup, html};
use serde_json::Value;

use super::{
    json::json,
    layout::with_mode,
    parts::{mistakes, wrong_answer},
};
use crate::dev::{Dev, contract::Answered, merchant::Refusal};

pub(super) async fn content(dev: &Dev, mode: Mode) -> Result<Markup, Refusal> {
    let begun = Instant::now();
    let answer = dev.merchant.answer(mode, "/features").await?;
    let took = begun.elapsed().as_millis();
    let answered = Answered::of(&answer, Operation::Features);
    let manifest = answer.body();
    let serves: Vec<Operation> = served(manifest).collect();
    let readiness = Readiness::of(serves.iter().copied());
    let name = manifest.get("name").and_then(Value::as_str);
    Ok(html! {
        h1 { (name.unwrap_or("An integration without a name")) }
        p {
            "Churnkey is a retention service: before a customer cancels, it makes them an offer. It looks customers up in the "
            "merchant's billing system, and does there what they accept. The integration is the merchant's side of it: the HTTP "
            "API that Churnkey calls. This tool plays Churnkey on your machine. What it shows comes from the integration, "
            "which answered in " (took) " ms. To see a cancel flow, pick a "
            a href=(with_mode("/customers", mode)) { "customer" } "."
        }
        (wrong_answer(&answered.wrong))
        @for record in &answered.records { (mistakes(record)) }
        h2 { "Is it complete enough to be published at Churnkey?" }
        @if readiness.is_ready() {
            p.good { "Yes: Churnkey has what it needs." }
        } @else {
            p.problem { "Not yet. In your backend, add:" }
            ul {
                @for missing in readiness.missing() { li { code { (missing) } } }
            }
        }
        @if !offers(&serves).is_empty() {
            h2 { "What happens to a customer who wants to leave" }
            ul { @for sentence in offers(&serves) { li { (sentence) } } }
        }
        @if !readiness.unavailable().is_empty() {
            h2 { "What customers can't be offered" }
            ul {
                @for sentence in readiness.unavailable() { li { (sentence) } }
            }
        }
        h2 { "What the integration serves" }
        div.scrolls tabindex="0" role="region" aria-label="What it serves" {
            table {
                thead { tr { th scope="col" { "Operation" } th scope="col" { "Call" } th scope="col" { "Served" } } }
                tbody {
                    @for operation in Operation::all() {
                        @let is_served = serves.contains(&operation);
                        tr {
                            th scope="row" { a href=(format!("/contract#{}", operation.name())) { (operation.name()) } }
                            td { code { (operation.method()) " " (operation.path()) } }
                            td { @if is_served { span.good { "yes" } } @else { span.faint { "no" } } }
                        }
                    }
                }
            }
        }
        h2 { "What the actions allow" }
        p { "In the words of the features manifest, in which an integration says what it serves." }
        (actions(manifest.get("actions")))
        @for record in &answered.records { (json("The manifest as it came", record)) }
    })
}

/// What the actions mean for a customer.
fn offers(serves: &[Operation]) -> Vec<&'static str> {
    let offers: [(Operation, &'static str); 5] = [
        (
            ApplyCoupon.into(),
            "They may be offered a discount: a coupon on their subscription.",
        ),
        (
            Pause.into(),
            "They may be offered a pause of their subscription.",
        ),
        (ChangePrice.into(), "They may be offered another plan."),
        (
            ExtendTrial.into(),
            "In a trial, they may be offered a longer one.",
        ),
        (
            Cancel.into(),
            "If they still want to leave, their subscription is canceled.",
        ),
    ];
    let offers = offers.into_iter();
    offers
        .filter(|(operation, _)| serves.contains(operation))
        .map(|(_, sentence)| sentence)
        .collect()
}

/// Each action with what is declared beside it.
fn actions(actions: Option<&Value>) -> Markup {
    let actions = actions.and_then(Value::as_object);
    let Some(actions) = actions.filter(|actions| !actions.is_empty()) else {
        return html! { p { "There are no actions: without " code { ".cancel(..)" } " there is no cancel flow." } };
    };
    html! {
        dl {
            @for (name, declared) in actions {
                dt { (name) }
                dd { (declares(declared)) }
            }
        }
    }
}

/// `schedules: immediate, end-of-period; all` and the like: what is declared and true.
fn declares(declared: &Value) -> String {
    let Some(declared) = declared.as_object() else {
        return declared.to_string();
    };
    let parts = declared.iter().filter_map(|(key, value)| match value {
        Value::Bool(true) if key == "enabled" => None,
        Value::Bool(true) => Some(key.clone()),
        Value::Bool(false) | Value::Null => None,
        Value::Object(among) => {
            let among = among
                .iter()
                .filter(|(_, value)| **value == Value::Bool(true));
            let among: Vec<&str> = among.map(|(key, _)| &**key).collect();
            (!among.is_empty()).then(|| format!("{key}: {}", among.join(", ")))
        }
        other => Some(format!("{key}: {other}")),
    });
    let parts: Vec<String> = parts.collect();
    match parts.is_empty() {
        true => "yes".to_owned(),
        false => parts.join("; "),
    }
}
