//! It keeps the rules of every store.

use churnkey_conformance::idempotency::keeps_every_rule;
use churnkey_integrator_redis::RedisIdempotency;
use idempotency_tests::redis_cluster;
use throwaway_redis::Redis;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server() {
    let redis = Redis::start();
    let one = RedisIdempotency::open(&redis.url()).unwrap();
    let other = RedisIdempotency::open(&redis.url()).unwrap();
    keeps_every_rule(&one, &other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster() {
    let redis = Redis::start_cluster();
    let store = async || redis_cluster::records(vec![redis.url()]).await.unwrap();
    let (one, other) = (store().await, store().await);
    // A name with what Redis takes for the part of a key that decides on its slot.
    let (one, other) = (one.with_namespace("}{a"), other.with_namespace("}{a"));
    keeps_every_rule(&one, &other).await;
}
