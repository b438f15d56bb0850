//! A page in each look: light and dark, on a telephone and on a desk.

use serde_json::{Value, json};

use super::browser::{Browser, screenshots};

/// Where it is from and how it is renewed is in the README.md beside it.
const AXE: &str = include_str!("../../../axe-core/axe.min.js");

const SCHEMES: [&str; 2] = ["light", "dark"];
const WIDTHS: [(&str, u32); 2] = [("wide", 1280), ("narrow", 360)];

/// Panics if the page that is shown has an accessibility fault that axe-core calls serious or critical, is wider than the
/// window, or has an error in the console. Its pictures are `target/screenshots/{name}-{scheme}-{width}.png`.
#[track_caller]
pub(super) fn assert_sound(browser: &Browser, name: &str) {
    browser.run(AXE);
    for (width, pixels) in WIDTHS {
        for scheme in SCHEMES {
            put_on(browser, scheme, pixels);
            let look = format!("{name}-{scheme}-{width}");
            browser.screenshot(&screenshots().join(format!("{look}.png")));
            assert_eq!(faults(browser, pixels), json!([]), "{look}");
        }
    }
    take_off(browser);
    assert_eq!(browser.complaints(), [""; 0], "{name}");
}

fn put_on(browser: &Browser, scheme: &str, pixels: u32) {
    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    browser.chromium("Emulation.setEmulatedMedia", &media);
    let window =
        json!({ "width": pixels, "height": 800, "deviceScaleFactor": 1, "mobile": pixels < 600 });
    browser.chromium("Emulation.setDeviceMetricsOverride", &window);
    let is_dark = browser.run("return matchMedia('(prefers-color-scheme: dark)').matches");
    assert_eq!(is_dark, scheme == "dark");
}

fn take_off(browser: &Browser) {
    browser.chromium("Emulation.setEmulatedMedia", &json!({ "features": [] }));
    browser.chromium("Emulation.clearDeviceMetricsOverride", &json!({}));
}

/// What axe-core finds, also in what can be unfolded: the rule, what it says and where. And what sticks out of a window of
/// this width, unless it is in a box that scrolls.
fn faults(browser: &Browser, pixels: u32) -> Value {
    browser.run_async(
        "const folded = [...document.querySelectorAll('details')];
         folded.forEach(each => each.open = true);
         const { passes, violations } = await axe.run();
         if (passes.length < 10) { throw `only ${passes.length} rules were looked at` }
         const serious = violations.filter(each => ['serious', 'critical'].includes(each.impact));
         const faults = serious.flatMap(each => each.nodes.map(node => [each.id, node.failureSummary, node.html].join(': ')));
         if (document.scrollingElement.scrollWidth > given) {
             const all = [...document.querySelectorAll('body *:not(.scrolls *, pre *)')];
             const out = all.filter(each => each.getBoundingClientRect().right > given);
             faults.push('the page scrolls sideways', ...out.map(each => each.outerHTML.slice(0, 200)));
         }
         folded.forEach(each => each.open = false);
         return faults;",
        json!(pixels),
    )
}
