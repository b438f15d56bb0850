//! Signed reads in Redis, and what is said of a store that is away.

use std::time::Duration;

use churnkey_conformance::replays::keeps_every_rule;
use churnkey_integrator::{
    Timestamp,
    idempotency::IdempotencyStore,
    replays::{ReplayStore, SignedRead},
};
use churnkey_integrator_redis::RedisIdempotency;
use redis::cmd;
use throwaway_redis::Redis;

const DEADLINE: Duration = Duration::from_millis(300);

fn store(redis: &Redis) -> RedisIdempotency {
    let store = RedisIdempotency::open(&redis.url()).unwrap();
    store.with_deadline(DEADLINE)
}

fn read(text: &str, kept_millis: i64) -> SignedRead {
    let at = |millis| Timestamp::from_unix_millis(1_768_478_400_000 + millis).unwrap();
    SignedRead::for_test(text, at(0), at(kept_millis))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_of_signed_reads_keeps_every_rule() {
    let redis = Redis::start();
    let [one, other] = [(); 2].map(|()| RedisIdempotency::open(&redis.url()).unwrap().replays());
    keeps_every_rule(&one, &other).await;
}

#[tokio::test]
async fn a_read_expires_by_itself() {
    let redis = Redis::start();
    let replays = store(&redis).replays();
    assert!(replays.is_first(&read("short", 100)).await.unwrap());
    assert!(replays.is_first(&read("long", 60_000)).await.unwrap());
    tokio::time::sleep(Duration::from_millis(200)).await;

    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let names: Vec<String> = cmd("KEYS")
        .arg("*")
        .query_async(&mut connection)
        .await
        .unwrap();
    let long = format!("{{churnkey}}:read:{}", read("long", 0).digest());
    assert_eq!(names, [long]);
}

#[tokio::test]
async fn a_redis_that_is_away_is_a_503_for_reads_and_unhealthy_until_it_is_back() {
    let redis = Redis::start();
    let store = store(&redis);
    let replays = store.replays();
    store.check().await.unwrap();
    replays.check().await.unwrap();

    redis.freeze();
    let refused = replays.is_first(&read("a", 60_000)).await.unwrap_err();
    assert_eq!(refused.status(), 503);
    store.check().await.unwrap_err();
    replays.check().await.unwrap_err();

    redis.thaw();
    store.check().await.unwrap();
    replays.check().await.unwrap();
}

#[tokio::test]
async fn a_redis_that_can_only_be_read_is_unhealthy() {
    let redis = Redis::start();
    let store = store(&redis);
    store.check().await.unwrap();
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut replica = cmd("REPLICAOF");
    let replica = replica.arg("127.0.0.1").arg("1");
    let () = replica.query_async(&mut connection).await.unwrap();
    store.check().await.unwrap_err();
}
