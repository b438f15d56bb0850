//! What is particular to this store. The rules of every store are in `churnkey-conformance`.

use super::*;
use crate::context::Mode;

fn live() -> RequestContext {
    RequestContext::for_test(Mode::Live)
}

/// An attempt at a request without a signature.
fn keyed(key: &str, now: i64) -> Attempt {
    Attempt::for_test(key, "a", Timestamp::from_unix_seconds(now).unwrap())
}

async fn begin(store: &InMemoryIdempotency, attempt: &Attempt) -> Known {
    store.begin(&live(), attempt).await.unwrap()
}

async fn complete(store: &InMemoryIdempotency, attempt: &Attempt) {
    store.complete(&live(), attempt).await.unwrap();
}

#[tokio::test]
async fn what_is_over_is_forgotten_with_the_next_attempt() {
    let store = InMemoryIdempotency::default();
    for (key, now) in [("k", 0), ("l", 3599), ("m", 3600)] {
        assert_eq!(begin(&store, &keyed(key, now)).await, Known::New);
    }
    let shown = "InMemoryIdempotency { records: 2, .. }";
    assert_eq!(format!("{store:?}"), shown);
}

#[tokio::test]
async fn when_it_is_full_the_oldest_finished_go_first_and_running_ones_never() {
    let store = InMemoryIdempotency::with_capacity(4);
    let running = keyed("running", 0);
    assert_eq!(begin(&store, &running).await, Known::New);
    let done = [("old", 1), ("middle", 2), ("new", 3)].map(|(key, now)| keyed(key, now));
    for attempt in &done {
        assert_eq!(begin(&store, attempt).await, Known::New);
        complete(&store, attempt).await;
    }
    let two_keys = keyed("k", 5).with_signature("s");
    assert_eq!(begin(&store, &two_keys).await, Known::New);
    let kept = |attempt: &Attempt| {
        let records = store.records();
        let kept = attempt
            .keys()
            .filter(|key| records.by_key.contains_key(key));
        kept.count()
    };
    assert_eq!(done.each_ref().map(kept), [0, 0, 1]);
    assert_eq!((kept(&running), kept(&two_keys)), (1, 2));
    // Nothing but what runs is left after this, and more than the capacity if need be.
    for n in 0..5 {
        let key = format!("running {n}");
        assert_eq!(begin(&store, &keyed(&key, 6)).await, Known::New);
    }
    assert_eq!(begin(&store, &keyed("running", 7)).await, Known::Running);
    let records = store.records();
    assert_eq!((records.by_number.len(), records.by_age.len()), (7, 7));
    assert_eq!(records.by_key.len(), 8);
}
