//! A run of the suite: the client, what the manifest says, the fixtures, and the report so far.

use std::collections::HashMap;

use churnkey_integrator::{Mode, Operation, Timestamp, model::Subscription};
use serde_json::Value;

use crate::{
    answer::Answer,
    client::Client,
    fixtures::{Fixtures, Subject},
    report::Report,
    rule::Rule,
    verdict::Verdict,
};

/// A check of a subscription at a later time.
pub(crate) struct Planned {
    pub(crate) operation: Operation,
    pub(crate) subject: Subject,
    /// What is checked, for the report if it can't be.
    pub(crate) what: String,
    pub(crate) at: Timestamp,
    pub(crate) effect: Box<dyn Fn(&Subscription) -> Verdict + Send + Sync>,
}

/// A run in progress. The checks are in the files behind this one.
pub(crate) struct Suite {
    pub(crate) client: Client,
    pub(crate) manifest: Value,
    /// What the manifest lists.
    pub(crate) served: Vec<Operation>,
    pub(crate) live_only: bool,
    pub(crate) takes_plain_tokens: bool,
    /// Live customers other than the one of the subscription.
    pub(crate) others: Vec<String>,
    /// The first live customers of the list.
    pub(crate) listed_customers: Vec<String>,
    /// What each operation's records refer to, by the path of the look-up; none if it is not there.
    pub(crate) referred_to: HashMap<(Operation, String), Option<Value>>,
    pub(crate) fixtures: Fixtures,
    /// What actions have planned, to be looked at later.
    pub(crate) planned: Vec<Planned>,
    pub(crate) report: Report,
}

impl Suite {
    /// Nothing is known of the integration but its manifest and what it answers.
    pub(crate) async fn new(client: &Client, manifest: Value, fixtures: &Fixtures) -> Self {
        let features = format!("{}/features", client.prefix());
        // Where there is no test data, test mode is rejected before anything else is looked at.
        let in_test = client.in_mode(Mode::Test).get_unchecked(&features).await;
        Self {
            client: client.in_mode(Mode::Live),
            served: served(&manifest).collect(),
            manifest,
            live_only: in_test.status() == 400,
            takes_plain_tokens: false,
            others: Vec::new(),
            listed_customers: Vec::new(),
            referred_to: HashMap::new(),
            fixtures: fixtures.clone(),
            planned: Vec::new(),
            report: Report::default(),
        }
    }

    pub(crate) fn serves(&self, operation: impl Into<Operation>) -> bool {
        self.served.contains(&operation.into())
    }

    /// Whether the operation is among those to check.
    pub(crate) fn is_asked_for(&self, operation: impl Into<Operation>) -> bool {
        let only = self.fixtures.only.as_ref();
        only.is_none_or(|only| only.contains(&operation.into()))
    }

    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.client.prefix())
    }

    pub(crate) fn in_test_mode(&self) -> Client {
        self.client.in_mode(Mode::Test)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.client.get_unchecked(&self.path(path)).await
    }

    pub(crate) fn check(&mut self, operation: impl Into<Operation>, rule: Rule, verdict: Verdict) {
        self.report.add(operation.into(), rule, verdict);
    }

    /// The operation is served, but nothing was given to look for.
    pub(crate) fn fixture_is_missing(&mut self, operation: impl Into<Operation>, fixture: &str) {
        let verdict = Err((
            format!("Fixtures::{fixture}(..), as the operation is served"),
            "none, so it could not be checked".to_owned(),
        ));
        self.check(operation, Rule::FixtureGiven, verdict);
    }
}

/// The operations that a features manifest lists (contract, section 2.3), itself among them.
///
/// ```
/// use churnkey_conformance::served;
///
/// let manifest = serde_json::json!({
///     "name": "Acme", "controllers": { "customers": { "retrieve": true, "list": false } }, "actions": {}
/// });
/// let names: Vec<&str> = served(&manifest).map(|operation| operation.name()).collect();
/// assert_eq!(names, ["features", "customers.retrieve"]);
/// ```
pub fn served(manifest: &Value) -> impl Iterator<Item = Operation> {
    Operation::all().filter(|operation| operation.is_listed_in(manifest))
}

/// A path segment as it must be written in a URL.
pub(crate) fn encoded(segment: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let mut text = String::new();
    for byte in segment.bytes() {
        if plain(byte) && !matches!(segment, "." | "..") {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
