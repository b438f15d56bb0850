//! Everything that was sent, in both directions.

use std::sync::Arc;

use bytes::Bytes;
use churnkey_integrator::{Mode, Operation, Timestamp};
use http::{HeaderMap, Method, StatusCode};
use maud::{Markup, html};
use serde_json::Value;

use super::{Parameters, given, layout::with_mode, live_data};
use crate::{
    curl,
    dev::{
        Dev,
        calls::{Call, Party},
        merchant::{Asked, Refusal},
    },
    exchange::Received,
    operations::segment,
};

/// How many calls a page has.
const PER_PAGE: usize = 100;

/// Which calls are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    Integration,
    Suite,
    Browser,
    Webhook,
    Failed,
}

impl Which {
    const ALL: [Self; 6] = [
        Self::All,
        Self::Integration,
        Self::Suite,
        Self::Browser,
        Self::Webhook,
        Self::Failed,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Integration => "integration",
            Self::Suite => "suite",
            Self::Browser => "browser",
            Self::Webhook => "webhook",
            Self::Failed => "failed",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Integration => "To the integration",
            Self::Suite => "Of the suite",
            Self::Browser => "From the browser",
            Self::Webhook => "Webhooks",
            Self::Failed => "Failed",
        }
    }

    fn has(self, call: &Call) -> bool {
        match self {
            Self::All => true,
            Self::Integration => matches!(call.party, Party::Integration(_)),
            Self::Suite => matches!(call.party, Party::Suite(_)),
            Self::Browser => call.party == Party::Browser,
            Self::Webhook => call.party == Party::Webhook,
            // What the suite sends to be refused has not failed.
            Self::Failed => call.has_failed() && !matches!(call.party, Party::Suite(_)),
        }
    }
}

/// What a page of the list is about.
struct Selection {
    which: Which,
    operation: Option<Operation>,
    after: u64,
    before: u64,
}

impl Selection {
    fn of(query: &Parameters) -> Self {
        let which = Which::ALL
            .into_iter()
            .find(|which| Some(which.name()) == given(query, "which"));
        let number = |name| given(query, name).and_then(|number| number.parse().ok());
        Self {
            which: which.unwrap_or(Which::All),
            operation: given(query, "operation")
                .and_then(|name| Operation::all().find(|operation| operation.name() == name)),
            after: number("after").unwrap_or(0),
            before: number("before").unwrap_or(u64::MAX),
        }
    }

    fn has(&self, call: &Call) -> bool {
        let is_operation = self
            .operation
            .is_none_or(|operation| call.operation == Some(operation));
        is_operation
            && (self.after..self.before).contains(&call.number)
            && call.number > self.after
            && self.which.has(call)
    }

    fn link(&self, which: Which, before: Option<u64>, mode: Mode) -> String {
        let mut query = vec![format!("which={}", which.name())];
        query.extend(
            self.operation
                .map(|operation| format!("operation={}", operation.name())),
        );
        if self.after > 0 {
            query.push(format!("after={}", self.after));
        }
        query.extend(before.map(|before| format!("before={before}")));
        if mode == Mode::Test {
            query.push("mode=test".to_owned());
        }
        format!("/calls?{}", query.join("&"))
    }
}

/// The calls, newest first.
pub(super) fn list(dev: &Dev, mode: Mode, query: &Parameters) -> Markup {
    let selection = Selection::of(query);
    let calls = dev.merchant.calls().all(|call| selection.has(call));
    let shown = calls.get(..PER_PAGE).unwrap_or(&calls);
    let next = (calls.len() > PER_PAGE).then(|| shown.last().map(|call| call.number));
    html! {
        h1 { "Calls" }
        p {
            "What this tool has sent to the integration, what Churnkey's component in a customer's browser has sent to this "
            "tool, and the webhooks: newest first, as they come. Mistakes are what breaks the contract. Failed leaves out the "
            "calls of the conformance suite, as it sends much that has to be refused. Times are UTC."
        }
        nav.tabs aria-label="Which calls" {
            @for which in Which::ALL {
                a href=(selection.link(which, None, mode)) aria-current=[(which == selection.which).then_some("true")] {
                    (which.title())
                }
            }
        }
        @if let Some(operation) = selection.operation {
            p {
                "Of the operation " code { (operation.name()) } " only. "
                a href=(with_mode("/calls", mode)) { "Show all calls" }
            }
        }
        p #status role="status" { (count(calls.len())) }
        div data-live {
            @if !shown.is_empty() { (table(shown, mode)) }
            @if let Some(before) = next.flatten() {
                p { a href=(selection.link(selection.which, Some(before), mode)) { "Earlier calls" } }
            }
        }
    }
}

fn count(calls: usize) -> String {
    match calls {
        0 => "There are none yet.".to_owned(),
        1 => "1 call".to_owned(),
        calls => format!("{calls} calls"),
    }
}

/// Calls, a row each.
pub(super) fn table(calls: &[Arc<Call>], mode: Mode) -> Markup {
    html! {
        div.scrolls tabindex="0" role="region" aria-label="The calls" {
            table {
                thead {
                    tr {
                        th scope="col" { "Time" } th scope="col" { "Request" } th scope="col" { "Answer" }
                        th scope="col" { "Mistakes" } th scope="col" { "Took" } th scope="col" { "Kind" }
                    }
                }
                tbody { @for call in calls { (row(call, mode)) } }
            }
        }
    }
}

fn row(call: &Call, mode: Mode) -> Markup {
    let exchange = &call.exchange;
    let path = with_mode(&format!("/calls/{}", call.number), mode);
    html! {
        tr {
            td.short { (clock(exchange.begun)) }
            th.long scope="row" { a href=(path) { (exchange.method) " " (exchange.path) } }
            td { (answered(call)) }
            td { @if !call.wrong.is_empty() { span.problem { (call.wrong.len()) } } }
            td.short { (exchange.took.as_millis()) " ms" }
            td.short { (of(call.party)) }
        }
    }
}

fn of(party: Party) -> &'static str {
    match party {
        Party::Integration(Mode::Live) => "to the integration, live",
        Party::Integration(Mode::Test) => "to the integration, test",
        Party::Suite(Mode::Live) => "of the suite, live",
        Party::Suite(Mode::Test) => "of the suite, test",
        Party::Browser => "from the browser",
        Party::Webhook => "a webhook",
    }
}

fn answered(call: &Call) -> Markup {
    match &call.exchange.came {
        Ok(Received { status, .. }) if status.as_u16() < 400 => {
            html! { span.good { (status.as_u16()) } }
        }
        Ok(Received { status, .. }) => html! { span.problem { (status.as_u16()) } },
        Err(_) => html! { span.problem { "none" } },
    }
}

/// The time of the day.
fn clock(time: Timestamp) -> Markup {
    let written = time.to_string();
    let of_day = written.split_once('T').map_or("", |(_, time)| time);
    html! { time datetime=(written) { (of_day.trim_end_matches('Z')) } }
}

/// One call, whole.
pub(super) fn one(dev: &Dev, mode: Mode, number: u64) -> Result<Markup, Refusal> {
    let call = dev.merchant.calls().get(number).ok_or_else(gone)?;
    let exchange = &call.exchange;
    Ok(html! {
        p.trail { a href=(with_mode("/calls", mode)) { "Calls" } }
        h1 { (exchange.method) " " (exchange.path) }
        dl {
            dt { "Sent" } dd { time datetime=(exchange.begun.to_string()) { (exchange.begun) } }
            dt { "Kind" } dd { (of(call.party)) }
            @if let Some(operation) = call.operation { dt { "Operation" } dd { (operation.name()) } }
            dt { "Answered" }
            dd {
                @match &exchange.came {
                    Ok(received) => { (answered(&call)) " " (received.status.canonical_reason().unwrap_or_default()) }
                    Err(unanswered) => span.problem { (unanswered) },
                }
                ", after " (exchange.took.as_millis()) " ms"
            }
        }
        @if !call.wrong.is_empty() {
            h2 { "What is wrong with the answer" }
            div.scrolls tabindex="0" role="region" aria-label="What is wrong" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Field" } th scope="col" { "Expected" } th scope="col" { "Got" }
                            th scope="col" { "Contract" }
                        }
                    }
                    tbody {
                        @for wrong in &call.wrong {
                            tr {
                                th scope="row" { code { (wrong.field()) } }
                                td { (wrong.expected()) } td { (wrong.got()) } td { "section " (wrong.section()) }
                            }
                        }
                    }
                }
            }
        }
        div.sides {
            section.card {
                h2 { "Request" }
                (headers(&exchange.headers))
                (body(&exchange.body, exchange.body.len()))
            }
            section.card {
                h2 { "Answer" }
                @match &exchange.came {
                    Ok(received) => { (headers(&received.headers)) (body(&received.body, call.answer_bytes)) }
                    Err(_) => p { "There is none." },
                }
            }
        }
        (again(dev, &call, mode))
    })
}

fn gone() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "there is no such call: the latest 2,000 are kept until the tool ends",
    )
}

/// The headers. That a customer's session is theirs is not shown.
fn headers(headers: &HeaderMap) -> Markup {
    html! {
        dl.headers {
            @for (name, value) in headers {
                dt { (name) }
                dd {
                    @if name == "x-ck-authorization" { span.faint { "not shown" } }
                    @else { (String::from_utf8_lossy(value.as_bytes())) }
                }
            }
        }
    }
}

/// A body, of which not all may be there.
fn body(bytes: &Bytes, length: usize) -> Markup {
    let written = match serde_json::from_slice::<Value>(bytes) {
        Ok(json) => format!("{json:#}"),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    };
    html! {
        @if bytes.is_empty() { p.faint { "Without a body." } } @else { pre tabindex="0" { (written) } }
        @if bytes.len() < length {
            p.faint { "The first " (bytes.len()) " of " (length) " bytes." }
        }
    }
}

/// How to send a call once more.
fn again(dev: &Dev, call: &Call, mode: Mode) -> Markup {
    let path = format!("/calls/{}/again", call.number);
    match call.party {
        Party::Browser => html! {},
        Party::Webhook => html! {
            h2 { "Send it again" }
            form method="post" action=(path) {
                input type="hidden" name="csrf" value=(dev.csrf);
                button { "Send again" }
            }
        },
        Party::Integration(_) | Party::Suite(_) => {
            let Some(asked) = asked(dev, call) else {
                return html! {};
            };
            let text = String::from_utf8_lossy(&asked.body);
            html! {
                h2 { "Send it again" }
                form method="post" action=(path) {
                    input type="hidden" name="csrf" value=(dev.csrf);
                    @if mode == Mode::Test { input type="hidden" name="mode" value="test"; }
                    button { "Send again" }
                }
                p { "In a shell, with a signature that is valid for five minutes:" }
                pre tabindex="0" { (command(dev, &asked)) }
                details {
                    summary { "Change it and send" }
                    form.fields method="post" action=(path) {
                        input type="hidden" name="csrf" value=(dev.csrf);
                        @if mode == Mode::Test { input type="hidden" name="mode" value="test"; }
                        label for="below" { "The path below " code { (dev.merchant.url()) } }
                        input id="below" name="below" value=(asked.below) autocomplete="off";
                        @if asked.method == Method::POST {
                            label for="key" { "Idempotency-Key" }
                            input id="key" name="key" value=[asked.idempotency_key.as_deref()] autocomplete="off";
                            label for="body" { "The body" }
                            textarea id="body" name="body" rows="6" { (text) }
                        }
                        button { "Send" }
                    }
                }
            }
        }
    }
}

/// The call as it was asked for.
fn asked(dev: &Dev, call: &Call) -> Option<Asked> {
    let (Party::Integration(mode) | Party::Suite(mode)) = call.party else {
        return None;
    };
    let exchange = &call.exchange;
    let key = exchange.headers.get("idempotency-key");
    Some(Asked {
        mode,
        method: exchange.method.clone(),
        below: dev.merchant.below(&exchange.path)?.to_owned(),
        body: exchange.body.clone(),
        idempotency_key: key.and_then(|key| Some(key.to_str().ok()?.to_owned())),
    })
}

fn command(dev: &Dev, asked: &Asked) -> String {
    let headers = dev.merchant.headers(asked);
    let headers: Vec<(String, String)> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let body = String::from_utf8_lossy(&asked.body);
    let body = (!body.is_empty()).then_some(&*body);
    let url = format!("{}{}", dev.merchant.url(), asked.below);
    curl::command(&asked.method, &url, &headers, body)
}

/// What became of a form that asks to send a call again.
pub(super) enum Sent {
    /// The path of the page of the new call.
    Now(String),
    Asks(Markup),
}

/// Sends a call again, as the form changes it.
pub(super) async fn send_again(
    dev: &Dev,
    mode: Mode,
    number: u64,
    form: &Parameters,
) -> Result<Sent, Refusal> {
    let call = dev.merchant.calls().get(number).ok_or_else(gone)?;
    let number = match call.party {
        Party::Webhook => {
            let webhook = dev.webhook.as_ref().ok_or_else(gone)?;
            let body = call.exchange.body.clone();
            webhook.attempt(body, dev.merchant.calls()).await.0
        }
        Party::Browser | Party::Integration(_) | Party::Suite(_) => {
            let mut asked = asked(dev, &call).ok_or_else(|| {
                let message = "only what this tool has sent can be sent again";
                Refusal::new(StatusCode::BAD_REQUEST, message)
            })?;
            if let Some(below) = form.get("below") {
                asked.below = below.trim().to_owned();
            }
            if let Some(key) = form.get("key") {
                asked.idempotency_key = given(form, "key").map(|_| key.trim().to_owned());
            }
            if let Some(body) = form.get("body") {
                // Forms send every end of a line as two characters.
                asked.body = body.replace("\r\n", "\n").into();
            }
            let changes = asked.method != Method::GET && asked.mode == Mode::Live;
            if changes && !dev.may_change_live(given(form, "sure").is_some()) {
                let (action, back) = (format!("/calls/{number}/again"), format!("/calls/{number}"));
                return Ok(Sent::Asks(live_data::question(dev, &action, form, &back)));
            }
            dev.merchant.send(&asked).await?.0
        }
    };
    Ok(Sent::Now(with_mode(&format!("/calls/{number}"), mode)))
}

/// The page of the calls of an operation, since this call.
pub(super) fn of_operation(operation: Operation, after: u64) -> String {
    format!(
        "/calls?operation={}&after={after}",
        segment(operation.name())
    )
}
