//! The guide's page about the command line.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use churnkey_integrator::{
    CustomerId, CustomersController, Integration, RequestContext, Result, controller,
    model::Customer,
};

use crate::{
    merchants::{Server, in_memory, token},
    tool::churnkey,
};

fn page() -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../churnkey-integrator/docs/command-line.md");
    fs::read_to_string(path).unwrap()
}

/// The blocks of code in a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let blocks = page.split(&fence).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn its_commands_succeed() {
    let server = in_memory();
    let folder = tempfile::tempdir().unwrap();
    let mut ran = 0;
    for line in blocks(&page(), "sh").concat().lines() {
        let Some(arguments) = line.strip_prefix("churnkey ") else {
            continue;
        };
        let tool = churnkey(arguments.split(' ')).env("CHURNKEY_URL", &server.url());
        let result = tool.within(folder.path()).run();
        assert_eq!(result.code, 0, "{line}: {result:?}");
        ran += 1;
    }
    assert_eq!(ran, 6);
    assert!(folder.path().join("report.html").exists());
    assert!(folder.path().join("openapi.json").exists());
}

struct Shop;

#[controller]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let is_there = id.as_str() == "cus_1";
        Ok(is_there.then(|| Customer::new(id.clone()).with_name("Ada".to_owned())))
    }
}

/// The README's own app has one customer and live data alone.
#[test]
fn the_readmes_commands_succeed() {
    let built = Integration::builder("Acme", token()).customers(Shop);
    let server = Server::start(built.live_only().build().unwrap().into_router());
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (mut ran, lines) = (Vec::new(), blocks(&readme, "sh").concat());
    for line in lines.lines() {
        let Some(command) = line.strip_prefix("cargo run -p churnkey-cli -- ") else {
            continue;
        };
        let (command, _) = command.split_once('#').unwrap();
        // It runs until it is interrupted, and has tests of its own.
        if command.trim() != "dev" {
            let tool = churnkey(command.split_whitespace()).env("CHURNKEY_URL", &server.url());
            let result = tool.run();
            assert_eq!(result.code, 0, "{command}: {result:?}");
        }
        ran.push(command.trim());
    }
    assert_eq!(ran, ["check --customer cus_1", "doctor", "dev"]);
}

#[test]
fn its_settings_are_taken() {
    let page = page();
    let [settings] = &*blocks(&page, "toml") else {
        panic!("one block of settings");
    };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("churnkey.toml"), settings).unwrap();
    let ran = churnkey(["sign", "GET", "/prices", "--json"])
        .within(folder.path())
        .run();
    assert_eq!(
        (ran.code, ran.json()["url"].as_str()),
        (0, Some("https://billing.example.com/churnkey/prices"))
    );
}

#[test]
fn its_keys_are_those_that_are_written() {
    let server = in_memory();
    let folder = tempfile::tempdir().unwrap();
    let page = page();
    let keys_of = |command: &str, arguments: &[&str]| {
        let all = [&[command], arguments, &["--json"]].concat();
        let ran = churnkey(all)
            .env("CHURNKEY_URL", &server.url())
            .within(folder.path())
            .run();
        let json: Value = serde_json::from_str(if command == "list" {
            &ran.stderr
        } else {
            &ran.stdout
        })
        .unwrap();
        let mut keys: BTreeSet<String> = json.as_object().unwrap().keys().cloned().collect();
        assert!(keys.remove("version"));
        keys
    };
    let (_, table) = page.split_once("| Command | Keys |").unwrap();
    for (command, arguments) in [
        ("sign", &["GET", "/prices"][..]),
        ("call", &["GET", "/prices"]),
        ("list", &["families"]),
        ("check", &["--only", "features"]),
        ("doctor", &[]),
        ("ambiguity", &[]),
        ("bench", &["--rate", "20", "--duration", "1"]),
        ("init", &[]),
    ] {
        let row = table
            .lines()
            .find(|row| row.starts_with(&format!("| `{command}` |")))
            .unwrap();
        for key in keys_of(command, arguments) {
            assert!(row.contains(&format!("`{key}`")), "{command}: {key}");
        }
    }
}

#[test]
fn every_command_is_in_the_table() {
    let help = churnkey(["--help"]).run().stdout;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let names = commands
        .lines()
        .map_while(|line| line.strip_prefix("  ")?.split(' ').next());
    let names: Vec<&str> = names
        .filter(|name| !name.is_empty() && *name != "help")
        .collect();
    assert!(names.len() >= 8, "{names:?}");
    let page = page();
    for name in names {
        assert!(page.contains(&format!("`{name}")), "{name}");
    }
}
