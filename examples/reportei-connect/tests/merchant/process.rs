//! The program from outside.

use std::{path::Path, process::Command};

use merchant_cases::{Program, Request, file_holds, paste};
use serde_json::{Value, json};

use crate::{C2, TOKEN, cases::BINARY};

async fn start(arguments: &[&str]) -> Program {
    let listen = ["--listen", "127.0.0.1:0", "--clock", merchant_cases::CLOCK];
    let arguments = listen.iter().chain(arguments);
    Program::start(Path::new(BINARY), arguments).await.unwrap()
}

async fn call(program: &Program, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: vec![("authorization".to_owned(), TOKEN.to_owned())],
        body: (!body.is_null()).then(|| body.to_string().into_bytes()),
    };
    let answer = program.send(&request).await.unwrap();
    (answer.status, answer.json().unwrap())
}

#[tokio::test]
async fn what_it_prints_and_what_the_readme_says_can_be_pasted() {
    let mut program = start(&[]).await;
    let retrieve = program.next_line().await.unwrap();
    let list = program.next_line().await.unwrap();
    let own = program.next_line().await.unwrap();
    assert_eq!(
        paste(&retrieve).await.unwrap()["name"],
        "Reportei Customer 1"
    );
    assert_eq!(
        paste(&list).await.unwrap()["data"][1]["metadata"]["isPaying"],
        "true"
    );
    assert_eq!(paste(&own).await.unwrap()["meta"]["total"], 2);

    let answers = program.follow(include_str!("../../README.md")).await;
    assert_eq!(answers.unwrap(), 3);
}

#[tokio::test]
async fn links_begin_with_the_public_url() {
    let program = start(&[]).await;
    let (_, list) = call(&program, "GET", "/customers", json!(null)).await;
    let expected = format!("http://{}/api/customers", program.address());
    assert_eq!(list["meta"]["path"], expected);

    let program = start(&["--public-url", "https://connect.example/reportei/"]).await;
    let (_, list) = call(&program, "GET", "/customers", json!(null)).await;
    assert_eq!(
        list["meta"]["path"],
        "https://connect.example/reportei/api/customers"
    );

    for bad in [
        "connect.example",
        "ftp://connect.example",
        "https://a.example/?b",
        "",
    ] {
        let output = Command::new(BINARY)
            .args(["--public-url", bad])
            .output()
            .unwrap();
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{bad}"
        );
        let usage = String::from_utf8(output.stderr).unwrap();
        assert!(usage.contains("expected http:// or https://"), "{usage}");
    }
}

#[tokio::test]
async fn a_file_keeps_what_was_written_when_the_power_goes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reportei.db");
    let database = ["--database", file.to_str().unwrap()];

    let program = start(&database).await;
    assert_eq!(
        call(&program, "GET", "/customers", json!(null)).await.0,
        401
    );
    let log = program.kill().await;
    assert!(
        log.contains("the database is empty: start once with --demo"),
        "{log}"
    );

    let demo = [database[0], database[1], "--demo"];
    let program = start(&demo).await;
    let body = json!({"name": "kept for certain"});
    let (status, created) = call(&program, "POST", "/customers", body).await;
    assert_eq!(status, 201);
    let token = created["customer"]["api_token"].as_str().unwrap();
    let path = format!("/customers/{C2}");
    assert_eq!(call(&program, "DELETE", &path, json!(null)).await.0, 200);
    program.kill().await;

    let program = start(&demo).await;
    let (_, list) = call(&program, "GET", "/customers", json!(null)).await;
    let names: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["Reportei Customer 1", "kept for certain"]);
    let log = program.kill().await;
    assert!(log.contains("there are data already"), "{log}");
    for secret in ["kept for certain", token, "rp-demo", "INSERT", "SELECT"] {
        assert!(!log.contains(secret), "{log}");
    }

    // Of tokens only hashes are in the file.
    let holds = |text: &str| file_holds(&file, text).unwrap();
    assert!(holds("kept for certain"));
    for secret in [
        token,
        "rp-demo-merchant",
        &"a1".repeat(32),
        &"a2".repeat(32),
    ] {
        assert!(!holds(secret), "{secret}");
    }
}
