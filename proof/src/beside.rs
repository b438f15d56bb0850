//! How much slower good calls are beside other ones.

use std::fmt;

use hdrhistogram::Histogram;

use crate::statistics::median;

/// How much slower the good calls' p99 may be.
const MAX_RATIO: f64 = 2.0;

/// The p99 of good calls in microseconds, in turns alone and beside others.
#[derive(Debug)]
pub struct Beside {
    others: &'static str,
    alone: Vec<u64>,
    beside: Vec<u64>,
}

impl Beside {
    /// Before the first round. The others are named as in `beside the flood`.
    #[must_use]
    pub fn new(others: &'static str) -> Self {
        Self {
            others,
            alone: Vec::new(),
            beside: Vec::new(),
        }
    }

    /// Adds a round by its latencies, and prints it.
    pub fn add(&mut self, alone: &Histogram<u64>, beside: &Histogram<u64>) {
        let (alone, beside) = (p99(alone), p99(beside));
        self.alone.push(alone);
        self.beside.push(beside);
        let (round, others) = (self.alone.len(), self.others);
        println!("round {round}: p99 {alone} us alone, {beside} us beside {others}");
    }

    /// Whether the good calls stayed fast enough: their p99 beside the others is below twice that alone, by the medians.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.ratio() < MAX_RATIO
    }

    fn medians(&self) -> [u64; 2] {
        [&self.alone, &self.beside].map(|rounds| median(rounds.iter().copied()))
    }

    #[expect(clippy::cast_precision_loss, reason = "microseconds")]
    fn ratio(&self) -> f64 {
        let [alone, beside] = self.medians();
        beside as f64 / alone.max(1) as f64
    }
}

/// Shows the medians and their ratio, a line each.
impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [alone, beside] = self.medians();
        let label = format!("p99 beside {}", self.others);
        writeln!(f, "{:<29} {alone} us", "p99 alone")?;
        writeln!(f, "{label:<29} {beside} us")?;
        writeln!(f, "{:<29} {:.2}", "ratio", self.ratio())
    }
}

fn p99(latencies: &Histogram<u64>) -> u64 {
    latencies.value_at_quantile(0.99)
}
