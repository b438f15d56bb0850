//! What the guide shows is what these tests run.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

fn pages() -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../churnkey-integrator/docs");
    let pages = ["idempotency.md", "redis.md"];
    let pages = pages.map(|page| fs::read_to_string(docs.join(page)).unwrap());
    pages.concat()
}

/// What stands between the anchors of the programs, by the program and the anchor's name.
fn sections() -> BTreeMap<String, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = fs::read_dir(src).unwrap().map(|file| file.unwrap().path());
    let programs = files.filter(|file| file.is_file());
    programs.flat_map(|file| sections_of(&file)).collect()
}

fn sections_of(file: &PathBuf) -> Vec<(String, String)> {
    let text = fs::read_to_string(file).unwrap();
    let program = file.file_stem().unwrap().to_str().unwrap();
    let mut found = Vec::new();
    for anchored in text.split("// ANCHOR: ").skip(1) {
        let (name, rest) = anchored.split_once('\n').unwrap();
        let end = format!("// ANCHOR_END: {name}\n");
        let (section, _) = rest.split_once(&end).unwrap();
        found.push((format!("{program} {name}"), section.to_owned()));
    }
    found
}

/// The blocks of Rust on the pages.
fn blocks(page: &str) -> Vec<String> {
    let blocks = page.split("\n```rust\n").skip(1);
    let blocks = blocks.map(|block| block.split_once("\n```\n").unwrap().0);
    blocks.map(|block| format!("{block}\n")).collect()
}

#[test]
fn every_program_of_the_pages_is_one_that_runs() {
    let (pages, sections) = (pages(), sections());
    let blocks = blocks(&pages);
    for block in &blocks {
        let is_tested = sections.values().any(|section| section == block);
        assert!(
            is_tested,
            "of no program in tests/idempotency/src:\n{block}"
        );
    }
    for (name, section) in &sections {
        assert!(blocks.contains(section), "on no page: {name}");
    }
    assert_eq!(sections.len(), 11);
    // No block of Rust is passed over because of how it begins. Besides, there are commands and settings.
    assert_eq!(pages.matches("```").count(), 2 * (blocks.len() + 2));
}

#[test]
fn sections_and_blocks_are_found() {
    let page = "# A\n\n```rust\nfn a() {}\n```\n\nb\n\n```rust\nfn c() {\n}\n```\n";
    assert_eq!(blocks(page), ["fn a() {}\n", "fn c() {\n}\n"]);
    let sections = sections();
    assert!(sections["sqlx_postgres store"].starts_with("use churnkey_integrator::{\n"));
    assert!(sections["diesel_postgres action"].ends_with("\n    }\n}\n"));
}
