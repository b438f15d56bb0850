//! What the examples share: options, start-up and shutdown, a clock that can be frozen, demo data.
//!
//! The feature `merchant` adds what the four merchants with an API of their own share: SQLite and its errors, reading of bodies,
//! and options of the mapping.
//!
//! Nothing here knows Churnkey's protocol. That is in `churnkey-integrator`.
#![forbid(unsafe_code)]

#[cfg(feature = "merchant")]
mod body;
mod clock;
#[cfg(feature = "merchant")]
mod contact;
#[cfg(feature = "merchant")]
mod deadline;
mod demo;
#[cfg(feature = "merchant")]
mod failure;
#[cfg(feature = "merchant")]
mod generator;
#[cfg(feature = "merchant")]
mod mapping;
#[cfg(feature = "merchant")]
mod metadata;
mod options;
#[cfg(feature = "merchant")]
mod owners;
mod serve;
#[cfg(feature = "merchant")]
mod sqlite;
mod token;

#[cfg(feature = "merchant")]
pub use body::{Unreadable, read_body, read_json, says_json};
pub use clock::{Clock, InvalidClock, SharedClock};
#[cfg(feature = "merchant")]
pub use contact::{email_key, lower_case_email, phone_key};
#[cfg(feature = "merchant")]
pub use deadline::in_time;
pub use demo::{DataSet, Demo, generated_customers};
#[cfg(feature = "merchant")]
pub use failure::{StoreFailure, error_class};
#[cfg(feature = "merchant")]
pub use generator::{Generator, NoRandomness};
#[cfg(feature = "merchant")]
pub use mapping::{Extra, Mapping};
#[cfg(feature = "merchant")]
pub use metadata::MetadataLimits;
#[cfg(feature = "merchant")]
pub use options::MerchantOptions;
pub use options::{ServerOptions, named_database};
#[cfg(feature = "merchant")]
pub use owners::Owners;
pub use serve::{Announcement, InvalidTls, Limits, Listening, exit_code, serve, tls_acceptor};
#[cfg(feature = "merchant")]
pub use sqlite::{CannotOpen, Database, Migrations, Transaction, is_empty};
pub use token::{Credential, NoToken, demo_token};
