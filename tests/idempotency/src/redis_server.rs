//! Records in Redis.

#![expect(
    clippy::missing_errors_doc,
    reason = "they are those of the calls within"
)]

// ANCHOR: records
use std::{env, error::Error};

use churnkey_integrator::IntegrationBuilder;
use churnkey_integrator_redis::RedisIdempotency;

/// Each of your processes does this, with the same address.
pub fn with_records(builder: IntegrationBuilder) -> Result<IntegrationBuilder, Box<dyn Error>> {
    let store = RedisIdempotency::open(&env::var("REDIS_URL")?)?;
    Ok(builder.idempotency(store))
}
// ANCHOR_END: records
