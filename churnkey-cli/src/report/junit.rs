//! For continuous integration: a suite for each operation, and a case for each rule.

use std::fmt::{self, Write};

use churnkey_conformance::{Rule, churnkey_integrator::Operation};

use super::{Checked, Found};
use crate::markup::escaped;

pub(super) fn written(checked: &Checked) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, checked);
    text
}

fn write(text: &mut String, checked: &Checked) -> fmt::Result {
    let mut suites = String::new();
    let mut total = Counts::default();
    for operation in Operation::all() {
        let mut cases = String::new();
        let counts = cases_of(&mut cases, checked, operation)?;
        if counts.tests > 0 {
            let name = operation.name();
            writeln!(
                suites,
                "  <testsuite name=\"{name}\" {counts}>\n{cases}  </testsuite>"
            )?;
            total.tests += counts.tests;
            total.failures += counts.failures;
            total.skipped += counts.skipped;
        }
    }
    let name = escaped(&checked.name);
    writeln!(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    write!(
        text,
        "<testsuites name=\"churnkey check: {name}\" {total}>\n{suites}</testsuites>"
    )
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    skipped: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tests,
            failures,
            skipped,
        } = self;
        write!(
            f,
            "tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\""
        )
    }
}

fn cases_of(
    text: &mut String,
    checked: &Checked,
    operation: Operation,
) -> Result<Counts, fmt::Error> {
    let mut counts = Counts::default();
    let name = operation.name();
    for rule in Rule::all() {
        let is_it = |found: &&Found| (found.operation, found.rule) == (operation, rule);
        let broken: Vec<&Found> = checked.findings.iter().filter(is_it).collect();
        let case = format!(
            "    <testcase classname=\"{name}\" name=\"{}\"",
            rule.name()
        );
        if let Some(first) = broken.first() {
            let message = escaped(&format!("expected {}; got {}", first.expected, first.got));
            writeln!(
                text,
                "{case}>\n      <failure type=\"{}\" message=\"{message}\">",
                rule.name()
            )?;
            for Found {
                expected,
                got,
                section,
                costs,
                ..
            } in broken
            {
                let sentence = format!(
                    "expected {expected}; got {got} (contract, section {section}); this costs {costs}"
                );
                writeln!(text, "{}", escaped(&sentence))?;
            }
            writeln!(text, "      </failure>\n    </testcase>")?;
            counts.failures += 1;
        } else if checked.kept.contains(&(operation, rule)) {
            writeln!(text, "{case}/>")?;
        } else {
            continue;
        }
        counts.tests += 1;
    }
    for skipped in checked
        .skipped
        .iter()
        .filter(|skipped| skipped.operation == operation)
    {
        let (subject, needs) = (escaped(&skipped.subject()), escaped(&skipped.needs));
        writeln!(
            text,
            "    <testcase classname=\"{name}\" name=\"{subject}\">"
        )?;
        writeln!(
            text,
            "      <skipped message=\"give {needs}\"/>\n    </testcase>"
        )?;
        counts.tests += 1;
        counts.skipped += 1;
    }
    Ok(counts)
}
