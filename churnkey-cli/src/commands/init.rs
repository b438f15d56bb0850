//! `churnkey init`: a commented `churnkey.toml` for an integration, after asking it what it serves.

use std::{
    fmt::{self, Write as _},
    fs::File,
    io::{ErrorKind, Write as _},
};

use churnkey_conformance::{churnkey_integrator::Operation, served};
use serde_json::{Value, json};

use crate::{
    arguments::InitArguments,
    connection::Connection,
    exit::{Failure, Outcome},
    fixtures::{self, NOBODY, Named},
    output::{self, printable},
    settings::{FILE_NAME, Settings, TokenSource},
};

pub(crate) async fn run(
    arguments: &InitArguments,
    settings: &Settings,
    connection: &Connection,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let manifest = connection.manifest().await?;
    let served: Vec<Operation> = served(&manifest).collect();
    let found = fixtures::find(connection, &served, Named::default()).await?;
    let text = text(settings, &served, &found).unwrap_or_default();

    let mut open = File::options();
    open.write(true);
    if arguments.force {
        open.create(true).truncate(true);
    } else {
        open.create_new(true);
    }
    let written = open
        .open(FILE_NAME)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        Failure::Usage(match error.kind() {
            ErrorKind::AlreadyExists => {
                format!("there is a {FILE_NAME} already: give --force to write it anew")
            }
            _ => format!("{FILE_NAME} can't be written: {error}"),
        })
    })?;

    let name = manifest
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let names: Vec<&str> = served.iter().map(|operation| operation.name()).collect();
    if as_json {
        output::json(&json!({
            "version": output::VERSION,
            "file": FILE_NAME,
            "name": name,
            "serves": names,
        }))?;
    } else {
        output::line(format_args!(
            "{} serves {}",
            printable(name),
            names.join(", ")
        ))?;
        output::line(format_args!("{FILE_NAME} is written; next: churnkey check"))?;
    }
    Ok(Outcome::Good)
}

fn text(settings: &Settings, served: &[Operation], found: &Named) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "# What churnkey knows of this integration. The command line and the environment come first.\n"
    )?;
    writeln!(
        text,
        "# The URL with the prefix.\nurl = {}\n",
        quoted(&settings.target.url(""))
    )?;
    writeln!(
        text,
        "# Where the token is. The token itself does not belong here."
    )?;
    match &settings.token_source {
        TokenSource::Variable(name, _) => writeln!(text, "token-env = {}\n", quoted(name))?,
        TokenSource::File(path, _) => {
            writeln!(text, "token-file = {}\n", quoted(&path.to_string_lossy()))?;
        }
    }
    writeln!(
        text,
        "# The data to ask for: live or test.\nmode = {}\n",
        quoted(settings.mode.as_str())
    )?;
    writeln!(
        text,
        "# How many seconds an answer may take.\ntimeout = {}\n",
        settings.timeout.as_secs()
    )?;
    if let Some(ca) = &settings.ca {
        writeln!(
            text,
            "# Certificates to trust besides those of the machine."
        )?;
        writeln!(text, "ca = {}\n", quoted(&ca.to_string_lossy()))?;
    }
    if let Some(resolve) = &settings.resolve {
        writeln!(
            text,
            "# The address to connect to instead of the one that the name has."
        )?;
        writeln!(text, "resolve = {}\n", quoted(&resolve.to_string()))?;
    }

    writeln!(
        text,
        "# The records that `churnkey check` uses. What is not named, it looks for in the lists."
    )?;
    writeln!(text, "[fixtures]")?;
    let subscription = found.subscription.clone().map(String::from);
    let missing = Some(NOBODY.to_owned());
    for (name, id) in [
        ("customer", &found.customer),
        ("missing", &missing),
        ("test-customer", &found.test_customer),
        ("subscription", &subscription),
        ("price", &found.price),
        ("coupon", &found.coupon),
        ("product", &found.product),
        ("family", &found.family),
    ] {
        if let Some(id) = id {
            writeln!(text, "{name} = {}", quoted(id))?;
        }
    }
    writeln!(
        text,
        "# Addresses and numbers are personal data, so those that were found are not written here."
    )?;
    writeln!(
        text,
        "# email = \"CUSTOMER/ADDRESS\"\n# phone = \"CUSTOMER/NUMBER\""
    )?;
    writeln!(
        text,
        "# What both modes have the same of.\n# shared = [\"prices\", \"coupons\", \"products\", \"families\"]"
    )?;
    let actions: Vec<String> = served.iter().filter_map(|action| change(*action)).collect();
    if !actions.is_empty() {
        writeln!(
            text,
            "# What `churnkey check --yes` may change for good. Each run needs fresh records."
        )?;
        writeln!(text, "# disposable = [")?;
        for action in actions {
            writeln!(text, "#     {},", quoted(&action))?;
        }
        writeln!(text, "# ]")?;
    }
    Ok(text)
}

/// How a record is named that the action may change.
fn change(action: Operation) -> Option<String> {
    let record = match action {
        Operation::Cancel(_) | Operation::Pause(_) if action.name().ends_with("_all") => "CUSTOMER",
        Operation::Cancel(_) | Operation::Pause(_) | Operation::ExtendTrial(_) => {
            "CUSTOMER/SUBSCRIPTION"
        }
        Operation::ApplyCoupon(_) => "CUSTOMER/SUBSCRIPTION/COUPON",
        Operation::ChangePrice(_) => "CUSTOMER/SUBSCRIPTION/PRICE",
        _ => return None,
    };
    Some(format!("{}={record}", action.name().replace('_', "-")))
}

/// JSON's strings are strings of TOML as well.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
