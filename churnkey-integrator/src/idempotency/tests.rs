use super::*;
use crate::context::Mode;

fn live() -> RequestContext {
    RequestContext::for_test(Mode::Live)
}

/// An attempt at a request without a signature.
fn keyed(key: &str, body: &str, now: i64) -> Attempt {
    Attempt::of_keys([None, Some(key)], body, now)
}

fn signed(signature: &str, key: Option<&str>, now: i64) -> Attempt {
    Attempt::of_keys([Some(signature), key], "a", now)
}

async fn begin(store: &InMemoryIdempotency, attempt: &Attempt) -> Known {
    store.begin(&live(), attempt).await.unwrap()
}

async fn complete(store: &InMemoryIdempotency, attempt: &Attempt) {
    store.complete(&live(), attempt).await.unwrap();
}

async fn forget(store: &InMemoryIdempotency, attempt: &Attempt) {
    store.forget(&live(), attempt).await.unwrap();
}

/// A store in which an attempt was begun and done.
async fn having_done(attempt: &Attempt) -> InMemoryIdempotency {
    let store = InMemoryIdempotency::default();
    assert_eq!(begin(&store, attempt).await, Known::New);
    complete(&store, attempt).await;
    store
}

#[tokio::test]
async fn what_was_done_is_remembered_for_a_day_and_no_longer() {
    let store = having_done(&keyed("k", "a", 0)).await;
    for now in [0, 86_399] {
        assert_eq!(begin(&store, &keyed("k", "a", now)).await, Known::Done);
        let other = begin(&store, &keyed("k", "b", now)).await;
        assert_eq!(other, Known::AnotherRequest);
    }
    assert_eq!(begin(&store, &keyed("k", "b", 86_400)).await, Known::New);
    assert_eq!(
        format!("{store:?}"),
        "InMemoryIdempotency { records: 1, .. }"
    );
}

#[tokio::test]
async fn what_died_gives_way_after_its_lease_to_the_same_request_only() {
    let store = InMemoryIdempotency::default();
    assert_eq!(begin(&store, &keyed("k", "a", 0)).await, Known::New);
    for (body, now, known) in [
        ("a", 9, Known::Running),
        ("b", 9, Known::AnotherRequest),
        ("b", 11, Known::AnotherRequest),
        ("a", 10, Known::New),
        ("a", 11, Known::Running),
    ] {
        let begun = begin(&store, &keyed("k", body, now)).await;
        assert_eq!(begun, known, "{body} {now}");
    }
}

#[tokio::test]
async fn a_failure_is_forgotten_at_once() {
    let store = InMemoryIdempotency::default();
    let first = signed("s", Some("k"), 0);
    assert_eq!(begin(&store, &first).await, Known::New);
    forget(&store, &first).await;
    assert_eq!(begin(&store, &keyed("k", "b", 0)).await, Known::New);
    assert_eq!(begin(&store, &signed("s", None, 0)).await, Known::New);
}

#[tokio::test]
async fn an_attempt_that_outlived_its_lease_can_not_touch_its_successors_record() {
    let store = InMemoryIdempotency::default();
    let (slow, successor) = (keyed("k", "a", 0), keyed("k", "a", 10));
    assert_eq!(begin(&store, &slow).await, Known::New);
    assert_eq!(begin(&store, &successor).await, Known::New);
    forget(&store, &slow).await;
    complete(&store, &slow).await;
    assert_eq!(begin(&store, &keyed("k", "a", 11)).await, Known::Running);
    complete(&store, &successor).await;
    forget(&store, &slow).await;
    forget(&store, &successor).await;
    assert_eq!(begin(&store, &keyed("k", "a", 12)).await, Known::Done);
}

#[tokio::test]
async fn signed_bytes_are_the_same_request_whatever_their_key_says() {
    let store = having_done(&signed("s", Some("k"), 0)).await;
    for key in [Some("k"), None, Some("another")] {
        assert_eq!(begin(&store, &signed("s", key, 1)).await, Known::Done);
    }
    // A key that only a replay has claimed is still free.
    let begun = begin(&store, &keyed("another", "b", 1)).await;
    assert_eq!(begun, Known::New);
}

#[tokio::test]
async fn a_retry_that_is_signed_anew_is_known_by_that_signature_too() {
    let (first, retry) = (signed("1", Some("k"), 0), signed("2", Some("k"), 1));
    let stripped = signed("2", None, 2);
    let done = having_done(&first).await;
    assert_eq!(begin(&done, &retry).await, Known::Done);
    assert_eq!(begin(&done, &stripped).await, Known::Done);

    let running = InMemoryIdempotency::default();
    assert_eq!(begin(&running, &first).await, Known::New);
    assert_eq!(begin(&running, &retry).await, Known::Running);
    assert_eq!(begin(&running, &stripped).await, Known::Running);
    // Who takes the place of one that died takes all its keys.
    let successor = signed("3", Some("k"), 10);
    assert_eq!(begin(&running, &successor).await, Known::New);
    complete(&running, &successor).await;
    for signature in ["1", "2", "3"] {
        let again = begin(&running, &signed(signature, None, 11)).await;
        assert_eq!(again, Known::Done, "{signature}");
    }
}

#[tokio::test]
async fn when_it_is_full_the_oldest_finished_go_first_and_running_ones_never() {
    let store = InMemoryIdempotency::with_capacity(4);
    let running = keyed("running", "a", 0);
    assert_eq!(begin(&store, &running).await, Known::New);
    for (n, key) in ["old", "middle", "new"].iter().enumerate() {
        let attempt = keyed(key, "a", i64::try_from(n).unwrap() + 1);
        assert_eq!(begin(&store, &attempt).await, Known::New);
        complete(&store, &attempt).await;
    }
    let two_keys = signed("s", Some("k"), 5);
    assert_eq!(begin(&store, &two_keys).await, Known::New);
    let held = |key| store.records().by_key.contains_key(&IdempotencyKey(key));
    let kept = ["running", "old", "middle", "new", "s", "k"].map(|key| held(key.to_owned()));
    assert_eq!(kept, [true, false, false, true, true, true]);
    // Nothing but what runs is left after this, and more than the capacity if need be.
    for n in 0..5 {
        let key = format!("running {n}");
        assert_eq!(begin(&store, &keyed(&key, "a", 6)).await, Known::New);
    }
    assert_eq!(
        begin(&store, &keyed("running", "a", 7)).await,
        Known::Running
    );
    let records = store.records();
    assert_eq!((records.by_number.len(), records.by_age.len()), (7, 7));
    assert_eq!(records.by_key.len(), 8);
}
