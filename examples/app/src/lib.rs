//! What the example merchants share: options, start-up and shutdown, a clock that can stand still, demo data.
//! Nothing in here is about Churnkey's protocol; that is all in `churnkey-integrator`.
#![forbid(unsafe_code)]

mod clock;
mod demo;
mod options;
mod serve;
mod token;

pub use clock::{Clock, InvalidClock};
pub use demo::{DataSet, Demo, generated_customers};
pub use options::ServerOptions;
pub use serve::{exit_code, serve};
pub use token::{Credential, NoToken, demo_token};
