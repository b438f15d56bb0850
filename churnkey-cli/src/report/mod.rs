//! What `check` found, in each form in which it can be written.

mod html;
mod json;
mod junit;
mod text;
mod words;

use churnkey_conformance::{Finding, Report, Rule, Skipped, churnkey_integrator::Operation};

use crate::arguments::{Only, ReportForm};

/// What was checked, as far as it was asked for.
pub(crate) struct Checked {
    /// What the integration calls itself.
    name: String,
    url: String,
    /// The records that were used, each with what it is; no addresses and numbers.
    fixtures: Vec<(&'static str, String)>,
    kept: Vec<(Operation, Rule)>,
    findings: Vec<Found>,
    skipped: Vec<Unchecked>,
}

/// A rule that was broken, in the words of this tool.
#[derive(PartialEq)]
pub(crate) struct Found {
    pub(crate) operation: Operation,
    pub(crate) rule: Rule,
    pub(crate) section: &'static str,
    costs: &'static str,
    pub(crate) expected: String,
    pub(crate) got: String,
}

/// What was not checked, in the words of this tool.
pub(crate) struct Unchecked {
    operation: Operation,
    what: String,
    pub(crate) needs: String,
}

impl Checked {
    pub(crate) fn new(
        name: String,
        url: String,
        fixtures: Vec<(&'static str, String)>,
        report: &Report,
        only: &[Only],
    ) -> Self {
        let found = |finding: &Finding| Found {
            operation: finding.operation(),
            rule: finding.rule(),
            section: finding.section(),
            costs: finding.costs(),
            expected: words::of_this_tool(finding.expected()),
            got: words::of_this_tool(finding.got()),
        };
        let unchecked = |skipped: &Skipped| Unchecked {
            operation: skipped.operation(),
            what: skipped.what().to_owned(),
            needs: words::of_this_tool(skipped.needs()),
        };
        let mut findings: Vec<Found> = Vec::new();
        let broken = report.findings().iter();
        let broken = broken
            .filter(|finding| Only::has(only, finding.operation(), Some(finding.rule())))
            .map(found);
        for found in broken {
            // The suite may come upon the same mistake in several ways.
            if !findings.contains(&found) {
                findings.push(found);
            }
        }
        let skipped = report.skipped().iter();
        Self {
            name,
            url,
            fixtures,
            kept: report
                .passed()
                .filter(|(operation, rule)| Only::has(only, *operation, Some(*rule)))
                .collect(),
            findings,
            skipped: skipped
                .filter(|skipped| Only::has(only, skipped.operation(), None))
                .map(unchecked)
                .collect(),
        }
    }

    pub(crate) fn has_findings(&self) -> bool {
        !self.findings.is_empty()
    }

    pub(crate) fn has_skipped(&self) -> bool {
        !self.skipped.is_empty()
    }

    /// The whole report.
    pub(crate) fn written(&self, form: ReportForm) -> String {
        match form {
            ReportForm::Text => text::written(self),
            ReportForm::Json => json::written(self),
            ReportForm::Junit => junit::written(self),
            ReportForm::Html => html::written(self),
        }
    }

    /// The findings by what they cost, in their order.
    pub(crate) fn by_cost(&self) -> Vec<(&'static str, Vec<&Found>)> {
        let mut groups: Vec<(&'static str, Vec<&Found>)> = Vec::new();
        for found in &self.findings {
            match groups.iter_mut().find(|(costs, _)| *costs == found.costs) {
                Some((_, findings)) => findings.push(found),
                None => groups.push((found.costs, vec![found])),
            }
        }
        groups
    }

    pub(crate) fn skipped(&self) -> &[Unchecked] {
        &self.skipped
    }

    /// How much there is of each, in one line.
    pub(crate) fn summary(&self) -> String {
        format!(
            "kept: {}, broken: {}, not checked: {}",
            self.kept.len(),
            self.findings.len(),
            self.skipped.len()
        )
    }
}

impl Unchecked {
    /// The action and the way in which it was not done.
    pub(crate) fn subject(&self) -> String {
        match self.what.as_str() {
            "" => self.operation.name().to_owned(),
            what => format!("{} with {what}", self.operation.name()),
        }
    }
}
