//! Durations, and the arithmetic of times.

use arbitrary::{Arbitrary, Unstructured};
use churnkey_integrator::{
    Timestamp,
    model::{BillingDuration, CouponDuration, Period},
};
use serde::{Serialize, de::DeserializeOwned};

#[derive(Debug, Arbitrary)]
struct Times<'a> {
    start: i64,
    end: i64,
    cycles: u32,
    json: &'a [u8],
}

/// What is read is written so that it reads as the same. No arithmetic of times overflows or goes backwards.
///
/// # Panics
/// If it is not so.
pub fn duration(data: &[u8]) {
    let Ok(times) = Times::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    reads_as_written::<CouponDuration>(times.json);
    reads_as_written::<Period>(times.json);
    let Some(duration) = reads_as_written::<BillingDuration>(times.json) else {
        return;
    };
    let (Ok(start), Ok(end)) = (
        Timestamp::from_unix_millis(times.start),
        Timestamp::from_unix_millis(times.end),
    ) else {
        return;
    };
    let after = duration.end_after(times.cycles, start);
    assert!(after >= start, "{duration:?} after {start} is {after}");
    let period = duration.period_at(start, end);
    assert!(period.start() <= period.end(), "{period:?}");
    assert!(duration.start_before(start, end) <= end);
}

fn reads_as_written<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(
    json: &[u8],
) -> Option<T> {
    let read: T = serde_json::from_slice(json).ok()?;
    let written = serde_json::to_vec(&read).unwrap();
    let again: T = serde_json::from_slice(&written).unwrap();
    assert_eq!(again, read);
    Some(read)
}
