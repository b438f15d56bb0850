//! Trials of the Postgres example that are extended by days, so that the end of each tells how often.

use churnkey_integrator::Timestamp;
use example_app::{Clock, Demo, demo_token};
use postgres::store::Store;
use serde_json::Value;

use crate::{BoxError, Connections, Signed};

/// When each trial ends before it is extended.
const END: &str = "2026-02-01T00:00:00.000Z";
const DAY: i64 = 86_400;

/// The trials of one database.
#[derive(Debug, Clone, Copy)]
pub struct Trials {
    count: usize,
}

impl Trials {
    /// Creates the example's tables in a new database, and loads the demo data with its trial this many times over.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn load(database: &str, count: usize) -> Result<Self, BoxError> {
        let mut demo = Demo::load()?;
        let mut all = demo.live.subscriptions.iter();
        let trial = all.find(|one| one.id().as_str() == "sub_grace_trial");
        let mut trial = serde_json::to_value(trial.ok_or("the demo data has no trial")?)?;
        if let Some(end) = trial.pointer_mut("/status/trial/end") {
            *end = END.into();
        }
        for n in 0..count {
            if let Some(id) = trial.get_mut("id") {
                *id = id_of(n).into();
            }
            let trial = serde_json::from_value(trial.clone())?;
            demo.live.subscriptions.push(trial);
        }
        let store = Store::connect(database)?.at(Clock::Frozen(demo.clock));
        store.migrate().await?;
        store.load_if_empty(&demo.live, &demo.test).await?;
        Ok(Self { count })
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> usize {
        self.count
    }

    /// A signed action that extends a trial by a day. Actions of different numbers are different requests.
    ///
    /// # Errors
    /// Never: the demo token is valid.
    pub fn extension(self, trial: usize, number: u32) -> Result<Signed, BoxError> {
        let id = id_of(trial);
        let body = format!(
            r#"{{"customerId":"cus_grace","subscriptionId":"{id}","duration":{{"amount":1,"unit":"day"}}}}"#
        );
        // An unused parameter makes the signatures of one second differ.
        let path = format!("/churnkey/actions/subscription/extend-trial?call={number}");
        Ok(Signed::post(&demo_token()?, &path, body))
    }

    /// The trials that were not extended as often as expected, a line for each.
    ///
    /// # Errors
    /// If the merchant does not serve one of them.
    pub async fn wrong(
        self,
        connections: &Connections,
        expected: &[i64],
    ) -> Result<Vec<String>, BoxError> {
        let mut wrong = Vec::new();
        for (n, expected) in expected.iter().enumerate() {
            let id = id_of(n);
            let path = format!("/churnkey/customers/cus_grace/subscriptions/{id}");
            let answer = connections
                .send(&Signed::get(&demo_token()?, &path))
                .await?;
            let served: Value = serde_json::from_slice(&answer.body)?;
            let end = served.pointer("/status/trial/end").and_then(Value::as_str);
            let end: Timestamp = end.ok_or("a trial has no end")?.parse()?;
            let days = (end.unix_seconds() - END.parse::<Timestamp>()?.unix_seconds()) / DAY;
            if days != *expected {
                wrong.push(format!(
                    "{id} was extended {days} times; {expected} extensions were answered 200"
                ));
            }
        }
        Ok(wrong)
    }
}

fn id_of(trial: usize) -> String {
    format!("sub_trial_{trial}")
}
