//! Counts the requests and their answers.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Counts, by name, and how often each trial was extended.
pub(crate) struct Tally(Mutex<Counts>);

struct Counts {
    by_name: BTreeMap<&'static str, u64>,
    extensions: Vec<i64>,
    violations: Vec<String>,
    latencies: Vec<Duration>,
}

impl Tally {
    pub(crate) fn new(subscriptions: usize) -> Self {
        Self(Mutex::new(Counts {
            by_name: BTreeMap::new(),
            extensions: vec![0; subscriptions],
            violations: Vec::new(),
            latencies: Vec::new(),
        }))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, name: &'static str) {
        *self.counts().by_name.entry(name).or_default() += 1;
    }

    /// An extension of this subscription's trial was answered 200.
    pub(crate) fn extended(&self, subscription: usize) {
        if let Some(extensions) = self.counts().extensions.get_mut(subscription) {
            *extensions += 1;
        }
    }

    pub(crate) fn extensions(&self) -> Vec<i64> {
        self.counts().extensions.clone()
    }

    /// An unexpected answer.
    pub(crate) fn violation(&self, what: String) {
        self.counts().violations.push(what);
    }

    pub(crate) fn took(&self, time: Duration) {
        self.counts().latencies.push(time);
    }

    pub(crate) fn is_well(&self) -> bool {
        self.counts().violations.is_empty()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = self.counts();
        for (name, count) in &counts.by_name {
            writeln!(f, "{name:<30}{count}")?;
        }
        counts.latencies.sort_unstable();
        let answered = counts.latencies.len();
        for (name, index) in [("p50", answered / 2), ("p99", answered * 99 / 100)] {
            let time = counts.latencies.get(index).copied().unwrap_or_default();
            writeln!(
                f,
                "{name} of answered calls          {:.1} ms",
                time.as_secs_f64() * 1e3
            )?;
        }
        writeln!(
            f,
            "unexplained answers           {}",
            counts.violations.len()
        )?;
        for violation in counts.violations.iter().take(10) {
            writeln!(f, "  {violation}")?;
        }
        Ok(())
    }
}
