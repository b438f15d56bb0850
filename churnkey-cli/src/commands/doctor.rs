//! `churnkey doctor`: why calls are refused, and what to do.

use serde_json::{Value, json};

use crate::{
    arguments::DoctorArguments,
    connection::Connection,
    doctor::{Diagnosis, Finding, Suspects, diagnose},
    exit::{Failure, Outcome},
    output::{self, BAD, FAINT, GOOD, printable, styled},
    settings::{Settings, TokenSource},
};

pub(crate) async fn run(
    arguments: DoctorArguments,
    settings: &Settings,
    connection: &Connection,
    verbose: bool,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let old_token = arguments
        .old_token_env
        .map(|name| TokenSource::Variable(name, "--old-token-env").read());
    let suspects = Suspects {
        prefixes: arguments.try_prefix,
        old_token: old_token.transpose()?,
    };
    let progress = connection.progress().clone();
    let diagnosis = diagnose(settings, suspects, progress, verbose).await?;
    connection.progress().end();
    if as_json {
        output::json(&to_json(&diagnosis))?;
    } else {
        print(&diagnosis, connection)?;
    }
    Ok(
        match (diagnosis.findings.is_empty(), diagnosis.was_answered) {
            (_, false) => Outcome::Unanswered,
            (is_healthy, true) => Outcome::good_if(is_healthy),
        },
    )
}

fn to_json(diagnosis: &Diagnosis) -> Value {
    let mut causes = diagnosis.findings.iter().map(|Finding { cause, detail }| {
        json!({ "name": cause.name(), "detail": printable(detail), "advice": cause.advice() })
    });
    json!({
        "version": output::VERSION,
        "healthy": diagnosis.findings.is_empty(),
        "cause": causes.next(),
        "other_causes": causes.collect::<Vec<_>>(),
        "requests": diagnosis.requests,
        "clock_offset_seconds": diagnosis.clock_offset_seconds,
    })
}

fn print(diagnosis: &Diagnosis, connection: &Connection) -> Result<(), Failure> {
    let url = connection.target().url("");
    if diagnosis.findings.is_empty() {
        let mode = connection.mode().as_str();
        output::line(format_args!(
            "{url} {} for {mode} data; `churnkey check` looks at its answers",
            styled(GOOD, "is healthy")
        ))?;
    }
    for (at, Finding { cause, detail }) in diagnosis.findings.iter().enumerate() {
        if at == 1 {
            output::line("\nBesides:")?;
        }
        let detail = printable(detail);
        output::line(format_args!("{}: {detail}.", styled(BAD, cause.name())))?;
        output::line(format_args!("  {}", cause.advice()))?;
    }
    let clock = match diagnosis.clock_offset_seconds {
        None => String::new(),
        // `Date` has whole seconds, and may be written a little earlier.
        Some(-2..=2) => "; the clocks agree".to_owned(),
        Some(offset @ 3..) => format!("; the server's clock is {offset} s ahead"),
        Some(offset) => format!("; the server's clock is {} s behind", offset.unsigned_abs()),
    };
    let requests = diagnosis.requests;
    let requests = match requests {
        1 => "1 request".to_owned(),
        _ => format!("{requests} requests"),
    };
    output::line(styled(FAINT, format_args!("{requests}{clock}")))
}
