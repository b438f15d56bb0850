//! What takes longer than a page: the conformance suite, and the search for the cause of refusals.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use churnkey_integrator::{Mode, Timestamp};
use http::HeaderValue;

use super::{
    Dev,
    calls::{Calls, Party},
};
use crate::{
    connection::Connection,
    doctor::{self, Diagnosis, Suspects},
    exchange::Exchange,
    exit::Failure,
    progress::Progress,
    settings::Settings,
    suite::{self, Ran, Wanted},
};

const MODE: &str = "x-churnkey-mode";

/// Work of which there is one at a time, and its latest result.
pub(crate) struct Work<T>(Mutex<State<T>>);

/// How far it is.
pub(crate) enum State<T> {
    NotYet,
    Running {
        since: Timestamp,
        /// The latest call before it.
        after: u64,
    },
    Ended {
        since: Timestamp,
        after: u64,
        /// What came out, or why nothing did.
        result: Arc<Result<T, String>>,
    },
}

// Without the condition that `T` is `Clone`.
impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        match self {
            Self::NotYet => Self::NotYet,
            Self::Running { since, after } => Self::Running {
                since: *since,
                after: *after,
            },
            Self::Ended {
                since,
                after,
                result,
            } => Self::Ended {
                since: *since,
                after: *after,
                result: Arc::clone(result),
            },
        }
    }
}

impl<T> Default for Work<T> {
    fn default() -> Self {
        Self(Mutex::new(State::NotYet))
    }
}

impl<T> Work<T> {
    pub(crate) fn state(&self) -> State<T> {
        self.lock().clone()
    }

    /// Whether it begins now; it does not if it is running.
    fn begin(&self, calls: &Calls) -> bool {
        let mut state = self.lock();
        if matches!(*state, State::Running { .. }) {
            return false;
        }
        *state = State::Running {
            since: Timestamp::now(),
            after: calls.last(),
        };
        drop(state);
        calls.tell();
        true
    }

    fn end(&self, result: Result<T, Failure>, calls: &Calls) {
        let mut state = self.lock();
        if let State::Running { since, after } = *state {
            *state = State::Ended {
                since,
                after,
                result: Arc::new(result.map_err(|failure| failure.to_string())),
            };
        }
        drop(state);
        calls.tell();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing is half done while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dev {
    /// Begins to run the conformance suite, unless it is running.
    pub(super) fn begin_check(self: &Arc<Self>, may_change: bool) {
        let calls = Arc::clone(self.merchant.calls());
        if !self.check.begin(&calls) {
            return;
        }
        let (dev, settings) = (Arc::clone(self), Arc::clone(self.merchant.settings()));
        tokio::spawn(async move {
            let ran = check(&settings, Arc::clone(&calls), may_change).await;
            dev.check.end(ran, &calls);
        });
    }

    /// Begins to find out why calls are refused, unless that is being done.
    pub(super) fn begin_diagnosis(self: &Arc<Self>) {
        let calls = Arc::clone(self.merchant.calls());
        if !self.diagnosis.begin(&calls) {
            return;
        }
        let (dev, settings) = (Arc::clone(self), Arc::clone(self.merchant.settings()));
        let runtime = tokio::runtime::Handle::current();
        // It stays on the thread on which it begins.
        tokio::task::spawn_blocking(move || {
            let found = runtime.block_on(diagnose(&settings));
            dev.diagnosis.end(found, &calls);
        });
    }
}

async fn check(settings: &Settings, calls: Arc<Calls>, may_change: bool) -> Result<Ran, Failure> {
    let observer = move |exchange: Exchange| {
        // The suite sends other values as well.
        let mode = match exchange.headers.get(MODE).map(HeaderValue::as_bytes) {
            Some(b"test") => Mode::Test,
            _ => Mode::Live,
        };
        calls.add(Party::Suite(mode), exchange);
    };
    let connection = Connection::observed(settings, Arc::new(observer))?;
    let wanted = Wanted {
        named: settings.fixtures.clone(),
        may_change,
        ..Wanted::default()
    };
    suite::run(&connection, wanted).await
}

async fn diagnose(settings: &Settings) -> Result<Diagnosis, Failure> {
    let suspects = Suspects {
        prefixes: Vec::new(),
        old_token: None,
    };
    doctor::diagnose(settings, suspects, Progress::hidden(), false).await
}
