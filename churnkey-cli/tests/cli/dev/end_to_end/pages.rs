//! Every page, in every look.

use serde_json::Value;

use super::{
    browser::{Browser, browser},
    looks::assert_sound,
    offers::accept,
};
use crate::{check::broken, dev::local::Local, merchants::in_memory};

/// A page that is added to the tool is added here: what its pictures are called, and its path.
const PAGES: &[(&str, &str)] = &[
    ("overview", "/"),
    ("customers", "/customers"),
    ("customer", "/customers/cus_linus"),
    ("customer-missing", "/customers/nobody"),
    ("flow-survey", "/flow/cus_ada/sub_ada_pro"),
    (
        "flow-plan",
        "/flow/cus_ada/sub_ada_pro?step=0&reason=plan-price_pro_year",
    ),
    (
        "flow-pause",
        "/flow/cus_ada/sub_ada_pro?step=0&reason=pause",
    ),
    ("flow-feedback", "/flow/cus_ada/sub_ada_pro?step=1"),
    ("flow-confirm", "/flow/cus_ada/sub_ada_pro?step=2"),
    ("calls", "/calls"),
    ("call", "/calls/1"),
    ("check", "/check"),
    ("webhooks", "/webhooks"),
    ("refused", "/refused"),
    ("contract", "/contract"),
];

#[test]
fn every_page_is_accessible_as_wide_as_its_window_and_without_an_error_in_every_look() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let origin = format!("http://{}", local.address());
    let browser = browser();
    for (name, path) in PAGES {
        browser.open(&format!("{origin}{path}"));
        assert_sound(&browser, name);
    }

    // What comes of a form has no address of its own.
    browser.open(&format!(
        "{origin}/flow/cus_ada/sub_ada_pro?step=0&reason=pause"
    ));
    accept(&browser);
    assert_eq!(browser.text("h1"), "This changes live data");
    assert_sound(&browser, "flow-asked-once");
    accept(&browser);
    assert_eq!(browser.text("h1"), "Done");
    assert_sound(&browser, "flow-done");
}

/// Presses the page's button, and waits for the end of what it begins.
pub(super) fn run_suite(browser: &Browser, origin: &str) {
    browser.open(&format!("{origin}/check"));
    browser.follow("main button");
    browser.once("#status", "has ended");
}

#[test]
fn findings_of_the_suite_are_shown_as_they_come_in_every_look() {
    let server = broken();
    let local = Local::start(&server.url(), &[]);
    let browser = browser();
    run_suite(&browser, &format!("http://{}", local.address()));
    assert_eq!(browser.text("main h2"), "What came out");
    assert_sound(&browser, "check-findings");
}

#[test]
fn a_call_is_shown_as_it_comes_and_the_reader_keeps_their_place() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let url = |path: &str| format!("http://{}{path}", local.address());
    let browser = browser();
    browser.open(&url("/customers/cus_ada"));
    browser.open(&url("/calls"));
    browser.run("document.querySelector('a[href=\"/calls/1\"]').focus()");
    browser.run("fetch('/customers/nobody')");
    browser.once("main", "GET /churnkey/customers/nobody");
    let focused = browser.run("return document.activeElement.getAttribute('href')");
    assert_eq!(focused, "/calls/1");
}

/// The button is in the part of the page that is asked for anew after each call.
#[test]
fn what_is_the_same_after_a_call_keeps_the_focus() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let browser = browser();
    browser.open(&format!("http://{}/check", local.address()));
    browser.run("document.querySelector('main button').focus()");
    let is_asked_for = |times: usize| {
        browser.until(&format!(
            "const all = performance.getEntriesByName(location.href, 'resource');
             return all.filter(each => each.initiatorType === 'fetch').length >= {times}"
        ));
    };
    is_asked_for(1);
    browser.run("fetch('/customers/nobody')");
    is_asked_for(2);
    // Until it has been shown.
    browser.run_async("await fetch('/style.css')", Value::Null);
    let focused = browser.run("return document.activeElement.innerText");
    assert_eq!(focused, "Run the suite");
}
