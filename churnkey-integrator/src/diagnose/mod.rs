//! Finding out why a request is refused (feature `diagnose`).
//!
//! One table of [causes](Cause) is used from both [sides](Side):
//!
//! * From inside, by [`IntegrationBuilder::explain_refusals`](crate::IntegrationBuilder::explain_refusals): the integration
//!   logs which change of a refused request would have made its signature right.
//! * From outside, by a tool that has the token: it signs a request in several ways, and the one that the server accepts
//!   tells what is in between.
//!
//! Both ask [`variants()`] for the ways. It is a pure function.
//!
//! ```
//! use axum::http::{Method, Request};
//! use churnkey_integrator::{
//!     Credential, IntegrationToken, Timestamp, Verifier,
//!     diagnose::{Cause, Guesses, Side, SignedParts, variants},
//! };
//!
//! let token = IntegrationToken::new("a-token-for-this-example")?;
//! let now = Timestamp::from_unix_seconds(1_767_225_600)?;
//!
//! // A server behind a proxy that removes `/api`. It sees `/churnkey/customers`.
//! let verifier = Verifier::new(token.clone());
//! let accepts = |signature: churnkey_integrator::Signature| {
//!     let (mut arrived, ()) = Request::get("/churnkey/customers").body(()).unwrap().into_parts();
//!     arrived.headers.extend(signature.headers());
//!     verifier.verify(&arrived, b"", now) == Ok(Credential::Signature)
//! };
//!
//! let sent = SignedParts::new(&Method::GET, "/api/churnkey/customers", "1767225600", b"");
//! let ways = variants(Side::Outside, &sent, &Guesses::new().prefix("/api"));
//! let right = ways.iter().find(|way| accepts(way.sign(&token))).expect("one of them");
//! assert_eq!(right.cause(), Cause::PrefixStripped);
//! assert_eq!(right.detail(), "the server sees a path without /api: something in front removes it");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cause;
mod refusals;
mod rewrite;
mod variants;

pub use cause::{Cause, Side};
pub(crate) use refusals::{Finding, Refusals, Refused};
pub use variants::{Guesses, MAX_VARIANTS, SignedParts, Variant, variants};

#[cfg(test)]
mod tests;
