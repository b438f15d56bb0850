//! `churnkey sign`.

use std::process::Command;

use churnkey_integrator::{Mode, Timestamp, sign};
use http::Method;

use crate::{
    merchants::{each, token},
    tool::churnkey,
};

const URL: &str = "https://billing.example.com/churnkey";

#[test]
fn the_headers_are_those_of_the_contract() {
    let ran = churnkey([
        "sign",
        "GET",
        "/prices?limit=2",
        "--url",
        URL,
        "--mode",
        "test",
    ])
    .run();
    let timestamp = ran
        .stdout
        .lines()
        .next()
        .unwrap()
        .strip_prefix("x-churnkey-timestamp: ");
    let at = Timestamp::from_unix_seconds(timestamp.unwrap().parse().unwrap()).unwrap();
    let expected = sign(
        &token(),
        &Method::GET,
        "/churnkey/prices?limit=2",
        Mode::Test,
        b"",
        at,
    );
    let signature = expected.signature();
    ran.assert(
        0,
        &format!(
            "x-churnkey-timestamp: {}\nx-churnkey-signature: {signature}\nx-churnkey-mode: test\n",
            timestamp.unwrap()
        ),
        "",
    );
}

#[test]
fn json_has_the_url_and_the_headers() {
    let body = r#"{"customerId":"c"}"#;
    let path = "/actions/customer/cancel";
    let ran = churnkey(["sign", "POST", path, "--body", body, "--json", "--url", URL]).run();
    let json = ran.json();
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    assert_eq!(json["method"], "POST");
    assert_eq!(json["url"], format!("{URL}{path}"));
    let headers = json["headers"].as_object().unwrap();
    assert_eq!(headers.len(), 4);
    assert_eq!(headers["content-type"], "application/json");
    let at = headers["x-churnkey-timestamp"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let at = Timestamp::from_unix_seconds(at).unwrap();
    let path = format!("/churnkey{path}");
    let expected = sign(
        &token(),
        &Method::POST,
        &path,
        Mode::Live,
        body.as_bytes(),
        at,
    );
    assert_eq!(headers["x-churnkey-signature"], expected.signature());
}

#[test]
fn the_line_of_curl_is_accepted() {
    each(|server| {
        let url = server.url();
        for (arguments, expected) in [
            (vec!["GET", "/customers/cus_ada"], "200"),
            (vec!["GET", "/customers/it's%20[me]{1,2}"], "404"),
            (
                vec![
                    "POST",
                    "/actions/subscription/cancel",
                    "--body",
                    "{\"it's\": 1}",
                ],
                "400",
            ),
        ] {
            let all = [&["sign", "--curl", "--url", &url], &*arguments].concat();
            let line = churnkey(all).run();
            assert_eq!((line.code, &*line.stderr), (0, ""));
            let line = format!("{} -s -o /dev/null -w '%{{http_code}}'", line.stdout.trim());
            let output = Command::new("sh").args(["-c", &line]).output().unwrap();
            assert_eq!(
                String::from_utf8(output.stdout).unwrap(),
                expected,
                "{line}"
            );
        }
    });
}

#[test]
fn a_file_is_signed_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("body.json"), "{} \n").unwrap();
    let path = "/actions/customer/cancel";
    let signed = |body: &str, input: &str| {
        let tool = churnkey(["sign", "POST", path, "--json", "--url", URL, "--body", body]);
        let json = tool.within(folder.path()).with_input(input).run().json();
        let header = |name: &str| json["headers"][name].as_str().unwrap().to_owned();
        (
            header("x-churnkey-timestamp"),
            header("x-churnkey-signature"),
        )
    };
    for (body, input) in [("@body.json", ""), ("@-", "{} \n"), ("{} \n", "")] {
        let (at, signature) = signed(body, input);
        let at = Timestamp::from_unix_seconds(at.parse().unwrap()).unwrap();
        let path = format!("/churnkey{path}");
        let expected = sign(&token(), &Method::POST, &path, Mode::Live, b"{} \n", at);
        assert_eq!(signature, expected.signature());
    }
    let line = churnkey([
        "sign",
        "POST",
        path,
        "--curl",
        "--url",
        URL,
        "--body",
        "@body.json",
    ]);
    let line = line.within(folder.path()).run().stdout;
    assert!(
        line.ends_with(&format!(" --data-binary '@body.json' '{URL}{path}'\n")),
        "{line}"
    );

    let missing = churnkey(["sign", "POST", path, "--url", URL, "--body", "@no.json"]);
    missing.within(folder.path()).run().assert(
        2,
        "",
        "error: the body in no.json can't be read: No such file or directory (os error 2)\n",
    );
}

#[test]
fn a_path_that_can_not_be_sent_is_a_usage_error() {
    for path in ["customers", "/customers/Zoë", "/customers/a b", "/prices#x"] {
        let ran = churnkey(["sign", "GET", path, "--url", URL]).run();
        assert_eq!((ran.code, &*ran.stdout), (2, ""), "{path}");
        assert!(
            ran.stderr
                .contains("begin it with a slash, and percent-encode it"),
            "{}",
            ran.stderr
        );
    }
    let ran = churnkey(["sign", "get", "/prices", "--url", URL]).run();
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("write a method in capital letters"),
        "{}",
        ran.stderr
    );
}
