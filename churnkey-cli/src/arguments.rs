//! The command line.

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

use churnkey_conformance::{
    Rule,
    churnkey_integrator::{Mode, Operation},
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use http::Method;
use serde::Deserialize;

use crate::{connection::Override, fixtures::Named};

/// Calls and checks a Churnkey custom provider integration by its URL, whatever it is written in.
///
/// Settings come from the command line, then from the environment, then from churnkey.toml, which is looked for in the
/// working folder and above it. `churnkey init` writes one.
#[derive(Debug, Parser)]
#[command(name = "churnkey", version, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
    /// Write JSON for programs instead of text for people
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say on standard error what is sent and how it is answered; no secret is shown
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

const AFTER_HELP: &str = "Exit codes: 0 all is well; 1 something was found; 2 the command line or the settings are wrong; \
                          3 the integration did not answer.";

/// How to reach the integration.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Integration")]
pub(crate) struct ConnectionArguments {
    /// The URL of the integration with its prefix, such as http://127.0.0.1:3000/churnkey
    #[arg(long, global = true, env = "CHURNKEY_URL", hide_env_values = true)]
    pub(crate) url: Option<String>,
    /// The environment variable that holds the token [default: CK_INTEGRATION_TOKEN]
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        conflicts_with = "token_file"
    )]
    pub(crate) token_env: Option<String>,
    /// The file that holds the token; a line feed at its end is not part of the token
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Which data to ask for [default: live]
    #[arg(long, global = true, env = "CHURNKEY_MODE", hide_env_values = true)]
    pub(crate) mode: Option<ModeArgument>,
    /// How long an answer may take [default: 15]
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..),
        env = "CHURNKEY_TIMEOUT",
        hide_env_values = true
    )]
    pub(crate) timeout: Option<u32>,
    /// Connect to this address instead of the one that the name has
    #[arg(long, global = true, value_name = "HOST:PORT:ADDRESS")]
    pub(crate) resolve: Option<Override>,
    /// A PEM file of certificates to trust besides those of this machine, or of SSL_CERT_FILE
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Which HTTP to speak [default: what the server prefers over TLS, 1.1 without]
    #[arg(long, global = true, value_name = "VERSION")]
    pub(crate) http: Option<HttpVersion>,
    /// The settings to use instead of the churnkey.toml that is found
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModeArgument {
    Live,
    Test,
}

impl From<ModeArgument> for Mode {
    fn from(mode: ModeArgument) -> Self {
        match mode {
            ModeArgument::Live => Self::Live,
            ModeArgument::Test => Self::Test,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HttpVersion {
    #[value(name = "1.1")]
    Http1,
    #[value(name = "2")]
    Http2,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the headers that sign a request
    Sign(SignArguments),
    /// Send a signed request, and say what is wrong with the shape of the answer
    Call(CallArguments),
    /// Write the records of a list, one JSON object on each line, and check its pages
    List(ListArguments),
    /// Run the conformance suite
    ///
    /// An action is done only to the records that --disposable names, and with --yes only. Otherwise actions are sent in
    /// ways that the integration has to reject. One that does not reject them may change a record, so check a staging
    /// system first.
    Check(Box<CheckArguments>),
    /// Play Churnkey on this machine: the browser API, in front of the integration
    ///
    /// Without options it fits `cargo run -p in-memory`.
    Dev(Box<DevArguments>),
    /// Find out why calls are refused, and say what to do
    ///
    /// Sends at most 40 requests, and none that changes a record.
    Doctor(DoctorArguments),
    /// Count the e-mail addresses and phone numbers that several customers have
    ///
    /// A look-up by one of them is answered 409, unless the merchant ranks its owners. Exits 1 if there are any.
    Ambiguity(AmbiguityArguments),
    /// Measure how long signed reads take under a steady load
    ///
    /// Calls are due at fixed times, and a call's time counts from when it was due. So what a stall keeps waiting is
    /// measured as well. Exits 1 if there are errors.
    Bench(BenchArguments),
    /// Write the OpenAPI 3.1 document of what the integration serves, or of the contract
    ///
    /// Where no URL is set, it is the contract's.
    Openapi(OpenapiArguments),
    /// Ask the integration what it serves, and write a commented churnkey.toml into the working folder
    Init(InitArguments),
    /// Write a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man page
    Man,
}

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct RequestArguments {
    /// The HTTP method, such as GET
    #[arg(value_parser = method)]
    pub(crate) method: Method,
    /// The path below the URL's prefix with its query, percent-encoded, such as /customers/cus_1
    #[arg(value_parser = path)]
    pub(crate) path: String,
    /// The body: text, @FILE, or @- for standard input
    #[arg(long, value_name = "BODY")]
    pub(crate) body: Option<BodyArgument>,
}

#[derive(Debug, Args)]
pub(crate) struct SignArguments {
    #[command(flatten)]
    pub(crate) request: RequestArguments,
    /// Print a curl command instead; its signature is valid for five minutes
    #[arg(long)]
    pub(crate) curl: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CallArguments {
    #[command(flatten)]
    pub(crate) request: RequestArguments,
    /// Send the token itself instead of a signature
    #[arg(long)]
    pub(crate) plain: bool,
    /// Send the same request this many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,
    /// Send this Idempotency-Key
    #[arg(long, value_name = "KEY", value_parser = header_value)]
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// What to list
    pub(crate) resource: Resource,
    /// Whose subscriptions
    #[arg(long, value_name = "ID", required_if_eq("resource", "subscriptions"))]
    pub(crate) customer: Option<String>,
    /// How many records to ask for on each page [default: as many as the integration chooses]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// Stop after this many records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max: Option<u64>,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Resource {
    Customers,
    Subscriptions,
    Prices,
    Coupons,
    Products,
    Families,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// How to write the report [default: text]
    #[arg(long, value_name = "FORM")]
    pub(crate) report: Option<ReportForm>,
    /// Write the report to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Check these alone: operations (customers.list) and resources (customers); and report on these rules
    /// (each-record-once) alone
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = Only::from_str)]
    pub(crate) only: Vec<Only>,
    /// What makes the exit code 1
    #[arg(long, value_name = "WHAT", default_value = "findings")]
    pub(crate) fail_on: FailOn,
    /// Change the records that --disposable names
    #[arg(long)]
    pub(crate) yes: bool,
    /// Run this shell command to set the clock of the integration's data, and to do what is due by then; not the clock that
    /// it checks signatures with. The time is in CHURNKEY_CLOCK (RFC 3339) and CHURNKEY_CLOCK_SECONDS (Unix time). With it,
    /// what an action does at the end of a period is checked
    #[arg(long, value_name = "COMMAND", requires = "yes")]
    pub(crate) advance_clock: Option<String>,
    #[command(flatten)]
    pub(crate) fixtures: Named,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportForm {
    /// For people
    Text,
    /// For programs
    Json,
    /// For continuous integration
    Junit,
    /// For a browser, in one file
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// A broken rule
    Findings,
    /// A broken rule, or one that was not checked for want of a record
    Unchecked,
    /// Nothing that is in the report
    Nothing,
}

/// A part of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Only {
    Operation(Operation),
    Rule(Rule),
    /// The operations whose names begin with it and a dot.
    Resource(&'static str),
}

impl Only {
    /// Whether it is among these: nothing means everything, and a rule narrows the operations down.
    pub(crate) fn has(only: &[Self], operation: Operation, rule: Option<Rule>) -> bool {
        let is_rule = |part: &Self| matches!(part, Self::Rule(_));
        let operations: Vec<&Self> = only.iter().filter(|part| !is_rule(part)).collect();
        let rules: Vec<&Self> = only.iter().filter(|part| is_rule(part)).collect();
        let has_operation = operations.iter().any(|part| match part {
            Self::Operation(named) => *named == operation,
            Self::Resource(resource) => resource_of(operation) == Some(resource),
            Self::Rule(_) => false,
        });
        let has_rule = rule.is_none_or(|rule| rules.contains(&&Self::Rule(rule)));
        (operations.is_empty() || has_operation) && (rules.is_empty() || has_rule)
    }
}

impl FromStr for Only {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let operation = Operation::all().find(|operation| operation.name() == text);
        let rule = || Rule::all().find(|rule| rule.name() == text);
        let resource = || {
            Operation::all()
                .filter_map(resource_of)
                .find(|resource| *resource == text)
        };
        operation
            .map(Self::Operation)
            .or_else(|| rule().map(Self::Rule))
            .or_else(|| resource().map(Self::Resource))
            .ok_or("there is no such operation, resource or rule: a report with --json has their names")
    }
}

fn resource_of(operation: Operation) -> Option<&'static str> {
    operation
        .name()
        .split_once('.')
        .map(|(resource, _)| resource)
}

#[derive(Debug, Args)]
pub(crate) struct OpenapiArguments {
    /// Write the contract's document, even if a URL is set
    #[arg(long)]
    pub(crate) contract: bool,
    /// Write the document to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// Write over a churnkey.toml that is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DevArguments {
    /// The address to listen on; port 0 takes a free one
    ///
    /// One that other machines can reach needs a password of at least 12 characters in CHURNKEY_DEV_PASSWORD. With a
    /// password, every page asks for it.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8787")]
    pub(crate) listen: SocketAddr,
    /// The app's id in session tokens
    #[arg(long, value_name = "ID", default_value = "demo-app")]
    pub(crate) app_id: String,
    /// The environment variable that holds the API key of session tokens [default: CK_API_KEY, or the example's key]
    #[arg(long, value_name = "NAME")]
    pub(crate) api_key_env: Option<String>,
    /// Where to send webhooks, signed with CK_WEBHOOK_SECRET
    #[arg(long, value_name = "URL")]
    pub(crate) webhook_url: Option<String>,
    /// An origin whose pages may call, besides those of this machine
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Another prefix that a proxy may add or remove, such as /billing
    ///
    /// The URL's own, its parents, /churnkey and /api are tried always.
    #[arg(long, value_name = "PATH", value_parser = prefix)]
    pub(crate) try_prefix: Vec<String>,
    /// The environment variable that holds the token before the present one
    #[arg(long, value_name = "NAME")]
    pub(crate) old_token_env: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AmbiguityArguments {
    /// Show the addresses and numbers themselves
    #[arg(long)]
    pub(crate) show: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// Read this path below the URL's prefix, and others in turn [default: the list of customers, and the first of them]
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub(crate) path: Vec<String>,
    /// How many calls are due each second
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: u32,
    /// For how long calls are due
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) duration: u32,
    /// How many calls there may be at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: u16,
    /// Call a host that is not this machine
    #[arg(long)]
    pub(crate) i_own_this_host: bool,
}

/// Where a request's body comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BodyArgument {
    Text(String),
    File(PathBuf),
    StandardInput,
}

impl FromStr for BodyArgument {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.strip_prefix('@') {
            None => Self::Text(text.to_owned()),
            Some("") => return Err("name a file behind the @, or write @- for standard input"),
            Some("-") => Self::StandardInput,
            Some(file) => Self::File(file.into()),
        })
    }
}

fn method(text: &str) -> Result<Method, &'static str> {
    let method = Method::from_bytes(text.as_bytes());
    match method {
        // `get` is a method of its own in HTTP, and never what is meant.
        Ok(method) if text.bytes().all(|byte| byte.is_ascii_uppercase()) => Ok(method),
        _ => Err("write a method in capital letters, such as GET or POST"),
    }
}

fn path(text: &str) -> Result<String, &'static str> {
    let is_path = text.starts_with('/') && text.parse::<http::Uri>().is_ok();
    if !is_path || !text.is_ascii() || text.contains('#') {
        return Err(
            "begin it with a slash, and percent-encode it: /customers/email/ada%2Bx@example.com",
        );
    }
    Ok(text.to_owned())
}

fn prefix(text: &str) -> Result<String, &'static str> {
    match path(text) {
        Ok(text) if !text.contains('?') => Ok(text),
        _ => Err("write it with a slash in front, such as /api"),
    }
}

fn header_value(text: &str) -> Result<String, &'static str> {
    match http::HeaderValue::from_str(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("a header can't have these characters: use ASCII letters and digits"),
    }
}
