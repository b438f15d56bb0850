//! What a connection waits for, and until when.

// ANCHOR: activity
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::connections::Limits;

/// What a connection waits for. A clone is of the same connection.
#[derive(Clone)]
pub(super) struct Activity {
    limits: Limits,
    state: Arc<Mutex<State>>,
}

struct State {
    phase: Phase,
    until: Instant,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// A request's head is being read.
    Head,
    /// So many requests run. Their answers are not written yet.
    Running(usize),
    /// Every request is answered.
    Idle,
}

impl Activity {
    pub(super) fn new(limits: Limits) -> Self {
        let state = State {
            phase: Phase::Head,
            until: Instant::now() + limits.head,
        };
        Self {
            limits,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Bytes have arrived on a connection of HTTP/1.1. If no request runs, they begin the next one.
    pub(super) fn received(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            state.phase = Phase::Head;
            state.until = Instant::now() + self.limits.head;
        }
    }

    /// A head is complete. Its request runs until the value that is returned is dropped.
    pub(super) fn begin(&self) -> Running {
        let mut state = self.state();
        let before = match state.phase {
            Phase::Running(count) => count,
            Phase::Head | Phase::Idle => 0,
        };
        state.phase = Phase::Running(before + 1);
        state.until = Instant::now() + self.limits.answer;
        Running(self.clone())
    }

    /// Ends when the connection has waited for too long.
    pub(super) async fn over_time(&self) {
        let Limits {
            head, idle, answer, ..
        } = self.limits;
        // Nobody wakes this when the state changes, as it does twice a request. No limit that begins meanwhile can be
        // over before the shortest one is.
        let shortest = head.min(idle).min(answer).max(Duration::from_millis(1));
        loop {
            let (until, now) = (self.state().until, Instant::now());
            if until <= now {
                return;
            }
            sleep_until(until.min(now + shortest)).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is not answered yet.
pub(super) struct Running(Activity);

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state();
        match state.phase {
            Phase::Running(count) if count > 1 => state.phase = Phase::Running(count - 1),
            _ => {
                state.phase = Phase::Idle;
                state.until = Instant::now() + self.0.limits.idle;
            }
        }
    }
}
// ANCHOR_END: activity
