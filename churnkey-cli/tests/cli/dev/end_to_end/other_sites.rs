//! What a page of another site can do to the tool of whoever has it open: nothing.

use axum::{Router, response::Html, routing::any};
use serde_json::{Value, json};

use super::{
    browser::{REBOUND, browser},
    shop::Shop,
};
use crate::{dev::local::Local, merchants::Server};

const ACTIVE: &str = "active; price_pro_month";

/// The origins of a site with a page of its own: on another port, and by other names of this machine.
fn other_origins(site: &Server) -> [String; 3] {
    let port = site.address().port();
    ["127.0.0.1", "localhost", REBOUND].map(|host| format!("http://{host}:{port}"))
}

fn other_site() -> Server {
    Server::start(Router::new().fallback(any(|| async {
        Html("<!DOCTYPE html><title>Another site</title>")
    })))
}

#[test]
fn another_site_can_not_read_a_page() {
    let (shop, site) = (Shop::in_memory(), other_site());
    let local = Local::start(&shop.server.url(), &[]);
    let browser = browser();
    for origin in other_origins(&site) {
        browser.open(&origin);
        for path in [
            "/",
            "/customers",
            "/customers/cus_ada",
            "/flow/cus_ada/sub_ada_pro",
        ] {
            let url = format!("http://{}{path}", local.address());
            let read = browser.run_async("return (await fetch(given)).text()", json!(url));
            assert_eq!(
                read,
                json!({ "threw": "TypeError: Failed to fetch" }),
                "{origin}, {path}"
            );
        }
    }
}

#[test]
fn another_site_can_not_frame_a_page() {
    let (shop, site) = (Shop::in_memory(), other_site());
    let local = Local::start(&shop.server.url(), &[]);
    let browser = browser();
    for origin in other_origins(&site) {
        browser.open(&origin);
        let url = format!("http://{}/customers", local.address());
        browser.run_async(
            "const frame = document.createElement('iframe');
             frame.src = given;
             const loaded = new Promise(done => frame.addEventListener('load', done));
             document.body.append(frame);
             await loaded;",
            json!(url),
        );
        let (text, from) = browser.framed();
        assert_eq!(from, "chrome-error://chromewebdata/", "{origin}: {text}");
    }
}

/// It even knows what the form has to hold.
#[test]
fn another_site_can_not_send_a_form() {
    let (shop, site) = (Shop::in_memory(), other_site());
    let local = Local::start(&shop.server.url(), &[]);
    let flow = format!("http://{}/flow/cus_ada/sub_ada_pro", local.address());
    let browser = browser();
    browser.open(&format!("{flow}?step=2"));
    let token = browser.run("return document.querySelector('[name=csrf]').value");
    let body = format!("csrf={}&action=cancel&sure=yes", token.as_str().unwrap());

    for origin in other_origins(&site) {
        browser.open(&origin);
        let script = "const [url, body] = given;
                      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
                      await fetch(url, { method: 'POST', mode: 'no-cors', headers, body });";
        assert_eq!(
            browser.run_async(script, json!([flow, body])),
            Value::Null,
            "it was sent"
        );
        assert_eq!(shop.subscription("live", "sub_ada_pro"), ACTIVE, "{origin}");

        browser.leave(|browser| {
            browser.run_async(
                "const [url, body] = given;
             const form = document.createElement('form');
             form.method = 'post';
             form.action = url;
             for (const [name, value] of new URLSearchParams(body)) {
                 const field = document.createElement('input');
                 [field.name, field.value] = [name, value];
                 form.append(field);
             }
             document.body.append(form);
             form.submit();",
                json!([flow, body]),
            );
        });
        assert_eq!(
            browser.text("body"),
            "this form is of another site",
            "{origin}"
        );
        assert_eq!(shop.subscription("live", "sub_ada_pro"), ACTIVE, "{origin}");
    }
}

#[test]
fn a_name_that_is_given_the_address_of_this_machine_is_refused() {
    let shop = Shop::in_memory();
    let local = Local::start(&shop.server.url(), &[]);
    let rebound = local.address().replace("127.0.0.1", REBOUND);
    let browser = browser();
    for path in ["/", "/customers", "/style.css"] {
        browser.open(&format!("http://{rebound}{path}"));
        assert_eq!(
            browser.text("body"),
            "this Host is not one of this tool: open it by 127.0.0.1 or localhost"
        );
    }
}
