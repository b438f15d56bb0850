//! `churnkey check`: the conformance suite, with the records that it finds or is given.

use std::{
    io,
    process::Stdio,
    sync::{Arc, OnceLock},
};

use churnkey_conformance::{
    NotChecked, check,
    churnkey_integrator::{Operation, Timestamp},
    served,
};
use serde_json::Value;
use tokio::process::Command;

use crate::{
    arguments::{CheckArguments, FailOn, Only, ReportForm},
    connection::Connection,
    exit::{Failure, Outcome},
    fixtures::{self, NOBODY, Named},
    output,
    report::Checked,
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
    let progress = connection.progress();
    progress.say("looking for records".to_owned());
    let manifest = connection.manifest().await?;
    let served: Vec<Operation> = served(&manifest).collect();
    let named = arguments.fixtures.or(configured);
    let found = fixtures::find(connection, &served, named).await?;
    let Some(customer) = found.customer.clone() else {
        return Err(Failure::Usage(
            "there is no customer to check with, as none was listed: name one with --customer ID"
                .to_owned(),
        ));
    };

    let is_asked_for = |operation| Only::has(&arguments.only, operation, None);
    let may_change = |operation| arguments.yes && is_asked_for(operation);
    let asked_for = Operation::all().filter(|operation| is_asked_for(*operation));
    let mut fixtures = found.fixtures(&customer, may_change).only(asked_for);
    let clock = Clock::default();
    if let Some(command) = arguments.advance_clock {
        let clock = clock.clone();
        fixtures =
            fixtures.advance_clock(move |moment| clock.clone().advance(command.clone(), moment));
    }
    progress.say("checking".to_owned());
    let report = check(&connection.client, &fixtures)
        .await
        .map_err(|error| match error {
            NotChecked::NoAnswer { .. } => Failure::Unreachable(error.to_string()),
            error => Failure::Answer(error.to_string()),
        })?;
    progress.end();
    if let Some(failure) = clock.failure.get() {
        return Err(Failure::Usage(format!(
            "the command of --advance-clock failed: {failure}"
        )));
    }
    if !arguments.yes && !found.disposable.is_empty() {
        let named = found
            .disposable
            .iter()
            .map(|change| String::from(change.clone()));
        let named = named.collect::<Vec<_>>().join(", ");
        output::note(format_args!("not done without --yes: {named}"))?;
    }

    let name = manifest
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let checked = Checked::new(
        name.to_owned(),
        connection.target().url(""),
        used(&found, &customer),
        &report,
        &arguments.only,
    );
    let written = checked.written(form);
    output::to(arguments.output.as_deref(), &written)?;
    Ok(Outcome::good_if(match arguments.fail_on {
        FailOn::Findings => !checked.has_findings(),
        FailOn::Unchecked => !checked.has_findings() && !checked.has_skipped(),
        FailOn::Nothing => true,
    }))
}

/// The clock of the integration's data, which a command sets.
#[derive(Clone, Default)]
struct Clock {
    /// Of the command: what is found after that means nothing.
    failure: Arc<OnceLock<String>>,
}

impl Clock {
    async fn advance(self, command: String, moment: Timestamp) {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &command])
            .env("CHURNKEY_CLOCK", moment.to_string())
            .env("CHURNKEY_CLOCK_SECONDS", moment.unix_seconds().to_string())
            .stdin(Stdio::null())
            // Standard output is for the report.
            .stdout(io::stderr());
        let failure = match shell.status().await {
            Ok(status) if status.success() => return,
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        // The first failure explains the later ones.
        let _ = self.failure.set(failure);
    }
}

/// The records that were used. Addresses and numbers are told by their owners.
fn used(found: &Named, customer: &str) -> Vec<(&'static str, String)> {
    let pair = |pair: &fixtures::Pair| String::from(pair.clone());
    let missing = found.missing.as_deref().unwrap_or(NOBODY);
    let used = [
        ("customer", Some(customer.to_owned())),
        ("missing", Some(missing.to_owned())),
        ("test-customer", found.test_customer.clone()),
        (
            "email",
            found
                .email
                .as_ref()
                .map(|email| format!("of {}", email.customer)),
        ),
        (
            "phone",
            found
                .phone
                .as_ref()
                .map(|phone| format!("of {}", phone.customer)),
        ),
        ("subscription", found.subscription.as_ref().map(pair)),
        ("price", found.price.clone()),
        ("coupon", found.coupon.clone()),
        ("product", found.product.clone()),
        ("family", found.family.clone()),
    ];
    let used = used.into_iter();
    used.filter_map(|(what, id)| Some((what, id?))).collect()
}
