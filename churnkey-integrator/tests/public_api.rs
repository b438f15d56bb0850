//! Compares the public API with `public-api.txt`, so that a change of it shows in a diff.
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

use std::{collections::BTreeSet, env, fs, path::Path};

const HEADING: &str = "# The public API with all features. Renew: \
     UPDATE=1 cargo test -p churnkey-integrator --test public_api";

#[test]
fn the_public_api_is_the_committed_one() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = library.join("public-api.txt");
    let lines = listing::listing(&source::Source::read(&library.join("src")));
    let now = lines
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
