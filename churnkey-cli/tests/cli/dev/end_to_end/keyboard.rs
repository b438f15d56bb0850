//! The pages by keyboard alone.

use super::{
    browser::{Browser, ENTER, SPACE, TAB, browser},
    shop::Shop,
};
use crate::dev::local::Local;

/// Presses Tab until what is called so has the focus.
#[track_caller]
fn tab_to(browser: &Browser, name: &str) {
    let mut passed = Vec::new();
    while passed.len() < 40 {
        browser.press(TAB);
        let focused = browser.run(
            "const focused = document.activeElement, style = getComputedStyle(focused);
             const name = focused.labels?.[0]?.innerText ?? focused.innerText ?? '';
             return [name.trim(), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2]",
        );
        let focused: (String, bool) = serde_json::from_value(focused).unwrap();
        assert!(focused.1, "nobody sees that {focused:?} has the focus");
        if focused.0 == name {
            return;
        }
        passed.push(focused.0);
    }
    panic!("Tab does not lead to {name:?}, but to {passed:?}");
}

#[test]
fn a_customer_takes_a_discount_without_a_mouse() {
    let shop = Shop::in_memory();
    let local = Local::start(&shop.server.url(), &[]);
    let browser = browser();
    browser.open(&format!("http://{}/customers", local.address()));

    tab_to(&browser, "Skip to the content");
    browser.press(ENTER);
    browser.press(TAB);
    let is_in_content =
        browser.run("return document.querySelector('main').contains(document.activeElement)");
    assert_eq!(is_in_content, true, "what comes first is skipped");

    tab_to(&browser, "cus_ada");
    browser.leave(|browser| browser.press(ENTER));
    tab_to(&browser, "See what this customer is offered");
    browser.leave(|browser| browser.press(ENTER));
    tab_to(&browser, "It costs too much (20% off for 3 months)");
    browser.press(SPACE);
    tab_to(&browser, "Continue");
    browser.leave(|browser| browser.press(SPACE));
    tab_to(&browser, "Take the discount");
    browser.leave(|browser| browser.press(ENTER));
    assert_eq!(
        shop.subscription("live", "sub_ada_pro"),
        "active; price_pro_month"
    );
    tab_to(&browser, "Change live data");
    browser.leave(|browser| browser.press(SPACE));
    assert_eq!(browser.text("h1"), "Done");
    assert_eq!(
        shop.subscription("live", "sub_ada_pro"),
        "active; price_pro_month; coupon_stay20"
    );
}
