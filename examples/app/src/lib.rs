//! What the example merchants share: options, start-up and shutdown, a clock that can stand still, demo data.
//! With the feature `merchant` also what those share that have an API and an SQLite database of their own: how a store fails,
//! bodies, and what their mappings have in common.
//! Nothing in here is about Churnkey's protocol; that is all in `churnkey-integrator`.
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
pub use clock::{Clock, InvalidClock};
#[cfg(feature = "merchant")]
pub use contact::{email_key, lower_case_email, phone_key};
#[cfg(feature = "merchant")]
pub use deadline::in_time;
pub use demo::{DataSet, Demo, generated_customers};
#[cfg(feature = "merchant")]
pub use failure::{StoreFailure, failed};
#[cfg(feature = "merchant")]
pub use generator::{Generator, NoRandomness};
#[cfg(feature = "merchant")]
pub use mapping::{Extra, Mapping};
#[cfg(feature = "merchant")]
pub use metadata::MetadataLimits;
#[cfg(feature = "merchant")]
pub use options::MerchantOptions;
pub use options::ServerOptions;
#[cfg(feature = "merchant")]
pub use owners::Owners;
pub use serve::{Announcement, Listening, exit_code};
#[cfg(feature = "merchant")]
pub use sqlite::{CannotOpen, Database, Migrations, Transaction, is_empty};
pub use token::{Credential, NoToken, demo_token};
