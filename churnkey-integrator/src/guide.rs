//! The guide: how to build an integration, topic by topic.
//!
//! * [Quick start](quick_start): run the example merchant, then put the crate into your own app.
//! * [Endpoints](endpoints): every trait, its routes, and what is required.
//! * [Mapping](mapping): how common billing schemas map to Churnkey's models.
//! * [Existing schemas](existing_schemas): what other schemas have, and what they don't store.
//! * [Paging](paging): keys, cursors and limits.
//! * [Errors](errors): what to return, and what the caller sees of it.
//! * [Actions and retries](actions): idempotency, records and shutdown.
//! * [Idempotency records in your database](idempotency): the statements, with sqlx, diesel and tokio-postgres.
//! * [Idempotency records in Redis](redis): for actions that change something else than a database of yours.
//! * [Limits](limits): sizes, deadlines, requests at a time, replays.
//! * [Metrics, logs and traces](metrics): figures for Prometheus, alerts, and the fields of a request's span.
//! * [Authentication and signing](signing): what Churnkey documents, and what this project decided.
//! * [Many tenants](tenants): one process for many merchants, each with a token of its own.
//! * [Proxies and gateways](proxies): nginx, AWS, actix and plain hyper.
//! * [Serving](serving): a connection loop with time limits, TLS and a graceful end.
//! * [Several processes](several_processes): what they share, and rolling restarts behind HAProxy and on Kubernetes.
//! * [The cancel flow and webhooks](cancel_flow): what the browser and Churnkey's webhooks need.
//! * [PostgreSQL](postgres): the example to copy.
//! * [Tests](testing): the conformance suite for your merchant.
//! * [The command line](command_line): call and check an integration by its URL.
//! * [A local Churnkey](local_churnkey): your page, the cancel flow and your integration on one machine.
//!
//! If you have a billing schema already, read in this order:
//!
//! 1. [Mapping](mapping) and [existing schemas](existing_schemas): from your rows to the models.
//! 2. [Paging](paging): the lists, and rows that don't fit.
//! 3. [Errors](errors): what to return, and which errors of your database are a 503.
//! 4. [Actions and retries](actions): cancel, and what changes something.
//! 5. [Tests](testing): run the conformance suite over a copy of your data.

// The pages link to each other as files, by link definitions at their ends. Markdown takes the first of two definitions, so
// rustdoc uses those above each `include_str!`.

pub mod quick_start {
    //! [endpoints]: super::endpoints
    //! [mapping]: super::mapping
    //! [existing-schemas]: super::existing_schemas
    //! [paging]: super::paging
    //! [errors]: super::errors
    //! [actions-and-retries]: super::actions
    //! [testing]: super::testing
    //! [signing]: super::signing
    //! [`controllers`]: crate::controllers
    //! [`actions`]: crate::actions
    //! [`Integration::readiness`]: crate::Integration::readiness
    //! [`sole_owner`]: crate::sole_owner
    //!
    #![doc = include_str!("../docs/quick-start.md")]
}

pub mod endpoints {
    //! [attribute]: macro@crate::controller
    //! [`IntegrationBuilder::build`]: crate::IntegrationBuilder::build
    //! [`Integration::readiness`]: crate::Integration::readiness
    //!
    #![doc = include_str!("../docs/endpoints.md")]
}

pub mod mapping {
    //! [existing-schemas]: super::existing_schemas
    //! [paging]: super::paging
    //!
    #![doc = include_str!("../docs/mapping.md")]
}

pub mod existing_schemas {
    //! [mapping]: super::mapping
    //! [paging]: super::paging
    //! [errors]: super::errors
    //! [actions]: super::actions
    //! [testing]: super::testing
    //! [`InvalidField::new`]: crate::model::InvalidField::new
    //! [`Page::fill`]: crate::Page::fill
    //! [`Page::fill_valid`]: crate::Page::fill_valid
    //!
    #![doc = include_str!("../docs/existing-schemas.md")]
}

pub mod paging {
    //! [`PageRequest`]: crate::PageRequest
    //! [`Page::from_overfetch`]: crate::Page::from_overfetch
    //! [`Page::from_sorted`]: crate::Page::from_sorted
    //! [`Page::into_parts`]: crate::Page::into_parts
    //! [`Page::fill`]: crate::Page::fill
    //! [`Page::fill_valid`]: crate::Page::fill_valid
    //! [`Timestamp`]: crate::Timestamp
    //!
    #![doc = include_str!("../docs/paging.md")]
}

pub mod errors {
    //! [paging]: super::paging
    //! [`HandlerError`]: crate::HandlerError
    //! [`source`]: std::error::Error::source
    //!
    #![doc = include_str!("../docs/errors.md")]
}

pub mod actions {
    //! [errors]: super::errors
    //! [idempotency]: super::idempotency
    //! [postgres]: super::postgres
    //! [redis]: super::redis
    //! [tenants]: super::tenants
    //! [`actions`]: crate::actions
    //! [`Attempt::header_key`]: crate::idempotency::Attempt::header_key
    //! [`Attempt::signature_key`]: crate::idempotency::Attempt::signature_key
    //! [`IdempotencyStore`]: crate::idempotency::IdempotencyStore
    //! [`RequestContext::extension`]: crate::RequestContext::extension
    //!
    #![doc = include_str!("../docs/actions.md")]
}

pub mod idempotency {
    //! [actions]: super::actions
    //! [redis]: super::redis
    //! [`idempotency::postgres`]: crate::idempotency::postgres
    //! [`idempotency::sqlite`]: crate::idempotency::sqlite
    //! [`IdempotencyStore`]: crate::idempotency::IdempotencyStore
    //!
    // Its programs need databases and their drivers. A test of the repository compiles and runs them.
    #![cfg_attr(not(doctest), doc = include_str!("../docs/idempotency.md"))]
}

pub mod redis {
    //! [actions]: super::actions
    //! [idempotency]: super::idempotency
    //! [limits]: super::limits
    //!
    // Its programs need Redis and its client. A test of the repository compiles and runs them.
    #![cfg_attr(not(doctest), doc = include_str!("../docs/redis.md"))]
}

pub mod limits {
    //! [actions]: super::actions
    //! [Redis]: super::redis
    //! [`ReplayStore`]: crate::replays::ReplayStore
    //! [serving]: super::serving
    //!
    #![doc = include_str!("../docs/limits.md")]
}

pub mod metrics {
    #![cfg_attr(feature = "metrics", doc = "[`metrics`]: crate::metrics")]
    //!
    // Its programs need an exporter. A test of the repository compiles and runs them.
    #![cfg_attr(not(doctest), doc = include_str!("../docs/metrics.md"))]
}

pub mod signing {
    //! [actions]: super::actions
    //! [proxies]: super::proxies
    //! [tenants]: super::tenants
    //! [`AcceptedTokens`]: crate::AcceptedTokens
    //! [`AuthenticationScheme`]: crate::AuthenticationScheme
    //! [`sign`]: crate::sign
    //! [`Verifier`]: crate::Verifier
    #![cfg_attr(feature = "diagnose", doc = "[`diagnose`]: crate::diagnose")]
    //!
    #![doc = include_str!("../docs/signing.md")]
}

pub mod tenants {
    //! [`RequestContext::tenant`]: crate::RequestContext::tenant
    //! [`Tenant`]: crate::Tenant
    //! [`TenantRequest`]: crate::TenantRequest
    //! [`TenantResolver`]: crate::TenantResolver
    //!
    #![doc = include_str!("../docs/tenants.md")]
}

pub mod proxies {
    //! [serving]: super::serving
    //! [several-processes]: super::several_processes
    //! [signing]: super::signing
    //!
    // Its programs need other servers. A test of the repository compiles and runs them.
    #![cfg_attr(not(doctest), doc = include_str!("../docs/proxies.md"))]
}

pub mod serving {
    //! [limits]: super::limits
    //! [proxies]: super::proxies
    //! [several-processes]: super::several_processes
    //!
    // Its programs need hyper and rustls. A test of the repository compares them with those of the examples.
    #![cfg_attr(not(doctest), doc = include_str!("../docs/serving.md"))]
}

pub mod several_processes {
    //! [actions]: super::actions
    //! [idempotency]: super::idempotency
    //! [Redis]: super::redis
    //! [serving]: super::serving
    //! [signing]: super::signing
    //!
    #![doc = include_str!("../docs/several-processes.md")]
}

pub mod cancel_flow {
    //! [`cancel_flow::auth_hash`]: crate::cancel_flow::auth_hash
    //! [`cancel_flow::session_token`]: crate::cancel_flow::session_token
    //! [`Webhook`]: crate::webhooks::Webhook
    //! [`WebhookSecrets`]: crate::webhooks::WebhookSecrets
    //!
    #![doc = include_str!("../docs/cancel-flow.md")]
}

pub mod postgres {
    //! [actions]: super::actions
    //! [errors]: super::errors
    //! [idempotency]: super::idempotency
    //! [paging]: super::paging
    //! [`IdempotencyStore`]: crate::idempotency::IdempotencyStore
    //! [`RequestContext::attempt`]: crate::RequestContext::attempt
    //!
    #![doc = include_str!("../docs/postgres.md")]
}

pub mod testing {
    //! [quick-start]: super::quick_start
    //! [conformance]: https://docs.rs/churnkey-conformance
    #![cfg_attr(feature = "testing", doc = "[`testing`]: crate::testing")]
    //!
    // Its programs need the suite and a database. A test of the repository compiles and runs them.
    #![cfg_attr(not(doctest), doc = include_str!("../docs/testing.md"))]
}

pub mod command_line {
    //! [local-churnkey]: super::local_churnkey
    //!
    #![doc = include_str!("../docs/command-line.md")]
}

pub mod local_churnkey {
    //! [cancel-flow]: super::cancel_flow
    //!
    #![doc = include_str!("../docs/local-churnkey.md")]
}
