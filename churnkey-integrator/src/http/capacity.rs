//! How many requests run at a time. What is more is answered 503 at once, before its body is read.

use tokio::sync::{Semaphore, SemaphorePermit};

/// For each request that may run, so many may arrive: a body takes longer to come than most answers to be found.
const ARRIVING_PER_RUNNING: usize = 16;

/// The places for requests. Without a valid credential a request takes none of those that callers with one have, so that a
/// flood of wrong signatures can't keep them out.
pub(crate) struct Capacity(Option<Places>);

struct Places {
    /// For requests whose credential is not known to be valid yet.
    arriving: Semaphore,
    running: Semaphore,
}

/// A place that ends with the value.
pub(super) struct Place<'a> {
    _permit: Option<SemaphorePermit<'a>>,
}

/// All places are taken.
#[derive(Debug)]
pub(super) struct Full;

impl Capacity {
    /// `None` is no limit.
    pub(crate) fn new(max_in_flight: Option<usize>) -> Self {
        Self(max_in_flight.map(|max| {
            Places {
                arriving: Semaphore::new(
                    max.saturating_mul(ARRIVING_PER_RUNNING)
                        .min(Semaphore::MAX_PERMITS),
                ),
                running: Semaphore::new(max.min(Semaphore::MAX_PERMITS)),
            }
        }))
    }

    /// A place until the credential has been checked. If nothing more could run afterwards, the body need not be read.
    pub(super) fn arrive(&self) -> Result<Place<'_>, Full> {
        match &self.0 {
            Some(places) if places.running.available_permits() == 0 => Err(Full),
            Some(places) => take(&places.arriving),
            None => Ok(Place { _permit: None }),
        }
    }

    /// A place until the request has been answered.
    pub(super) fn run(&self) -> Result<Place<'_>, Full> {
        match &self.0 {
            Some(places) => take(&places.running),
            None => Ok(Place { _permit: None }),
        }
    }
}

fn take(places: &Semaphore) -> Result<Place<'_>, Full> {
    let permit = places.try_acquire().map_err(|_| Full)?;
    Ok(Place {
        _permit: Some(permit),
    })
}
