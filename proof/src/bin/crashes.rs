//! `cargo run --release -p proof --bin crashes`: `kill -9` of the Postgres example at every point of an action. A trigger lets
//! the action wait at the point for a lock that this program holds. Then the process is killed and the lock given back, and a
//! new process gets the same signed bytes until it answers 200. The action must have happened exactly once.
//!
//! It needs PostgreSQL's programs, as `scripts/check` does.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use proof::{BoxError, Connections, PostgresExample, Program, Signed, Trials};
use throwaway_postgres::ThrowawayPostgres;
use tokio::{
    task::{JoinSet, block_in_place},
    time::{Instant, sleep},
};
use tokio_postgres::{Client, NoTls};

/// How long an action is retried: shorter than its signature is valid, and longer than the lease of an attempt that died.
const PATIENCE: Duration = Duration::from_secs(200);
/// How long an action may take to its point.
const ARRIVAL: Duration = Duration::from_secs(10);

/// Where an action is when its process is killed.
struct Point {
    name: &'static str,
    /// Lets a statement wait there.
    trigger: &'static str,
}

const POINTS: [Point; 5] = [
    Point {
        name: "recording its attempt",
        trigger: "CREATE TRIGGER wait_here BEFORE INSERT ON churnkey_live.churnkey_idempotency_records
            FOR EACH ROW EXECUTE FUNCTION wait_here()",
    },
    Point {
        name: "changing the trial",
        trigger: "CREATE TRIGGER wait_here BEFORE UPDATE ON churnkey_live.subscriptions
            FOR EACH ROW EXECUTE FUNCTION wait_here()",
    },
    Point {
        name: "marking its attempt as done",
        trigger: "CREATE TRIGGER wait_here BEFORE UPDATE ON churnkey_live.churnkey_idempotency_records
            FOR EACH ROW EXECUTE FUNCTION wait_here()",
    },
    Point {
        name: "committing",
        trigger: "CREATE CONSTRAINT TRIGGER wait_here AFTER UPDATE ON churnkey_live.subscriptions
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_here()",
    },
    Point {
        name: "committed, not yet answered",
        // The library records the end of an action after its commit, in a statement of its own, which finds the record done.
        trigger: "CREATE TRIGGER wait_here BEFORE UPDATE ON churnkey_live.churnkey_idempotency_records
            FOR EACH STATEMENT WHEN (txid_current_if_assigned() IS NULL) EXECUTE FUNCTION wait_here()",
    },
];

const WAIT: &str = "CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN new; END $$";

/// Kills the Postgres example at every point of an action.
#[derive(Debug, Clone, Copy, Parser)]
struct Options {
    /// How often it is killed at each point
    #[arg(long, default_value_t = 100)]
    kills: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    proof::main(run).await
}

/// Whether every action happened exactly once.
async fn run(options: Options) -> Result<bool, BoxError> {
    let example = PostgresExample::build()?;
    println!(
        "killed while                  200 at once  200 after its lease  trials that ended wrong"
    );
    let mut is_well = true;
    for point in &POINTS {
        let Outcome {
            at_once,
            later,
            wrong,
        } = kill_at(point, &example, options.kills).await?;
        println!(
            "{:<30}{at_once:>11}{later:>21}{:>25}",
            point.name,
            wrong.len()
        );
        for line in wrong.iter().take(10) {
            println!("  {line}");
        }
        is_well &= wrong.is_empty();
    }
    Ok(is_well)
}

/// What became of the actions whose processes were killed at a point.
struct Outcome {
    at_once: usize,
    later: usize,
    wrong: Vec<String>,
}

async fn kill_at(
    point: &Point,
    example: &PostgresExample,
    kills: u32,
) -> Result<Outcome, BoxError> {
    let database = block_in_place(ThrowawayPostgres::start);
    let url = database.url();
    let trials = Trials::load(&url, usize::try_from(kills)?).await?;
    let sql = connect(&url).await?;
    sql.batch_execute(WAIT).await?;
    sql.batch_execute(point.trigger).await?;

    let mut killed = Vec::new();
    for n in 0..kills {
        let action = trials.extension(usize::try_from(n)?, n)?;
        sql.execute("SELECT pg_advisory_lock(1)", &[]).await?;
        let program = example.start(&url)?;
        kill_during(program, &action, &sql).await?;
        sql.execute("SELECT pg_advisory_unlock(1)", &[]).await?;
        // A statement that was under way runs to its end, although nobody waits for it any more.
        wait_until(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'churnkey'",
            0,
            &sql,
        )
        .await?;
        killed.push(action);
    }

    let program = example.start(&url)?;
    let connections = Connections::to(program.address());
    let mut retries = JoinSet::new();
    for action in killed {
        let connections = connections.clone();
        retries.spawn(async move { settle(&connections, &action).await });
    }
    let (mut at_once, mut later) = (0, 0);
    while let Some(settled) = retries.join_next().await {
        match settled?? {
            0 => at_once += 1,
            _ => later += 1,
        }
    }
    let wrong = trials.wrong(&connections, &vec![1; trials.count()]).await?;
    Ok(Outcome {
        at_once,
        later,
        wrong,
    })
}

/// Kills the program while its action waits at the point.
async fn kill_during(program: Program, action: &Signed, sql: &Client) -> Result<(), BoxError> {
    let connections = Connections::to(program.address());
    let calling = tokio::spawn({
        let action = action.clone();
        async move { connections.send(&action).await }
    });
    wait_until(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted",
        1,
        sql,
    )
    .await?;
    program.kill()?;
    match calling.await? {
        Ok(answer) => Err(format!("{action} was answered {} before the end", answer.status).into()),
        Err(_) => Ok(()),
    }
}

/// Sends an action again until it is answered 200. Returns how often it was refused before.
async fn settle(connections: &Connections, action: &Signed) -> Result<u32, BoxError> {
    let began = Instant::now();
    let mut refused = 0;
    loop {
        let answer = connections.send(action).await?;
        match answer.status.as_u16() {
            200 => return Ok(refused),
            409 | 503 if began.elapsed() < PATIENCE => refused += 1,
            status => return Err(format!("{action} was answered {status}").into()),
        }
        sleep(Duration::from_secs(1)).await;
    }
}

async fn wait_until(count: &str, expected: i64, sql: &Client) -> Result<(), BoxError> {
    let began = Instant::now();
    loop {
        let counted: i64 = sql.query_one(count, &[]).await?.try_get(0)?;
        if counted == expected {
            return Ok(());
        }
        if began.elapsed() > ARRIVAL {
            return Err(format!("{counted} and not {expected}: {count}").into());
        }
        sleep(Duration::from_millis(2)).await;
    }
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        // Its client notices.
        let _ = connection.await;
    });
    Ok(client)
}
