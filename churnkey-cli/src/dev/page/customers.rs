//! The customers as Churnkey gets them.

use churnkey_integrator::{
    Currency, CustomerId, CustomersOperation, Email, Mode, Operation, Phone, SubscriptionsOperation,
};
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};

use super::{
    Parameters, given,
    json::json,
    layout::{sentence, with_mode},
    money::Numbers,
    parts::{line, marks, mistakes, text, unread, value, wrong_answer},
    subscription::{discounts, facts},
};
use crate::{
    dev::{
        Dev,
        contract::{Answered, Part, Record},
        merchant::Refusal,
    },
    operations::segment,
};

/// Nobody looks through more of a customer's subscriptions.
const MAX_PAGES: usize = 20;

/// A page of customers, or those that were looked for.
pub(super) async fn list(dev: &Dev, mode: Mode, query: &Parameters) -> Result<Markup, Refusal> {
    let by = By::of(query);
    let (path, operation) = match given(query, "find") {
        Some(wanted) => by.look_up(wanted),
        None => (page(query), CustomersOperation::List),
    };
    let answered = match dev.merchant.answer(mode, &path).await {
        Ok(answer) => Ok(Answered::of(&answer, operation.into())),
        Err(refusal) => Err(refusal),
    };
    Ok(html! {
        h1 { "Customers" }
        form.find action="/customers" role="search" {
            label for="find" { "Find a customer" }
            input id="find" name="find" value=[given(query, "find")] autocomplete="off";
            label for="by" { "by" }
            select id="by" name="by" {
                @for one in [By::Id, By::Email, By::Phone] {
                    option value=(one.parameter()) selected[one == by] { (one.name()) }
                }
            }
            @if mode == Mode::Test { input type="hidden" name="mode" value="test"; }
            button { "Find" }
        }
        @match &answered {
            Err(refusal) => (not_listed(refusal, operation, by)),
            Ok(answered) => {
                (wrong_answer(&answered.wrong))
                @if answered.records.is_empty() { p { "There are no customers." } } @else { (table(&answered.records, mode)) }
                @if let Some(next) = &answered.next { p { a href=(next_page(next, mode)) { "Next page" } } }
            },
        }
    })
}

/// What a customer is looked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Id,
    Email,
    Phone,
}

impl By {
    fn of(query: &Parameters) -> Self {
        match given(query, "by") {
            Some("email") => Self::Email,
            Some("phone") => Self::Phone,
            _ => Self::Id,
        }
    }

    fn parameter(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Email => "e-mail address",
            Self::Phone => "phone number",
        }
    }

    fn look_up(self, wanted: &str) -> (String, CustomersOperation) {
        let wanted = segment(wanted);
        match self {
            Self::Id => (format!("/customers/{wanted}"), CustomersOperation::Retrieve),
            Self::Email => (
                format!("/customers/email/{wanted}"),
                CustomersOperation::FindByEmail,
            ),
            Self::Phone => (
                format!("/customers/phone/{wanted}"),
                CustomersOperation::FindByPhone,
            ),
        }
    }
}

/// The page that a cursor leads to, or the first.
fn page(query: &Parameters) -> String {
    let cursor = given(query, "cursor").map_or(String::new(), |cursor| {
        format!("&cursor={}", segment(cursor))
    });
    format!("/customers?limit=50{cursor}")
}

fn next_page(cursor: &str, mode: Mode) -> String {
    let mode = match mode {
        Mode::Live => "",
        Mode::Test => "&mode=test",
    };
    format!("/customers?cursor={}{mode}", segment(cursor))
}

/// Why there is no customer to show.
fn not_listed(refusal: &Refusal, operation: CustomersOperation, by: By) -> Markup {
    let is_look_up = operation != CustomersOperation::List;
    let name = by.name();
    match refusal.status {
        StatusCode::NOT_FOUND if is_look_up => html! {
            p { "There is no customer with this " (name) ", or the integration does not serve "
                a href=(format!("/contract#{}", Operation::from(operation).name())) { code { (Operation::from(operation).name()) } } "." }
        },
        StatusCode::CONFLICT if is_look_up => html! {
            div.wrong role="alert" {
                p.problem { "Several customers have this " (name) ": " (refusal.message) "." }
                p {
                    "Churnkey gets no customer then, so its managed flow does not work for any of them. Rank the owners in your \
                     look-up, so that one is found, or let no two customers have the same " (name) ". "
                    code { "churnkey ambiguity" } " finds all that are shared."
                }
            }
        },
        _ => html! { p.problem role="alert" { (sentence(&refusal.message)) } },
    }
}

fn table(records: &[Record], mode: Mode) -> Markup {
    let any_wrong = records.iter().any(|record| !record.mistakes.is_empty());
    html! {
        div.scrolls tabindex="0" role="region" aria-label="Customers" {
            table {
                thead {
                    tr {
                        th scope="col" { "Id" } th scope="col" { "Name" } th scope="col" { "E-mail" } th scope="col" { "Phone" }
                        @if any_wrong { th scope="col" { "Shape" } }
                    }
                }
                tbody {
                    @for record in records {
                        @let customer = record.part();
                        @let part = |name: &str| value(&customer.field(name), |value: String| text(&value));
                        tr {
                            th scope="row" {
                                (value(&customer.field("id"), |id: CustomerId| html! {
                                    a href=(with_mode(&format!("/customers/{}", segment(id.as_str())), mode)) { (id.as_str()) }
                                }))
                            }
                            td { (part("name")) " " (part("lastName")) }
                            td { (part("email")) }
                            td { (part("phone")) }
                            @if any_wrong { td { (mistakes(record)) } }
                        }
                    }
                }
            }
        }
    }
}

/// A customer and their subscriptions.
pub(super) async fn one(
    dev: &Dev,
    mode: Mode,
    id: &str,
    headers: &HeaderMap,
) -> Result<Markup, Refusal> {
    let path = format!("/customers/{}", segment(id));
    let answer = dev.merchant.answer(mode, &path).await?;
    let answered = Answered::of(&answer, CustomersOperation::Retrieve.into());
    let (subscriptions, refusal) = subscriptions(dev, mode, id).await;
    let numbers = &Numbers::of(headers);
    Ok(html! {
        (wrong_answer(&answered.wrong))
        @for record in &answered.records {
            h1 { (name_of(record).unwrap_or_else(|| id.to_owned())) }
            div.beside {
                section.card { (mistakes(record)) (who(record, numbers)) }
                (json("The customer as it came", record))
            }
        }
        h2 { "Subscriptions" }
        p.faint {
            "What is planned for the end of a period, such as a cancellation, is not in a subscription: the contract has no \
             field for it. Times are in UTC. Whether a moment is past is told by the record's own times, because the clock of demo data may stand still."
        }
        @for page in &subscriptions {
            (wrong_answer(&page.wrong))
            @for record in &page.records { (subscription(id, mode, record, numbers)) }
        }
        @if let Some(refusal) = &refusal {
            p.problem role="alert" { (sentence(&refusal.message)) }
        } @else if subscriptions.iter().all(|page| page.records.is_empty()) {
            p { "There are none." }
        }
    })
}

/// The customer's subscriptions, page by page; and why there are no more, if a page was refused.
async fn subscriptions(dev: &Dev, mode: Mode, id: &str) -> (Vec<Answered>, Option<Refusal>) {
    let first = format!("/customers/{}/subscriptions", segment(id));
    let (mut pages, mut path) = (Vec::new(), first.clone());
    while pages.len() < MAX_PAGES {
        let page = match dev.merchant.answer(mode, &path).await {
            Ok(answer) => Answered::of(&answer, SubscriptionsOperation::List.into()),
            Err(refusal) => return (pages, Some(refusal)),
        };
        let next = page.next.clone();
        pages.push(page);
        match next {
            Some(next) => path = format!("{first}?cursor={}", segment(&next)),
            None => break,
        }
    }
    (pages, None)
}

/// The first and the last name, as far as they are there.
fn name_of(customer: &Record) -> Option<String> {
    let customer = customer.part();
    let names = ["name", "lastName"].map(|name| customer.field(name).text());
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!name.trim().is_empty()).then_some(name)
}

fn who(record: &Record, numbers: &Numbers) -> Markup {
    let customer = record.part();
    let metadata = customer.field("metadata");
    html! {
        dl {
            (line("Id", &customer.field("id"), |id: CustomerId| html! { code { (id.as_str()) } }))
            (line("Name", &customer.field("name"), |name: String| text(&name)))
            (line("Last name", &customer.field("lastName"), |name: String| text(&name)))
            (line("E-mail", &customer.field("email"), |email: Email| html! { (email.as_str()) }))
            (line("Phone", &customer.field("phone"), |phone: Phone| html! { (phone.as_str()) }))
            (line("Currency", &customer.field("currency"), |currency: Currency| html! { (currency.code().to_uppercase()) }))
            (addresses(&customer.field("addresses")))
            @for (key, part) in metadata.fields() { (line(&format!("metadata: {key}"), &part, |value: String| text(&value))) }
        }
        (discounts(&customer.field("discounts"), numbers))
    }
}

/// The addresses, the first of which is the primary one.
fn addresses(addresses: &Part<'_>) -> Markup {
    let elements = addresses.elements();
    if elements.is_empty() {
        return unread("Addresses", addresses);
    }
    html! {
        @for (at, address) in elements.iter().enumerate() {
            dt { @if at == 0 { "Address" } @else { "Further address" } }
            dd { (written(address)) (marks(address)) }
        }
    }
}

fn written(address: &Part<'_>) -> String {
    let fields = ["line1", "line2", "postalCode", "city", "state", "country"];
    let lines = fields.map(|field| address.field(field).text());
    lines.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn subscription(customer: &str, mode: Mode, record: &Record, numbers: &Numbers) -> Markup {
    let part = record.part();
    let id = part.field("id").text();
    let is_live = part.field("status").field("name").text() != Some("canceled");
    html! {
        div.beside {
            section.card {
                h3 { (id.unwrap_or("A subscription without an id")) }
                (mistakes(record))
                (facts(record, numbers))
                @if let Some(id) = id.filter(|_| is_live) {
                    @let flow = format!("/flow/{}/{}", segment(customer), segment(id));
                    p { a.button href=(with_mode(&flow, mode)) { "See what this customer is offered" } }
                }
            }
            (json("The subscription as it came", record))
        }
    }
}
