//! What the suite found, as text for people and as JSON for programs.

use std::fmt;

use serde_json::{Value, json};

use super::Rule;
use crate::operation::Operation;

/// Kept, or what should have come and what came.
pub(super) type Verdict = Result<(), (String, String)>;

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The operation that broke it.
    pub operation: Operation,
    /// The rule.
    pub rule: Rule,
    /// What should have come.
    pub expected: String,
    /// What came.
    pub got: String,
}

impl Finding {
    /// The section of the contract that has the rule for this operation.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.rule.section_of(self.operation)
    }

    /// The feature of Churnkey that the merchant goes without until this is mended.
    #[must_use]
    pub fn costs(&self) -> &'static str {
        self.rule.costs(self.operation)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} broke {} (contract, section {}): expected {}; got {}; this costs {}",
            self.operation.name(),
            self.rule.name(),
            self.section(),
            self.expected,
            self.got,
            self.costs()
        )
    }
}

/// What was checked, and what was found. `Display` gives it as text, a line each.
#[derive(Debug, Clone, Default)]
pub struct Report {
    passed: Vec<(Operation, Rule)>,
    findings: Vec<Finding>,
    unwritten: Vec<(Operation, &'static str)>,
}

impl Report {
    pub(super) fn add(&mut self, operation: Operation, rule: Rule, verdict: Verdict) {
        match verdict {
            Ok(()) if self.passed.contains(&(operation, rule)) => {}
            Ok(()) => self.passed.push((operation, rule)),
            Err((expected, got)) => self.findings.push(Finding {
                operation,
                rule,
                expected,
                got,
            }),
        }
    }

    /// Whether the operation has broken the rule.
    pub(super) fn is_broken(&self, operation: Operation, rule: Rule) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| (finding.operation, finding.rule) == (operation, rule))
    }

    /// An action that was not done, and the fixture that would have allowed it.
    pub(super) fn leave_unwritten(&mut self, operation: Operation, needs: &'static str) {
        self.unwritten.push((operation, needs));
    }

    /// What was broken; empty if all is well.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The operations and rules that were checked and kept at least once.
    #[must_use]
    pub fn passed(&self) -> &[(Operation, Rule)] {
        &self.passed
    }

    /// The actions that were only checked for what they refuse, because the fixtures hold nothing that they may
    /// change, each with the fixture that it needs. They are no findings.
    #[must_use]
    pub fn unwritten(&self) -> &[(Operation, &'static str)] {
        &self.unwritten
    }

    /// The report for programs. These keys stay:
    ///
    /// ```json
    /// {
    ///   "passed": false,
    ///   "checked": [{ "operation": "cancel", "rule": "effect-visible", "section": "5.1" }],
    ///   "findings": [{ "operation": "cancel", "rule": "effect-visible", "section": "5.1",
    ///                  "expected": "..", "got": "..", "costs": ".." }],
    ///   "unwritten": [{ "operation": "pause", "needs": "Disposable::to_pause(..)" }]
    /// }
    /// ```
    ///
    /// `checked` has each pair of operation and rule once, kept or broken.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut checked = self.passed.clone();
        for finding in &self.findings {
            let pair = (finding.operation, finding.rule);
            if !checked.contains(&pair) {
                checked.push(pair);
            }
        }
        let checked = checked.iter().map(|(operation, rule)| {
            json!({
                "operation": operation.name(),
                "rule": rule.name(),
                "section": rule.section_of(*operation),
            })
        });
        let findings = self.findings.iter().map(|finding| {
            json!({
                "operation": finding.operation.name(),
                "rule": finding.rule.name(),
                "section": finding.section(),
                "expected": finding.expected,
                "got": finding.got,
                "costs": finding.costs(),
            })
        });
        let unwritten = self
            .unwritten
            .iter()
            .map(|(operation, needs)| json!({ "operation": operation.name(), "needs": needs }));
        json!({
            "passed": self.findings.is_empty(),
            "checked": checked.collect::<Vec<_>>(),
            "findings": findings.collect::<Vec<_>>(),
            "unwritten": unwritten.collect::<Vec<_>>(),
        })
    }

    /// Panics with the findings if anything was broken. Prints which actions were not done, for want of a fixture that
    /// allows it: a test's output, such as that of `cargo test -- --nocapture`.
    ///
    /// # Panics
    /// If there are findings.
    #[expect(clippy::panic, reason = "for tests, where a panic is the verdict")]
    #[track_caller]
    pub fn assert_passed(&self) {
        let left = self.unwritten.iter().map(left).collect::<String>();
        let broken = self.findings.iter().map(broken).collect::<String>();
        if !broken.is_empty() {
            panic!("\n{left}{broken}");
        }
        print!("{left}");
    }
}

fn left((operation, needs): &(Operation, &'static str)) -> String {
    let name = operation.name();
    format!("LEFT    {name} was not done, as no fixture allows it: {needs}\n")
}

fn broken(finding: &Finding) -> String {
    format!("BROKEN  {finding}\n")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (operation, rule) in &self.passed {
            if !self.is_broken(*operation, *rule) {
                writeln!(f, "ok      {}: {}", operation.name(), rule.name())?;
            }
        }
        let left = self.unwritten.iter().map(left);
        let broken = self.findings.iter().map(broken);
        left.chain(broken).try_for_each(|line| f.write_str(&line))
    }
}
