//! The Postgres example as a process, over a throw-away server.

use std::{
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use churnkey_integrator::Timestamp;
use example_app::{Clock, DataSet, Demo};
use postgres::store::Store;
use serde_json::Value;
use throwaway_postgres::ThrowawayPostgres;

use crate::{caller::Caller, tally::Tally};

/// How many trials there are to extend.
pub(crate) const SUBSCRIPTIONS: usize = 200;

/// When each of them ends before the run starts.
const TRIAL_END: &str = "2026-02-01T00:00:00.000Z";

/// The resources that the process uses.
pub(crate) struct Resources {
    pub(crate) kilobytes: i64,
    pub(crate) files: i64,
}

pub(crate) struct Merchant {
    database: ThrowawayPostgres,
    program: Child,
    address: String,
}

impl Merchant {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let database = tokio::task::block_in_place(ThrowawayPostgres::start);
        let demo = Demo::load()?;
        let store = Store::connect(&database.url())?.at(Clock::Frozen(demo.clock));
        store.migrate().await?;
        store
            .load_if_empty(&with_trials(demo.live)?, &demo.test)
            .await?;
        drop(store);

        let program = build()?;
        let mut program = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--clock", "2026-01-15T12:00:00Z"])
            .env("DATABASE_URL", database.url())
            .env_remove("CK_INTEGRATION_TOKEN")
            .env("RUST_LOG", "off")
            .stdout(Stdio::piped())
            .spawn()?;
        let out = program.stdout.take().ok_or("the program has no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.ok_or("the program does not listen")?.to_owned();
        Ok(Self {
            database,
            program,
            address,
        })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn restart_database(&mut self) {
        tokio::task::block_in_place(|| self.database.restart());
    }

    pub(crate) fn resources(&self) -> Result<Resources, Box<dyn Error>> {
        let process = Path::new("/proc").join(self.program.id().to_string());
        let status = fs::read_to_string(process.join("status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|line| line.split_whitespace().next());
        Ok(Resources {
            kilobytes: resident.ok_or("no VmRSS in /proc")?.parse()?,
            files: i64::try_from(fs::read_dir(process.join("fd"))?.count())?,
        })
    }

    /// The trials whose end does not match the answers, one line each.
    pub(crate) async fn wrong_trials(&self, tally: &Tally) -> Result<Vec<String>, Box<dyn Error>> {
        let mut wrong = Vec::new();
        let mut caller = Caller::new(self.address.clone(), Arc::new(Tally::new(0)));
        let start: Timestamp = TRIAL_END.parse()?;
        for (n, extensions) in tally.extensions().into_iter().enumerate() {
            let path = format!("/churnkey/customers/cus_grace/subscriptions/sub_soak_{n}");
            let body = caller.get(path).await.map_err(|error| error.to_string())?;
            let served: Value = serde_json::from_slice(&body)?;
            let end = served
                .pointer("/status/trial/end")
                .and_then(|end| end.as_str());
            let end: Timestamp = end.ok_or("no end of the trial")?.parse()?;
            let days = (end.unix_seconds() - start.unix_seconds()) / 86_400;
            if days != extensions {
                wrong.push(format!(
                    "sub_soak_{n} was extended {days} times; {extensions} extensions were answered 200"
                ));
            }
        }
        Ok(wrong)
    }
}

impl Drop for Merchant {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The demo data with Grace's trial many times over.
fn with_trials(mut data: DataSet) -> Result<DataSet, Box<dyn Error>> {
    let trial = data
        .subscriptions
        .iter()
        .find(|one| one.id().as_str() == "sub_grace_trial");
    let mut trial = serde_json::to_value(trial.ok_or("the demo data has no trial")?)?;
    if let Some(end) = trial.pointer_mut("/status/trial/end") {
        *end = TRIAL_END.into();
    }
    for n in 0..SUBSCRIPTIONS {
        if let Some(id) = trial.get_mut("id") {
            *id = format!("sub_soak_{n}").into();
        }
        data.subscriptions
            .push(serde_json::from_value(trial.clone())?);
    }
    Ok(data)
}

/// Builds the example as this program was built, beside it.
fn build() -> Result<PathBuf, Box<dyn Error>> {
    let profile = env::current_exe()?;
    let profile = profile.parent().ok_or("the program has no folder")?;
    let target = profile.parent().ok_or("the program has no target folder")?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "build",
            "--quiet",
            "--locked",
            "-p",
            "postgres",
            "--target-dir",
        ])
        .arg(target);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    if !build.status()?.success() {
        return Err("the Postgres example could not be built".into());
    }
    Ok(profile.join("postgres"))
}
