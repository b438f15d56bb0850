//! The program from outside: options, output, a crash.

use std::{
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
};

use merchant_cases::{Merchant, Program, Request};
use serde_json::Value;
use tokio::process::Command;

use crate::KEY;

fn merchant() -> Merchant {
    Merchant::new("omnidesk", env!("CARGO_BIN_EXE_omnidesk"))
}

/// The program over a file, filled with the demo data if it is empty.
async fn with_demo(file: &Path, options: &[&str]) -> Program {
    let file = file.to_str().unwrap();
    let basic = ["--listen", "127.0.0.1:0", "--demo", "--database", file];
    let binary = Path::new(env!("CARGO_BIN_EXE_omnidesk"));
    let program = Program::start(binary, basic.iter().chain(options)).await;
    program.unwrap()
}

pub(crate) async fn call(
    program: &Program,
    method: &str,
    path: &str,
    body: Option<&str>,
) -> (u16, Value) {
    let headers = [
        ("apikey", KEY),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let request = Request {
        method: method.to_owned(),
        path: format!("/api/v2/customer{path}"),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        body: body.map(|body| body.as_bytes().to_vec()),
    };
    let answer = program.send(&request).await.unwrap();
    (answer.status, answer.json().unwrap())
}

#[tokio::test]
async fn the_program_says_where_it_listens_and_how_to_call_it() {
    let mut program = merchant().start().await.unwrap();
    let base = program.base();
    let lines = [
        program.next_line().await,
        program.next_line().await,
        program.next_line().await,
    ];
    let token = "ck-demo-integration-token-0001";
    let first = format!("curl -H \"Authorization: Bearer {token}\" '{base}/churnkey/customers/1'");
    assert_eq!(lines[0].as_deref(), Some(first.as_str()));
    let own = format!("curl -H 'apiKey: od-demo-read' '{base}/api/v2/customer'");
    assert_eq!(lines[2].as_deref(), Some(own.as_str()));
}

#[tokio::test]
async fn a_file_begins_empty_unless_the_demo_is_asked_for_and_keeps_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("omnidesk.db");
    let empty = merchant()
        .option("--database", file.to_str().unwrap())
        .start()
        .await
        .unwrap();
    assert_eq!(
        call(&empty, "GET", "", None).await.0,
        401,
        "there are no keys"
    );
    let log = empty.kill().await;
    assert!(
        log.contains("the database is empty: start once with --demo"),
        "{log}"
    );

    let program = with_demo(&file, &[]).await;
    assert_eq!(
        call(&program, "PUT", "/1", Some("firstname=Tom")).await.0,
        200
    );
    program.kill().await;

    let program = with_demo(&file, &[]).await;
    let (_, body) = call(&program, "GET", "/1", None).await;
    assert_eq!(body["item"]["firstname"], "Tom");
    let log = program.kill().await;
    assert!(
        log.contains("there are data already, so the demo data were not loaded"),
        "{log}"
    );
}

#[tokio::test]
async fn a_power_cut_leaves_every_customer_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("omnidesk.db");
    let done = AtomicUsize::new(0);
    for round in 1..=4 {
        let program = with_demo(&file, &[]).await;
        let create = async |n: u32| {
            for i in 0.. {
                let who = format!("brand_id=2&primary_id={round}-{n}-{i}&firstname=Whole");
                let body = format!("{who}&extra_email=a@b.nl&extra_telephone=%2B31");
                assert_eq!(call(&program, "POST", "", Some(&body)).await.0, 200);
                if done.fetch_add(1, Ordering::Relaxed) + 1 >= round * 8 {
                    break;
                }
            }
        };
        // The first one that ends the round interrupts the calls of the others.
        tokio::select! {
            () = create(0) => {}
            () = create(1) => {}
            () = create(2) => {}
        }
        program.kill().await;
    }
    let program = with_demo(&file, &[]).await;
    let (_, body) = call(&program, "GET", "?itemStart=3&itemLimit=99", None).await;
    let items = body["items"].as_array().unwrap();
    assert!(
        items.len() >= done.into_inner(),
        "what was answered is kept"
    );
    for item in items {
        assert_eq!(item["firstname"], "Whole");
        assert_eq!(item["channels"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn an_option_that_makes_no_sense_is_named() {
    let start = async |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_omnidesk"));
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        command
            .env_remove("CK_INTEGRATION_TOKEN")
            .stdin(Stdio::null());
        let output = command.output().await.unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    for url in [
        "text",
        "ftp://crm.example/",
        "/lookup",
        "http:///lookup",
        "crm.example",
    ] {
        let (code, log) = start(&["--crm-lookup-url", url]).await;
        assert_eq!(code, Some(2), "{url}");
        assert!(log.contains("expected an http or https URL"), "{log}");
    }
    for (options, complaint) in [
        (&["--brand", "9"][..], "--brand: there is no brand 9"),
        (&["--external-ids"], "--brand <ID>"),
    ] {
        let (code, log) = start(options).await;
        assert!(code != Some(0) && log.contains(complaint), "{log}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("omnidesk.db");
    let url = [
        "--crm-lookup-url",
        "http://127.0.0.1:1/",
        "--database",
        file.to_str().unwrap(),
    ];
    let (code, log) = start(&url).await;
    assert_eq!(code, Some(1));
    assert!(
        log.contains("--crm-lookup-url: there is no brand 1"),
        "{log}"
    );
}

#[tokio::test]
async fn nothing_of_a_customer_or_a_key_is_logged() {
    let crm = "http://127.0.0.1:1/lookup?key=xyzzy";
    let program = merchant()
        .option("--crm-lookup-url", crm)
        .start()
        .await
        .unwrap();
    for (method, path, body) in [
        (
            "POST",
            "/syncWithCRM",
            Some("brandID=1&channel=email&address=secret@example.org"),
        ),
        (
            "POST",
            "/createCustomerCRUD",
            Some("brandID=1&primaryID=text&firstname=Secret"),
        ),
        ("GET", "?query=secret", None),
        ("PUT", "/1", Some("custom_long=secret&firstname=An4")),
    ] {
        call(&program, method, path, body).await;
    }
    let long = format!("custom_long={}", "secret".repeat(100));
    assert_eq!(call(&program, "PUT", "/1", Some(&long)).await.0, 200);
    for path in [
        "/churnkey/customers/email/thomas%40example.org",
        "/churnkey/customers/1",
    ] {
        let token = "Bearer ck-demo-integration-token-0001";
        let request = Request {
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: vec![("authorization".to_owned(), token.to_owned())],
            body: None,
        };
        program.send(&request).await.unwrap();
    }
    let log = program.kill().await;
    for told in [
        "the CRM look-up failed: there was no answer",
        "these customers share one email customers=[\"1\", \"3\"]",
        "these metadata exceed the limits and are left out customer=1 keys=[\"custom_long\"]",
    ] {
        assert!(log.contains(told), "{told}: {log}");
    }
    for secret in ["ecret", "thomas", "xyzzy", KEY, "0001"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[tokio::test]
async fn the_calls_of_the_readme_answer_as_it_says() {
    let program = merchant().start().await.unwrap();
    let answers = program.follow(include_str!("../../README.md")).await;
    assert_eq!(answers.unwrap(), 4);
}

#[tokio::test]
async fn churnkey_may_be_shown_one_brand_or_its_external_ids() {
    let get = async |program: &Program, path: &str| {
        let token = "Bearer ck-demo-integration-token-0001";
        let request = Request {
            method: "GET".to_owned(),
            path: format!("/churnkey/customers{path}"),
            headers: vec![("authorization".to_owned(), token.to_owned())],
            body: None,
        };
        program.send(&request).await.unwrap().status
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("omnidesk.db");
    let program = with_demo(&file, &["--brand", "2"]).await;
    assert_eq!(
        (get(&program, "/3").await, get(&program, "/1").await),
        (200, 404)
    );
    let nameless = Some("brand_id=1&search_customer_channel_value=nobody");
    assert_eq!(call(&program, "POST", "", nameless).await.0, 200);
    program.kill().await;

    let program = with_demo(&file, &["--brand", "1", "--external-ids"]).await;
    assert_eq!(
        (get(&program, "/C-2").await, get(&program, "/2").await),
        (200, 404)
    );
    let log = program.kill().await;
    let told = "Churnkey can't see customers without an external id invisible=1";
    assert!(log.contains(told), "{log}");
}
