//! Calls whose credential was refused, and why.

use churnkey_integrator::Mode;
use maud::{Markup, html};

use super::calls;
use crate::{
    dev::{
        Dev,
        calls::{Call, Party},
        work::State,
    },
    doctor::Diagnosis,
    output::printable,
};

pub(super) fn content(dev: &Dev, mode: Mode) -> Markup {
    // What the suite sends to be refused is no news.
    let is_news = |call: &Call| call.is_refused() && !matches!(call.party, Party::Suite(_));
    let refused = dev.merchant.calls().all(is_news);
    let state = dev.diagnosis.state();
    html! {
        h1 { "Refused calls" }
        p {
            "The calls that were answered 401 or 403, and what " code { "churnkey doctor" } " finds out about the integration. It "
            "sends at most 40 requests, and none that changes a record."
        }
        p #status role="status" { (status(&state)) }
        div data-live {
            @if let State::Ended { result, .. } = &state {
                @match &**result {
                    Err(reason) => p.problem role="alert" { "It could not look: " (reason) "." },
                    Ok(diagnosis) => (causes(diagnosis)),
                }
            }
            @if !matches!(state, State::Running { .. }) {
                form method="post" action="/refused" {
                    input type="hidden" name="csrf" value=(dev.csrf);
                    @if mode == Mode::Test { input type="hidden" name="mode" value="test"; }
                    button { "Find out why" }
                }
            }
            h2 { "Which calls" }
            @if refused.is_empty() { p { "None has been refused." } } @else { (calls::table(&refused, mode)) }
        }
    }
}

fn status(state: &State<Diagnosis>) -> &'static str {
    match state {
        State::NotYet => "It has not been looked into yet.",
        State::Running { .. } => "It is being looked into.",
        State::Ended { .. } => "It has been looked into.",
    }
}

fn causes(diagnosis: &Diagnosis) -> Markup {
    html! {
        h2 { "What churnkey doctor says" }
        @if diagnosis.findings.is_empty() {
            p.good { "The integration is healthy: it takes what is signed with this token, and refuses what is not." }
        }
        @for finding in &diagnosis.findings {
            section.card {
                h3 { (finding.cause.name()) }
                p { (printable(&finding.detail)) "." }
                p { (finding.cause.advice()) }
            }
        }
        p.faint {
            "Requests: " (diagnosis.requests)
            @if let Some(offset) = diagnosis.clock_offset_seconds { "; the server's clock is off by " (offset) " s" }
        }
    }
}
