//! What the guide's page shows is what the examples run.

use std::{fs, path::Path};

const FILES: [&str; 4] = ["connections", "activity", "tls", "shutdown"];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn page() -> String {
    read("../../churnkey-integrator/docs/serving.md")
}

fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    let blocks = page.split(&fence).skip(1);
    blocks
        .map(|block| block.split_once("```\n").unwrap().0)
        .collect()
}

#[test]
fn the_pages_files_are_those_of_the_examples() {
    let files = FILES.map(|name| {
        let text = read(&format!("src/serve/{name}.rs"));
        let (_, rest) = text.split_once(&format!("// ANCHOR: {name}\n")).unwrap();
        let (shown, rest) = rest
            .split_once(&format!("// ANCHOR_END: {name}\n"))
            .unwrap();
        assert_eq!(rest, "", "{name}");
        shown.to_owned()
    });
    assert_eq!(blocks(&page(), "rust"), files);
}

/// Versions are those of the workspace, and nothing that the files use is missing.
#[test]
fn the_pages_dependencies_are_those_of_the_examples() {
    let page = page();
    let [dependencies] = blocks(&page, "toml").try_into().unwrap();
    let workspace = read("../../Cargo.toml");
    let files = FILES
        .map(|name| read(&format!("src/serve/{name}.rs")))
        .concat();
    let mut names = Vec::new();
    for line in dependencies.lines() {
        let (name, rest) = line.split_once(" = ").unwrap();
        let version = rest.split('"').nth(1).unwrap();
        let same = workspace
            .lines()
            .find(|line| line.starts_with(&format!("{name} = ")));
        let same = same.unwrap_or_else(|| panic!("{name} is not in the workspace"));
        assert!(same.contains(&format!("\"{version}\"")), "{line}\n{same}");
        assert!(
            files.contains(&name.replace('-', "_")),
            "{name} is not used"
        );
        names.push(name.replace('-', "_"));
    }
    for used in [
        "axum",
        "http_body_util",
        "hyper",
        "hyper_util",
        "rustls",
        "thiserror",
        "tokio",
    ]
    .into_iter()
    .chain(["tokio_rustls", "tokio_util", "tower", "tracing"])
    {
        assert!(names.iter().any(|name| name == used), "{used} is missing");
    }
}
