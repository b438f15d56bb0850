//! For tests (feature `testing`): a client that calls an integration in process and signs as Churnkey does, and the
//! conformance suite that checks everything an integration serves.

mod client;
pub mod conformance;
#[doc(hidden)]
pub mod demo;

pub use client::{Answer, Call, Client};
pub use conformance::{Fixtures, Report, conformance};
