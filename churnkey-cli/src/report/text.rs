//! For people, on a terminal or in a log.

use std::fmt::{self, Write};

use super::{Checked, Found};
use crate::output::{BAD, FAINT, GOOD, UNCHECKED, printable, styled};

pub(super) fn written(checked: &Checked) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, checked);
    text
}

fn write(text: &mut String, checked: &Checked) -> fmt::Result {
    writeln!(text, "{} at {}", printable(&checked.name), checked.url)?;
    let fixtures = checked
        .fixtures
        .iter()
        .map(|(what, id)| format!("{what} {id}"));
    let fixtures = fixtures.collect::<Vec<_>>().join(", ");
    let with = printable(&format!("checked with {fixtures}"));
    writeln!(text, "{}", styled(FAINT, with))?;
    for found in &checked.findings {
        finding(text, found)?;
    }
    for skipped in &checked.skipped {
        let label = styled(UNCHECKED, "not checked");
        let subject = printable(&skipped.subject());
        writeln!(text, "{label} {subject}: give {}", skipped.needs)?;
    }
    let style = if checked.has_findings() { BAD } else { GOOD };
    write!(text, "{}", styled(style, checked.summary()))
}

fn finding(text: &mut String, found: &Found) -> fmt::Result {
    let name = format!("{}: {}", found.operation.name(), found.rule.name());
    writeln!(
        text,
        "{} {name} (contract, section {})",
        styled(BAD, "broken"),
        found.section
    )?;
    for (label, what) in [
        ("expected", &*found.expected),
        ("got", &*found.got),
        ("costs", found.costs),
    ] {
        writeln!(text, "  {label:<8} {}", printable(what))?;
    }
    Ok(())
}
