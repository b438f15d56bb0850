//! The conformance suite must name the fault of each of these merchants. Each breaks one rule and keeps the others.

mod actions;
mod catalogue;
mod customers;
mod gateway;
mod subscriptions;

use std::fmt;

use churnkey_integrator::testing::{Report, conformance::Rule};

/// A finding names the rule, and its sentence holds the words.
#[track_caller]
fn assert_named(report: &Report, fault: impl fmt::Debug, rule: Rule, words: &str) {
    let findings = report.findings().iter();
    let sentences: Vec<String> = findings
        .filter(|finding| finding.rule == rule)
        .map(ToString::to_string)
        .collect();
    assert!(
        sentences.iter().any(|sentence| sentence.contains(words)),
        "{fault:?} was not named by {} with {words:?}:\n{report}",
        rule.name()
    );
}

/// A test for each broken merchant, and one that it is only the fault that is named.
macro_rules! broken_merchants {
    ($($test:ident: $fault:ident breaks $rule:ident, $words:literal;)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                let report = report_on(Fault::$fault).await;
                super::assert_named(&report, Fault::$fault, Rule::$rule, $words);
            }
        )*

        #[tokio::test]
        async fn the_same_merchant_without_a_fault_passes() {
            report_on(Fault::None).await.assert_passed();
        }
    };
}

use broken_merchants;
