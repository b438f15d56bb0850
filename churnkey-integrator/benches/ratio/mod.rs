//! Compares two ways of doing the same work, by instructions and by time.
//!
//! Only ratios travel from one machine to another. So the two sides take turns in one process, round by round: what
//! else the machine does falls on both. Instructions are counted by valgrind, which runs this very executable again for
//! one side alone, once with n and once with 2n iterations; in the difference of the two, starting up cancels out.

use std::{env, hint::black_box, process::Command, time::Instant};

/// Odd, so that the median is one of them.
const ROUNDS: usize = 101;
/// Long against the clock's resolution, short against the machine's moods.
const ROUND_SECONDS: f64 = 0.01;
/// The first argument of a run under valgrind; row, side and iterations follow.
const COUNT: &str = "count";

/// Does the work so many times.
type Side<'a> = &'a mut dyn FnMut(u64);

/// The highest ratio that is still good; `None` if the figure is for information.
pub(crate) struct Goals {
    pub(crate) instructions: Option<f64>,
    pub(crate) time: Option<f64>,
}

/// Runs both sides of a row, prints it, and returns the instructions of both, if they were counted.
///
/// `iterations` is for the count alone: enough that one operation's share is exact, few enough for valgrind's pace.
pub(crate) fn compare(
    row: &str,
    iterations: u64,
    goals: &Goals,
    mut ours: impl FnMut(u64),
    mut rival: impl FnMut(u64),
) -> Option<(f64, f64)> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [mode, asked, side, iterations] = arguments.as_slice()
        && mode == COUNT
    {
        let side: Side = if side == "ours" {
            &mut ours
        } else {
            &mut rival
        };
        if asked == row {
            side(iterations.parse().unwrap());
        }
        return None;
    }
    println!(
        "\n{row:<34} {:>10} {:>10} {:>6} {:>6}",
        "ours", "rival", "ratio", "goal"
    );
    let count = |side| count(row, side, iterations);
    let instructions = count("ours").zip(count("rival"));
    match instructions {
        Some((ours, rival)) => line(
            "instructions",
            ours,
            rival,
            ours / rival,
            goals.instructions,
        ),
        None => {
            println!("  instructions: not counted, install valgrind (apt-get install valgrind)")
        }
    }
    let (ours, rival, ratio) = time(&mut ours, &mut rival);
    line("nanoseconds", ours, rival, ratio, goals.time);
    instructions
}

fn line(unit: &str, ours: f64, rival: f64, ratio: f64, goal: Option<f64>) {
    let (goal, verdict) = match goal {
        Some(goal) if ratio <= goal => (format!("{goal:.2}"), "kept"),
        Some(goal) => (format!("{goal:.2}"), "MISSED"),
        None => ("-".to_owned(), ""),
    };
    println!("  {unit:<32} {ours:>10.0} {rival:>10.0} {ratio:>6.2} {goal:>6} {verdict}");
}

/// The medians of both sides, and the median of the rounds' ratios.
fn time(ours: Side, rival: Side) -> (f64, f64, f64) {
    let iterations = warm_up(ours).max(warm_up(rival));
    let mut rounds = [(0.0, 0.0); ROUNDS];
    for (number, round) in rounds.iter_mut().enumerate() {
        // Who goes second finds the caches and the clock rate as the first has left them.
        if number % 2 == 0 {
            round.0 = nanoseconds(ours, iterations);
            round.1 = nanoseconds(rival, iterations);
        } else {
            round.1 = nanoseconds(rival, iterations);
            round.0 = nanoseconds(ours, iterations);
        }
    }
    let median = |figure: fn((f64, f64)) -> f64| {
        let mut figures = rounds.map(figure);
        figures.sort_by(f64::total_cmp);
        figures[ROUNDS / 2]
    };
    (median(|r| r.0), median(|r| r.1), median(|r| r.0 / r.1))
}

/// How many iterations fill a round.
fn warm_up(side: Side) -> u64 {
    let mut iterations = 1;
    while nanoseconds(side, iterations) * (iterations as f64) < ROUND_SECONDS * 1e9 {
        iterations *= 2;
    }
    iterations
}

fn nanoseconds(side: Side, iterations: u64) -> f64 {
    let started = Instant::now();
    side(black_box(iterations));
    started.elapsed().as_secs_f64() * 1e9 / iterations as f64
}

/// Instructions of one operation; `None` without valgrind.
fn count(row: &str, side: &str, iterations: u64) -> Option<f64> {
    let collected = |iterations: u64| -> Option<f64> {
        let run = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(env::current_exe().ok()?)
            .args([COUNT, row, side, &iterations.to_string()])
            .output();
        let log = String::from_utf8(run.ok()?.stderr).ok()?;
        let total = log.split("Collected :").nth(1)?.split_whitespace().next()?;
        total.parse().ok()
    };
    Some((collected(2 * iterations)? - collected(iterations)?) / iterations as f64)
}
