//! The conformance suite, with the records that it is given and those that it finds.

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
    arguments::Only,
    connection::Connection,
    exit::Failure,
    fixtures::{self, NOBODY, Named},
    report::Checked,
};

/// What is to be checked.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) named: Named,
    pub(crate) only: Vec<Only>,
    /// Whether disposable records are changed.
    pub(crate) may_change: bool,
    /// A shell command that sets the clock of the integration's data.
    pub(crate) advance_clock: Option<String>,
}

/// What came out.
pub(crate) struct Ran {
    pub(crate) checked: Checked,
    /// The disposable records that were left as they are.
    pub(crate) spared: Vec<String>,
}

/// Runs the suite.
///
/// # Errors
/// If there is no integration, no customer to check with, or the command for the clock fails. What the integration does
/// wrong is in the result.
pub(crate) async fn run(connection: &Connection, wanted: Wanted) -> Result<Ran, Failure> {
    let progress = connection.progress();
    progress.say("looking for records".to_owned());
    let manifest = connection.manifest().await?;
    let served: Vec<Operation> = served(&manifest).collect();
    let found = fixtures::find(connection, &served, wanted.named).await?;
    let Some(customer) = found.customer.clone() else {
        return Err(Failure::Usage(
            "there is no customer to check with, as none was listed: name one with --customer ID"
                .to_owned(),
        ));
    };

    let is_asked_for = |operation| Only::has(&wanted.only, operation, None);
    let may_change = |operation| wanted.may_change && is_asked_for(operation);
    let asked_for = Operation::all().filter(|operation| is_asked_for(*operation));
    let mut fixtures = found.fixtures(&customer, may_change).only(asked_for);
    let clock = Clock::default();
    if let Some(command) = wanted.advance_clock {
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
    let disposable = found.disposable.iter().filter(|_| !wanted.may_change);
    let spared = disposable.map(|change| String::from(change.clone()));
    let name = manifest
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Ok(Ran {
        spared: spared.collect(),
        checked: Checked::new(
            name.to_owned(),
            connection.target().url(""),
            used(&found, &customer),
            &report,
            &wanted.only,
        ),
    })
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
