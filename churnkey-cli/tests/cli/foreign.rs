//! `churnkey check` of an integration that shares no code with the library: `tests/foreign/merchant.py`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::tool::{TOKEN, Tool, churnkey};

/// The merchant's process. It ends when this is dropped.
pub(crate) struct Foreign {
    process: Child,
    url: String,
}

impl Foreign {
    pub(crate) fn start(fault: Option<&str>) -> Self {
        let mut process = Command::new(python())
            .arg(merchant())
            .args(fault)
            .env("CK_INTEGRATION_TOKEN", TOKEN)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut printed = BufReader::new(process.stdout.take().unwrap());
        printed.read_line(&mut line).unwrap();
        assert!(line.starts_with("http://"), "the merchant did not start");
        let url = line.trim().to_owned();
        Self { process, url }
    }

    /// The URL with the prefix.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The tool's `check` of it, with records that may be changed.
    fn check(&self, arguments: &[&str]) -> Tool {
        let all = [
            "check",
            "--url",
            &self.url,
            "--yes",
            "--disposable",
            "cancel=cus_bo/sub_bo_team",
            "--disposable",
            "apply-coupon=cus_bo/sub_bo_year/coupon_stay",
            "--expired-coupon",
            "coupon_spring",
        ];
        churnkey([&all, arguments].concat())
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn merchant() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/foreign/merchant.py")
}

/// The system's interpreter has the system's packages, which another one in `PATH` may lack.
fn python() -> &'static str {
    let has_both = |python: &&str| {
        let import = Command::new(python)
            .args(["-c", "import fastapi, uvicorn"])
            .stderr(Stdio::null())
            .status();
        import.is_ok_and(|status| status.success())
    };
    let mut interpreters = ["/usr/bin/python3", "python3"].into_iter();
    interpreters.find(has_both).unwrap_or_else(|| {
        panic!("no python3 has FastAPI and uvicorn; run scripts/setup, which installs them")
    })
}

/// Each rule that was broken, with the operations that broke it.
fn broken(report: &Value) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut broken: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let [rule, operation] = ["rule", "operation"].map(|key| finding[key].as_str().unwrap());
        broken.entry(rule).or_default().insert(operation);
    }
    broken
}

/// How many rules it is checked for, each with every operation that it is about.
const KEPT: usize = 158;

#[test]
fn an_integration_without_a_fault_passes() {
    let ran = Foreign::start(None)
        .check(&["--json", "--fail-on", "unchecked"])
        .run();
    assert_eq!((ran.code, &*ran.stderr), (0, ""), "{}", ran.stdout);
    let report = ran.json();
    assert_eq!(
        (&report["name"], report["kept"].as_array().unwrap().len()),
        (&Value::from("Python shop"), KEPT)
    );
}

macro_rules! faults {
    ($($test:ident: $fault:literal breaks $($rule:literal of $operations:literal,)+ saying $words:literal;)*) => {
        const FAULTS: [&str; 10] = [$($fault),*];

        $(#[test]
        fn $test() {
            let ran = Foreign::start(Some($fault)).check(&["--json"]).run();
            assert_eq!((ran.code, &*ran.stderr), (1, ""));
            let expected = [$(($rule, $operations.split(' ').collect())),+];
            let report = ran.json();
            assert_eq!(broken(&report), BTreeMap::from(expected), "{report:#}");
            let mut findings = report["findings"].as_array().unwrap().iter();
            let says = |finding: &Value, key: &str| finding[key].as_str().unwrap().contains($words);
            let is_said = findings.any(|finding| says(finding, "expected") || says(finding, "got"));
            assert!(is_said, "{report:#}");
        })*
    };
}

faults! {
    amounts_in_floats_are_named: "amounts-as-floats" breaks
        "effect-visible" of "apply_coupon cancel",
        "found" of "prices.retrieve subscriptions.retrieve",
        "well-formed" of "prices.list subscriptions.list",
        saying "items[0].price.amount: invalid type: floating point `29.0`, expected a whole number, not negative";
    times_without_an_offset_are_named: "times-without-offset" breaks
        "effect-visible" of "apply_coupon cancel",
        "found" of "coupons.retrieve subscriptions.retrieve",
        "well-formed" of "coupons.list subscriptions.list",
        saying "expiresAt: not a valid time: use RFC 3339";
    pages_that_drop_a_record_are_named: "pages-drop-a-record" breaks
        "each-record-once" of "coupons.list customers.list prices.list subscriptions.list",
        "no-empty-page" of "coupons.list prices.list subscriptions.list",
        saying "3 of them, cus_bo is missing";
    a_next_on_the_last_page_is_named: "next-on-the-last-page" breaks
        "no-empty-page" of "coupons.list customers.list prices.list subscriptions.list",
        saying "an empty page 6 behind a next";
    null_for_who_is_not_there_is_named: "null-instead-of-404" breaks
        "missing" of "customers.retrieve",
        "modes-apart" of "customers.retrieve",
        "odd-input" of "customers.retrieve",
        saying "404 for the customer churnkey-check-nobody, an id that nobody has";
    look_ups_that_mind_the_letter_case_are_named: "letter-case-of-emails-matters" breaks
        "ambiguous" of "customers.find_by_email",
        "email-ignores-case" of "customers.find_by_email",
        saying "for the email of the listed customer cus_bo in other letter case";
    a_plus_that_is_read_as_a_blank_is_named: "plus-in-a-path-is-a-blank" breaks
        "found" of "customers.find_by_email",
        saying "for the email of the listed customer cus_bo";
    old_signatures_that_pass_are_named: "old-signatures-are-accepted" breaks
        "unauthorized" of "apply_coupon cancel coupons.list coupons.retrieve customers.find_by_email \
                           customers.find_by_phone customers.list customers.retrieve features prices.list \
                           prices.retrieve subscriptions.list subscriptions.retrieve",
        saying "signed an hour ago";
    stack_traces_in_errors_are_named: "stack-traces-in-errors" breaks
        "errors-tell-nothing" of "apply_coupon cancel coupons.retrieve customers.find_by_email \
                                  customers.find_by_phone customers.retrieve prices.retrieve subscriptions.list \
                                  subscriptions.retrieve",
        saying "\"traceback\" in the message";
    a_second_cancellation_that_fails_is_named: "canceled-twice-is-an-error" breaks
        "repeat-changes-nothing" of "cancel",
        saying "400: The subscription is canceled already";
}

#[test]
fn the_other_commands_find_nothing_wrong_with_it() {
    let merchant = Foreign::start(None);
    for arguments in [
        &["call", "GET", "/customers/cus_bo"][..],
        &["call", "GET", "/customers/email/bo+billing@example.com"],
        &["call", "GET", "/prices/nobody"],
        &["list", "customers", "--limit", "2"],
        &["doctor"],
        &["init", "--force"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let tool = churnkey([arguments, &["--json", "--url", merchant.url()]].concat());
        let ran = tool.within(folder.path()).run();
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
    }
}

#[test]
fn every_planted_fault_has_a_test() {
    let merchant = fs::read_to_string(merchant()).unwrap();
    let calls = merchant.split("is_broken(\"").skip(1);
    let planted: BTreeSet<&str> = calls.filter_map(|call| call.split('"').next()).collect();
    assert_eq!(planted, BTreeSet::from(FAULTS));
}
