//! What all pages have in common.

use churnkey_integrator::Mode;
use maud::{DOCTYPE, Markup, html};

use super::Shown;
use crate::dev::merchant::Refusal;

pub(super) fn page(shown: Shown<'_>, content: &Markup) -> Markup {
    let Shown {
        url,
        mode,
        here,
        is_live,
    } = shown;
    let links = [
        ("/", "Overview"),
        ("/customers", "Customers"),
        ("/calls", "Calls"),
        ("/check", "Check"),
        ("/webhooks", "Webhooks"),
        ("/refused", "Refused calls"),
        ("/contract", "Contract"),
    ];
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "A local Churnkey" }
                link rel="stylesheet" href="/style.css";
                @if is_live { script type="module" src="/live.js" {} }
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header {
                    p.name { "A local Churnkey" }
                    nav aria-label="Pages" {
                        @for (path, name) in links {
                            a href=(with_mode(path, mode)) aria-current=[(path == here).then_some("page")] { (name) }
                        }
                    }
                    nav.modes aria-label="Data" {
                        @for of in [Mode::Live, Mode::Test] {
                            a href=(with_mode(here, of)) aria-current=[(of == mode).then_some("true")] {
                                (of.as_str()) " data"
                            }
                        }
                    }
                    p.integration { "Integration: " (url) }
                }
                main id="content" { (content) }
            }
        }
    }
}

/// A path for the data of a mode.
pub(super) fn with_mode(path: &str, mode: Mode) -> String {
    match mode {
        Mode::Live => path.to_owned(),
        Mode::Test => format!("{path}?mode=test"),
    }
}

/// What could not be shown, and why.
pub(super) fn refusal(refusal: &Refusal) -> Markup {
    html! {
        h1 { "This can't be shown" }
        p.problem role="alert" { (sentence(&refusal.message)) }
    }
}

/// The message as a sentence of its own.
pub(super) fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(char::to_uppercase);
    let first = first.into_iter().flatten();
    first.chain(characters).chain(['.']).collect()
}
