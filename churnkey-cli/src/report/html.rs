//! For a browser: one file that loads nothing and runs nothing.

use std::fmt::{self, Write};

use super::{Checked, Found};
use crate::markup::escaped;

const STYLE: &str = include_str!("style.css");

pub(super) fn written(checked: &Checked) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut page, checked);
    page
}

fn write(page: &mut String, checked: &Checked) -> fmt::Result {
    let (name, url) = (escaped(&checked.name), escaped(&checked.url));
    let summary = escaped(&checked.summary());
    let verdict = if checked.has_findings() {
        "broken"
    } else {
        "kept"
    };
    writeln!(
        page,
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}: churnkey check</title>
<style>
{STYLE}</style>
</head>
<body>
<h1>{name}</h1>
<p>{url}</p>
<p class="verdict {verdict}">{summary}</p>
<h2>What failed</h2>"#
    )?;
    if !checked.has_findings() {
        writeln!(page, "<p>Nothing.</p>")?;
    }
    for (costs, findings) in checked.by_cost() {
        writeln!(page, "<h3>This costs {}</h3>", escaped(costs))?;
        for found in findings {
            article(page, found)?;
        }
    }

    writeln!(page, "<h2>What was not checked</h2>")?;
    if checked.skipped.is_empty() {
        writeln!(page, "<p>Nothing was left out for want of a record.</p>")?;
    } else {
        let skipped = checked.skipped.iter();
        let rows = skipped.map(|skipped| [skipped.subject(), skipped.needs.clone()]);
        table(page, ["Action", "To check it, give"], rows)?;
    }

    writeln!(page, "<h2>What it was checked with</h2>")?;
    let fixtures = checked.fixtures.iter();
    let rows = fixtures.map(|(what, id)| [(*what).to_owned(), id.clone()]);
    table(page, ["Record", "Id"], rows)?;

    writeln!(page, "<details>\n<summary>What was kept</summary>")?;
    let kept = checked.kept.iter();
    let rows = kept.map(|(operation, rule)| [operation.name().to_owned(), rule.name().to_owned()]);
    table(page, ["Operation", "Rule"], rows)?;
    write!(page, "</details>\n</body>\n</html>")
}

fn article(page: &mut String, found: &Found) -> fmt::Result {
    let (operation, rule) = (found.operation.name(), found.rule.name());
    let (expected, got) = (escaped(&found.expected), escaped(&found.got));
    writeln!(page, "<article>\n<h4>{operation}: {rule}</h4>\n<dl>")?;
    writeln!(
        page,
        "<dt>Expected</dt><dd>{expected}</dd>\n<dt>Got</dt><dd>{got}</dd>"
    )?;
    writeln!(
        page,
        "<dt>Contract</dt><dd>section {}</dd>\n</dl>\n</article>",
        found.section
    )
}

fn table(
    page: &mut String,
    heads: [&str; 2],
    rows: impl Iterator<Item = [String; 2]>,
) -> fmt::Result {
    let [first, second] = heads;
    writeln!(page, "<table>\n<tr><th>{first}</th><th>{second}</th></tr>")?;
    for [first, second] in rows {
        writeln!(
            page,
            "<tr><td>{}</td><td>{}</td></tr>",
            escaped(&first),
            escaped(&second)
        )?;
    }
    writeln!(page, "</table>")
}
