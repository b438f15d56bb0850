use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Instant;

use crate::database::with_database;
use crate::programs::{program, spawn, succeed};
use crate::server::{POLL, START_LIMIT};
use crate::{TestDatabase, ThrowawayPostgres};

fn query(url: &str, sql: &str) -> String {
    let mut psql = Command::new(program("psql"));
    let answer = succeed(psql.args([
        "--no-psqlrc",
        "-qAt",
        "-v",
        "ON_ERROR_STOP=1",
        url,
        "-c",
        sql,
    ]));
    answer.trim().to_owned()
}

fn answers(server: &ThrowawayPostgres) -> bool {
    let mut ask = Command::new(program("pg_isready"));
    ask.args(["--quiet", "--timeout=1", "--dbname", &server.url()]);
    ask.status().is_ok_and(|status| status.success())
}

fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[test]
fn a_started_server_answers_queries() {
    let server = ThrowawayPostgres::start();
    assert_eq!(query(&server.url(), "select 1"), "1");
    assert_eq!(query(&server.url(), "show server_encoding"), "UTF8");
    assert_eq!(query(&server.url(), "show lc_collate"), "C");
}

#[test]
fn the_data_can_be_in_another_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    let everybody = Permissions::from_mode(0o755);
    fs::set_permissions(directory.path(), everybody).expect("everybody may enter it");
    let server = ThrowawayPostgres::start_in(directory.path());
    assert!(server.dir.path().starts_with(directory.path()));
    assert_eq!(query(&server.url(), "select 1"), "1");
}

#[test]
fn each_database_is_its_own() {
    let server = ThrowawayPostgres::start();
    let (one, other) = (server.create_database(), server.create_database());
    query(&one, "create table only_here ()");
    assert_eq!(
        query(&other, "select to_regclass('only_here') is null"),
        "t"
    );
}

#[test]
fn a_restart_keeps_port_and_data() {
    let mut server = ThrowawayPostgres::start();
    let url = server.url();
    query(&url, "create table kept as select 42 as answer");
    assert!(server.is_running());
    server.stop();
    assert!(!server.is_running());
    assert!(!listens(server.port));
    server.stop();
    server.restart();
    assert!(server.is_running());
    assert_eq!(server.url(), url);
    assert_eq!(query(&url, "select answer from kept"), "42");
    server.restart();
    assert_eq!(query(&url, "select answer from kept"), "42");
}

#[test]
fn a_frozen_server_listens_but_does_not_answer() {
    let mut server = ThrowawayPostgres::start();
    server.freeze();
    assert!(listens(server.port));
    assert!(!answers(&server));
    server.thaw();
    assert!(answers(&server));
    server.freeze();
    server.stop();
    assert!(!listens(server.port));
}

#[test]
fn two_servers_run_side_by_side() {
    let start = || std::thread::spawn(ThrowawayPostgres::start);
    let both = [start(), start()].map(|thread| thread.join().expect("a server starts"));
    assert!(both.iter().all(answers));
    let [one, other] = both;
    assert_ne!(one.port, other.port);
}

#[test]
fn a_dropped_server_leaves_nothing() {
    let server = ThrowawayPostgres::start();
    let (port, dir) = (server.port, server.dir.path().to_owned());
    assert!(dir.exists());
    drop(server);
    assert!(!listens(port));
    assert!(!dir.exists());
}

#[test]
fn a_killed_test_leaves_nothing() {
    const VICTIM: &str = "THROWAWAY_POSTGRES_VICTIM";
    if std::env::var_os(VICTIM).is_some() {
        let mut server = ThrowawayPostgres::start();
        server.freeze();
        println!(
            "
server {} {}",
            server.port,
            server.dir.path().display()
        );
        sleep(START_LIMIT);
        return;
    }
    let this_test = std::env::current_exe().expect("a test knows its own program");
    let mut victim = Command::new(this_test);
    victim.args([
        "--exact",
        "tests::a_killed_test_leaves_nothing",
        "--nocapture",
    ]);
    let mut victim = spawn(victim.env(VICTIM, "").stdout(Stdio::piped()));
    let output = victim.stdout.take().expect("the output is piped");
    let (port, dir) = BufReader::new(output)
        .lines()
        .map_while(Result::ok)
        .find_map(|line| {
            let (port, dir) = line.strip_prefix("server ")?.split_once(' ')?;
            Some((port.parse().ok()?, PathBuf::from(dir)))
        })
        .expect("the victim tells where its server is");
    assert!(listens(port));
    victim.kill().expect("the victim can be killed");
    victim.wait().expect("the victim ends");
    let begun = Instant::now();
    while dir.exists() {
        assert!(
            begun.elapsed() < START_LIMIT,
            "the watchdog did not remove {}",
            dir.display()
        );
        sleep(POLL);
    }
    assert!(!listens(port));
}

#[test]
fn a_borrowed_server_gets_its_database_dropped() {
    let server = ThrowawayPostgres::start();
    let database = TestDatabase::borrow(server.url());
    assert_ne!(database.url(), server.url());
    assert_eq!(query(database.url(), "select 1"), "1");
    let count = "select count(*) from pg_database where datname like 'test%'";
    assert_eq!(query(&server.url(), count), "1");
    drop(database);
    assert_eq!(query(&server.url(), count), "0");
}

#[test]
fn tests_without_a_server_share_one_and_not_their_databases() {
    let (one, other) = (TestDatabase::own(), TestDatabase::own());
    assert_ne!(one.url(), other.url());
    let port = "select inet_server_port()";
    assert_eq!(query(one.url(), port), query(other.url(), port));
    query(one.url(), "create table only_here ()");
    assert_eq!(
        query(other.url(), "select to_regclass('only_here') is null"),
        "t"
    );
}

#[test]
fn the_database_is_replaced_in_every_form_of_address() {
    let cases = [
        ("postgres://u:p@h:1/db", "postgres://u:p@h:1/new"),
        ("postgresql://h", "postgresql://h/new"),
        (
            "postgres:///db?host=/run/postgresql",
            "postgres:///new?host=/run/postgresql",
        ),
        (
            "postgres://h?sslmode=disable",
            "postgres://h/new?sslmode=disable",
        ),
    ];
    for (server, expected) in cases {
        assert_eq!(with_database(server, "new"), expected);
    }
}
