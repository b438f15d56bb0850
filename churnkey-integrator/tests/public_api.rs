//! Compares the public API of the published libraries with their `public-api.txt`, so that a change of it shows in a diff, and checks
//! that it can grow.
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

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

const HEADING: &str = "# The public API with all features. Renew: \
     UPDATE=1 cargo test -p churnkey-integrator --test public_api";

/// The public API of a crate.
struct Api {
    folder: PathBuf,
    lines: Vec<String>,
}

static LIBRARY: LazyLock<Api> = LazyLock::new(|| Api::read("churnkey-integrator"));
static CONFORMANCE: LazyLock<Api> = LazyLock::new(|| Api::read("churnkey-conformance"));
static REDIS: LazyLock<Api> = LazyLock::new(|| Api::read("churnkey-integrator-redis"));

impl Api {
    fn read(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
        let lines = listing::listing(&source::Source::read(&folder.join("src")));
        Self { folder, lines }
    }

    /// Each line is the path of an item and what it is.
    fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().map(|line| line.split_once(": ").unwrap())
    }

    /// The paths of the lines that the rule is about.
    fn paths(&self, rule: impl Fn(&str) -> bool) -> Vec<&str> {
        let lines = self.lines().filter(|(_, item)| rule(item));
        lines.map(|(path, _)| path).collect()
    }

    /// The types in signatures are of this crate, of `std`, of a crate that is re-exported, or of one that is also the
    /// name of a feature, but for schemars, which the feature `openapi` brings.
    fn assert_foreign_types_are_among(&self, reexported: &[&str]) {
        for (path, item) in self.lines() {
            let names = item.split(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c)));
            let crates = names.filter_map(|name| Some(name.split_once("::")?.0));
            for name in crates.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())) {
                let is_known =
                    ["crate", "std", "serde"].contains(&name) || item.contains("pub use ");
                let feature = if name == "schemars" { "openapi" } else { name };
                let needs_a_feature = item.contains(&format!("feature = \"{feature}\""));
                assert!(
                    is_known || reexported.contains(&name) || needs_a_feature,
                    "{path}: {item}"
                );
            }
        }
    }

    fn reexports(&self, name: &str) -> bool {
        self.lines.contains(&format!("{name}: pub use {name}"))
    }

    fn assert_committed(&self) {
        let file = self.folder.join("public-api.txt");
        let now = self
            .lines
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
}

#[test]
fn an_enum_may_grow_unless_a_match_must_name_all_of_it() {
    let closed = |item: &str| item.contains("pub enum") && !item.contains("#[non_exhaustive]");
    assert_eq!(LIBRARY.paths(closed), ["Mode", "actions::Schedule"]);
    for api in [&CONFORMANCE, &REDIS] {
        assert_eq!(api.paths(closed), [""; 0]);
    }
}

#[test]
fn a_struct_may_get_further_fields() {
    let is_private = |item: &str| item.ends_with(" { .. }") || item.ends_with("(..)");
    let closed = |item: &str| {
        item.contains("pub struct") && !is_private(item) && !item.contains("#[non_exhaustive]")
    };
    for api in [&LIBRARY, &CONFORMANCE, &REDIS] {
        assert_eq!(api.paths(closed), [""; 0]);
    }
}

#[test]
fn a_struct_has_no_public_field() {
    let is_field = |item: &str| {
        let name = item.split_once("pub ").map(|(_, name)| name);
        name.and_then(|name| name.split(' ').next())
            .is_some_and(|name| name.ends_with(':'))
    };
    for api in [&LIBRARY, &CONFORMANCE, &REDIS] {
        assert_eq!(api.paths(is_field), [""; 0]);
    }
}

#[test]
fn a_type_of_another_crate_is_reexported_or_needs_a_feature() {
    // axum has http.
    LIBRARY.assert_foreign_types_are_among(&["axum", "http", "serde_json"]);
    for name in ["axum", "serde_json"] {
        assert!(LIBRARY.reexports(name), "{name}");
    }
    let reexported = [
        "bytes",
        "churnkey_integrator",
        "http",
        "http_body",
        "http_body_util",
        "serde_json",
        "tower",
    ];
    CONFORMANCE.assert_foreign_types_are_among(&reexported);
    for name in reexported {
        assert!(CONFORMANCE.reexports(name), "{name}");
    }
    let reexported = ["churnkey_integrator", "redis"];
    REDIS.assert_foreign_types_are_among(&reexported);
    for name in reexported {
        assert!(REDIS.reexports(name), "{name}");
    }
}

#[test]
fn the_public_api_of_the_library_is_the_committed_one() {
    LIBRARY.assert_committed();
}

#[test]
fn the_public_api_of_the_conformance_suite_is_the_committed_one() {
    CONFORMANCE.assert_committed();
}

#[test]
fn the_public_api_of_the_store_over_redis_is_the_committed_one() {
    REDIS.assert_committed();
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
