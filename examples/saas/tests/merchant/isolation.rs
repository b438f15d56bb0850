//! No tenant gets at anything of another: by token, id, cursor, e-mail address, phone number or idempotency key.

use axum::Router;
use churnkey_conformance::Client;
use churnkey_integrator::IntegrationToken;
use http::Method;
use serde_json::{Value, json};

use crate::{Caller, Platform, slug, token};

const TENANTS: u32 = 5;

/// Records of one tenant, by their ids, and what only its customers have.
struct Own {
    tenant: String,
    customer: String,
    subscription: String,
    trial: (String, String),
    price: String,
    coupon: String,
    product: String,
    email: String,
    phone: String,
}

impl Own {
    async fn of(platform: &Platform, number: u32) -> Self {
        let tenant = slug(number);
        let id = async |name: &str| platform.id(&format!("{tenant}/live/{name}")).await;
        let own = Self {
            customer: id("customer/C-ada").await,
            subscription: id("subscription/C-ada/monthly").await,
            trial: (
                id("customer/C-grace").await,
                id("subscription/C-grace/trial").await,
            ),
            price: id("price/Basic monthly/USD").await,
            coupon: id("coupon/STAY20").await,
            product: id("product/Team").await,
            email: format!("only@{tenant}.example"),
            phone: format!("+999{number}"),
            tenant,
        };
        sqlx::query("UPDATE customers SET email = $2, phone = $3 WHERE id = $1::uuid")
            .bind(&own.customer)
            .bind(&own.email)
            .bind(&own.phone)
            .execute(&platform.owner)
            .await
            .unwrap();
        own
    }

    /// Every endpoint about the tenant's own records, behind its prefix. Each is answered 200 if the tenant itself calls.
    fn requests(&self) -> Vec<(Method, String, Value)> {
        let Self {
            customer,
            subscription,
            price,
            coupon,
            product,
            email,
            phone,
            ..
        } = self;
        let get = |path: String| (Method::GET, path, Value::Null);
        let subject = json!({"customerId": customer, "subscriptionId": subscription});
        let post = |action: &str, mut body: Value, more: Value| {
            let more = more.as_object().unwrap().clone();
            body.as_object_mut().unwrap().extend(more);
            (
                Method::POST,
                format!("/actions/subscription/{action}"),
                body,
            )
        };
        let month = json!({"amount": 1, "unit": "month"});
        let trial = json!({"customerId": self.trial.0, "subscriptionId": self.trial.1});
        vec![
            get("/features".to_owned()),
            get("/customers".to_owned()),
            get(format!("/customers/{customer}")),
            get(format!("/customers/email/{email}")),
            get(format!("/customers/phone/{}", phone.replace('+', "%2B"))),
            get(format!("/customers/{customer}/subscriptions")),
            get(format!(
                "/customers/{customer}/subscriptions/{subscription}"
            )),
            get("/prices".to_owned()),
            get(format!("/prices/{price}")),
            get("/coupons".to_owned()),
            get(format!("/coupons/{coupon}")),
            get("/products".to_owned()),
            get(format!("/products/{product}")),
            post("extend-trial", trial, json!({"duration": month})),
            post("apply-coupon", subject.clone(), json!({"couponId": coupon})),
            post(
                "change-price",
                subject.clone(),
                json!({"priceId": price, "scheduledAt": "immediate"}),
            ),
            post(
                "pause",
                subject.clone(),
                json!({"startAt": "immediate", "duration": month}),
            ),
            post("cancel", subject, json!({"scheduledAt": "immediate"})),
        ]
    }
}

/// How a request is proven.
#[derive(Debug, Clone, Copy)]
enum By {
    Token,
    Signature,
}

async fn send(
    app: &Router,
    token: IntegrationToken,
    by: By,
    key: &str,
    (method, path, body): &(Method, String, Value),
) -> (u16, Value) {
    let client = Client::new(app.clone(), token);
    let call = client.call(method.clone(), path);
    let call = match body {
        Value::Null => call,
        body => call.body(body.to_string()).header("idempotency-key", key),
    };
    let call = match by {
        By::Token => call.with_token(),
        By::Signature => call.signed(),
    };
    let answer = call.send().await;
    (answer.status(), answer.into_body())
}

/// Everything that the platform stores, in one text.
async fn everything(platform: &Platform) -> Vec<Option<String>> {
    let everything = "SELECT md5(string_agg(r::text, '' ORDER BY r::text)) FROM customers r
        UNION ALL SELECT md5(string_agg(r::text, '' ORDER BY r::text)) FROM subscriptions r
        UNION ALL SELECT md5(string_agg(r::text, '' ORDER BY r::text)) FROM subscription_items r
        UNION ALL SELECT md5(string_agg(r::text, '' ORDER BY r::text)) FROM coupons r
        UNION ALL SELECT md5(string_agg(r::text, '' ORDER BY r::text)) FROM churnkey_idempotency_records r
        UNION ALL SELECT md5(string_agg(r::text, '' ORDER BY r::text)) FROM churnkey_idempotency_keys r";
    let everything = sqlx::query_scalar(everything).fetch_all(&platform.owner);
    everything.await.unwrap()
}

fn under(prefix: &str, request: &(Method, String, Value)) -> (Method, String, Value) {
    let (method, path, body) = request.clone();
    (method, format!("/tenants/{prefix}/churnkey{path}"), body)
}

#[tokio::test]
async fn no_tenant_gets_at_anything_of_another() {
    let platform = Platform::with_demo_data(TENANTS, 20).await;
    let app = platform.app();
    let mut tenants = Vec::new();
    for number in 1..=TENANTS {
        tenants.push(Own::of(&platform, number).await);
    }
    let before = everything(&platform).await;
    let mut tried = 0;
    for own in &tenants {
        let others = tenants.iter().filter(|other| other.tenant != own.tenant);
        for other in others {
            for request in other.requests() {
                // The other's request, with a token that is not the other's.
                let theirs = under(&other.tenant, &request);
                for by in [By::Token, By::Signature] {
                    let (status, _) = send(&app, token(&own.tenant), by, "k", &theirs).await;
                    assert_eq!(status, 401, "{by:?} {theirs:?}");
                    tried += 1;
                }
                // The other's ids, in a request of one's own. What names no record is one's own.
                let (method, path, _) = &request;
                let is_own = matches!(
                    path.as_str(),
                    "/features" | "/customers" | "/prices" | "/coupons" | "/products"
                );
                if !is_own {
                    let request = under(&own.tenant, &request);
                    for by in [By::Token, By::Signature] {
                        let (status, body) =
                            send(&app, token(&own.tenant), by, "k", &request).await;
                        assert_eq!(status, 404, "{method} {path}: {body}");
                        tried += 1;
                    }
                }
            }
        }
    }
    assert_eq!(tried, 20 * (2 * 18 + 2 * 13));
    assert_eq!(everything(&platform).await, before);

    // Each of these requests is one that is answered if nothing about it is another's.
    for own in &tenants {
        for request in own.requests() {
            let request = under(&own.tenant, &request);
            let key = format!("own {}", request.1);
            let answer = send(&app, token(&own.tenant), By::Token, &key, &request).await;
            assert_eq!(answer.0, 200, "{request:?}: {}", answer.1);
        }
    }
}

/// The other's price or coupon for one's own subscription.
#[tokio::test]
async fn no_action_takes_a_record_of_another_tenant() {
    let platform = Platform::with_demo_data(2, 0).await;
    let app = platform.app();
    let (one, other) = (Own::of(&platform, 1).await, Own::of(&platform, 2).await);
    let before = everything(&platform).await;
    let caller = Caller::new(&app, &one.tenant);
    for (action, mut body) in [
        ("apply-coupon", json!({"couponId": other.coupon})),
        (
            "change-price",
            json!({"priceId": other.price, "scheduledAt": "immediate"}),
        ),
        (
            "cancel",
            json!({"customerId": other.customer, "scheduledAt": "immediate"}),
        ),
        (
            "cancel",
            json!({"subscriptionId": other.subscription, "scheduledAt": "immediate"}),
        ),
    ] {
        let fields = body.as_object_mut().unwrap();
        for (field, id) in [
            ("customerId", &one.customer),
            ("subscriptionId", &one.subscription),
        ] {
            fields.entry(field).or_insert_with(|| json!(id));
        }
        let (status, answer) = caller.act(action, &body).await;
        assert_eq!(status, 404, "{action} {body}: {answer}");
    }
    let subscriptions = format!("/customers/{}/subscriptions", one.customer);
    let (status, _) = caller
        .get(&format!("{subscriptions}/{}", other.subscription))
        .await;
    assert_eq!(status, 404);
    assert_eq!(everything(&platform).await, before);
}

#[tokio::test]
async fn no_cursor_of_another_tenant_is_taken() {
    let platform = Platform::with_demo_data(TENANTS, 20).await;
    let app = platform.app();
    let callers: Vec<Caller> = (1..=TENANTS)
        .map(|number| Caller::new(&app, &slug(number)))
        .collect();
    for list in ["/customers", "/prices", "/coupons", "/products", ""] {
        let mut cursors = Vec::new();
        for (number, caller) in (1..).zip(&callers) {
            let ada = platform
                .id(&format!("{}/live/customer/C-ada", slug(number)))
                .await;
            let list = match list {
                "" => format!("/customers/{ada}/subscriptions"),
                list => list.to_owned(),
            };
            let page = caller.found(&format!("{list}?limit=1")).await;
            let next = page["next"].as_str().unwrap().to_owned();
            cursors.push((list, next));
        }
        for (caller, own) in callers.iter().zip(&cursors) {
            for (_, cursor) in &cursors {
                let (status, _) = caller
                    .get(&format!("{}?limit=1&cursor={cursor}", own.0))
                    .await;
                let expected = if *cursor == own.1 { 200 } else { 400 };
                assert_eq!(status, expected, "{list}");
            }
        }
    }
}

/// A request that one tenant has had done is not done, and not answered as done, for another with the same key.
#[tokio::test]
async fn no_idempotency_key_of_another_tenant_is_known() {
    let platform = Platform::with_demo_data(TENANTS, 0).await;
    let app = platform.app();
    let mut tenants = Vec::new();
    for number in 1..=TENANTS {
        tenants.push(Own::of(&platform, number).await);
    }
    for own in &tenants {
        for request in own.requests() {
            if request.0 != Method::POST {
                continue;
            }
            let key = format!("a key of {} for {}", own.tenant, request.1);
            let mine = under(&own.tenant, &request);
            for _ in ["first", "again, and known"] {
                let (status, body) = send(&app, token(&own.tenant), By::Token, &key, &mine).await;
                assert_eq!(status, 200, "{}: {body}", request.1);
            }
            let before = everything(&platform).await;
            for other in &tenants {
                if other.tenant != own.tenant {
                    let request = under(&other.tenant, &request);
                    let answer = send(&app, token(&other.tenant), By::Token, &key, &request).await;
                    assert_eq!(answer.0, 404, "{}: {}", request.1, answer.1);
                }
            }
            assert_eq!(everything(&platform).await, before);
        }
    }
}
