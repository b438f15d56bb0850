//! The customers as Churnkey gets them.

use churnkey_integrator::{
    Mode, Timestamp,
    model::{Address, Customer, Subscription, SubscriptionStatus},
};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::Value;

use super::{Parameters, given, layout::with_mode, money};
use crate::{
    dev::{Dev, merchant::Refusal},
    operations::segment,
};

/// A page of customers, or those that were looked for.
pub(super) async fn list(dev: &Dev, mode: Mode, query: &Parameters) -> Result<Markup, Refusal> {
    let (found, next) = match given(query, "find") {
        Some(wanted) => (find(dev, mode, query, wanted).await, None),
        None => match page(dev, mode, given(query, "cursor")).await {
            Ok((records, next)) => (Ok(records), next),
            Err(refusal) => (Err(refusal), None),
        },
    };
    let by = given(query, "by").unwrap_or("id");
    Ok(html! {
        h1 { "Customers" }
        form.find action="/customers" role="search" {
            label for="find" { "Find a customer" }
            input id="find" name="find" value=[given(query, "find")] autocomplete="off";
            label for="by" { "by" }
            select id="by" name="by" {
                @for (value, name) in [("id", "id"), ("email", "e-mail"), ("phone", "phone")] {
                    option value=(value) selected[value == by] { (name) }
                }
            }
            @if mode == Mode::Test { input type="hidden" name="mode" value="test"; }
            button { "Find" }
        }
        @match &found {
            Err(refusal) => p.problem role="alert" { (refusal.message) "." },
            Ok(records) if records.is_empty() => p { "There are no customers." },
            Ok(records) => (table(records, mode)),
        }
        @if let Some(next) = next {
            p { a href=(next_page(&next, mode)) { "Next page" } }
        }
    })
}

fn next_page(cursor: &str, mode: Mode) -> String {
    let mode = match mode {
        Mode::Live => "",
        Mode::Test => "&mode=test",
    };
    format!("/customers?cursor={}{mode}", segment(cursor))
}

async fn page(
    dev: &Dev,
    mode: Mode,
    cursor: Option<&str>,
) -> Result<(Vec<Value>, Option<String>), Refusal> {
    let cursor = cursor.map_or(String::new(), |cursor| {
        format!("&cursor={}", segment(cursor))
    });
    let page: Value = dev
        .merchant
        .get(mode, &format!("/customers?limit=50{cursor}"))
        .await?;
    let records = page.get("data").and_then(Value::as_array);
    let next = page.get("next").and_then(Value::as_str);
    Ok((
        records.cloned().unwrap_or_default(),
        next.map(str::to_owned),
    ))
}

async fn find(
    dev: &Dev,
    mode: Mode,
    query: &Parameters,
    wanted: &str,
) -> Result<Vec<Value>, Refusal> {
    let wanted = segment(wanted);
    let path = match given(query, "by") {
        Some("email") => format!("/customers/email/{wanted}"),
        Some("phone") => format!("/customers/phone/{wanted}"),
        _ => format!("/customers/{wanted}"),
    };
    match dev.merchant.get(mode, &path).await {
        Ok(record) => Ok(vec![record]),
        Err(refusal) if refusal.status == StatusCode::NOT_FOUND => Ok(Vec::new()),
        Err(refusal) => Err(refusal),
    }
}

fn table(records: &[Value], mode: Mode) -> Markup {
    let text = |record: &Value, key: &str| {
        let value = record.get(key).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    html! {
        div.scrolls tabindex="0" role="region" aria-label="Customers" {
            table {
                thead {
                    tr { th scope="col" { "Id" } th scope="col" { "Name" } th scope="col" { "E-mail" } th scope="col" { "Phone" } }
                }
                tbody {
                    @for record in records {
                        @let id = text(record, "id");
                        tr {
                            th scope="row" { a href=(with_mode(&format!("/customers/{}", segment(&id)), mode)) { (id) } }
                            td { (text(record, "name")) " " (text(record, "lastName")) }
                            td { (text(record, "email")) }
                            td { (text(record, "phone")) }
                        }
                    }
                }
            }
        }
    }
}

/// A customer and their subscriptions.
pub(super) async fn one(dev: &Dev, mode: Mode, id: &str) -> Result<Markup, Refusal> {
    let raw: Value = dev
        .merchant
        .get(mode, &format!("/customers/{}", segment(id)))
        .await?;
    let path = format!("/customers/{}/subscriptions", segment(id));
    let subscriptions: Result<Vec<Value>, Refusal> = dev.merchant.list(mode, &path).await;
    let customer = serde_json::from_value::<Customer>(raw.clone());
    Ok(html! {
        @match customer {
            Ok(customer) => (who(&customer)),
            Err(error) => {
                h1 { (id) }
                p.problem role="alert" { "This record is not as the contract says: " (error) "." }
            },
        }
        (as_it_came("The customer as it came", &raw))
        h2 { "Subscriptions" }
        @match subscriptions {
            Err(refusal) => p.problem { (refusal.message) "." },
            Ok(records) if records.is_empty() => p { "There are none." },
            Ok(records) => @for raw in records { (subscription(id, mode, &raw)) },
        }
    })
}

fn as_it_came(what: &str, raw: &Value) -> Markup {
    html! {
        details {
            summary { (what) }
            pre tabindex="0" { (format!("{raw:#}")) }
        }
    }
}

fn who(customer: &Customer) -> Markup {
    let names = [customer.name(), customer.last_name()];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let id = customer.id().as_str();
    html! {
        h1 { @if name.is_empty() { (id) } @else { (name) } }
        dl {
            dt { "Id" } dd { (id) }
            @if let Some(email) = customer.email() { dt { "E-mail" } dd { (email.as_str()) } }
            @if let Some(phone) = customer.phone() { dt { "Phone" } dd { (phone.as_str()) } }
            @if let Some(currency) = customer.currency() { dt { "Currency" } dd { (currency.code().to_uppercase()) } }
            @for (at, address) in customer.addresses().iter().enumerate() {
                dt { @if at == 0 { "Address" } @else { "Further address" } }
                dd { (written(address)) }
            }
            @for discount in customer.discounts() {
                dt { "Discount" }
                dd { (money::coupon(discount.coupon().value(), discount.coupon().duration())) }
            }
            @for (key, value) in customer.metadata() {
                dt { (key) } dd { (value) }
            }
        }
    }
}

fn written(address: &Address) -> String {
    let country = address.country();
    let country = country.as_ref().map(|country| country.code());
    let lines = [
        address.line1(),
        address.line2(),
        address.postal_code(),
        address.city(),
        address.state(),
        country,
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn subscription(customer: &str, mode: Mode, raw: &Value) -> Markup {
    let record = match serde_json::from_value::<Subscription>(raw.clone()) {
        Ok(record) => record,
        Err(error) => {
            return html! {
                section.card {
                    p.problem { "This subscription is not as the contract says: " (error) "." }
                    (as_it_came("The subscription as it came", raw))
                }
            };
        }
    };
    let id = record.id().as_str();
    let flow = format!("/flow/{}/{}", segment(customer), segment(id));
    let is_live = !matches!(record.status(), SubscriptionStatus::Canceled { .. });
    html! {
        section.card {
            h3 { (id) }
            (facts(&record))
            @if is_live {
                p { a.button href=(with_mode(&flow, mode)) { "See what this customer is offered" } }
            }
            (as_it_came("The subscription as it came", raw))
        }
    }
}

/// What a subscription is, in a few lines.
pub(super) fn facts(subscription: &Subscription) -> Markup {
    html! {
        ol.timeline {
            @for (when, what) in timeline(subscription) {
                li { time datetime=(when.to_string()) { (day(when)) } " " (what) }
            }
        }
        dl {
            dt { "Status" } dd { (subscription.status().name()) }
            @for item in subscription.items() {
                dt { "Item" }
                dd {
                    (item.quantity()) " × " (item.price().name().unwrap_or(item.price().id().as_str())) ", "
                    (money::price(item.price().amount(), item.price().duration()))
                }
            }
            @for discount in subscription.discounts() {
                dt { "Discount" }
                dd { (money::coupon(discount.coupon().value(), discount.coupon().duration())) }
            }
        }
    }
}

/// What has happened and will happen, in order.
fn timeline(subscription: &Subscription) -> Vec<(Timestamp, &'static str)> {
    let status = subscription.status();
    let mut moments = vec![(subscription.start(), "it began")];
    if let Some(trial) = status.trial_period() {
        moments.push((trial.start(), "the trial began"));
        moments.push((trial.end(), "the trial ends"));
    }
    match status {
        SubscriptionStatus::Paused { pause, .. } => {
            moments.push((pause.start(), "the pause began"));
            moments.extend(pause.end().map(|end| (end, "the pause ends")));
        }
        SubscriptionStatus::Canceled { canceled_at, .. } => {
            moments.push((canceled_at, "it was canceled"));
        }
        SubscriptionStatus::Active { current_period, .. } => {
            moments.push((current_period.start(), "the current period began"));
            moments.push((current_period.end(), "the current period ends"));
        }
        _ => {}
    }
    moments.sort_by_key(|(when, _)| *when);
    moments
}

/// The day in UTC.
fn day(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}
