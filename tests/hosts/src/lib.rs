//! The programs of `docs/proxies.md`: the router in other servers than axum's, and behind a gateway.
//!
//! The text between two `ANCHOR`s is on the guide's page, word for word. A test compares them.

pub mod actix;
pub mod gateway;
pub mod plain_hyper;
