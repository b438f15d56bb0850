//! What the guide shows is what these tests run.

use std::{collections::BTreeMap, fs, path::Path};

fn page() -> String {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../churnkey-integrator");
    fs::read_to_string(library.join("docs/proxies.md")).unwrap()
}

/// The text between the anchors of the programs, by the program and the anchor's name.
fn sections() -> BTreeMap<String, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    for file in fs::read_dir(src).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let program = path.file_stem().unwrap().to_str().unwrap();
        for anchored in text.split("// ANCHOR: ").skip(1) {
            let (name, rest) = anchored.split_once('\n').unwrap();
            let end = format!("// ANCHOR_END: {name}\n");
            let (section, _) = rest.split_once(&end).unwrap();
            found.insert(format!("{program} {name}"), section.to_owned());
        }
    }
    found
}

fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("\n```{language}\n");
    let blocks = page.split(&fence).skip(1);
    let blocks = blocks.map(|block| block.split_once("\n```\n").unwrap().0);
    blocks.map(|block| format!("{block}\n")).collect()
}

/// The configuration that leaves the path alone, and the one that removes a prefix.
pub(crate) fn nginx_blocks() -> [String; 2] {
    blocks(&page(), "nginx").try_into().unwrap()
}

#[test]
fn every_program_of_the_page_is_one_that_runs() {
    let (page, sections) = (page(), sections());
    let programs = blocks(&page, "rust");
    for program in &programs {
        assert!(
            sections.values().any(|section| section == program),
            "of no program in tests/hosts/src:\n{program}"
        );
    }
    for (name, section) in &sections {
        assert!(programs.contains(section), "not on the page: {name}");
    }
    assert_eq!((sections.len(), nginx_blocks().len()), (4, 2));
    // No block is skipped because of how it begins.
    assert_eq!(page.matches("```").count(), 2 * (programs.len() + 2));
}

#[test]
fn sections_and_blocks_are_found() {
    let page = "# A\n\n```rust\nfn a() {}\n```\n\nb\n\n```nginx\nc\nd\n```\n";
    assert_eq!(blocks(page, "rust"), ["fn a() {}\n"]);
    assert_eq!(blocks(page, "nginx"), ["c\nd\n"]);
    let sections = sections();
    assert!(sections["plain_hyper serve"].starts_with("use std::{io, time::Duration};\n"));
    assert!(sections["actix server"].ends_with(".run())\n}\n"));
}
