//! Checks the contents of the published crates' packages: everything that they are built from, and their licences.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

use proc_macro2::{TokenStream, TokenTree};

const CRATES: [&str; 4] = [
    "churnkey-integrator",
    "churnkey-integrator-macros",
    "churnkey-integrator-redis",
    "churnkey-conformance",
];

fn folder(name: &str) -> PathBuf {
    let library = Path::new(env!("CARGO_MANIFEST_DIR"));
    match name {
        "churnkey-integrator" => library.to_owned(),
        "churnkey-integrator-macros" => library.join("macros"),
        name => library.join("..").join(name),
    }
}

/// The files of the package, as cargo would pack them now.
fn listed(name: &str) -> BTreeSet<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "package",
        "--list",
        "--allow-dirty",
        "--offline",
        "-p",
        name,
    ]);
    let output = cargo.current_dir(folder(name)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let list = String::from_utf8(output.stdout).unwrap();
    list.lines().map(PathBuf::from).collect()
}

/// The files under `src`, from the crate's folder on.
fn sources(name: &str) -> BTreeSet<PathBuf> {
    files(name, "src")
}

/// The files under a folder of the crate, from the crate's folder on.
fn files(name: &str, folder_in_crate: &str) -> BTreeSet<PathBuf> {
    fn add(folder: &Path, from: &Path, found: &mut BTreeSet<PathBuf>) {
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(folder, &path, found);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    let folder = folder(name);
    let mut found = BTreeSet::new();
    add(&folder, &folder.join(folder_in_crate), &mut found);
    found
}

/// The paths that `include_str!` and the like read.
fn included(tokens: TokenStream, found: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let text = token.to_string();
        if let TokenTree::Group(group) = token {
            included(group.stream(), found);
        } else if ["include", "include_str", "include_bytes"].contains(&text.as_str())
            && let Some(TokenTree::Group(path)) = tokens.get(at + 2)
        {
            found.push(path.stream().to_string().trim_matches('"').to_owned());
        }
    }
}

/// `src/../README.md` as `README.md`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if normal.pop() => {}
            part => normal.push(part),
        }
    }
    normal
}

#[test]
fn a_package_holds_its_sources_pages_and_licences_and_nothing_else() {
    for name in CRATES {
        let mut expected = sources(name);
        if name == "churnkey-integrator" {
            expected.extend(files(name, "docs"));
        }
        if name != "churnkey-integrator-macros" {
            expected.insert(PathBuf::from("README.md"));
        }
        let always = [
            "Cargo.lock",
            "Cargo.toml",
            "Cargo.toml.orig",
            "LICENSE-APACHE",
            "LICENSE-MIT",
        ];
        expected.extend(always.map(PathBuf::from));
        let mut listed = listed(name);
        // Cargo adds it if there is a git repository.
        listed.remove(Path::new(".cargo_vcs_info.json"));
        assert_eq!(listed, expected, "{name}");
    }
}

#[test]
fn what_the_sources_include_is_in_the_package() {
    for name in CRATES {
        let listed = listed(name);
        let sources = sources(name).into_iter();
        for file in sources.filter(|path| path.extension().is_some_and(|of| of == "rs")) {
            let text = fs::read_to_string(folder(name).join(&file)).unwrap();
            let mut paths = Vec::new();
            included(text.parse().unwrap(), &mut paths);
            for path in paths {
                let target = normal(&file.parent().unwrap().join(&path));
                assert!(
                    listed.contains(&target),
                    "{name}: {} includes {path}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn the_search_for_what_is_included_finds_it_in_attributes_and_expressions() {
    let text = r#"#[doc = include_str!("../a.md")] struct A; fn f() { g(include_bytes!("b")) }"#;
    let mut found = Vec::new();
    included(text.parse().unwrap(), &mut found);
    assert_eq!(found, ["../a.md", "b"]);
    assert_eq!(normal(Path::new("src/x/../../a.md")), Path::new("a.md"));
    assert_eq!(normal(Path::new("src/../../a.md")), Path::new("../a.md"));
}

#[test]
fn the_licences_of_the_packages_are_those_of_the_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for name in CRATES {
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            let [copy, original] =
                [folder(name), root.clone()].map(|folder| fs::read(folder.join(licence)).unwrap());
            assert_eq!(
                copy, original,
                "copy {licence} of the repository's root to {name}"
            );
        }
    }
}
