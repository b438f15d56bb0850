//! The conformance suite must name the fault of each of these merchants. Each has one fault, and nothing
//! is named but what follows from it.

mod actions;
mod catalogue;
mod customers;
mod gateway;
mod subscriptions;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use churnkey_conformance::{Report, Rule};

/// The findings are these and no others, each rule with the operations that broke it; one of the rule has the words in its
/// sentence.
#[track_caller]
fn assert_named(report: &Report, fault: impl fmt::Debug, rule: Rule, words: &str, all: &[&str]) {
    let mut named: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for finding in report.findings() {
        let operations = named.entry(finding.rule().name()).or_default();
        operations.insert(finding.operation().name());
    }
    let expected = all.iter().map(|line| {
        let (rule, operations) = line.split_once(": ").unwrap();
        (rule, operations.split_whitespace().collect())
    });
    assert_eq!(named, expected.collect(), "{fault:?}:\n{report}");
    let findings = report.findings().iter();
    let sentences: Vec<String> = findings
        .filter(|finding| finding.rule() == rule)
        .map(ToString::to_string)
        .collect();
    assert!(
        sentences.iter().any(|sentence| sentence.contains(words)),
        "{fault:?} was not named by {} with {words:?}:\n{report}",
        rule.name()
    );
}

/// A test for each broken merchant, and one that the same without a fault passes.
macro_rules! broken_merchants {
    ($($test:ident: $fault:ident breaks $rule:ident, $words:literal, in $all:expr;)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                let report = report_on(Fault::$fault).await;
                super::assert_named(&report, Fault::$fault, Rule::$rule, $words, &$all);
            }
        )*

        #[tokio::test]
        async fn the_same_merchant_without_a_fault_passes() {
            report_on(Fault::None).await.assert_passed();
        }
    };
}

use broken_merchants;
