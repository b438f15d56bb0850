//! `churnkey check`: the conformance suite, with the records that it finds or is given.

use std::fs;

use churnkey_conformance::{NotChecked, check, churnkey_integrator::Operation, served};
use serde_json::Value;

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

    let may_change = |operation| arguments.yes && Only::has(&arguments.only, operation, None);
    let fixtures = found.fixtures(&customer, may_change);
    progress.say("checking".to_owned());
    let report = check(&connection.client, &fixtures)
        .await
        .map_err(|error| match error {
            NotChecked::NoAnswer { .. } => Failure::Unreachable(error.to_string()),
            error => Failure::Answer(error.to_string()),
        })?;
    progress.end();
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
    match &arguments.output {
        None => output::line(written)?,
        Some(file) => {
            // A file is no terminal.
            let written = anstream::adapter::strip_str(&written);
            fs::write(file, format!("{written}\n")).map_err(|error| {
                Failure::Usage(format!("{} can't be written: {error}", file.display()))
            })?;
        }
    }
    Ok(Outcome::good_if(match arguments.fail_on {
        FailOn::Findings => !checked.has_findings(),
        FailOn::Unchecked => !checked.has_findings() && !checked.has_skipped(),
        FailOn::Nothing => true,
    }))
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
