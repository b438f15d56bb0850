//! Compares the public API with `public-api.txt`, so that a change of it shows in a diff, and checks that it can grow.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "public_api/expansion.rs"]
mod expansion;
#[path = "public_api/listing.rs"]
mod listing;
#[path = "public_api/source.rs"]
mod source;

use std::{collections::BTreeSet, env, fs, path::Path, sync::LazyLock};

const HEADING: &str = "# The public API with all features. Renew: \
     UPDATE=1 cargo test -p churnkey-integrator --test public_api";

fn library() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

static LISTING: LazyLock<Vec<String>> =
    LazyLock::new(|| listing::listing(&source::Source::read(&library().join("src"))));

/// Each line is the path of an item and what it is.
fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    LISTING.iter().map(|line| line.split_once(": ").unwrap())
}

/// The paths of the lines that the rule is about.
fn paths(rule: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let lines = lines().filter(|(_, item)| rule(item));
    lines.map(|(path, _)| path).collect()
}

#[test]
fn an_enum_may_grow_unless_a_match_must_name_all_of_it() {
    let closed = |item: &str| item.contains("pub enum") && !item.contains("#[non_exhaustive]");
    assert_eq!(paths(closed), ["Mode", "actions::Schedule"]);
}

#[test]
fn a_struct_may_get_further_fields() {
    let is_private = |item: &str| item.ends_with(" { .. }") || item.ends_with("(..)");
    let closed = |item: &str| {
        item.contains("pub struct") && !is_private(item) && !item.contains("#[non_exhaustive]")
    };
    assert_eq!(paths(closed), [""; 0]);
}

/// The module `testing` is for tests: its reports are there to be taken apart.
#[test]
fn a_struct_has_no_public_field() {
    let is_field = |item: &str| {
        let name = item.split_once("pub ").map(|(_, name)| name);
        name.and_then(|name| name.split(' ').next())
            .is_some_and(|name| name.ends_with(':'))
    };
    let mut open = paths(is_field);
    open.retain(|path| !path.starts_with("testing::"));
    assert_eq!(open, [""; 0]);
}

#[test]
fn a_type_of_another_crate_is_reexported_or_needs_a_feature() {
    let reexported = ["axum", "http", "serde_json"];
    for (path, item) in lines() {
        let names = item.split(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c)));
        let crates = names.filter_map(|name| Some(name.split_once("::")?.0));
        for name in crates.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())) {
            let is_known = ["crate", "std", "serde"].contains(&name) || item.contains("pub use ");
            let needs_a_feature = item.contains(&format!("feature = \"{name}\""));
            assert!(
                is_known || reexported.contains(&name) || needs_a_feature,
                "{path}: {item}"
            );
        }
    }
    for name in ["axum", "serde_json"] {
        assert!(LISTING.contains(&format!("{name}: pub use {name}")));
    }
}

#[test]
fn the_public_api_is_the_committed_one() {
    let file = library().join("public-api.txt");
    let now = LISTING
        .iter()
        .fold(HEADING.to_owned(), |text, line| text + "\n" + line)
        + "\n";
    if env::var_os("UPDATE").is_some() {
        fs::write(&file, &now).unwrap();
        return;
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == now,
        "the public API has changed (-: committed, +: now):\n{}\n\
         If that is meant, say so in CHANGELOG.md, and renew public-api.txt:\n    \
         UPDATE=1 cargo test -p churnkey-integrator --test public_api",
        difference(&committed, &now)
    );
}

/// The lines that are in only one of the two, in order.
fn difference(committed: &str, now: &str) -> String {
    let committed: BTreeSet<&str> = committed.lines().collect();
    let now: BTreeSet<&str> = now.lines().collect();
    let changed = committed.symmetric_difference(&now);
    let changed = changed.map(|line| match committed.contains(line) {
        true => format!("- {line}"),
        false => format!("+ {line}"),
    });
    changed.collect::<Vec<_>>().join("\n")
}
