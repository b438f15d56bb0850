//! Where settings come from, and what is never shown of them.

use std::fs;

use serde_json::json;

use crate::{
    merchants::{Server, in_memory, in_memory_app},
    tool::{TOKEN, churnkey},
};

const SIGN: [&str; 3] = ["sign", "GET", "/prices"];

#[test]
fn the_file_above_is_found_and_the_command_line_is_stronger() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("a/b");
    fs::create_dir_all(&below).unwrap();
    fs::write(folder.path().join("token"), format!("{TOKEN}\n")).unwrap();
    let file = "url = \"http://file.example/ck\"\nmode = \"test\"\ntoken-file = \"token\"\n";
    fs::write(folder.path().join("churnkey.toml"), file).unwrap();
    let tool = |more: &[&str]| {
        let all = [&SIGN[..], &["--json"], more].concat();
        churnkey(all)
            .without_env("CK_INTEGRATION_TOKEN")
            .within(&below)
    };
    let seen = |tool: crate::tool::Tool| {
        let json = tool.run().json();
        let mode = json["headers"]["x-churnkey-mode"]
            .as_str()
            .unwrap()
            .to_owned();
        (json["url"].as_str().unwrap().to_owned(), mode)
    };
    let pair = |url: &str, mode: &str| (url.to_owned(), mode.to_owned());
    assert_eq!(
        seen(tool(&[])),
        pair("http://file.example/ck/prices", "test")
    );
    let environment = || {
        tool(&[])
            .env("CHURNKEY_URL", "http://env.example")
            .env("CHURNKEY_MODE", "live")
    };
    assert_eq!(
        seen(environment()),
        pair("http://env.example/prices", "live")
    );
    let both = tool(&["--url", "http://flag.example/x/", "--mode", "test"]);
    let both = both
        .env("CHURNKEY_URL", "http://env.example")
        .env("CHURNKEY_MODE", "live");
    assert_eq!(seen(both), pair("http://flag.example/x/prices", "test"));

    let other = folder.path().join("other.toml");
    fs::write(
        &other,
        "url = \"http://other.example\"\ntoken-env = \"MINE\"\n",
    )
    .unwrap();
    let named = tool(&["--config", other.to_str().unwrap()]).env("MINE", TOKEN);
    assert_eq!(seen(named), pair("http://other.example/prices", "live"));
}

#[test]
fn a_token_comes_from_a_variable_or_a_file() {
    let server = in_memory();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let file = file.to_str().unwrap();
    let status = |more: &[&str], variable: &str, token: &str| {
        let url = server.url();
        let all = [&["call", "GET", "/features", "--json", "--url", &url], more].concat();
        let tool = churnkey(all)
            .without_env("CK_INTEGRATION_TOKEN")
            .env(variable, token);
        tool.run().json()["answers"][0]["status"].clone()
    };
    let other = "another-token-of-somebody";
    assert_eq!(status(&[], "CK_INTEGRATION_TOKEN", TOKEN), 200);
    assert_eq!(status(&[], "CK_INTEGRATION_TOKEN", other), 401);
    assert_eq!(status(&["--token-env", "MINE"], "MINE", TOKEN), 200);
    assert_eq!(
        status(&["--token-file", file], "CK_INTEGRATION_TOKEN", other),
        200
    );
}

#[test]
fn a_token_in_the_wrong_place_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let url = "http://127.0.0.1:1/churnkey";
    let run = |more: &[&str]| {
        let tool = churnkey([&SIGN[..], more].concat()).within(path);
        // `run` looks for the token in what is written.
        tool.without_env("CK_INTEGRATION_TOKEN").run()
    };
    run(&["--url", url]).assert(
        2,
        "",
        "error: there is no token: set CK_INTEGRATION_TOKEN, or name another variable with --token-env or a file with \
         --token-file\n",
    );
    run(&["--url", url, "--token-env", TOKEN]).assert(
        2,
        "",
        "error: the environment variable that --token-env names is not set: give the name of a variable, not the token\n",
    );
    run(&["--url", url, "--token-file", TOKEN]).assert(
        2,
        "",
        "error: the file that --token-file names can't be read (entity not found): give the path of a file, not the token\n",
    );
    let with_a_password = format!("http://merchant:{TOKEN}@127.0.0.1/churnkey");
    run(&["--url", &with_a_password]).assert(
        2,
        "",
        "error: this is not the URL of an integration: write it like https://billing.example.com/churnkey, without a user \
         name and a query\n",
    );
    assert_eq!(run(&["--url", url, &format!("--token={TOKEN}")]).code, 2);
    for line in [
        format!("token = \"{TOKEN}\""),
        format!("token-env = {TOKEN}"),
        format!("mode = \"{TOKEN}\""),
    ] {
        fs::write(
            path.join("churnkey.toml"),
            format!("url = \"{url}\"\n{line}\n"),
        )
        .unwrap();
        let ran = run(&[]);
        assert_eq!((ran.code, &*ran.stdout), (2, ""));
        assert!(
            ran.stderr.contains("churnkey.toml, line 2: "),
            "{}",
            ran.stderr
        );
    }
    let json = churnkey([&SIGN[..], &["--json"]].concat()).run();
    assert_eq!(
        (json.code, &json.json()["error"]["kind"], &*json.stderr),
        (2, &json!("usage"), "")
    );
}

#[test]
fn a_name_is_called_at_another_address() {
    let server = Server::start(in_memory_app());
    let port = server.address().port();
    let url = format!("http://billing.example.com:{port}/churnkey");
    let call = |resolve: &str| {
        churnkey([
            "call",
            "GET",
            "/features",
            "--json",
            "--url",
            &url,
            "--resolve",
            resolve,
        ])
        .run()
    };
    let ran = call(&format!("billing.example.com:{port}:127.0.0.1"));
    assert_eq!(
        (ran.code, &ran.json()["answers"][0]["status"]),
        (0, &json!(200))
    );
    let ran = call(&format!("other.example.com:{port}:127.0.0.1"));
    assert_eq!(
        (ran.code, &ran.json()["error"]["kind"]),
        (2, &json!("usage"))
    );
    assert_eq!(call("billing.example.com:127.0.0.1").code, 2);
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    // It is asked for the whole URL, as proxies are.
    let proxy = in_memory();
    let url = "http://billing.example.com/churnkey";
    let call = || churnkey(["call", "GET", "/features", "--json", "--url", url]);
    let address = format!("http://{}", proxy.address());
    let ran = call().env("http_proxy", &address).run();
    assert_eq!(
        (ran.code, &ran.json()["answers"][0]["status"]),
        (0, &json!(200))
    );
}

#[test]
fn http_2_is_spoken_if_asked_for() {
    let server = in_memory();
    let call = |version: &str| {
        churnkey([
            "call",
            "GET",
            "/features",
            "-v",
            "--http",
            version,
            "--url",
            &server.url(),
        ])
        .run()
    };
    assert!(
        call("2")
            .stderr
            .starts_with("GET /churnkey/features -> 200 HTTP/2.0")
    );
    assert!(
        call("1.1")
            .stderr
            .starts_with("GET /churnkey/features -> 200 HTTP/1.1")
    );
}

#[test]
fn completions_and_the_man_page_are_written() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = churnkey(["completions", shell]).run();
        assert_eq!((ran.code, &*ran.stderr), (0, ""));
        assert!(ran.stdout.contains("token-file"), "{shell}");
    }
    let ran = churnkey(["man"]).run();
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    assert!(ran.stdout.contains(".TH churnkey 1"), "{}", ran.stdout);
}
