//! The question before the first change of live data.

use maud::{Markup, html};

use super::Parameters;
use crate::dev::Dev;

/// Asks whether what the form says is to be done for real.
pub(super) fn question(dev: &Dev, action: &str, form: &Parameters, back: &str) -> Markup {
    let mut fields: Vec<(&String, &String)> = form
        .iter()
        .filter(|(name, _)| !matches!(&***name, "csrf" | "sure"))
        .collect();
    fields.sort();
    html! {
        h1 { "This changes live data" }
        p { "What is accepted here is done for real, at " code { (dev.merchant.url()) } ". You are asked once, for as long as the tool runs." }
        form method="post" action=(action) {
            input type="hidden" name="csrf" value=(dev.csrf);
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            input type="hidden" name="sure" value="yes";
            button { "Change live data" }
        }
        p { a href=(back) { "Back" } }
    }
}
