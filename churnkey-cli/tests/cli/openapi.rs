//! `churnkey openapi`.

use std::fs;

use churnkey_integrator::{Integration, openapi};
use serde_json::{Value, json};

use crate::{
    merchants::{Server, each, in_memory, in_memory_store, token},
    tool::{Ran, churnkey},
};

#[track_caller]
fn document(ran: &Ran) -> Value {
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The operations of a document, sorted.
fn operations(document: &Value) -> Vec<&str> {
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|methods| methods.as_object().unwrap().values());
    let mut names: Vec<&str> = operations
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn without_a_url_it_is_the_contracts_and_needs_no_token() {
    for arguments in [&["openapi"][..], &["openapi", "--json"]] {
        let tool = churnkey(arguments).without_env("CK_INTEGRATION_TOKEN");
        assert_eq!(document(&tool.run()), openapi::document());
    }
}

#[test]
fn with_a_url_it_is_that_of_what_is_served() {
    each(|server| {
        let served = document(&churnkey(["openapi", "--url", &server.url()]).run());
        assert_eq!(served["servers"], json!([{ "url": server.url() }]));
        let folder = tempfile::tempdir().unwrap();
        let init = churnkey(["init", "--json", "--url", &server.url()]).within(folder.path());
        let listed = init.run().json();
        let mut listed: Vec<&str> = listed["serves"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        listed.sort_unstable();
        assert_eq!(operations(&served), listed);

        // By the file that was written.
        let from_settings = churnkey(["openapi"]).within(folder.path()).run();
        assert_eq!(document(&from_settings), served);
        let contract = churnkey(["openapi", "--contract"]).within(folder.path());
        assert_eq!(document(&contract.run()), openapi::document());
    });
}

#[test]
fn what_is_not_served_is_left_out() {
    let builder = Integration::builder("Small", token()).customers(in_memory_store());
    let server = Server::start(builder.build().unwrap().into_router());
    let served = document(
        &churnkey(["openapi"])
            .env("CHURNKEY_URL", &server.url())
            .run(),
    );
    assert_eq!(
        operations(&served),
        [
            "customers.find_by_email",
            "customers.find_by_phone",
            "customers.list",
            "customers.retrieve",
            "features"
        ]
    );
    assert_eq!(served["info"]["title"], "Small: Churnkey integration");
}

#[test]
fn it_is_written_to_a_file() {
    let server = in_memory();
    let folder = tempfile::tempdir().unwrap();
    let tool = churnkey(["openapi", "--output", "openapi.json"]).env("CHURNKEY_URL", &server.url());
    tool.within(folder.path()).run().assert(0, "", "");
    let written = fs::read_to_string(folder.path().join("openapi.json")).unwrap();
    let printed = churnkey(["openapi", "--url", &server.url()]).run().stdout;
    assert_eq!(written, printed);

    let elsewhere = churnkey(["openapi", "-o", "nowhere/openapi.json"]).within(folder.path());
    let ran = elsewhere.run();
    assert_eq!((ran.code, &*ran.stdout), (2, ""));
    assert!(
        ran.stderr
            .starts_with("error: nowhere/openapi.json can't be written: "),
        "{ran:?}"
    );
}

#[test]
fn what_is_wrong_with_the_url_or_the_token_is_said() {
    let server = in_memory();
    let with = |url: &str| churnkey(["openapi", "--json", "--url", url]);
    for (ran, code, kind) in [
        (with("ftp://127.0.0.1/churnkey").run(), 2, "usage"),
        (
            with(&server.url())
                .without_env("CK_INTEGRATION_TOKEN")
                .run(),
            2,
            "usage",
        ),
        (
            with(&server.url())
                .env("CK_INTEGRATION_TOKEN", "another-token-of-this-test")
                .run(),
            1,
            "answer",
        ),
        (with(&format!("{}/more", server.url())).run(), 1, "answer"),
        (with("http://127.0.0.1:1/churnkey").run(), 3, "unreachable"),
    ] {
        assert_eq!(
            (ran.code, &ran.json()["error"]["kind"]),
            (code, &json!(kind)),
            "{ran:?}"
        );
    }
}
