//! Checks that every place in the code that `docs/contract-decisions.md` names exists, and has the decided values.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};

/// A row: what was decided, and where.
struct Row {
    text: String,
    decision: String,
    place: String,
}

fn rows() -> Vec<Row> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/contract-decisions.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().filter(|line| {
        line.starts_with("| ") && !line.contains("---") && !line.starts_with("| Open")
    });
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, decision, place] = *cells else {
            panic!("not three cells: {line}");
        };
        Row {
            text: line.to_owned(),
            decision: decision.to_owned(),
            place: place.to_owned(),
        }
    };
    rows.map(row).collect()
}

/// The parts of a text that are between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The tokens of a file, or of all files of a folder, without comments and tests.
fn code(path: &Path) -> Vec<TokenTree> {
    if path.is_dir() {
        let files = fs::read_dir(path).unwrap();
        return files.flat_map(|file| code(&file.unwrap().path())).collect();
    }
    if path.ends_with("tests.rs") {
        return Vec::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let tokens: TokenStream = text.parse().unwrap();
    tokens.into_iter().filter(|token| !is_doc(token)).collect()
}

fn is_doc(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.to_string().starts_with("[doc ="))
}

fn is(token: Option<&TokenTree>, text: &str) -> bool {
    token.is_some_and(|token| token.to_string() == text)
}

/// The code of everything that is defined by this name: functions, constants, types with what is implemented for
/// them, traits as they are implemented, keys of serde's attributes, a table that a macro reads, as in `name! { .. }`, and
/// its rows, each of which is a name before a text.
fn definitions(name: &str, tokens: &[TokenTree]) -> Vec<String> {
    const KEYWORDS: [&str; 6] = ["fn", "const", "struct", "enum", "trait", "type"];
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let text = token.to_string();
        // To the end of the item: its body, or a semicolon.
        let item = || {
            let rest = tokens.get(at..).unwrap_or_default();
            let end = rest.iter().position(|token| {
                let text = token.to_string();
                text == ";" || text.starts_with('{')
            });
            rest.get(..=end?)
        };
        let next = tokens.get(at + 1);
        let is_named = KEYWORDS.contains(&text.as_str()) && is(next, name);
        let is_implemented = || {
            let header = item().and_then(|item| item.split_last());
            text == "impl"
                && header.is_some_and(|(_, header)| header.iter().any(|t| is(Some(t), name)))
        };
        if is_named || is_implemented() {
            let item = item().unwrap_or_default();
            found.push(item.iter().map(|token| format!("{token} ")).collect());
        }
        if text == name
            && is(next, "=")
            && matches!(tokens.get(at + 2), Some(TokenTree::Literal(_)))
        {
            found.push(String::new());
        }
        if text == name && is_table_or_row(next, tokens.get(at + 2)) {
            let rest = tokens.get(at..).unwrap_or_default();
            let row = rest.iter().take_while(|token| token.to_string() != ";");
            found.push(row.map(|token| format!("{token} ")).collect());
        }
        if let TokenTree::Group(group) = token {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            found.extend(definitions(name, &inner));
        }
    }
    found
}

fn is_table_or_row(next: Option<&TokenTree>, after: Option<&TokenTree>) -> bool {
    match next {
        Some(TokenTree::Literal(text)) => text.to_string().starts_with('"'),
        next => {
            let table = after.map(ToString::to_string).unwrap_or_default();
            is(next, "!") && table.starts_with('{') && table.contains(';')
        }
    }
}

/// The numbers in a text, but for statuses, which the code has by name, and those of RFCs.
fn numbers(text: &str) -> Vec<&str> {
    const STATUSES: [&str; 7] = ["200", "400", "401", "404", "409", "413", "500"];
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .collect();
    let before = std::iter::once("").chain(words.iter().copied());
    let words = before.zip(words.iter().copied());
    let is_number = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
    words
        .filter(|(before, word)| is_number(word) && *before != "RFC" && !STATUSES.contains(word))
        .map(|(_, word)| word)
        .collect()
}

#[test]
fn every_decision_has_its_place_in_the_code() {
    let rows = rows();
    let mut wrong = Vec::new();
    let mut places = 0;
    for row in &rows {
        let mut defined = String::new();
        let mut has_a_name = false;
        for part in row.place.split("; ") {
            let is_file = |name: &&str| name.ends_with(".rs") || name.ends_with('/');
            let (files, names): (Vec<_>, Vec<_>) = quoted(part).partition(is_file);
            for file in files {
                let path = src().join(file);
                assert!(path.exists(), "{file} is not there: {}", row.text);
                places += 1;
                let code = code(&path);
                for name in &names {
                    let found = definitions(name, &code);
                    if found.is_empty() {
                        wrong.push(format!("{name} is not defined in {file}: {}", row.text));
                    }
                    defined.extend(found);
                    has_a_name = true;
                }
            }
        }
        if has_a_name {
            let held = numbers(&defined);
            for number in numbers(&row.decision) {
                if !held.contains(&number) {
                    wrong.push(format!("{number} is not in the code: {}", row.text));
                }
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(
        rows.len() > 40 && places > 40,
        "{} rows, {places} places",
        rows.len()
    );
}

/// The value of a decision occurs in one place, so that a correction is one edit.
#[test]
fn the_value_of_a_decisions_constant_is_written_once() {
    fn flat(tokens: Vec<TokenTree>, out: &mut Vec<String>) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    out.push(format!("{:?}", group.delimiter()));
                    flat(group.stream().into_iter().collect(), out);
                }
                token => out.push(token.to_string()),
            }
        }
    }
    let mut all = Vec::new();
    flat(code(&src()), &mut all);
    let mut constants = Vec::new();
    for row in rows() {
        let is_constant = |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        for name in quoted(&row.place).filter(is_constant) {
            let at = all
                .windows(2)
                .position(|two| two == ["const", name])
                .unwrap();
            let rest = all
                .iter()
                .skip(at)
                .skip_while(|token| *token != "=")
                .skip(1);
            let value: Vec<String> = rest.take_while(|token| *token != ";").cloned().collect();
            let times = all.windows(value.len()).filter(|window| *window == value);
            constants.push((name.to_owned(), times.count()));
        }
    }
    let repeated: Vec<_> = constants.iter().filter(|(_, times)| *times != 1).collect();
    assert_eq!(repeated, Vec::<&(String, usize)>::new());
    assert!(!constants.is_empty(), "the search itself works");
}
