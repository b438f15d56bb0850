//! What the example merchants share: options, start-up and shutdown, a clock that can stand still, demo data.
//! With the feature `merchant` also what those share that have an API and an SQLite database of their own.
//! Nothing in here is about Churnkey's protocol; that is all in `churnkey-integrator`.
#![forbid(unsafe_code)]

mod clock;
#[cfg(feature = "merchant")]
mod contact;
mod demo;
#[cfg(feature = "merchant")]
mod generator;
#[cfg(feature = "merchant")]
mod metadata;
mod options;
mod serve;
#[cfg(feature = "merchant")]
mod sqlite;
mod token;

pub use clock::{Clock, InvalidClock};
#[cfg(feature = "merchant")]
pub use contact::{email_key, phone_key};
pub use demo::{DataSet, Demo, generated_customers};
#[cfg(feature = "merchant")]
pub use generator::{Generator, NoRandomness};
#[cfg(feature = "merchant")]
pub use metadata::{Fitted, MetadataLimits};
#[cfg(feature = "merchant")]
pub use options::MerchantOptions;
pub use options::ServerOptions;
pub use serve::{Announcement, Listening, exit_code};
#[cfg(feature = "merchant")]
pub use sqlite::{CannotOpen, Migrations, open_sqlite};
pub use token::{Credential, NoToken, demo_token};
