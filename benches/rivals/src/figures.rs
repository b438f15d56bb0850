//! What was measured, round by round, and its medians.

use std::collections::BTreeMap;

use crate::rival::Rival;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    Retrieve,
    Page,
    FirstPage,
    DeepPage,
}

impl Work {
    pub(crate) const IN_MEMORY: [Self; 2] = [Self::Retrieve, Self::Page];
    pub(crate) const OVER_POSTGRES: [Self; 3] = [Self::Retrieve, Self::FirstPage, Self::DeepPage];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Retrieve => "retrieve",
            Self::Page => "page of 100",
            Self::FirstPage => "first page of 100",
            Self::DeepPage => "page of 100 behind 0.9 of the rows",
        }
    }
}

/// How a server did one kind of work in a round.
pub(crate) struct Turn {
    pub(crate) answers_per_second: f64,
    /// Of the server and its database, for an answer.
    pub(crate) cpu_microseconds: f64,
    /// Quantiles at half of the highest rate, in microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

/// What a server's process took in a round.
pub(crate) struct Footprint {
    pub(crate) first_answer_milliseconds: f64,
    /// In megabytes: after its first answer.
    pub(crate) resident_before: f64,
    /// The same after all work of the round.
    pub(crate) resident_after: f64,
}

/// A round: each server at each kind of work.
#[derive(Default)]
pub(crate) struct Round {
    pub(crate) turns: BTreeMap<(Work, Rival), Turn>,
    pub(crate) footprints: BTreeMap<Rival, Footprint>,
}

/// All rounds.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) rounds: Vec<Round>,
}

impl Figures {
    /// The median of a figure of a server's turns.
    pub(crate) fn of(&self, work: Work, rival: Rival, figure: impl Fn(&Turn) -> f64) -> f64 {
        self.median(|round| round.turns.get(&(work, rival)).map(&figure))
    }

    /// The median of a figure of a server's process.
    pub(crate) fn footprint(&self, rival: Rival, figure: impl Fn(&Footprint) -> f64) -> f64 {
        self.median(|round| round.footprints.get(&rival).map(&figure))
    }

    /// A figure of one server's turns, of that of another one's: the median of the rounds' ratios.
    pub(crate) fn ratio(
        &self,
        one: (Work, Rival),
        other: (Work, Rival),
        figure: impl Fn(&Turn) -> f64,
    ) -> f64 {
        self.median(|round| {
            let (one, other) = (round.turns.get(&one)?, round.turns.get(&other)?);
            Some(figure(one) / figure(other))
        })
    }

    /// How much memory after the start, as a part of another server's: the median of the rounds' ratios.
    pub(crate) fn resident_ratio(&self, one: Rival, other: Rival) -> f64 {
        self.median(|round| {
            let one = round.footprints.get(&one)?.resident_before;
            Some(one / round.footprints.get(&other)?.resident_before)
        })
    }

    fn median(&self, figure: impl Fn(&Round) -> Option<f64>) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().filter_map(figure).collect();
        values.sort_unstable_by(f64::total_cmp);
        let middle = values.len() / 2;
        let value = |at: usize| values.get(at).copied().unwrap_or(f64::NAN);
        match values.len() % 2 {
            1 => value(middle),
            _ => f64::midpoint(value(middle.wrapping_sub(1)), value(middle)),
        }
    }
}
