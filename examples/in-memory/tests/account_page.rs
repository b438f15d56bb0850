//! The page on which a customer can cancel, over a socket.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use example_app::{Clock, DataSet, Demo};
use in_memory::{
    account_page::{LocalChurnkey, routes},
    store::Store,
};
use serde_json::json;
use tokio::{net::TcpListener, runtime::Runtime};

/// The page of a store, until it is dropped.
struct Site {
    address: SocketAddr,
    _runtime: Runtime,
}

impl Site {
    fn start(store: Store, local_churnkey: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let app = routes(store, local_churnkey.parse().unwrap());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self {
            address,
            _runtime: runtime,
        }
    }

    fn demo() -> Self {
        let demo = Demo::load().unwrap();
        let store = Store::new(Clock::Frozen(demo.clock));
        store.live.extend(demo.live);
        store.test.extend(demo.test);
        Self::start(store, "http://127.0.0.1:8787")
    }

    /// The whole answer to a request with these header lines.
    fn send(&self, method: &str, headers: &[&str], body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let length = body.len();
        write!(
            stream,
            "{method} /account HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn sign_in(&self, customer: &str) -> String {
        let form = "content-type: application/x-www-form-urlencoded";
        self.send("POST", &[form], &format!("customer={customer}"))
    }

    /// The page of a customer who has signed in.
    fn page_of(&self, customer: &str) -> String {
        let answer = self.sign_in(customer);
        let cookie = header(&answer, "set-cookie").unwrap();
        let (cookie, _) = cookie.split_once(';').unwrap();
        self.send("GET", &[&format!("cookie: theme=dark; {cookie}")], "")
    }
}

/// The value of a header of an answer.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

#[track_caller]
fn assert_status(answer: &str, status: u16) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer}"
    );
}

#[test]
fn whoever_signs_in_has_a_cookie_that_no_script_reads_and_no_other_sites_form_sends() {
    let site = Site::demo();
    let signed_in = site.sign_in("cus_ada");
    assert_status(&signed_in, 303);
    assert_eq!(header(&signed_in, "location"), Some("/account"));
    assert_eq!(
        header(&signed_in, "set-cookie"),
        Some("demo_customer=cus_ada; Path=/account; HttpOnly; SameSite=Lax")
    );
    for nobody in ["cus_nobody", "cus_test"] {
        let refused = site.sign_in(nobody);
        assert_status(&refused, 404);
        assert_eq!(header(&refused, "set-cookie"), None);
    }
    assert_status(&site.sign_in(""), 422);
}

#[test]
fn a_customer_sees_their_own_subscriptions_each_with_its_cancel_flow() {
    let site = Site::demo();
    let page = site.page_of("cus_ada");
    assert_status(&page, 200);
    assert!(
        page.contains(r#"<option value="cus_ada" selected>cus_ada Ada</option>"#),
        "{page}"
    );
    for (subscription, plan) in [
        ("sub_ada_pro", "Pro, monthly"),
        ("sub_ada_year", "Pro, yearly"),
    ] {
        let row = format!(
            "<tr><th scope=\"row\">{subscription}</th><td>{plan}</td><td>active</td><td>\
             <a class=\"button\" href=\"http://127.0.0.1:8787/flow/cus_ada/{subscription}\" \
             aria-label=\"Cancel {subscription}\">Cancel</a></td></tr>"
        );
        assert!(page.contains(&row), "{row} in {page}");
    }
    assert_eq!(page.matches("/flow/").count(), 2);
    assert!(!page.contains("sub_grace_trial"));
    assert_eq!(header(&page, "cache-control"), Some("no-store"));

    // What is over can't be canceled.
    let page = site.page_of("cus_zoe");
    assert!(page.contains("<td>canceled</td><td></td>"), "{page}");
    assert!(!page.contains("/flow/cus_zoe/sub_zoe_gone"), "{page}");
    let page = site.page_of("cus_twin_a");
    assert!(page.contains("You have no subscriptions."), "{page}");
}

#[test]
fn without_a_cookie_of_a_customer_there_is_the_form_alone() {
    let site = Site::demo();
    for cookies in [
        &[][..],
        &["cookie: demo_customer=cus_nobody"],
        &["cookie: demo_customer=%ff"],
        &["cookie: another=cus_ada; demo_customer"],
    ] {
        let page = site.send("GET", cookies, "");
        assert_status(&page, 200);
        assert!(page.contains(r#"<form method="post" action="/account">"#));
        assert!(page.contains(r#"<option value="cus_grace">cus_grace Grace Hopper</option>"#));
        assert!(
            !page.contains("selected") && !page.contains("/flow/"),
            "{cookies:?}: {page}"
        );
    }
}

#[test]
fn ids_and_names_are_text_whatever_is_in_them() {
    const HOSTILE: &str = "\"'><script>alert(1)</script>&/\u{eb};=";
    let store = Store::new(Clock::System);
    let price = json!({
        "id": "price_1", "type": "standalone", "name": HOSTILE, "duration": { "amount": 1, "unit": "month" },
        "amount": { "model": "fixed", "currency": "usd", "unit": 999 }
    });
    let data = json!({
        "customers": [{ "id": HOSTILE, "name": HOSTILE }],
        "families": [], "products": [], "coupons": [], "prices": [price],
        "subscriptions": [{
            "id": HOSTILE, "customerId": HOSTILE, "start": "2026-01-01T00:00:00Z", "status": { "name": "unpaid" },
            "duration": { "amount": 1, "unit": "month" }, "items": [{ "id": "si_1", "price": price, "quantity": 2 }]
        }]
    });
    let data: DataSet = serde_json::from_value(data).unwrap();
    store.live.extend(data);
    let site = Site::start(store, "http://127.0.0.1:8787/");
    let page = site.page_of("%22'%3E%3Cscript%3Ealert(1)%3C/script%3E%26/%C3%AB;%3D");
    assert_status(&page, 200);
    assert!(!page.contains("<script"), "{page}");
    let encoded = "%22%27%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E%26%2F%C3%AB%3B%3D";
    let flow = format!("href=\"http://127.0.0.1:8787/flow/{encoded}/{encoded}\"");
    assert!(page.contains(&flow), "{page}");
    let text = "&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;/\u{eb};=";
    for shown in [
        format!("<option value=\"{text}\" selected>{text} {text}</option>"),
        format!("<th scope=\"row\">{text}</th><td>2 \u{d7} {text}</td><td>unpaid</td>"),
        format!("aria-label=\"Cancel {text}\""),
    ] {
        assert!(page.contains(&shown), "{shown} in {page}");
    }
}

#[test]
fn only_an_address_of_the_web_is_one_of_churnkey_dev() {
    let is_valid = |text: &str| text.parse::<LocalChurnkey>().is_ok();
    for valid in ["http://127.0.0.1:8787", "https://dev.example/churnkey/"] {
        assert!(is_valid(valid), "{valid}");
    }
    for invalid in [
        "",
        "127.0.0.1:8787",
        "/flow",
        "javascript:alert(1)",
        "ftp://127.0.0.1",
        "http://127.0.0.1:8787/?a=b",
    ] {
        assert!(!is_valid(invalid), "{invalid}");
    }
}
