//! What is fuzzed: one function for each target. It takes any bytes, and panics if a rule is broken.
//!
//! `proof/fuzz` calls them under cargo-fuzz, and `tests/replay.rs` calls them with the corpora that it has left.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a broken rule has to end the run"
)]

mod answer;
mod body;
mod cursor;
mod duration;
mod merchant;
mod request;
mod session_token;
mod signature;
mod webhook;

pub use self::{
    answer::answer, body::body, cursor::cursor, duration::duration, request::request,
    session_token::session_token, signature::signature, webhook::webhook,
};

/// Takes any bytes, and panics if a rule is broken.
pub type Target = fn(&[u8]);

/// The targets, each with its name in `proof/fuzz`.
pub const TARGETS: &[(&str, Target)] = &[
    ("answer", answer),
    ("body", body),
    ("cursor", cursor),
    ("duration", duration),
    ("request", request),
    ("session_token", session_token),
    ("signature", signature),
    ("webhook", webhook),
];
