//! The pages of customers: what can be read, the JSON beside it, and what is wrong in place.

use std::collections::BTreeSet;

use axum::{Router, extract::Request, routing::any};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::local::Local;
use crate::merchants::{Server, in_memory};

fn get(local: &Local, path: &str) -> String {
    let page = local.send(Method::GET, path, HeaderMap::new(), None);
    assert_eq!(page.status, 200, "{path}: {page:?}");
    page.body
}

fn in_language(local: &Local, language: &str, path: &str) -> String {
    let mut headers = HeaderMap::new();
    headers.insert("accept-language", language.parse().unwrap());
    local.send(Method::GET, path, headers, None).body
}

/// A merchant with one customer, who has these subscriptions.
fn merchant(customer: Value, subscriptions: Value) -> Server {
    Server::start(Router::new().fallback(any(move |request: Request| {
        let is_list = request.uri().path().ends_with("/subscriptions");
        let body = if is_list {
            json!({ "data": subscriptions })
        } else {
            customer.clone()
        };
        async move { axum::Json(body) }
    })))
}

fn customer() -> Value {
    json!({ "id": "cus_1" })
}

fn subscription(status: &Value) -> Value {
    json!({
        "id": "sub_1", "customerId": "cus_1", "start": "2026-01-01T00:00:00.000Z", "status": status,
        "duration": { "amount": 3, "unit": "month" },
        "items": [{
            "id": "si_1", "quantity": 1200,
            "price": {
                "id": "price_1", "type": "standalone", "name": "Seats", "duration": { "amount": 3, "unit": "month" },
                "amount": { "model": "fixed", "currency": "usd", "unit": 123_450, "flat": 500 }
            }
        }]
    })
}

fn period(start: &str, end: &str) -> Value {
    json!({ "start": format!("{start}T00:00:00.000Z"), "end": format!("{end}T00:00:00.000Z") })
}

/// The texts between these two, without tags.
fn texts(page: &str, from: &str, to: &str) -> Vec<String> {
    let parts = page.split(from).skip(1);
    let parts = parts.map(|part| part.split(to).next().unwrap());
    parts.map(without_tags).collect()
}

fn without_tags(html: &str) -> String {
    let mut is_in_tag = false;
    let text = html.chars().filter(|c| {
        let was_in_tag = is_in_tag;
        is_in_tag = match c {
            '<' => true,
            '>' => false,
            _ => was_in_tag,
        };
        !was_in_tag && *c != '<'
    });
    text.collect::<String>()
        .replace("&quot;", "\"")
        .trim()
        .to_owned()
}

#[test]
fn every_key_leads_to_what_the_contract_says_of_it() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let contract = get(&local, "/contract");
    let mut anchors = BTreeSet::new();
    let mut pages = vec!["/".to_owned()];
    let listed = get(&local, "/customers");
    let customers = listed.split(r#"href="/customers/"#).skip(1);
    pages.extend(customers.map(|rest| format!("/customers/{}", rest.split('"').next().unwrap())));
    for path in &pages {
        let page = get(&local, path);
        let links = page.split(r#"href="/contract#"#).skip(1);
        anchors.extend(links.map(|rest| rest.split('"').next().unwrap().to_owned()));
    }
    for anchor in &anchors {
        let count = contract.matches(&format!(r#" id="{anchor}""#)).count();
        assert_eq!(count, 1, "{anchor}");
    }
    for anchor in [
        "customers.list",
        "features.controllers.customers.list",
        "Customer.email",
        "Metadata",
        "SubscriptionStatus.active.currentPeriod",
        "PriceAmount.tiered.tiers",
        "Tier.upTo",
        "CouponDuration.recurring.amount",
    ] {
        assert!(anchors.contains(anchor), "{anchor} in {anchors:?}");
    }
}

#[test]
fn every_link_of_the_contracts_page_leads_to_one_place_of_it() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let page = get(&local, "/contract");
    let links: BTreeSet<&str> = page
        .split("href=\"#")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    for link in &links {
        let count = page.matches(&format!(r#" id="{link}""#)).count();
        assert_eq!(count, 1, "{link}");
    }
    let ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let distinct: BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "an id names one place");
    for text in [
        "GET /customers/email/{email}",
        "a time such as",
        "The only currency in which the coupon is valid, if any.",
        "Several customers are found by what was looked up",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn what_is_wrong_is_marked_in_place_and_the_rest_is_shown() {
    let mut wrong = subscription(&json!({
        "name": "active", "currentPeriod": { "start": "2026-01-01T00:00:00.000Z", "end": 7 },
        "trial": period("2025-12-01", "2026-01-01")
    }));
    wrong["items"][0]["quantity"] = json!(0);
    wrong["items"][0]["price"]["amount"]["currency"] = json!("quid");
    wrong["duration"]["unit"] = json!("week");
    wrong.as_object_mut().unwrap().remove("customerId");
    let right = subscription(&json!({ "name": "unpaid" }));
    let customer = json!({
        "id": "cus_1", "name": "Ada", "nmae": "Bo", "email": ["ada@example.com"], "addresses": [{ "country": "UK" }]
    });
    let server = merchant(customer, json!([wrong, right]));
    let local = Local::start(&server.url(), &[]);
    let page = get(&local, "/customers/cus_1");

    // In a list above each record, in the order of the contract's look at it.
    assert_eq!(
        texts(&page, "<li><code>", "</li>"),
        [
            "addresses[0].country: `country` is not a valid ISO 3166-1 alpha-2 code: use one like GB",
            "email: expected a string of 1 to 320 characters; got an array of 1",
            "customerId: missing",
            "duration.unit: expected \"month\" or \"year\"; got \"week\"",
            "items[0].price.amount.currency: the currency is not a valid ISO 4217 code: use one like usd or EUR",
            "items[0].quantity: expected a whole number from 1 to 9007199254740991; got 0",
            "status.currentPeriod.end: expected a time such as \"2026-03-04T00:00:00.000Z\"; got 7",
        ]
    );
    // In the JSON.
    let json = texts(&page, r#"<pre class="json""#, "</pre>");
    let json: Vec<&str> = json
        .iter()
        .map(|json| json.split_once('>').unwrap().1)
        .collect();
    assert_eq!(
        json[0],
        r#"{
  "addresses": [
    {
      "country": "UK"  ✗ `country` is not a valid ISO 3166-1 alpha-2 code: use one like GB
    }
  ],
  "email": [  ✗ expected a string of 1 to 320 characters; got an array of 1
    "ada@example.com"
  ],
  "id": "cus_1",
  "name": "Ada",
  "nmae" (not in the contract): "Bo"
}"#
    );
    for line in [
        r#"  "customerId"  ✗ missing"#,
        r#"    "unit": "week"  ✗ expected "month" or "year"; got "week""#,
        r#"      "end": 7,  ✗ expected a time such as "2026-03-04T00:00:00.000Z"; got 7"#,
    ] {
        assert_eq!(
            json[1].lines().filter(|other| *other == line).count(),
            1,
            "{line}: {}",
            json[1]
        );
    }
    assert!(!json[2].contains('✗'), "{}", json[2]);

    // In what a person reads, beside all that can be read.
    assert_eq!(
        texts(&page, "<dd>", "</dd>")[..5],
        [
            "cus_1",
            "Ada",
            r#"["ada@example.com"] ✗ expected a string of 1 to 320 characters; got an array of 1"#,
            "UK ✗ `country` is not a valid ISO 3166-1 alpha-2 code: use one like GB",
            "active",
        ]
    );
    assert_eq!(
        texts(&page, "<li class=\"past\">", "</li>")[..4],
        [
            "2025-12-01 The trial began (past)",
            "2026-01-01 The subscription began (past)",
            "2026-01-01 The trial ended (past)",
            "2026-01-01 The current period began (past)",
        ]
    );
    assert_eq!(
        texts(&page, "<td>", "</td>")[..6],
        [
            "Seats price_1",
            "0 ✗ expected a whole number from 1 to 9007199254740991; got 0",
            concat!(
                r#"{"currency":"quid","flat":500,"model":"fixed","unit":123450} "#,
                "✗ the currency is not a valid ISO 4217 code: use one like usd or EUR every 3 months"
            ),
            "Seats price_1",
            "1,200",
            "1,234.50 USD each and 5.00 USD flat, every 3 months",
        ]
    );
}

#[test]
fn the_timeline_of_each_status_says_what_is_past_and_what_is_to_come() {
    let current = period("2026-02-01", "2026-03-01");
    let trial = period("2026-01-01", "2026-01-15");
    for (status, timeline) in [
        (
            json!({ "name": "active", "currentPeriod": current, "trial": trial }),
            vec![
                "2026-01-01 The subscription began (past)",
                "2026-01-01 The trial began (past)",
                "2026-01-15 The trial ended (past)",
                "2026-02-01 The current period began (past)",
                "2026-03-01 The current period ends (to come)",
            ],
        ),
        (
            json!({ "name": "trial", "trial": trial }),
            vec![
                "2026-01-01 The subscription began (past)",
                "2026-01-01 The trial began (past)",
                "2026-01-15 The trial ends (to come)",
            ],
        ),
        (
            json!({
                "name": "paused", "currentPeriod": current,
                "pause": { "start": "2026-02-10T12:30:00Z", "end": "2026-04-10T00:00:00Z" }
            }),
            vec![
                "2026-01-01 The subscription began (past)",
                "2026-02-01 The billing period began (past)",
                "2026-02-10 12:30 UTC The pause began (past)",
                "2026-03-01 The billing period ends (past or to come)",
                "2026-04-10 The pause ends (to come)",
            ],
        ),
        (
            json!({ "name": "paused", "pause": { "start": "2026-02-10T00:00:00Z" } }),
            vec![
                "2026-01-01 The subscription began (past)",
                "2026-02-10 The pause began (past)",
                "The pause has no planned end",
            ],
        ),
        (
            json!({ "name": "canceled", "currentPeriod": current, "canceledAt": "2026-02-20T00:00:00Z" }),
            vec![
                "2026-01-01 The subscription began (past)",
                "2026-02-01 The last period began (past)",
                "2026-02-20 It was canceled (past)",
                "2026-03-01 The last period would have ended (not to come)",
            ],
        ),
        (
            json!({ "name": "unpaid", "currentPeriod": current }),
            vec![
                "2026-01-01 The subscription began (past)",
                "2026-02-01 The current period began (past)",
                "2026-03-01 The current period ends (to come)",
            ],
        ),
    ] {
        let server = merchant(customer(), json!([subscription(&status)]));
        let local = Local::start(&server.url(), &[]);
        let page = get(&local, "/customers/cus_1");
        let list = page.split("<ol class=\"timeline\"").nth(1).unwrap();
        let list = list.split("</ol>").next().unwrap();
        assert_eq!(
            texts(list, "<li class=", "</li>")
                .iter()
                .map(|line| line.split_once('>').unwrap().1)
                .collect::<Vec<_>>(),
            timeline
        );
        assert!(list.contains(r#"<time datetime="2026-01-01T00:00:00.000Z">2026-01-01</time>"#));
    }
}

#[test]
fn discounts_and_tiers_are_told() {
    let mut record = subscription(&json!({ "name": "unpaid" }));
    let coupon = |duration: Value, value: Value| json!({ "id": "c_1", "name": "Spring", "duration": duration, "value": value });
    let percent = json!({ "type": "percentage", "percent": 12.5 });
    let fixed = json!({ "type": "fixed", "currency": "jpy", "flat": 1500 });
    record["discounts"] = json!([
        {
            "coupon": coupon(json!({ "type": "recurring", "amount": 2, "unit": "year" }), percent),
            "start": "2026-01-01T00:00:00Z", "end": "2028-01-01T00:00:00Z"
        },
        { "coupon": coupon(json!({ "type": "forever" }), fixed) },
    ]);
    record["items"][0]["price"]["amount"] = json!({
        "model": "tiered", "currency": "usd", "mode": "graduated",
        "tiers": [{ "unit": 1000, "upTo": 1500 }, { "unit": 800, "flat": 5000 }]
    });
    let server = merchant(customer(), json!([record]));
    let local = Local::start(&server.url(), &[]);
    let page = get(&local, "/customers/cus_1");
    let rows = texts(&page, r#"<th scope="row">"#, "</tr>");
    assert_eq!(
        rows,
        [
            concat!(
                "si_1Seats price_11,200By tiers, each for its part of the quantity:up to 1,500: 10.00 USD each",
                "above: 8.00 USD each and 50.00 USD flat every 3 months"
            ),
            "Spring c_112.5%2 years2026-01-012028-01-01",
            "Spring c_11,500 JPY flateverno end is given"
        ]
    );
}

#[test]
fn a_page_of_customers_shows_those_beside_a_wrong_one() {
    let server = Server::start(Router::new().fallback(any(|| async {
        axum::Json(json!({ "data": [
            { "id": "cus_1", "name": "Ada" },
            { "id": "cus_2", "name": "Bo", "email": 7 },
            { "name": "Nobody" },
            "cus_4",
            { "id": "cus_5", "name": "Eve" },
        ] }))
    })));
    let local = Local::start(&server.url(), &[]);
    let page = get(&local, "/customers");
    let rows = texts(&page, r#"<tr><th scope="row">"#, "</tr>");
    assert_eq!(
        rows,
        [
            "cus_1Ada",
            concat!(
                "cus_2Bo 7 ✗ expected a string of 1 to 320 characters; got 7",
                "✗ This is not as the contract says:email: expected a string of 1 to 320 characters; got 7"
            ),
            "✗ missingNobody ✗ This is not as the contract says:id: missing",
            "✗ This is not as the contract says:the record: expected an object; got \"cus_4\"",
            "cus_5Eve",
        ]
    );
}

#[test]
fn several_customers_with_one_address_are_explained() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let page = get(&local, "/customers?find=shared@example.com&by=email");
    for text in [
        "Several customers have this e-mail address: the integration answered 409 Conflict: ",
        "Rank the owners in your look-up",
        "<code>churnkey ambiguity</code>",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let page = get(&local, "/customers?find=nobody@example.com&by=email");
    assert!(
        page.contains("There is no customer with this e-mail address"),
        "{page}"
    );
}

#[test]
fn money_and_numbers_are_those_of_the_browsers_language() {
    let server = merchant(
        customer(),
        json!([subscription(&json!({ "name": "unpaid" }))]),
    );
    let local = Local::start(&server.url(), &[]);
    for (language, quantity, costs) in [
        (
            "de-DE,de;q=0.9,en;q=0.8",
            "1.200",
            "1.234,50 USD each and 5,00 USD flat, every 3 months",
        ),
        (
            "en",
            "1,200",
            "1,234.50 USD each and 5.00 USD flat, every 3 months",
        ),
        (
            "tlh",
            "1,200",
            "1,234.50 USD each and 5.00 USD flat, every 3 months",
        ),
    ] {
        let page = in_language(&local, language, "/customers/cus_1");
        let cells = texts(&page, "<td>", "</td>");
        assert_eq!(cells[1..3], [quantity, costs], "{language}");
    }
}
