//! What a customer is offered, and what is done with it.

use std::{collections::BTreeSet, fs, path::Path, thread, time::Duration};

use serde_json::{Value, json};

use super::local::Local;
use crate::{
    merchants::{Server, each, in_memory},
    tool::churnkey,
};

/// A subscription as the integration has it.
fn subscription(server: &Server, customer: &str, id: &str) -> Value {
    let path = format!("/customers/{customer}/subscriptions/{id}");
    let ran = churnkey(["call", "GET", &path, "--json"]);
    let ran = ran.env("CHURNKEY_URL", &server.url()).run();
    ran.json()["answers"][0]["json"].clone()
}

fn offers(config: &Value) -> Vec<&Value> {
    let reasons = config["steps"][0]["reasons"].as_array().unwrap();
    let offers = reasons.iter().filter_map(|reason| reason.get("offer"));
    offers.collect()
}

fn types(config: &Value) -> BTreeSet<&str> {
    let offers = offers(config).into_iter();
    offers
        .map(|offer| offer["type"].as_str().unwrap())
        .collect()
}

#[test]
fn the_flow_of_a_trial_is_this() {
    each(|server| {
        let local = Local::start(&server.url(), &[]);
        let config = local.page("cus_grace").config();
        assert_eq!(config.status, 200, "{config:?}");
        let copy = |headline: &str, body: &str, cta: &str| json!({ "headline": headline, "body": body, "cta": cta, "declineCta": "No, thank you" });
        let plan = |id: &str, name: &str, interval: &str, value: u32| {
            json!({
                "id": format!("plan-{id}"), "label": format!("Another plan fits better ({name})"),
                "offer": {
                    "type": "plan_change",
                    "copy": copy(&format!("Change to {name}?"), name, "Change the plan"),
                    "plans": [{
                        "id": id, "type": "product", "productId": "prod_pro", "name": name,
                        "duration": { "interval": interval, "intervalCount": 1 },
                        "amount": { "model": "fixed", "value": value, "currency": "usd" }
                    }]
                }
            })
        };
        let period =
            json!({ "start": "2026-01-10T00:00:00.000Z", "end": "2026-01-24T00:00:00.000Z" });
        let expected = json!({
            "blueprintId": "built-in",
            "steps": [
                {
                    "guid": "survey", "type": "survey", "title": "Why do you want to cancel?",
                    "reasons": [
                        {
                            "id": "discount-coupon_stay20", "label": "It costs too much (20% off for 3 months)",
                            "offer": {
                                "type": "discount",
                                "copy": copy("How about 20% off for 3 months?", "20% off for 3 months", "Take the discount"),
                                "couponId": "coupon_stay20", "percentOff": 20, "durationInMonths": 3
                            }
                        },
                        {
                            "id": "discount-coupon_five_once", "label": "It costs too much ($5 off once)",
                            "offer": {
                                "type": "discount",
                                "copy": copy("How about 5.00 USD off?", "$5 off once", "Take the discount"),
                                "couponId": "coupon_five_once", "amountOff": 500, "currency": "usd"
                            }
                        },
                        plan("price_pro_month", "Pro, monthly", "month", 2999),
                        plan("price_pro_year", "Pro, yearly", "year", 29990),
                        {
                            "id": "pause", "label": "I don't need it at the moment",
                            "offer": {
                                "type": "pause", "months": 1, "interval": "month",
                                "copy": copy(
                                    "Pause for a month?",
                                    "You pay nothing in the meantime, and keep what you have set up.",
                                    "Pause"
                                )
                            }
                        },
                        {
                            "id": "trial", "label": "I need more time to try it",
                            "offer": {
                                "type": "trial_extension", "days": 7,
                                "copy": copy(
                                    "Try it for another week?",
                                    "The trial goes on for seven days, and nothing is charged until then.",
                                    "Extend the trial"
                                )
                            }
                        },
                        { "id": "other", "label": "Something else" }
                    ]
                },
                {
                    "guid": "feedback", "type": "feedback", "title": "What could we have done better?",
                    "placeholder": "A sentence is enough", "required": false
                },
                {
                    "guid": "confirm", "type": "confirm", "title": "Cancel your subscription?",
                    "description": "Your subscription stays as it is until the end of the current period."
                }
            ],
            "customer": { "id": "cus_grace", "email": "grace@example.com", "name": "Grace Hopper" },
            "subscriptions": [{
                "id": "sub_grace_trial", "customerId": "cus_grace", "start": "2026-01-10T00:00:00.000Z",
                "status": { "name": "trial", "trial": period },
                "duration": { "interval": "month", "intervalCount": 1 },
                "items": [{
                    "id": "si_grace_trial", "quantity": 1,
                    "price": {
                        "id": "price_basic_month", "type": "product", "productId": "prod_basic", "name": "Basic, monthly",
                        "duration": { "interval": "month", "intervalCount": 1 },
                        "amount": { "model": "fixed", "value": 999, "currency": "usd" }
                    }
                }]
            }],
            "settings": { "clickToCancelEnabled": false, "strictFTCComplianceEnabled": false }
        });
        assert_eq!(config.json(), expected);
        assert_eq!(config.header("cache-control"), Some("no-store"));
        local.said("the browser does not see cus_grace.discounts");
    });
}

#[test]
fn what_a_subscription_excludes_is_not_offered() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let config = |customer, subscription| local.page(customer).of(subscription).config().json();

    let annual = config("cus_ada", "sub_ada_year");
    assert_eq!(
        types(&annual),
        BTreeSet::from(["discount", "pause", "plan_change"])
    );
    assert_eq!(
        annual["subscriptions"][0]["id"], "sub_ada_year",
        "the one that it is about"
    );
    assert_eq!(annual["subscriptions"][1]["id"], "sub_ada_pro");
    let paused = config("cus_linus", "sub_linus_paused");
    assert_eq!(types(&paused), BTreeSet::from(["discount", "plan_change"]));
    let several_items = config("cus_linus", "sub_linus_seats");
    assert_eq!(types(&several_items), BTreeSet::from(["discount", "pause"]));

    // One that it has.
    let page = local.page("cus_ada").of("sub_ada_pro");
    let coupons = |config: &Value| -> Vec<String> {
        let offers = offers(config).into_iter();
        let coupons = offers.filter_map(|offer| offer["couponId"].as_str());
        coupons.map(str::to_owned).collect()
    };
    let before = page.config().json();
    assert_eq!(coupons(&before), ["coupon_stay20", "coupon_five_once"]);
    assert_eq!(
        page.act("discount", &json!({ "coupon": "coupon_stay20" }))
            .status,
        204
    );
    assert_eq!(coupons(&page.config().json()), ["coupon_five_once"]);
}

#[test]
fn each_offer_changes_the_subscription_at_the_merchant() {
    each(|server| {
        let local = Local::start(&server.url(), &[]);
        let page = local.page("cus_ada").of("sub_ada_pro");
        let ada = || subscription(server, "cus_ada", "sub_ada_pro");
        let of = |kind: &str| -> Value {
            let config = page.config().json();
            let found = offers(&config)
                .into_iter()
                .find(|offer| offer["type"] == kind);
            found.unwrap().clone()
        };

        let offer = of("discount");
        let body = json!({ "coupon": offer["couponId"], "blueprintId": "built-in" });
        assert_eq!(page.act("discount", &body).status, 204);
        assert_eq!(ada()["discounts"][0]["coupon"]["id"], "coupon_stay20");

        let offer = of("plan_change");
        let body = json!({ "planId": offer["plans"][0]["id"] });
        assert_eq!(page.act("change-plan", &body).status, 204);

        let offer = of("pause");
        let body = json!({ "duration": offer["months"], "interval": offer["interval"] });
        assert_eq!(page.act("pause", &body).status, 204);
        let status = ada()["status"].clone();
        assert_eq!(status["name"], "paused");
        assert_eq!(
            status["pause"],
            json!({ "start": "2026-01-15T12:00:00.000Z", "end": "2026-02-15T12:00:00.000Z" })
        );

        let trial = local.page("cus_grace");
        trial.config();
        let body = json!({ "days": 7, "blueprintId": "built-in" });
        assert_eq!(trial.act("extend-trial", &body).status, 204);
        let grace = subscription(server, "cus_grace", "sub_grace_trial");
        assert_eq!(grace["status"]["trial"]["end"], "2026-01-31T00:00:00.000Z");

        let seats = local.page("cus_linus").of("sub_linus_seats");
        seats.config();
        let cancel = json!({ "cancelAtPeriodEnd": true });
        assert_eq!(seats.act("cancel", &cancel).status, 204);
    });
}

/// A trial that is extended twice ends a week later than one that is extended once.
#[test]
fn a_click_whose_answer_was_lost_is_not_done_twice() {
    each(|server| {
        let local = Local::start(&server.url(), &[]);
        let page = local.page("cus_grace");
        let end = || {
            subscription(server, "cus_grace", "sub_grace_trial")["status"]["trial"]["end"].clone()
        };
        let extend = |days: u32| page.act("extend-trial", &json!({ "days": days })).status;

        assert_eq!(page.config().status, 200);
        assert_eq!((extend(7), extend(7)), (204, 204));
        assert_eq!(end(), "2026-01-31T00:00:00.000Z");
        assert_eq!(page.config().status, 200);
        // In the same second its signature would be the same, which makes a request the same as well.
        thread::sleep(Duration::from_millis(1_100));
        assert_eq!(extend(7), 204);
        assert_eq!(end(), "2026-02-07T00:00:00.000Z", "a new visit asks anew");
    });
}

#[test]
fn a_cancellation_that_was_done_is_confirmed_again_and_nothing_is_left_for_the_next_visit() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    // This merchant's unpaid subscription has no period to wait for.
    let page = local.page("cus_linus").of("sub_linus_seats");
    let cancel = json!({ "cancelAtPeriodEnd": true });
    assert_eq!(page.config().status, 200);
    assert_eq!(page.act("cancel", &cancel).status, 204);
    assert_eq!(page.act("cancel", &cancel).status, 204);
    let status = subscription(&server, "cus_linus", "sub_linus_seats")["status"].clone();
    if status["name"] == "canceled" {
        assert_eq!(page.config().status, 409);
    }

    let gone = local.page("cus_zoe");
    let (status, message) = gone.config().refusal();
    assert_eq!(status, 409);
    assert!(
        message.starts_with("there is nothing left to cancel"),
        "{message}"
    );
    assert_eq!(gone.act("cancel", &cancel).status, 409);
    let named = local.page("cus_zoe").of("sub_zoe_gone");
    assert_eq!(named.act("cancel", &cancel).status, 409);
}

#[test]
fn a_flow_of_ones_own_replaces_the_built_in_one() {
    let server = in_memory();
    let folder = tempfile::tempdir().unwrap();
    let write = |flow: &str| fs::write(folder.path().join("churnkey.toml"), flow).unwrap();
    write(
        r#"
        [[flow.step]]
        type = "offer"
        title = "Before you go"
        [flow.step.offer]
        type = "pause"
        months = 3
        interval = "month"
        copy = { headline = "Take a break", body = "<b>Up to three months</b>", cta = "Pause", declineCta = "No" }

        [[flow.step]]
        type = "confirm"
        "#,
    );
    let local = Local::start_in(&server.url(), &[], folder.path());
    local.said("step-1: without a handler, the longest pause is sent");
    let config = local.page("cus_ada").of("sub_ada_pro").config().json();
    assert_eq!(config["blueprintId"], "churnkey.toml");
    assert_eq!(
        config["steps"],
        json!([
            {
                "guid": "step-1", "type": "offer", "title": "Before you go",
                "offer": {
                    "type": "pause", "months": 3, "interval": "month",
                    "copy": {
                        "headline": "Take a break", "body": "<b>Up to three months</b>", "cta": "Pause", "declineCta": "No"
                    }
                }
            },
            { "guid": "step-2", "type": "confirm" }
        ])
    );

    write(&guides_flow());
    let local = Local::start_in(&server.url(), &[], folder.path());
    let config = local.page("cus_ada").of("sub_ada_pro").config().json();
    assert_eq!(types(&config), BTreeSet::from(["pause"]));

    for (flow, why) in [
        (
            "[[flow.step]]\ntype = \"feedback\"\n",
            "the last step is not of the type `confirm`",
        ),
        (
            "[[flow.step]]\ntype = \"survey\"\nreasons = []\n[[flow.step]]\ntype = \"confirm\"\n",
            "the survey step-1 has no reasons",
        ),
        (
            "[[flow.step]]\ntype = \"feedback\"\nguid = \"a\"\n[[flow.step]]\ntype = \"confirm\"\nguid = \"a\"\n",
            "two steps have the same guid",
        ),
    ] {
        write(flow);
        let ran = churnkey(["dev", "--listen", "127.0.0.1:0", "--url", &server.url()]);
        let ran = ran.within(folder.path()).run();
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains(why), "{ran:?}");
    }
}

/// The flow in the guide's page.
fn guides_flow() -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../churnkey-integrator/docs/local-churnkey.md");
    let page = fs::read_to_string(path).unwrap();
    let (_, flow) = page.split_once("```toml\n").unwrap();
    flow.split("```").next().unwrap().to_owned()
}
