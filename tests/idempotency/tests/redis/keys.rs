//! What is in Redis, and for how long.

use churnkey_integrator::{
    Mode, RequestContext, Timestamp,
    idempotency::{Attempt, IdempotencyStore, Known},
};
use churnkey_integrator_redis::RedisIdempotency;
use redis::{AsyncCommands, aio::MultiplexedConnection, cmd};
use throwaway_redis::Redis;

/// For how long the record of an attempt for a test is kept, in milliseconds.
const KEPT: i64 = 60 * 60 * 1000;

fn cx() -> RequestContext {
    RequestContext::for_test(Mode::Live)
}

/// Some seconds after a noon of the past, which the clock of Redis knows nothing of.
fn attempt(seconds: i64) -> Attempt {
    let now = Timestamp::from_unix_seconds(1_768_478_400 + seconds).unwrap();
    Attempt::for_test("k", "a", now)
}

async fn begin(store: &RedisIdempotency, attempt: &Attempt) -> Known {
    store.begin(&cx(), attempt).await.unwrap()
}

/// The keys in Redis, each with the milliseconds that it has left. -1 is for ever.
async fn left(connection: &mut MultiplexedConnection) -> Vec<(String, i64)> {
    let mut left = Vec::new();
    let mut keys: Vec<String> = connection.keys("*").await.unwrap();
    keys.sort();
    for key in keys {
        let millis = connection.pttl(&key).await.unwrap();
        left.push((key, millis));
    }
    left
}

async fn connect(redis: &Redis) -> MultiplexedConnection {
    let client = redis::Client::open(redis.url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

#[tokio::test]
async fn every_key_expires_with_its_record() {
    let redis = Redis::start();
    let store = RedisIdempotency::open(&redis.url()).unwrap();
    let mut connection = connect(&redis).await;

    let first = attempt(0).with_signature("1");
    assert_eq!(begin(&store, &first).await, Known::New);
    let retry = attempt(1).with_signature("2");
    assert_eq!(begin(&store, &retry).await, Known::Running);
    let keys = left(&mut connection).await;
    // Three keys, the set of them, and the record.
    assert_eq!(keys.len(), 5, "{keys:?}");
    for (key, millis) in &keys {
        assert!((KEPT - 60_000..=KEPT).contains(millis), "{key}: {millis}");
        assert!(key.starts_with("{churnkey}:"), "{key}");
    }

    // A successor keeps it for a time of its own.
    for (key, _) in &keys {
        let () = connection.pexpire(key, 30_000).await.unwrap();
    }
    let done = attempt(30).with_signature("3");
    assert_eq!(begin(&store, &done).await, Known::Running);
    let late = left(&mut connection).await;
    let is_short = |(_, millis): &(String, i64)| (1..=30_000).contains(millis);
    assert!(late.len() == 6 && late.iter().all(is_short), "{late:?}");
    let successor = attempt(60).with_signature("1");
    assert_eq!(begin(&store, &successor).await, Known::New);
    store.complete(&cx(), &successor).await.unwrap();
    for (key, millis) in left(&mut connection).await {
        assert!((KEPT - 60_000..=KEPT).contains(&millis), "{key}: {millis}");
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_failure() {
    let redis = Redis::start();
    let store = RedisIdempotency::open(&redis.url()).unwrap();
    let first = attempt(0).with_signature("1");
    assert_eq!(begin(&store, &first).await, Known::New);
    let retry = attempt(1).with_signature("2");
    assert_eq!(begin(&store, &retry).await, Known::Running);
    store.forget(&cx(), &first).await.unwrap();
    assert_eq!(left(&mut connect(&redis).await).await, []);
}

#[tokio::test]
async fn stores_with_different_names_share_nothing() {
    let redis = Redis::start();
    let store = RedisIdempotency::open(&redis.url()).unwrap();
    let (one, other) = (store.clone().with_namespace("a"), store.with_namespace("b"));
    assert_eq!(begin(&one, &attempt(0)).await, Known::New);
    assert_eq!(begin(&other, &attempt(0)).await, Known::New);
    let keys = left(&mut connect(&redis).await).await;
    let of = |name| keys.iter().filter(move |(key, _)| key.starts_with(name));
    assert_eq!(of("{churnkey:a}:").count(), 3, "{keys:?}");
    assert_eq!(of("{churnkey:b}:").count(), 3, "{keys:?}");
}

/// As it is if the answer to the first one is lost with the connection.
#[tokio::test]
async fn a_question_that_is_asked_twice_has_the_same_answer() {
    let redis = Redis::start();
    let store = RedisIdempotency::open(&redis.url()).unwrap();
    for first in [attempt(0), attempt(60)] {
        for _ in 0..2 {
            assert_eq!(begin(&store, &first).await, Known::New);
        }
    }
}

#[tokio::test]
async fn a_server_that_has_forgotten_the_scripts_is_told_them_again() {
    let redis = Redis::start();
    let store = RedisIdempotency::open(&redis.url()).unwrap();
    assert_eq!(begin(&store, &attempt(0)).await, Known::New);
    let mut flush = cmd("SCRIPT");
    let flush = flush.arg("FLUSH");
    let () = flush.query_async(&mut connect(&redis).await).await.unwrap();
    assert_eq!(begin(&store, &attempt(1)).await, Known::Running);
}

/// Those that the documentation of the crate lists.
#[tokio::test]
async fn a_user_needs_few_rights() {
    let redis = Redis::start();
    let mut user = cmd("ACL");
    let user = user.arg("SETUSER").arg("billing").arg("on").arg(">secret");
    let user = user.arg("~{churnkey:billing}:*").arg("+script|load");
    let commands = "evalsha get set del hset hget hmget sadd smembers pexpire pttl";
    let user = commands
        .split(' ')
        .fold(user, |user, name| user.arg(format!("+{name}")));
    let () = user.query_async(&mut connect(&redis).await).await.unwrap();
    let address = redis.url().replace("redis://", "redis://billing:secret@");
    let store = RedisIdempotency::open(&address).unwrap();
    let store = store.with_namespace("billing");
    let first = attempt(0).with_signature("1");
    assert_eq!(begin(&store, &first).await, Known::New);
    store.forget(&cx(), &first).await.unwrap();
    assert_eq!(begin(&store, &first).await, Known::New);
    let successor = attempt(60).with_signature("2");
    assert_eq!(begin(&store, &successor).await, Known::New);
    store.complete(&cx(), &successor).await.unwrap();
    assert_eq!(begin(&store, &attempt(61)).await, Known::Done);

    let of_others = store.with_namespace("another");
    assert!(of_others.begin(&cx(), &first).await.is_err());
}

#[tokio::test]
async fn the_address_is_checked_at_once_and_not_shown() {
    for address in [
        "",
        "127.0.0.1:6379",
        "http://127.0.0.1",
        "redis://u:hunter2@host:6379/x",
    ] {
        let error = RedisIdempotency::open(address).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(
            shown.contains("redis://user:password@host:6379/0"),
            "{shown}"
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let store = RedisIdempotency::open("redis://u:hunter2@127.0.0.1:1/0").unwrap();
    assert_eq!(
        format!("{store:?}"),
        "RedisIdempotency { namespace: \"{churnkey}\", deadline: 2s, .. }"
    );
}
