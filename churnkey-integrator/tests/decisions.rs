//! `docs/contract-decisions.md` names a place in the code for every decision. The places are there.

use std::{fs, path::Path};

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_decision_has_its_place_in_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../docs/contract-decisions.md")).unwrap();
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.contains("---"));
    let (mut rows_seen, mut places) = (0, 0);
    for row in rows.filter(|row| !row.starts_with("| Open")) {
        rows_seen += 1;
        let place = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let mut code = String::new();
        for name in quoted(place) {
            if name.ends_with(".rs") || name.ends_with('/') {
                let path = root.join("src").join(name);
                assert!(path.exists(), "{name} is not there: {row}");
                code = if path.is_dir() {
                    let files = fs::read_dir(path).unwrap();
                    let files = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
                    files.collect()
                } else {
                    fs::read_to_string(path).unwrap()
                };
                places += 1;
            } else {
                assert!(code.contains(name), "{name} is not there: {row}");
            }
        }
    }
    assert!(
        rows_seen > 40 && places > 40,
        "{rows_seen} decisions, {places} places"
    );
}
