//! A subscription: its course in time, what is charged, and the discounts.

use churnkey_integrator::{
    ItemId, Timestamp,
    model::{BillingDuration, CouponDuration, CouponValue, PriceAmount},
};
use maud::{Markup, html};

use super::{
    money::Numbers,
    parts::{line, text, time, unread, value},
};
use crate::dev::contract::{Part, Record};

/// What a subscription is, as far as it can be read.
pub(super) fn facts(record: &Record, numbers: &Numbers) -> Markup {
    let subscription = record.part();
    let status = subscription.field("status");
    html! {
        dl {
            (line("Status", &status.field("name"), |name: String| html! { (name) }))
            (line("Billed", &subscription.field("duration"), |cycle: BillingDuration| html! { (numbers.cycle(cycle)) }))
        }
        (timeline(&subscription))
        (items(&subscription.field("items"), numbers))
        (discounts(&subscription.field("discounts"), numbers))
        @let metadata = subscription.field("metadata").fields();
        @if !metadata.is_empty() {
            dl { @for (key, part) in metadata { (line(key, &part, |value: String| text(&value))) } }
        }
    }
}

/// Something that happens to a subscription.
struct Moment {
    when: Timestamp,
    what: &'static str,
    standing: Standing,
}

/// Where a moment is by what the record says. Its clock may not be this machine's: that of a demo stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Past,
    ToCome,
    /// The record does not say.
    Unknown,
    Never,
}

impl Standing {
    fn words(self) -> &'static str {
        match self {
            Self::Past => "past",
            Self::ToCome => "to come",
            Self::Unknown => "past or to come",
            Self::Never => "not to come",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Past => "past",
            _ => "ahead",
        }
    }
}

/// The times of a status.
const PERIODS: [(&str, &str); 4] = [
    ("Trial", "trial"),
    ("Period", "currentPeriod"),
    ("Pause", "pause"),
    ("Canceled", "canceledAt"),
];

fn timeline(subscription: &Part<'_>) -> Markup {
    let (moments, open_pause) = moments(subscription);
    let status = subscription.field("status");
    html! {
        ol.timeline aria-label="Timeline, in UTC" {
            @for Moment { when, what, standing } in &moments {
                li.(standing.class()) { (time(*when)) " " (what) " " span.standing { "(" (standing.words()) ")" } }
            }
            @if open_pause { li.ahead { "The pause has no planned end" } }
        }
        dl {
            (unread("Start", &subscription.field("start")))
            @for (name, field) in PERIODS { (unread(name, &status.field(field))) }
        }
    }
}

/// What has happened and will happen, in order; and whether a pause has no end.
fn moments(subscription: &Part<'_>) -> (Vec<Moment>, bool) {
    let status = subscription.field("status");
    let name = status.field("name").text().unwrap_or_default();
    let of = |period: &str, end: &str| status.field(period).field(end).read::<Timestamp>();
    let start = subscription.field("start").read();
    let (trial_start, trial_end) = (of("trial", "start"), of("trial", "end"));
    let (period_start, period_end) = (of("currentPeriod", "start"), of("currentPeriod", "end"));
    let (pause_start, pause_end) = (of("pause", "start"), of("pause", "end"));
    let canceled = status.field("canceledAt").read();

    // Each of them has come. A trial that is not the status is over.
    let has_come = [
        start,
        trial_start,
        trial_end.filter(|_| name != "trial"),
        period_start,
        pause_start,
        canceled,
    ];
    let latest = has_come.into_iter().flatten().max();
    let is_past = |when: Timestamp| latest.is_some_and(|latest| when <= latest);
    let began = |when: Option<Timestamp>, what| {
        let standing = Standing::Past;
        when.map(|when| Moment {
            when,
            what,
            standing,
        })
    };
    let ends = |when: Option<Timestamp>, ended, ends, unless_past| {
        when.map(|when| match is_past(when) {
            true => Moment {
                when,
                what: ended,
                standing: Standing::Past,
            },
            false => Moment {
                when,
                what: ends,
                standing: unless_past,
            },
        })
    };
    let period = match name {
        "canceled" => [
            began(period_start, "The last period began"),
            ends(
                period_end,
                "The last period ended",
                "The last period would have ended",
                Standing::Never,
            ),
        ],
        "paused" => [
            began(period_start, "The billing period began"),
            ends(
                period_end,
                "The billing period ended",
                "The billing period ends",
                Standing::Unknown,
            ),
        ],
        _ => [
            began(period_start, "The current period began"),
            ends(
                period_end,
                "The current period ended",
                "The current period ends",
                Standing::ToCome,
            ),
        ],
    };
    let [period_begins, period_ends] = period;
    let moments = [
        began(start, "The subscription began"),
        began(trial_start, "The trial began"),
        ends(
            trial_end,
            "The trial ended",
            "The trial ends",
            Standing::ToCome,
        ),
        period_begins,
        period_ends,
        began(pause_start, "The pause began"),
        ends(
            pause_end,
            "The pause ended",
            "The pause ends",
            Standing::ToCome,
        ),
        began(canceled, "It was canceled"),
    ];
    let mut moments: Vec<Moment> = moments.into_iter().flatten().collect();
    moments.sort_by_key(|moment| moment.when);
    let is_open = pause_start.is_some() && status.field("pause").field("end").is_absent();
    (moments, is_open)
}

fn items(items: &Part<'_>, numbers: &Numbers) -> Markup {
    if items.elements().is_empty() {
        return html! { dl { (unread("Items", items)) } };
    }
    html! {
        div.scrolls tabindex="0" role="region" aria-label="Items" {
            table {
                caption { "Items" }
                thead {
                    tr {
                        th scope="col" { "Item" } th scope="col" { "Price" } th scope="col" { "Quantity" }
                        th scope="col" { "Costs" }
                    }
                }
                tbody {
                    @for item in items.elements() {
                        @let price = item.field("price");
                        tr {
                            th scope="row" { (value(&item.field("id"), |id: ItemId| html! { code.id { (id.as_str()) } })) }
                            td { (named(&price)) }
                            td { (value(&item.field("quantity"), |quantity: u64| html! { (numbers.whole(quantity)) })) }
                            td {
                                (value(&price.field("amount"), |amount: PriceAmount| numbers.price(&amount)))
                                " "
                                (value(&price.field("duration"), |cycle: BillingDuration| html! { (numbers.cycle(cycle)) }))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What a customer reads, and the id.
fn named(record: &Part<'_>) -> Markup {
    let name = record.field("name");
    html! {
        (value(&name, |name: String| text(&name)))
        @if !name.is_absent() { " " }
        (value(&record.field("id"), |id: String| html! { code.id { (id) } }))
    }
}

/// Discounts, of a subscription or a customer.
pub(super) fn discounts(discounts: &Part<'_>, numbers: &Numbers) -> Markup {
    let elements = discounts.elements();
    html! {
        @if !elements.is_empty() {
            div.scrolls tabindex="0" role="region" aria-label="Discounts" {
                table {
                    caption { "Discounts" }
                    thead {
                        tr {
                            th scope="col" { "Coupon" } th scope="col" { "Worth" } th scope="col" { "For" }
                            th scope="col" { "From" } th scope="col" { "Until" }
                        }
                    }
                    tbody {
                        @for discount in elements {
                            @let coupon = discount.field("coupon");
                            @let end = discount.field("end");
                            tr {
                                th scope="row" { (named(&coupon)) }
                                td { (value(&coupon.field("value"), |worth: CouponValue| html! { (numbers.worth(worth)) })) }
                                td { (value(&coupon.field("duration"), |how_long: CouponDuration| html! { (numbers.how_long(how_long)) })) }
                                td { (value(&discount.field("start"), time)) }
                                td { @if end.is_absent() { "no end is given" } @else { (value(&end, time)) } }
                            }
                        }
                    }
                }
            }
        } @else if discounts.is_wrong() {
            dl { (unread("Discounts", discounts)) }
        }
    }
}
