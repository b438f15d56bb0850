//! Merchants that keep the records of actions in their own database, with one driver each, and the store over Redis.
//!
//! What stands between `ANCHOR` and `ANCHOR_END` is on the guide's pages `idempotency.md` and `redis.md`, word for word; a
//! test compares them.

mod catalogue;
pub mod diesel_postgres;
pub mod redis_cluster;
pub mod redis_replays;
pub mod redis_server;
pub mod sqlx_postgres;
pub mod sqlx_sqlite;
pub mod tokio_postgres;

pub use catalogue::{CREATE, Catalogue, TRIAL_ENDS_AT};
