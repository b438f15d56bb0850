//! The tables of BENCHMARKS.md, and whether the goals are met.

use std::{
    error::Error,
    fmt::{self, Write},
    fs,
};

use crate::{
    figures::{Figures, Footprint, Turn, Work},
    rival::Rival,
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../BENCHMARKS.md");
/// A table of BENCHMARKS.md with its goals.
pub(crate) struct Report {
    title: &'static str,
    text: String,
}

/// A goal, and what was measured.
struct Goal {
    name: &'static str,
    wanted: String,
    measured: f64,
    is_met: bool,
}

impl Goal {
    fn at_least(bound: f64, name: &'static str, measured: f64) -> Self {
        Self {
            name,
            wanted: format!("at least {bound}"),
            measured,
            is_met: measured >= bound,
        }
    }

    fn at_most(bound: f64, name: &'static str, measured: f64) -> Self {
        Self {
            name,
            wanted: format!("at most {bound}"),
            measured,
            is_met: measured <= bound,
        }
    }
}

impl Report {
    /// What was measured over customers in memory. `how` says how.
    pub(crate) fn in_memory(figures: &Figures, how: &str) -> Result<Self, fmt::Error> {
        use Rival::{Express, Fastify, Ours, Production};
        use Work::{Page, Retrieve};

        let title = "in memory";
        let mut text = format!("{how}\n");
        table(
            &mut text,
            title,
            &Rival::IN_MEMORY,
            &Work::IN_MEMORY,
            figures,
        )?;
        let speed = |one, other| figures.ratio(one, other, |turn| turn.answers_per_second);
        let times = |work, rival| speed((work, Ours), (work, rival));
        let memory = figures.resident_ratio(Ours, Fastify);
        let goals = [
            Goal::at_least(0.97, "retrieve, of axum", times(Retrieve, Production)),
            Goal::at_least(0.97, "page, of axum", times(Page, Production)),
            Goal::at_least(3.0, "retrieve, of Fastify", times(Retrieve, Fastify)),
            Goal::at_least(10.0, "retrieve, of Express", times(Retrieve, Express)),
            Goal::at_least(5.0, "page, of Fastify", times(Page, Fastify)),
            Goal::at_most(0.75, "memory after the start, of Fastify's", memory),
        ];
        verdicts(&mut text, &goals)?;
        Ok(Self { title, text })
    }

    /// What was measured over customers in PostgreSQL. `how` says how.
    pub(crate) fn over_postgres(figures: &Figures, how: &str) -> Result<Self, fmt::Error> {
        use Rival::{Ours, Production};
        use Work::{DeepPage, FirstPage, Retrieve};

        let title = "PostgreSQL";
        let mut text = format!("{how}\n");
        table(
            &mut text,
            title,
            &Rival::OVER_POSTGRES,
            &Work::OVER_POSTGRES,
            figures,
        )?;
        let speed = |one, other| figures.ratio(one, other, |turn| turn.answers_per_second);
        let times = |work| speed((work, Ours), (work, Production));
        let depth = speed((FirstPage, Ours), (DeepPage, Ours));
        let goals = [
            Goal::at_least(0.97, "retrieve, of axum", times(Retrieve)),
            Goal::at_least(0.97, "first page, of axum", times(FirstPage)),
            Goal::at_least(0.97, "deep page, of axum", times(DeepPage)),
            Goal::at_most(1.2, "time of a deep page, of a first one's", depth),
        ];
        verdicts(&mut text, &goals)?;
        Ok(Self { title, text })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Replaces the former one in BENCHMARKS.md.
    pub(crate) fn write(&self) -> Result<(), Box<dyn Error>> {
        let title = self.title;
        let begin =
            format!("<!-- By `cargo run --profile production -p rivals -- --write`: {title} -->\n");
        let end = format!("\n<!-- Until here: {title} -->");
        let page = fs::read_to_string(PAGE)?;
        let parts = page.split_once(&begin).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(&end)?;
            Some((before, after))
        });
        let (before, after) =
            parts.ok_or("BENCHMARKS.md has lost the comments around the tables")?;
        fs::write(PAGE, format!("{before}{begin}\n{}{end}{after}", self.text))?;
        Ok(())
    }
}

/// A table of goals. Their axum is the production-like one, too.
fn verdicts(text: &mut String, goals: &[Goal]) -> fmt::Result {
    text.push_str("\n| goal, by round | wanted | measured | |\n| --- | --- | ---: | --- |\n");
    for goal in goals {
        let verdict = if goal.is_met { "met" } else { "**missed**" };
        let (name, wanted, measured) = (goal.name, &goal.wanted, goal.measured);
        writeln!(text, "| {name} | {wanted} | {measured:.2} | {verdict} |")?;
    }
    Ok(())
}

/// A table with a column for each server. The axum of its ratios is the production-like one.
fn table(
    text: &mut String,
    title: &str,
    rivals: &[Rival],
    works: &[Work],
    figures: &Figures,
) -> fmt::Result {
    write!(text, "\n| signed, {title} |")?;
    for rival in rivals {
        write!(text, " {} |", rival.name())?;
    }
    writeln!(text, "\n| --- |{}", " ---: |".repeat(rivals.len()))?;
    let mut row = |name: &str, cell: &dyn Fn(Rival) -> String| -> fmt::Result {
        let cells = rivals.iter().map(|rival| cell(*rival));
        writeln!(
            text,
            "| {name} | {} |",
            cells.collect::<Vec<_>>().join(" | ")
        )
    };
    for work in works {
        let of = |rival, figure: fn(&Turn) -> f64| figures.of(*work, rival, figure);
        let of_axum = |rival, figure: fn(&Turn) -> f64| {
            figures.ratio((*work, rival), (*work, Rival::Production), figure)
        };
        let name = work.name();
        row(&format!("{name}: answers a second"), &|rival| {
            grouped(of(rival, |turn| turn.answers_per_second))
        })?;
        row("of axum's, by round", &|rival| {
            format!("{:.2}", of_axum(rival, |turn| turn.answers_per_second))
        })?;
        row("CPU, µs", &|rival| {
            format!("{:.1}", of(rival, |turn| turn.cpu_microseconds))
        })?;
        row("of axum's, by round", &|rival| {
            format!("{:.2}", of_axum(rival, |turn| turn.cpu_microseconds))
        })?;
        row("p50 / p99 / p99.9 at half of that rate, µs", &|rival| {
            let quantiles = [
                of(rival, |turn| turn.p50),
                of(rival, |turn| turn.p99),
                of(rival, |turn| turn.p999),
            ];
            quantiles.map(grouped).join(" / ")
        })?;
    }
    let of = |rival, figure: fn(&Footprint) -> f64| figures.footprint(rival, figure);
    row("resident after the start / the load, MB", &|rival| {
        let before = of(rival, |footprint| footprint.resident_before);
        let after = of(rival, |footprint| footprint.resident_after);
        format!("{before:.0} / {after:.0}")
    })?;
    row("from the start to the first answer, ms", &|rival| {
        grouped(of(rival, |footprint| footprint.first_answer_milliseconds))
    })
}

/// A whole number with commas between its groups of three digits.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
