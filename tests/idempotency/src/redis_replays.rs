//! Signed reads in Redis.

#![expect(
    clippy::missing_errors_doc,
    reason = "they are those of the calls within"
)]

// ANCHOR: replays
use std::{env, error::Error};

use churnkey_integrator::IntegrationBuilder;
use churnkey_integrator_redis::RedisIdempotency;

/// With records of actions, too.
pub fn without_replays(builder: IntegrationBuilder) -> Result<IntegrationBuilder, Box<dyn Error>> {
    let store = RedisIdempotency::open(&env::var("REDIS_URL")?)?;
    Ok(builder.refuse_replays(store.replays()).idempotency(store))
}
// ANCHOR_END: replays
