//! Merchants who answer slowly, not at all, with nonsense or with markup.

use std::{
    future,
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
    routing::any,
};
use serde_json::{Value, json};

use super::{
    browser::{Browser, browser},
    pages::run_suite,
};
use crate::{
    dev::local::Local,
    merchants::{Server, in_memory_app},
};

const PATHS: [&str; 4] = [
    "/",
    "/customers",
    "/customers/cus_ada",
    "/flow/cus_ada/sub_ada_pro",
];

fn urls(local: &Local) -> Vec<String> {
    let url = |path: &&str| format!("http://{}{path}", local.address());
    PATHS.iter().map(url).collect()
}

/// Both at once, because a test of one waits as long as a test of both.
#[test]
fn a_slow_merchant_is_waited_for_and_one_who_never_answers_is_given_up() {
    let slow = in_memory_app().layer(middleware::from_fn(wait_and_answer));
    let slow = Server::start(slow);
    let hanging = Server::start(Router::new().fallback(any(future::pending::<()>)));
    let (of_slow, of_hanging) = (
        Local::start(&slow.url(), &[]),
        Local::start(&hanging.url(), &[]),
    );
    let browser = browser();
    let begun = Instant::now();
    // The flow of a slow merchant asks six times, one after the other.
    let all = [&urls(&of_slow)[..3], &urls(&of_hanging)[..]].concat();
    let said = browser.open_all(&all, "main");
    let took = begun.elapsed();

    let (_, latency) = said[0].split_once("which answered in ").unwrap();
    let latency: u128 = latency.split(' ').next().unwrap().parse().unwrap();
    assert!(
        (SLOW.as_millis()..10_000).contains(&latency),
        "{latency} ms"
    );
    assert!(said[1].contains("cus_grace"), "{said:?}");
    assert!(said[2].contains("Pro, monthly"), "{said:?}");

    let gave_up = format!(
        "The integration at {} did not answer within 10 s.",
        hanging.url()
    );
    for page in &said[3..] {
        assert!(page.ends_with(&gave_up), "{page:?}");
    }
    assert!(
        took < Duration::from_secs(25),
        "one after the other, or too late: {took:?}"
    );
}

const SLOW: Duration = Duration::from_secs(3);

async fn wait_and_answer(request: Request, next: Next) -> Response {
    tokio::time::sleep(SLOW).await;
    next.run(request).await
}

#[test]
fn a_merchant_who_answers_nonsense_is_told_so() {
    for body in ["<h1>It works!</h1>", "{\"name\": \"Shop\""] {
        let server = Server::start(Router::new().fallback(any(move || async move { body })));
        let local = Local::start(&server.url(), &[]);
        let browser = browser();
        for url in urls(&local) {
            browser.open(&url);
            let said = browser.text("[role=alert]");
            assert!(
                said.contains("is not as the contract says"),
                "{body:?}, {url}: {said}"
            );
        }
    }
}

/// It would say so if it were run, and be found if it were made elements.
const MARKUP: &str = "\"'><script class=merchants>window.wasRun = 1</script>\
                      <img class=merchants src=x onerror='window.wasRun = 1'><b class=merchants>";

/// A merchant of markup: it is in every text that they may choose.
fn merchant_of_markup() -> Router {
    let duration = json!({ "amount": 1, "unit": "month" });
    let price = json!({
        "id": MARKUP, "type": "standalone", "name": MARKUP, "description": MARKUP, "duration": duration,
        "amount": { "model": "fixed", "currency": "usd", "unit": 100 }, "metadata": { MARKUP: MARKUP }
    });
    let coupon = json!({
        "id": MARKUP, "code": MARKUP, "name": MARKUP, "duration": { "type": "recurring", "amount": 1, "unit": "month" },
        "value": { "type": "percentage", "percent": 10 }
    });
    let subscription = json!({
        "id": MARKUP, "customerId": MARKUP, "start": "2026-01-01T00:00:00Z", "duration": duration,
        "status": {
            "name": "active",
            "currentPeriod": { "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z" }
        },
        "items": [{ "id": MARKUP, "quantity": 1, "price": price }], "metadata": { MARKUP: MARKUP }
    });
    let other_price = json!({
        "id": format!("other {MARKUP}"), "type": "standalone", "name": MARKUP, "duration": duration,
        "amount": { "model": "fixed", "currency": "usd", "unit": 50 }
    });
    let customer = json!({
        "id": MARKUP, "name": MARKUP, "lastName": MARKUP, "metadata": { MARKUP: MARKUP },
        "addresses": [{ "line1": MARKUP, "line2": MARKUP, "city": MARKUP, "state": MARKUP, "postalCode": MARKUP }],
    });
    let manifest = json!({
        "name": MARKUP,
        "controllers": {
            "customers": { "retrieve": true, "list": true }, "subscriptions": { "retrieve": true, "list": true },
            "coupons": { "list": true }, "prices": { "list": true }, MARKUP: true
        },
        "actions": {
            "cancel": { "schedules": { "immediate": true, MARKUP: true } },
            "pause": { "enabled": true, "startDates": { "immediate": true }, "durations": { "period": true } },
            "applyCoupon": { "enabled": true }, "changePrice": { "schedules": { "immediate": true } }, MARKUP: MARKUP
        }
    });
    let page = |record: &Value| json!({ "data": [record], "next": MARKUP });
    let answers = [
        ("/features", manifest),
        ("/subscriptions", json!({ "data": [subscription] })),
        ("/customers", page(&customer)),
        ("/coupons", json!({ "data": [coupon] })),
        ("/prices", json!({ "data": [other_price] })),
    ];
    Router::new().fallback(any(move |request: Request| {
        let path = request.uri().path().to_owned();
        let known = answers.iter().find(|(end, _)| path.ends_with(end));
        let answer = match known {
            Some((_, answer)) => Ok(answer.clone()),
            None if path.contains("/refused") => Err(json!({ "code": 418, "message": MARKUP })),
            None if path.contains("/subscriptions/") => Ok(subscription.clone()),
            None => Ok(customer.clone()),
        };
        async move {
            answer
                .map(Json)
                .map_err(|refusal| (http::StatusCode::IM_A_TEAPOT, Json(refusal)))
        }
    }))
}

/// Panics unless the markup is text of the page.
#[track_caller]
fn assert_text_only(browser: &Browser, page: &str) {
    let seen = browser.run(
        "return [window.wasRun ?? null, document.querySelectorAll('.merchants').length,
                 document.documentElement.outerHTML.includes('&lt;script class=merchants&gt;')]",
    );
    assert_eq!(seen, json!([null, 0, true]), "{page}");
    assert_eq!(browser.complaints(), [""; 0], "{page}");
}

#[test]
fn markup_of_a_merchant_is_text_and_never_run() {
    let server = Server::start(merchant_of_markup());
    let local = Local::start(&server.url(), &[]);
    let origin = format!("http://{}", local.address());
    let browser = browser();
    for path in [
        "/",
        "/customers",
        "/customers?find=x",
        "/customers?find=refused",
        "/customers/x",
        "/customers/refused",
        "/flow/x/y",
    ] {
        browser.open(&format!("{origin}{path}"));
        assert_text_only(&browser, path);
    }
    for offer in ["discount-", "plan-", "pause"] {
        browser.open(&format!("{origin}/flow/x/y?mode=test"));
        browser.click(&format!("[name=reason][value^='{offer}']"));
        browser.follow("main button");
        browser.follow("main button");
        assert_eq!(browser.text("h1"), "Done", "{offer}");
        assert_text_only(&browser, offer);
    }
    // What they have answered so far, and what the suite makes of it.
    for path in ["/calls/1", "/calls/2"] {
        browser.open(&format!("{origin}{path}"));
        assert_text_only(&browser, path);
    }
    run_suite(&browser, &origin);
    assert_text_only(&browser, "/check");
}

/// The second lock on the same door: what got into a page all the same.
#[test]
fn a_script_that_got_into_a_page_is_not_run() {
    let server = Server::start(in_memory_app());
    let local = Local::start(&server.url(), &[]);
    let browser = browser();
    for url in urls(&local) {
        browser.open(&url);
        let ran = browser.run_async(
            "const script = document.createElement('script');
             script.textContent = 'window.wasRun = 1';
             document.body.append(script);
             const image = document.createElement('div');
             image.innerHTML = `<img src=/style.css onerror='window.wasRun = 1'>`;
             const failed = new Promise(done => image.firstChild.addEventListener('error', done));
             document.body.append(image);
             await failed;
             return window.wasRun ?? null;",
            Value::Null,
        );
        assert_eq!(ran, Value::Null, "{url}");
    }
}
