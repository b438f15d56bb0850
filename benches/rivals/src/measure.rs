//! The rounds: all servers are started, then take turns at each kind of work. Which begins changes from round to round.

use std::{error::Error, time::Duration};

use rivals::{
    by_hand::{CursorKeys, Mode, SigningKey},
    client::Call,
    customers::id,
    source::Source,
};

use crate::{
    figures::{Figures, Footprint, Round, Turn, Work},
    processes,
    rival::Rival,
    running::{Running, TOKEN},
    steady, wrk,
};

/// As many as a server has connections to its database.
const CONNECTIONS: usize = rivals::source::MAX_CONNECTIONS;
/// How many different customers and pages are asked for.
const DIFFERENT: u64 = 300;
/// How long a server is called before it is measured, in seconds.
const WARM_UP: u32 = 1;

/// What is measured, and for how long.
pub(crate) struct Plan<'a> {
    pub(crate) rivals: &'a [Rival],
    pub(crate) works: &'a [Work],
    pub(crate) source: Source,
    pub(crate) customers: u64,
    /// PostgreSQL's first process. What its processes use counts as the server's.
    pub(crate) database: Option<u32>,
    pub(crate) rounds: u32,
    pub(crate) seconds: u32,
}

impl Plan<'_> {
    pub(crate) fn measure(&self) -> Result<Figures, Box<dyn Error>> {
        let mut figures = Figures::default();
        for round in 0..self.rounds {
            figures.rounds.push(self.round(round)?);
        }
        Ok(figures)
    }

    fn round(&self, number: u32) -> Result<Round, Box<dyn Error>> {
        let mut order = self.rivals.to_vec();
        order.rotate_left(usize::try_from(number)? % self.rivals.len().max(1));
        if number % 2 == 1 {
            order.reverse();
        }
        let mut round = Round::default();
        let mut running = Vec::new();
        for rival in order {
            let server = Running::start(rival, &self.source)?;
            let footprint = Footprint {
                first_answer_milliseconds: server.started_in().as_secs_f64() * 1000.0,
                resident_before: processes::resident(server.process())?,
                resident_after: 0.0,
            };
            round.footprints.insert(rival, footprint);
            running.push((rival, server));
        }
        for work in self.works {
            let paths = paths(*work, self.customers);
            for (rival, server) in &running {
                let turn = self.turn(server, &paths)?;
                println!(
                    "round {}: {}, {}: {:.0} a second, {:.1} us CPU, p99 {:.0} us",
                    number + 1,
                    work.name(),
                    rival.name(),
                    turn.answers_per_second,
                    turn.cpu_microseconds,
                    turn.p99,
                );
                round.turns.insert((*work, *rival), turn);
            }
            running.rotate_left(1);
        }
        for (rival, server) in &running {
            if let Some(footprint) = round.footprints.get_mut(rival) {
                footprint.resident_after = processes::resident(server.process())?;
            }
        }
        Ok(round)
    }

    fn turn(&self, server: &Running, paths: &[String]) -> Result<Turn, Box<dyn Error>> {
        let key = &SigningKey::new(TOKEN);
        let address = server.address();
        wrk::run(address, paths, key, CONNECTIONS, WARM_UP)?;
        let before = self.cpu(server)?;
        let answers = wrk::run(address, paths, key, CONNECTIONS, self.seconds)?;
        let used = self.cpu(server)?.saturating_sub(before);
        let answers_per_second = answers.number / answers.seconds;

        let calls: Vec<Call> = paths.iter().map(|path| Call::signed(path, key)).collect();
        let lasts = Duration::from_secs(self.seconds.into());
        let rate = answers_per_second / 2.0;
        let taken = steady::run(address, &calls, CONNECTIONS, rate, lasts)?;
        let quantile = |quantile| {
            let microseconds = taken.value_at_quantile(quantile);
            // No answer takes a time that a u32 can't hold.
            f64::from(u32::try_from(microseconds).unwrap_or(u32::MAX))
        };
        Ok(Turn {
            answers_per_second,
            cpu_microseconds: used.as_secs_f64() * 1e6 / answers.number,
            p50: quantile(0.5),
            p99: quantile(0.99),
            p999: quantile(0.999),
        })
    }

    fn cpu(&self, server: &Running) -> Result<Duration, Box<dyn Error>> {
        let own = processes::cpu(server.process())?;
        let database = self.database.map(processes::cpu_with_children);
        Ok(own + database.transpose()?.unwrap_or_default())
    }
}

/// The paths that are asked for in turns, among this many customers.
fn paths(work: Work, customers: u64) -> Vec<String> {
    let list = "/churnkey/customers?limit=100";
    let cursors = CursorKeys::new(TOKEN);
    let page = |after| format!("{list}&cursor={}", cursors.sign(Mode::Live, after));
    let spread = |over: u64| (0..DIFFERENT).map(move |n| n * over / DIFFERENT);
    // The pages begin where a whole one is left.
    let pages = customers.saturating_sub(101);
    match work {
        Work::Retrieve => spread(customers)
            .map(|before| format!("/churnkey/customers/{}", id(before + 1)))
            .collect(),
        Work::Page => spread(pages).map(page).collect(),
        Work::FirstPage => vec![list.to_owned()],
        Work::DeepPage => {
            let depth = customers / 10 * 9;
            let further = pages.saturating_sub(depth).min(DIFFERENT * 100);
            spread(further).map(|n| page(depth + n)).collect()
        }
    }
}
