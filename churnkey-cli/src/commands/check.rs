//! `churnkey check`: the conformance suite, with the records that it finds or is given.

use crate::{
    arguments::{CheckArguments, FailOn, ReportForm},
    connection::Connection,
    exit::{Failure, Outcome},
    fixtures::Named,
    output,
    suite::{self, Ran, Wanted},
};

pub(crate) async fn run(
    arguments: CheckArguments,
    configured: Named,
    connection: &Connection,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let form = match (arguments.report, as_json) {
        (Some(form), false) => form,
        (None, false) => ReportForm::Text,
        (Some(ReportForm::Json) | None, true) => ReportForm::Json,
        (Some(_), true) => {
            return Err(Failure::Usage(
                "--json is --report json: leave out one of the two".to_owned(),
            ));
        }
    };
    let wanted = Wanted {
        named: arguments.fixtures.or(configured),
        only: arguments.only,
        may_change: arguments.yes,
        advance_clock: arguments.advance_clock,
    };
    let Ran { checked, spared } = suite::run(connection, wanted).await?;
    if !spared.is_empty() {
        output::note(format_args!(
            "not done without --yes: {}",
            spared.join(", ")
        ))?;
    }

    let written = checked.written(form);
    output::to(arguments.output.as_deref(), &written)?;
    Ok(Outcome::good_if(match arguments.fail_on {
        FailOn::Findings => !checked.has_findings(),
        FailOn::Unchecked => !checked.has_findings() && !checked.has_skipped(),
        FailOn::Nothing => true,
    }))
}
