//! The merchant's side of a [Churnkey](https://churnkey.co) integration. Churnkey's servers call a merchant over HTTP to
//! look up customers and subscriptions and to act on them. This crate answers those calls from the merchant's own store:
//! implement its traits, and mount one router.
//!
//! The project is independent of Churnkey.
//!
//! ```
//! use axum::{Router, routing::get};
//! use churnkey_integrator::{
//!     CustomerId, CustomersController, Integration, IntegrationToken, RequestContext, Result,
//!     controller, model::Customer,
//! };
//!
//! struct Shop; // a pool, a map, ...
//!
//! #[controller]
//! impl CustomersController for Shop {
//!     async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
//!         Ok((id.as_str() == "cus_1").then(|| Customer::new(id.clone())))
//!     }
//! }
//!
//! # fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! # let token = IntegrationToken::new("a-token-for-this-example")?;
//! # /*
//! let token = IntegrationToken::from_env("CK_INTEGRATION_TOKEN")?;
//! # */
//! let churnkey = Integration::builder("Acme", token).customers(Shop).build()?;
//! let app: Router = Router::new()
//!     .route("/", get(|| async { "my own page" }))
//!     .merge(churnkey.into_router());
//! # Ok(())
//! # }
//! ```
//!
//! # What to implement
//! Paths begin with `/churnkey`. [`guide::endpoints`] has every method and its key in the manifest.
//!
//! | Trait | Routes | Required? |
//! | --- | --- | --- |
//! | [`CustomersController`] | `GET /customers/{id}` | yes |
//! | | `GET /customers`, `/customers/email/{email}`, `/customers/phone/{phone}` | no |
//! | [`SubscriptionsController`] | `GET /customers/{customerId}/subscriptions/{id}` | to publish |
//! | | `GET /customers/{customerId}/subscriptions` | no |
//! | [`PricesController`] | `GET /prices/{id}`, `/prices` | to publish |
//! | [`CouponsController`] | `GET /coupons/{id}`, `/coupons` | for discounts |
//! | [`ProductsController`] | `GET /products/{id}`, `/products` | for prices of products |
//! | [`FamiliesController`] | `GET /families/{id}`, `/families` | for products of families |
//! | [`CancelAction`] | `POST /actions/subscription/cancel` | for a cancel flow |
//! | | `POST /actions/customer/cancel` | no |
//! | [`PauseAction`] | `POST /actions/subscription/pause` | for pause offers |
//! | | `POST /actions/customer/pause` | no |
//! | [`ApplyCouponAction`] | `POST /actions/subscription/apply-coupon` | for discount offers |
//! | [`ExtendTrialAction`] | `POST /actions/subscription/extend-trial` | for trial extensions |
//! | [`ChangePriceAction`] | `POST /actions/subscription/change-price` | for plan changes |
//! | – | `GET /features` | always there |
//!
//! Begin with customers. [`IntegrationBuilder::build`] names what is missing for what you have registered, and
//! [`Integration::readiness`] what Churnkey still needs.
//!
//! # Where to look
//! * [`guide`]: how to build an integration, topic by topic. Begin with its [quick start](guide::quick_start).
//! * [`controllers`] and [`actions`]: each trait's page opens with a small implementation.
//! * [`model`]: the types that you return. [`guide::mapping`] shows how common billing schemas map.
//! * [`Page`] and [`mod@page`]: how lists are paged.
//! * [`HandlerError`]: which errors to return, and what the caller sees of them.
//! * [`idempotency`]: how a repeated action is recognized.
//! * [`Integration`] and [`IntegrationBuilder`]: how to build an integration, with every setting and limit.
//! * [`TenantResolver`]: many merchants in one process, each with a token of its own ([`guide::tenants`]).
//! * [`Verifier`]: how requests are authenticated, also for routes of your own. [`sign`]: how to sign one.
//! * [`cancel_flow`]: what the browser needs to open Churnkey's cancel flow. [`webhooks`]: the events that Churnkey sends.
//! * `testing` (with the feature of that name): contexts and requests for your unit tests. The crate
//!   `churnkey-conformance` checks a whole integration against the contract.
//!
//! "The contract" whose sections are named here is `docs/contract.md` in the repository. `docs/contract-decisions.md` lists
//! what Churnkey's documentation leaves open, and what this crate decided.
//!
//! # Authentication
//! Churnkey's public documentation names one secret, the Integration Token. It says neither which header carries it nor
//! whether requests are signed. This crate takes the token in `Authorization`, or in one more header that you name by
//! [`IntegrationBuilder::token_header`], or a signature in a form of this project's own: see [`guide::signing`]. Don't
//! turn the plain token off ([`IntegrationBuilder::require_signature`]) before Churnkey has confirmed that form.
//!
//! # Features
//! | feature | what it adds |
//! | --- | --- |
//! | `testing` | the module `testing`, and `for_test` of the context and of every request |
//! | `diagnose` | the module `diagnose`, and [`IntegrationBuilder`]'s `explain_refusals`: why calls are refused |
//! | `metrics` | the module `metrics`: counters, gauges and durations for the recorder of your app |
//! | `openapi` | the module `openapi`, and [`Integration`]'s `openapi`: an OpenAPI 3.1 document |
//! | `chrono`, `jiff`, `time` | conversions of [`Timestamp`] from and to the types of chrono 0.4, jiff 0.2 and time 0.3 |
//!
//! None is on by default. The minimum Rust version is 1.88.
//!
//! # Dependencies in the public API
//! Signatures name types of [`axum`], of its `axum::http`, and of [`serde_json`]. Both crates are re-exported, for an app
//! that depends on other versions of them. Types of any other crate need a feature.
#![forbid(unsafe_code)]

mod attempt;
mod id;
mod iso_codes;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod model;
mod money;
mod pii;
mod secret;
mod time;
mod variant;

pub mod actions;
mod context;
pub mod controllers;
mod error;
mod features;
pub mod idempotency;
mod operation;
pub mod page;
pub mod replays;

mod auth;
#[cfg(feature = "diagnose")]
pub mod diagnose;
mod signed_cursor;
mod tenants;
pub mod webhooks;

mod http;

#[cfg(feature = "openapi")]
pub mod openapi;

pub mod cancel_flow;
mod integration;

#[cfg(any(doc, doctest))]
pub mod guide;

#[cfg(feature = "testing")]
pub mod testing;

pub use async_trait::async_trait;
/// The version of axum whose `Router` [`Integration::into_router`] returns. Its `axum::http` is the crate `http`, whose
/// types are in the signatures of [`Verifier`], [`sign`] and [`webhooks::verify`].
pub use axum;
pub use churnkey_integrator_macros::controller;
/// The version of serde_json whose `Value` [`webhooks::Webhook::data`] returns and
/// [`IntegrationBuilder::map_manifest`] changes.
pub use serde_json;

pub use actions::{
    ApplyCouponAction, CancelAction, ChangePriceAction, ExtendTrialAction, PauseAction,
};
pub use auth::{
    AcceptedTokens, Authenticated, AuthenticationError, AuthenticationScheme, Credential,
    MODE_HEADER, RequestHead, SIGNATURE_HEADER, Signature, TIMESTAMP_HEADER, Verifier, sign,
};
pub use context::{Mode, RequestContext, RequestId};
pub use controllers::{
    CouponsController, CustomersController, FamiliesController, PricesController,
    ProductsController, Serves, SubscriptionsController, sole_owner,
};
pub use error::{ErrorClass, HandlerError, Result};
pub use id::{
    CouponId, CustomerId, FamilyId, InvalidId, ItemId, PriceId, ProductId, SubscriptionId, TenantId,
};
pub use integration::{
    BuildError, Health, HealthReport, Integration, IntegrationBuilder, Readiness, RunningActions,
};
pub use money::{
    Amount, Currency, InvalidAmount, InvalidCurrency, InvalidDecimal, InvalidPercentage, Percentage,
};
pub use operation::{
    ApplyCouponOperation, CancelOperation, ChangePriceOperation, CouponsOperation,
    CustomersOperation, ExtendTrialOperation, FamiliesOperation, ManifestLine, Operation,
    PauseOperation, PricesOperation, ProductsOperation, SubscriptionsOperation,
};
pub use page::{Cursor, InvalidCursorKey, Page, PageRequest};
pub use pii::{Email, InvalidContact, Phone};
pub use secret::{ApiKey, IntegrationToken, InvalidSecret, TokenError, WebhookSecret};
pub use tenants::{Tenant, TenantRequest, TenantResolver};
pub use time::{CalendarUnit, InvalidTimestamp, Timestamp};
pub use variant::InvalidVariant;
