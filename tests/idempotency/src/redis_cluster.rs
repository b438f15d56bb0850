//! Records in a Redis cluster.

#![expect(
    clippy::missing_errors_doc,
    reason = "they are those of the calls within"
)]

// ANCHOR: records
use churnkey_integrator_redis::RedisIdempotency;
use redis::{RedisError, cluster::ClusterClient, cluster_async::ClusterConnection};

/// The addresses of some nodes are enough: they know the others.
pub async fn records(
    nodes: Vec<String>,
) -> Result<RedisIdempotency<ClusterConnection>, RedisError> {
    let connection = ClusterClient::new(nodes)?.get_async_connection().await?;
    Ok(RedisIdempotency::over(connection))
}
// ANCHOR_END: records
