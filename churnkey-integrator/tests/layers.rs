//! The rooms of ARCHITECTURE.md, as far as a text search can hold them apart.
#![expect(clippy::unwrap_used, reason = "a test that panics has done its work")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let deeper = folders.iter().flat_map(|folder| sources(folder));
    deeper.chain(files).collect()
}

/// The lines of code, not of comments, that mention any of these words, with their files.
fn mentions(rooms: &[&str], words: &[&str]) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in sources(&src) {
        let file = path
            .strip_prefix(&src)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if !rooms.iter().any(|room| file.starts_with(room)) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let lines = code.filter(|line| words.iter().any(|word| line.contains(word)));
        found.extend(lines.map(|line| format!("{file}: {}", line.trim())));
    }
    found
}

const VOCABULARY: [&str; 7] = [
    "id.rs",
    "secret.rs",
    "pii.rs",
    "time.rs",
    "money.rs",
    "page.rs",
    "model/",
];
const CONTRACT: [&str; 8] = [
    "attempt.rs",
    "context.rs",
    "error.rs",
    "operation.rs",
    "controllers/",
    "actions/",
    "idempotency.rs",
    "features.rs",
];
const PROOF: [&str; 3] = ["auth.rs", "auth/", "seal.rs"];
const HTTP: [&str; 1] = ["http/"];

#[test]
fn only_http_assembly_and_testing_know_axum() {
    for rooms in [&VOCABULARY[..], &CONTRACT, &PROOF] {
        assert_eq!(mentions(rooms, &["axum"]), [""; 0]);
    }
    assert!(
        !mentions(&HTTP, &["axum"]).is_empty(),
        "the search itself works"
    );
}

#[test]
fn the_vocabulary_has_no_async_and_no_http() {
    assert_eq!(
        mentions(&VOCABULARY, &["async ", "http::", "tokio"]),
        [""; 0]
    );
}

#[test]
fn nobody_looks_upward() {
    let above_vocabulary = [
        "crate::context",
        "crate::error",
        "crate::operation",
        "crate::controllers",
        "crate::features",
    ];
    assert_eq!(mentions(&VOCABULARY, &above_vocabulary), [""; 0]);
    let above_contract = ["crate::auth", "crate::seal", "auth::", "seal::"];
    for rooms in [&VOCABULARY[..], &CONTRACT] {
        assert_eq!(mentions(rooms, &above_contract), [""; 0]);
    }
    for rooms in [&VOCABULARY[..], &CONTRACT, &PROOF] {
        assert_eq!(
            mentions(rooms, &["crate::http", "integration::", "testing::"]),
            [""; 0]
        );
    }
    assert_eq!(mentions(&HTTP, &["integration::", "testing::"]), [""; 0]);
}
