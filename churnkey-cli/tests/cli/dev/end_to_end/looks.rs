//! A page in each look: light and dark, on a telephone and on a desk.

use serde_json::{Value, json};

use super::browser::{Browser, screenshots};

/// Where it is from and how it is renewed is in the README.md beside it.
const AXE: &str = include_str!("../../../axe-core/axe.min.js");

struct Look {
    scheme: &'static str,
    width: &'static str,
    pixels: u32,
    /// Once for each scheme and each width: contrast does not depend on the width, nor the order of what is there on the
    /// scheme, and axe-core takes a second for a long page.
    with_axe: bool,
}

#[rustfmt::skip]
const LOOKS: [Look; 4] = [
    Look { scheme: "light", width: "wide", pixels: 1280, with_axe: true },
    Look { scheme: "dark", width: "wide", pixels: 1280, with_axe: false },
    Look { scheme: "light", width: "narrow", pixels: 360, with_axe: false },
    Look { scheme: "dark", width: "narrow", pixels: 360, with_axe: true },
];

/// Panics if the page that is shown has an accessibility fault that axe-core calls serious or critical, is wider than the
/// window, or has an error in the console. Its pictures are `target/screenshots/{name}-{scheme}-{width}.png`.
#[track_caller]
pub(super) fn assert_sound(browser: &Browser, name: &str) {
    browser.run(AXE);
    for look in &LOOKS {
        put_on(browser, look);
        let name = format!("{name}-{}-{}", look.scheme, look.width);
        browser.screenshot(&screenshots().join(format!("{name}.png")));
        assert_eq!(faults(browser, look), json!([]), "{name}");
    }
    take_off(browser);
    assert_eq!(browser.complaints(), [""; 0], "{name}");
}

fn put_on(browser: &Browser, look: &Look) {
    let (scheme, pixels) = (look.scheme, look.pixels);
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

/// What sticks out of a window of this width, unless it is in a box that scrolls. And what axe-core finds: the rule, what it
/// says and where. Both also in what can be unfolded.
fn faults(browser: &Browser, look: &Look) -> Value {
    browser.run_async(
        "const [pixels, withAxe] = given, faults = [];
         const folded = [...document.querySelectorAll('details:not([open])')];
         folded.forEach(each => each.open = true);
         if (document.scrollingElement.scrollWidth > pixels) {
             const all = [...document.querySelectorAll('body *:not(.scrolls *, pre *)')];
             const out = all.filter(each => each.getBoundingClientRect().right > pixels);
             faults.push('the page scrolls sideways', ...out.map(each => each.outerHTML.slice(0, 200)));
         }
         if (withAxe) {
             const { passes, violations } = await axe.run({ resultTypes: ['violations'] });
             if (passes.length < 10) { throw `only ${passes.length} rules were looked at` }
             for (const { id, nodes } of violations.filter(each => ['serious', 'critical'].includes(each.impact))) {
                 faults.push(...nodes.map(node => `${id}: ${node.failureSummary}: ${node.html}`));
             }
         }
         folded.forEach(each => each.open = false);
         return faults;",
        json!([look.pixels, look.with_axe]),
    )
}
