//! The merchant's side of a [Churnkey](https://churnkey.co) custom provider integration.
#![forbid(unsafe_code)]

mod id;
pub mod model;
mod money;
pub mod page;
mod pii;
mod secret;
mod time;

mod context;
pub mod controllers;
mod error;
mod features;
mod operation;

mod auth;
mod seal;

mod http;

mod integration;
#[cfg(feature = "testing")]
pub mod testing;

pub use async_trait::async_trait;
pub use churnkey_integrator_macros::controller;

pub use auth::{
    MODE_HEADER, Proof, Refusal, SIGNATURE_HEADER, Signature, TIMESTAMP_HEADER, Verifier, sign,
};
pub use context::{Mode, RequestContext, RequestId};
pub use controllers::{CustomersController, Serves};
pub use error::{HandlerError, Result};
pub use id::{CouponId, CustomerId, InvalidId};
pub use integration::{BuildError, Integration, IntegrationBuilder};
pub use money::{Amount, Currency, EmptyAmount, InvalidPercentage, Percentage, UnknownCurrency};
pub use operation::{CustomersOperation, Operation};
pub use page::{Cursor, InvalidCursor, InvalidCursorKey, Page, PageRequest};
pub use pii::{Email, InvalidContact, Phone};
pub use secret::{IntegrationToken, TokenError};
pub use time::{InvalidTimestamp, Timestamp};
