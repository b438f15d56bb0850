//! Every offer, and the cancellation, as a customer clicks: before and after are on the page, and in the merchant's store.

use super::{
    browser::{Browser, browser},
    shop::Shop,
};
use crate::dev::local::Local;

/// Presses the button of what is offered, or asked.
pub(super) fn accept(browser: &Browser) {
    browser.follow("main button");
}

struct Accepted {
    customer: &'static str,
    subscription: &'static str,
    /// What is picked in the survey.
    reason: &'static str,
    /// What the store has before and after.
    stored: [&'static str; 2],
    /// The fields that the page says have changed.
    changed: &'static [&'static str],
    /// What the page shows of one of them before and after.
    shown: Option<[&'static str; 2]>,
}

const ALL: [Accepted; 5] = [
    Accepted {
        customer: "cus_linus",
        subscription: "sub_linus_seats",
        reason: "discount-coupon_stay20",
        stored: [
            "unpaid; price_pro_month; price_seats_month",
            "unpaid; price_pro_month; price_seats_month; coupon_stay20",
        ],
        changed: &["discounts"],
        shown: Some(["unpaid", "20% off for 3 months"]),
    },
    Accepted {
        customer: "cus_ada",
        subscription: "sub_ada_pro",
        reason: "pause",
        stored: [
            "active; price_pro_month",
            "active; price_pro_month; pause to 2026-02-15",
        ],
        changed: &["status.name", "status.pause.end", "status.pause.start"],
        shown: Some(["active", "paused"]),
    },
    Accepted {
        customer: "cus_ada",
        subscription: "sub_ada_year",
        reason: "plan-price_pro_month",
        stored: [
            "active; price_pro_year",
            "active; price_pro_year; then price_pro_month",
        ],
        changed: &[],
        // It is planned for the end of the period, and only the store knows of it.
        shown: None,
    },
    Accepted {
        customer: "cus_grace",
        subscription: "sub_grace_trial",
        reason: "trial",
        stored: [
            "trial; price_basic_month; trial to 2026-01-24",
            "trial; price_basic_month; trial to 2026-01-31",
        ],
        changed: &["status.trial.end"],
        shown: Some(["2026-01-24", "2026-01-31"]),
    },
    Accepted {
        customer: "cus_linus",
        subscription: "sub_linus_paused",
        reason: "other",
        stored: ["paused; price_basic_month", "canceled; price_basic_month"],
        changed: &[
            "status.canceledAt",
            "status.name",
            "status.pause.end",
            "status.pause.start",
        ],
        shown: Some(["paused", "canceled"]),
    },
];

impl Accepted {
    fn assert(&self, browser: &Browser, shop: &Shop, origin: &str) {
        let Self {
            customer,
            subscription,
            reason,
            stored: [before, after],
            ..
        } = self;
        let stored = || shop.subscription("live", subscription);
        browser.open(&format!("{origin}/customers/{customer}"));
        browser.follow(&format!("a[href='/flow/{customer}/{subscription}']"));
        browser.click(&format!("input[value='{reason}']"));
        browser.follow("main button");
        if *reason == "other" {
            assert_eq!(browser.text("h1"), "What could we have done better?");
            browser.follow("main button");
            assert_eq!(browser.text("h1"), "Cancel your subscription?");
        }
        assert_eq!(stored(), *before, "{reason}");
        accept(browser);
        if browser.text("h1") == "This changes live data" {
            assert_eq!(stored(), *before, "{reason}: it is asked first");
            accept(browser);
        }
        assert_eq!(browser.text("h1"), "Done", "{reason}");
        assert_eq!(stored(), *after, "{reason}");

        let changed = browser.texts("[aria-label='What is different'] tbody th");
        assert_eq!(changed, self.changed, "{reason}");
        let sides = browser.texts(".sides .card");
        let [left, right] = &*sides else {
            panic!("{sides:?}")
        };
        assert!(
            left.starts_with("Before") && right.starts_with("After"),
            "{sides:?}"
        );
        if let Some([before, after]) = self.shown {
            assert!(
                left.contains(before) && !left.contains(after),
                "{reason}: {left}"
            );
            assert!(right.contains(after), "{reason}: {right}");
        }
        let again = browser.text("main p.good");
        assert_eq!(
            again, "It was answered the same, and changed nothing.",
            "{reason}"
        );
        assert_eq!(browser.complaints(), [""; 0], "{reason}");
    }
}

fn accept_all(shop: &Shop, host: &str) {
    let local = Local::start(&shop.server.url(), &[]);
    let origin = format!("http://{}", local.address().replace("127.0.0.1", host));
    let browser = browser();
    for accepted in ALL {
        accepted.assert(&browser, shop, &origin);
    }
}

#[test]
fn each_offer_and_the_cancellation_change_the_record_in_memory() {
    accept_all(&Shop::in_memory(), "127.0.0.1");
}

#[test]
fn each_offer_and_the_cancellation_change_the_row_in_postgres() {
    accept_all(&Shop::postgres(), "localhost");
}
