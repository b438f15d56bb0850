//! Keeps the idempotency records of [`churnkey_integrator`] in Redis, so that all processes of a merchant know which actions
//! run and which were done.
//!
//! ```
//! use churnkey_integrator::{
//!     CustomerId, CustomersController, Integration, IntegrationToken, RequestContext, Result, controller,
//!     model::Customer,
//! };
//! use churnkey_integrator_redis::RedisIdempotency;
//!
//! struct Shop;
//!
//! #[controller]
//! impl CustomersController for Shop {
//!     async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
//!         Ok((id.as_str() == "cus_1").then(|| Customer::new(id.clone())))
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//!     let store = RedisIdempotency::open("redis://127.0.0.1:6379")?;
//!     let token = IntegrationToken::new("a-token-for-this-example")?;
//!     let integration = Integration::builder("Shop", token)
//!         .customers(Shop)
//!         .idempotency(store)
//!         .build()?;
//!     let app: axum::Router = integration.into_router();
//! #   let _ = app;
//!     Ok(())
//! }
//! ```
//!
//! If your actions change a PostgreSQL or SQLite database, keep the records in that one instead
//! ([`churnkey_integrator::idempotency`]). There, the record is marked as done in the transaction of the change. Redis has
//! no part in such a transaction: if a process dies at the wrong moment, [an action may run twice](#what-it-cant-do).
//!
//! # When Redis is away
//! An action does not run unless Redis has said that it is new. If Redis can't be asked within
//! [`with_deadline`](RedisIdempotency::with_deadline), the action is answered 503 with `Retry-After`, and the log says why.
//! What only reads is served as ever. When Redis is back, the store connects by itself.
//!
//! An action that was done while Redis went away is answered 200. Its record follows once Redis is back, for as long as the
//! action's lease lasts ([`action_deadline`], a minute unless set). Until then a repetition is 409.
//!
//! # Replays of signed reads
//! [`RedisIdempotency::replays`] is a store over the same connection that remembers which signed reads were answered, so that
//! each is answered once ([`churnkey_integrator::replays`]). With it, reads need Redis too.
//!
//! # What Redis has to be set to
//! A record that Redis loses is an action that may run again. The defaults of Redis lose some. Set:
//!
//! | setting | because otherwise |
//! | --- | --- |
//! | `maxmemory-policy noeviction` | Redis removes records when its memory is full. With it, new actions are 503 then |
//! | `appendonly yes` | a restart loses the records since the last snapshot, or all of them |
//! | `appendfsync always` | a crash loses the records of the last second, or of the last two |
//!
//! A replica that takes over may lack the last records, because Redis does not wait for replicas. So an action should be
//! idempotent by itself as well: if the state is already as asked, return `Ok(())`.
//!
//! Redis 6 or newer is needed, or Valkey. A user needs the commands `EVALSHA`, `SCRIPT LOAD`, `GET`, `SET`, `DEL`, `HSET`,
//! `HGET`, `HMGET`, `SADD`, `SMEMBERS`, `PEXPIRE` and `PTTL` on keys of the pattern
//! `{churnkey}:*`.
//!
//! # What is in Redis
//! Digests, numbers and times: nothing that tells who asked for what. A record is a hash, a set and a key or two, one more
//! for each retry that was signed anew. Together they take about a kilobyte. They expire a day after the attempt. Times are
//! those of the integration's clock; that of Redis need not agree with it.
//!
//! # Cluster and Sentinel
//! All keys of a namespace have the same hash tag, so that they are in one slot, and the scripts work in a cluster: give
//! [`over`](RedisIdempotency::over) a `ClusterConnection`. Redis Sentinel needs an address that leads to the primary, such as
//! that of a proxy.
//!
//! # What it can't do
//! If a process dies after an action has made its change, and before that is recorded, a repetition runs the action again
//! once the lease is over. The same happens if the app exits while Redis is away, with records that have not followed yet.
//!
//! [`action_deadline`]: churnkey_integrator::IntegrationBuilder::action_deadline
#![forbid(unsafe_code)]

mod error;
mod scripts;
mod store;

pub use error::InvalidAddress;
pub use store::{RedisIdempotency, RedisReplays};

/// The version of churnkey-integrator whose trait the store implements.
pub use churnkey_integrator;
/// The version of redis whose connections a store takes.
pub use redis;
