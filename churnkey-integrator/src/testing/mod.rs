//! For tests (feature `testing`): a client that calls an integration and signs in the form that it accepts, and the
//! conformance suite that checks everything an integration serves. Both call in process, or with the feature `testing-http` a URL.

mod answer;
mod client;
pub mod conformance;
#[doc(hidden)]
pub mod demo;
#[cfg(feature = "testing-http")]
mod remote;
mod transport;

pub use answer::Answer;
pub use client::{Call, Client};
pub use conformance::{Disposable, Fixtures, Report, conformance};
#[cfg(feature = "testing-http")]
pub use {
    conformance::{NotChecked, conformance_at},
    remote::UrlError,
};
