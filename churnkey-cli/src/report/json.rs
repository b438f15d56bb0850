//! For programs.

use serde_json::{Map, Value, json};

use super::Checked;
use crate::output;

pub(super) fn written(checked: &Checked) -> String {
    let kept = checked
        .kept
        .iter()
        .map(|(operation, rule)| json!({ "operation": operation.name(), "rule": rule.name() }));
    let findings = checked.findings.iter().map(|found| {
        json!({
            "operation": found.operation.name(),
            "rule": found.rule.name(),
            "section": found.section,
            "expected": found.expected,
            "got": found.got,
            "costs": found.costs,
        })
    });
    let skipped = checked.skipped.iter().map(|skipped| {
        json!({
            "operation": skipped.operation.name(),
            "what": skipped.what,
            "needs": skipped.needs,
        })
    });
    let fixtures = checked.fixtures.iter();
    let fixtures: Map<String, Value> = fixtures
        .map(|(what, id)| ((*what).to_owned(), id.as_str().into()))
        .collect();
    json!({
        "version": output::VERSION,
        "name": checked.name,
        "url": checked.url,
        "fixtures": fixtures,
        "passed": !checked.has_findings(),
        "kept": kept.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
    })
    .to_string()
}
