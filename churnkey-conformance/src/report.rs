//! What the suite found, as text for people and as JSON for programs.

use std::fmt;

use churnkey_integrator::Operation;
use serde_json::{Value, json};

use crate::{rule::Rule, verdict::Verdict};

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    operation: Operation,
    rule: Rule,
    expected: String,
    got: String,
}

impl Finding {
    /// The operation that broke it.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The rule.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// What should have come.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What came.
    #[must_use]
    pub fn got(&self) -> &str {
        &self.got
    }

    /// The section of the contract that has the rule for this operation.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.rule.section_of(self.operation)
    }

    /// The feature of Churnkey that the merchant goes without until this is fixed.
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

/// A part of an action that was not checked, because a fixture for it is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    operation: Operation,
    what: String,
    needs: &'static str,
}

impl Skipped {
    /// The action.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// What was not checked of it, such as `scheduledAt end-of-period`, or `scheduledAt end-of-period, once the period has
    /// ended`. Empty if the action can be asked for in one way only.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The fixture that it needs, such as `Disposable::to_cancel(..)`.
    #[must_use]
    pub fn needs(&self) -> &'static str {
        self.needs
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.operation.name();
        let with = if self.what.is_empty() { "" } else { " with " };
        let (what, needs) = (&self.what, self.needs);
        write!(f, "{name}{with}{what}: not checked, add {needs}")
    }
}

/// What was checked, and what was found. `Display` gives it as text, a line each.
#[derive(Debug, Clone, Default)]
pub struct Report {
    kept: Vec<(Operation, Rule)>,
    findings: Vec<Finding>,
    skipped: Vec<Skipped>,
}

impl Report {
    pub(crate) fn add(&mut self, operation: Operation, rule: Rule, verdict: Verdict) {
        match verdict {
            Ok(()) if self.kept.contains(&(operation, rule)) => {}
            Ok(()) => self.kept.push((operation, rule)),
            Err((expected, got)) => self.findings.push(Finding {
                operation,
                rule,
                expected,
                got,
            }),
        }
    }

    /// Whether the operation has broken the rule.
    pub(crate) fn is_broken(&self, operation: Operation, rule: Rule) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| (finding.operation, finding.rule) == (operation, rule))
    }

    pub(crate) fn skip(&mut self, operation: Operation, what: String, needs: &'static str) {
        let skipped = Skipped {
            operation,
            what,
            needs,
        };
        if !self.skipped.contains(&skipped) {
            self.skipped.push(skipped);
        }
    }

    /// What was broken; empty if all is well.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The rules that were checked and kept, each with the operation that kept it.
    pub fn passed(&self) -> impl Iterator<Item = (Operation, Rule)> {
        let kept = self.kept.iter().copied();
        kept.filter(|(operation, rule)| !self.is_broken(*operation, *rule))
    }

    /// What was not checked of the actions, and what has to be given for it. These are no findings.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The report for programs. These keys stay:
    ///
    /// ```json
    /// {
    ///   "passed": false,
    ///   "checked": [{ "operation": "cancel", "rule": "effect-visible", "section": "5.1" }],
    ///   "findings": [{ "operation": "cancel", "rule": "effect-visible", "section": "5.1",
    ///                  "expected": "..", "got": "..", "costs": ".." }],
    ///   "skipped": [{ "operation": "cancel", "what": "scheduledAt end-of-period",
    ///                 "needs": "Disposable::to_cancel(..)" }]
    /// }
    /// ```
    ///
    /// `checked` has each pair of operation and rule once, kept or broken.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut checked = self.kept.clone();
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
        let skipped = self.skipped.iter().map(|skipped| {
            json!({
                "operation": skipped.operation.name(),
                "what": skipped.what,
                "needs": skipped.needs,
            })
        });
        json!({
            "passed": self.findings.is_empty(),
            "checked": checked.collect::<Vec<_>>(),
            "findings": findings.collect::<Vec<_>>(),
            "skipped": skipped.collect::<Vec<_>>(),
        })
    }

    /// Panics with the findings if anything was broken. Prints what was skipped: a test's output, such as that of
    /// `cargo test -- --nocapture`. The panic holds every finding, so there is no need to print the report before.
    ///
    /// # Panics
    /// If there are findings.
    #[expect(clippy::panic, reason = "for tests, where a panic is the result")]
    #[track_caller]
    pub fn assert_passed(&self) {
        let skipped = self.skipped.iter().map(skipped).collect::<String>();
        let broken = self.findings.iter().map(broken).collect::<String>();
        if !broken.is_empty() {
            panic!("\n{skipped}{broken}");
        }
        print!("{skipped}");
    }
}

fn skipped(skipped: &Skipped) -> String {
    format!("skipped {skipped}\n")
}

fn broken(finding: &Finding) -> String {
    format!("BROKEN  {finding}\n")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (operation, rule) in self.passed() {
            writeln!(f, "ok      {}: {}", operation.name(), rule.name())?;
        }
        let skipped = self.skipped.iter().map(skipped);
        let broken = self.findings.iter().map(broken);
        skipped
            .chain(broken)
            .try_for_each(|line| f.write_str(&line))
    }
}
