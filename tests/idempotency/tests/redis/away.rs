//! What becomes of actions while Redis can't be asked.

use std::time::{Duration, Instant};

use axum::body::Body;
use churnkey_integrator_redis::RedisIdempotency;
use http::Request;
use redis::cmd;
use throwaway_redis::Redis;
use tokio::time::sleep;
use tower::ServiceExt;

use crate::shop::{Answer, Extension, Shop, TOKEN};

const DEADLINE: Duration = Duration::from_millis(300);

fn store(redis: &Redis) -> RedisIdempotency {
    let store = RedisIdempotency::open(&redis.url()).unwrap();
    store.with_deadline(DEADLINE)
}

async fn set(redis: &Redis, setting: &str, value: &str) {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut set = cmd("CONFIG");
    let set = set.arg("SET").arg(setting).arg(value);
    let () = set.query_async(&mut connection).await.unwrap();
}

#[tokio::test]
async fn an_app_starts_without_redis_and_acts_once_it_is_there() {
    let mut redis = Redis::start();
    redis.kill();
    let shop = Shop::default();
    let router = shop.router(store(&redis));
    let extension = Extension::by(1);
    let begun = Instant::now();
    assert_eq!(extension.send(&router).await, Answer::UNAVAILABLE);
    assert!(begun.elapsed() < 3 * DEADLINE, "{:?}", begun.elapsed());
    assert_eq!(shop.times(), 0);

    let read = Request::get("/churnkey/customers/cus_1").header("authorization", TOKEN);
    let read = read.body(Body::empty()).unwrap();
    let read = router.clone().oneshot(read).await.unwrap();
    assert_eq!(Answer::of(&read), Answer::DONE);

    redis.restart();
    extension.send_until_done(&router).await;
    assert_eq!(extension.send(&router).await, Answer::DONE);
    assert_eq!(shop.times(), 1);
}

#[tokio::test]
async fn a_redis_that_hangs_is_a_503_and_no_action_waits_for_a_lease_afterwards() {
    let redis = Redis::start();
    let shop = Shop::default();
    let router = shop.router(store(&redis));
    assert_eq!(Extension::by(1).send(&router).await, Answer::DONE);

    redis.freeze();
    let extension = Extension::by(2);
    let begun = Instant::now();
    assert_eq!(extension.send(&router).await, Answer::UNAVAILABLE);
    assert!(begun.elapsed() < 3 * DEADLINE, "{:?}", begun.elapsed());
    redis.thaw();
    // Now Redis reads what it was asked, and that it may forget it.
    extension.send_until_done(&router).await;
    assert_eq!(shop.times(), 2);
}

#[tokio::test]
async fn a_restart_within_the_deadline_goes_unnoticed() {
    let mut redis = Redis::start();
    let shop = Shop::default();
    let patient = RedisIdempotency::open(&redis.url()).unwrap();
    let router = shop.router(patient.with_deadline(Duration::from_secs(20)));
    assert_eq!(Extension::by(1).send(&router).await, Answer::DONE);
    redis.kill();
    let extension = Extension::by(2);
    let (answer, ()) = tokio::join!(extension.send(&router), async {
        sleep(Duration::from_millis(300)).await;
        redis.restart();
    });
    assert_eq!(answer, Answer::DONE);
    assert_eq!(shop.times(), 2);
}

#[tokio::test]
async fn the_record_of_an_action_follows_when_redis_is_back() {
    let mut redis = Redis::start();
    let shop = Shop::slow(Duration::from_millis(300));
    let router = shop.router(store(&redis));
    let extension = Extension::by(1);
    let (answer, ()) = tokio::join!(extension.send(&router), async {
        while shop.times() == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        redis.kill();
    });
    // Its caller has waited for five seconds, and the store goes on.
    assert_eq!(answer, Answer::DONE);
    redis.restart();
    let begun = Instant::now();
    let mut running = 0;
    loop {
        match extension.send(&router).await {
            Answer::DONE => break,
            Answer::RUNNING => running += 1,
            Answer::UNAVAILABLE => {}
            answer => panic!("{answer:?}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{running}");
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(shop.times(), 1);
}

#[tokio::test]
async fn a_redis_without_memory_refuses_new_actions() {
    let redis = Redis::start();
    let shop = Shop::default();
    let patient = RedisIdempotency::open(&redis.url()).unwrap();
    let router = shop.router(patient.with_deadline(Duration::from_secs(20)));
    assert_eq!(Extension::by(1).send(&router).await, Answer::DONE);
    set(&redis, "maxmemory", "1").await;
    let begun = Instant::now();
    assert_eq!(Extension::by(2).send(&router).await, Answer::UNAVAILABLE);
    // Asking again would not help.
    assert!(begun.elapsed() < Duration::from_secs(5));
    set(&redis, "maxmemory", "0").await;
    assert_eq!(Extension::by(2).send(&router).await, Answer::DONE);
    assert_eq!(shop.times(), 2);
}

#[tokio::test]
async fn a_wrong_password_is_not_the_end() {
    let redis = Redis::start();
    let shop = Shop::default();
    let address = redis.url().replace("redis://", "redis://:of-tomorrow@");
    let store = RedisIdempotency::open(&address).unwrap();
    let router = shop.router(store.with_deadline(DEADLINE));
    let extension = Extension::by(1);
    assert_eq!(extension.send(&router).await, Answer::UNAVAILABLE);
    set(&redis, "requirepass", "of-tomorrow").await;
    extension.send_until_done(&router).await;
    assert_eq!(shop.times(), 1);
}
