//! How cancel flows ended, and the webhooks about it.

use churnkey_integrator::Mode;
use maud::{Markup, html};

use super::{calls, layout::with_mode};
use crate::{
    dev::{
        Dev,
        calls::Party,
        sessions::{Session, unasked},
    },
    operations::segment,
};

pub(super) fn content(dev: &Dev, mode: Mode) -> Markup {
    let mut sessions = dev.memory().sessions.clone();
    sessions.reverse();
    let sent = dev
        .merchant
        .calls()
        .all(|call| call.party == Party::Webhook);
    html! {
        h1 { "Webhooks" }
        @match &dev.webhook {
            None => p {
                "Webhooks are not sent: start the tool with " code { "--webhook-url URL" } " and the secret in "
                code { "CK_WEBHOOK_SECRET" } "."
            },
            Some(webhook) => p {
                "When a cancel flow has ended, a webhook about it goes to " code { (webhook.url()) } ". One that is not taken is "
                "sent again after 1, 2, 4 and 8 seconds."
            },
        }
        p #status role="status" {
            "Sessions: " (sessions.len()) ", webhooks sent: " (sent.len())
        }
        div data-live {
            h2 { "How cancel flows ended" }
            @if sessions.is_empty() {
                p { "None has ended yet." }
            } @else {
                div.scrolls tabindex="0" role="region" aria-label="Sessions" {
                    table {
                        thead {
                            tr {
                                th scope="col" { "Time" } th scope="col" { "Customer" } th scope="col" { "Result" }
                                th scope="col" { "Reason" } th scope="col" { "Feedback" }
                            }
                        }
                        tbody { @for session in &sessions { (row(session)) } }
                    }
                }
            }
            h2 { "What was sent" }
            @if sent.is_empty() { p { "Nothing yet." } } @else { (calls::table(&sent, mode)) }
        }
    }
}

fn row(session: &Session) -> Markup {
    let text = |key: &str| {
        let value = session.record.get(key).and_then(|value| value.as_str());
        value.unwrap_or_default().to_owned()
    };
    let time = session.came.to_string();
    html! {
        tr {
            td { time datetime=(time) { (time.chars().skip(11).take(8).collect::<String>()) } }
            th scope="row" {
                @match &session.caller {
                    Some(caller) => {
                        @let id = caller.customer.as_str();
                        a href=(with_mode(&format!("/customers/{}", segment(id)), caller.mode)) { (id) }
                        @if caller.mode == Mode::Test { " (test)" }
                    },
                    None => span.problem { "not proven: it came without a session token" },
                }
            }
            td {
                (session.result().unwrap_or_else(|| "unknown".to_owned()))
                @if let Some(action) = session.unasked { p.problem { "Warning: " (unasked(action)) "." } }
            }
            td { (text("surveyChoiceValue")) }
            td { (text("feedback")) }
        }
    }
}
