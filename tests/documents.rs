//! The repository's documents: runs the programs of the README and of the guide's pages on tests and metrics as doctests, and checks all
//! pages.

/// The README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The guide's page on tests, whose programs need the suite, which the library does not depend on.
#[cfg(doctest)]
#[doc = include_str!("../churnkey-integrator/docs/testing.md")]
struct Testing;

/// The guide's page on metrics, whose programs need an exporter and OpenTelemetry.
#[cfg(doctest)]
#[doc = include_str!("../churnkey-integrator/docs/metrics.md")]
struct Metrics;

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    use churnkey_conformance::Rule;
    use churnkey_integrator::Operation;

    /// The repository.
    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    /// The Markdown pages below a folder, without hidden folders and what cargo builds.
    fn pages(folder: &Path) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                found.extend(pages(&path));
            } else if name.ends_with(".md") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
        found
    }

    /// The lines of a page outside of its blocks of code.
    fn prose(text: &str) -> impl Iterator<Item = &str> {
        let mut in_code = false;
        text.lines().filter(move |line| {
            let is_fence = line.trim_start().starts_with("```");
            in_code ^= is_fence;
            !in_code && !is_fence
        })
    }

    /// The targets of the links in a line: inline ones, and that of a definition.
    fn targets(line: &str) -> Vec<&str> {
        let inline = line.split("](").skip(1);
        let inline = inline.filter_map(|rest| rest.split(')').next());
        let definition = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "));
        inline.chain(definition.map(|(_, target)| target)).collect()
    }

    /// The anchor that a heading gets.
    fn anchor(heading: &str) -> String {
        let kept = heading.trim_start_matches('#').trim().chars();
        let kept = kept.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    }

    /// What is wrong with a link of a page, if anything.
    fn broken(page: &Path, target: &str) -> Option<String> {
        if target.contains("://") {
            return None;
        }
        let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
        let path = if file.is_empty() {
            page.to_owned()
        } else {
            page.parent().unwrap().join(file)
        };
        if !path.exists() {
            return Some(format!("{}: {target} is not there", page.display()));
        }
        let has_anchor = || {
            let text = fs::read_to_string(&path).unwrap();
            let mut headings = prose(&text).filter(|line| line.starts_with('#'));
            headings.any(|heading| anchor(heading) == fragment)
        };
        (!fragment.is_empty() && !has_anchor())
            .then(|| format!("{}: {target} has no such heading", page.display()))
    }

    #[test]
    fn the_readme_has_160_lines_at_most() {
        let readme = fs::read_to_string(root().join("README.md")).unwrap();
        assert!(readme.lines().count() <= 160);
    }

    /// `test = false` spares the build of a harness without tests.
    #[test]
    fn no_test_is_in_a_target_that_is_not_tested() {
        let mut packages = vec![root().join("proof")];
        for folder in ["examples", "tests"] {
            let entries = fs::read_dir(root().join(folder)).unwrap();
            packages.extend(entries.map(|entry| entry.unwrap().path()));
        }
        let mut untested = Vec::new();
        for package in packages {
            let Ok(manifest) = fs::read_to_string(package.join("Cargo.toml")) else {
                continue;
            };
            for target in manifest
                .split("\n[")
                .filter(|part| part.contains("\ntest = false"))
            {
                let path = target.lines().find_map(|line| line.strip_prefix("path = "));
                let files = match path {
                    Some(path) => vec![package.join(path.trim_matches('"'))],
                    None => files_of_library(&package.join("src")),
                };
                untested.extend(files);
            }
        }
        assert!(untested.len() > 40, "{untested:?}");
        let has_test = |file: &PathBuf| fs::read_to_string(file).unwrap().contains("#[test]");
        let lost: Vec<PathBuf> = untested.into_iter().filter(has_test).collect();
        assert_eq!(lost, Vec::<PathBuf>::new());
    }

    /// Without the programs beside it.
    fn files_of_library(source: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for entry in fs::read_dir(source).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("bin") {
                files.extend(files_of_library(&path));
            } else if path.extension().is_some_and(|kind| kind == "rs")
                && !path.ends_with("main.rs")
            {
                files.push(path);
            }
        }
        files
    }

    #[test]
    fn lines_of_prose_have_120_columns_at_most() {
        let pages = pages(&root());
        let mut long = Vec::new();
        for (path, text) in &pages {
            let lines = prose(text).filter(|line| !line.starts_with('|'));
            let lines = lines.filter(|line| line.chars().count() > 120);
            long.extend(lines.map(|line| format!("{}: {line}", path.display())));
        }
        assert_eq!(long, [""; 0]);
        assert!(pages.len() > 15, "{} pages", pages.len());
    }

    #[test]
    fn every_link_to_a_file_leads_somewhere() {
        let pages = pages(&root());
        let mut checked = 0;
        let mut wrong = Vec::new();
        for (path, text) in &pages {
            for target in prose(text).flat_map(targets) {
                checked += 1;
                wrong.extend(broken(path, target));
            }
        }
        assert_eq!(wrong, [""; 0]);
        assert!(checked > 50, "{checked} links");
    }

    #[test]
    fn the_search_for_links_finds_inline_ones_and_definitions() {
        let found = targets("see [a](a.md#x-y) and [`b`](../b.rs)");
        assert_eq!(found, ["a.md#x-y", "../b.rs"]);
        assert_eq!(targets("[`c`]: ../c.rs"), ["../c.rs"]);
        assert_eq!(anchor("## What's `in` it?"), "whats-in-it");
        let readme = root().join("README.md");
        assert_eq!(broken(&readme, "README.md#run-it"), None);
        assert!(broken(&readme, "README.md#nowhere").is_some());
        assert!(broken(&readme, "nowhere.md").is_some());
    }

    /// In the crate's documentation, a link of the guide to a file would lead nowhere.
    #[test]
    fn every_link_of_the_guide_is_defined_for_rustdoc_too() {
        let library = root().join("churnkey-integrator");
        let guide = fs::read_to_string(library.join("src/guide.rs")).unwrap();
        let mut checked = 0;
        let mut wrong = Vec::new();
        for (path, text) in pages(&library.join("docs")) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let include = format!("include_str!(\"../docs/{name}\")");
            let (before, _) = guide.split_once(&include).unwrap();
            let module = before.rsplit("pub mod ").next().unwrap();
            for line in prose(&text) {
                let inline = line.contains("](") && !line.contains("](https://");
                let definition = line.split_once("]: ").filter(|_| line.starts_with('['));
                let name = definition.map(|(name, _)| format!("{name}]: "));
                if inline || name.is_some_and(|name| !module.contains(&name)) {
                    wrong.push(format!("{}: {line}", path.display()));
                }
                checked += usize::from(definition.is_some());
            }
        }
        assert_eq!(wrong, [""; 0]);
        assert!(checked > 10, "{checked} links");
    }

    /// The numbers of the contract's sections.
    fn sections() -> BTreeSet<String> {
        let contract = fs::read_to_string(root().join("docs/contract.md")).unwrap();
        let headings = prose(&contract).filter_map(|line| line.strip_prefix("##"));
        let numbers = headings.filter_map(|heading| {
            let number = heading.trim_start_matches('#').split_whitespace().next()?;
            let is_number = number.starts_with(|c: char| c.is_ascii_digit());
            is_number.then(|| number.trim_end_matches('.').to_owned())
        });
        numbers.collect()
    }

    #[test]
    fn every_section_that_a_finding_cites_is_in_the_contract() {
        let sections = sections();
        assert!(
            sections.contains("2.5") && sections.contains("3"),
            "{sections:?}"
        );
        for operation in Operation::all() {
            for rule in Rule::all() {
                let cited = rule.section_of(operation);
                assert!(
                    sections.contains(cited),
                    "{} of {} cites section {cited}, which docs/contract.md does not have",
                    rule.name(),
                    operation.name()
                );
            }
        }
    }

    /// The sources and pages of the published crates and of the examples.
    fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                found.extend(texts(&path));
            } else if name.ends_with(".md") || name.ends_with(".rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
        found
    }

    #[test]
    fn every_section_that_a_comment_or_page_cites_is_in_the_contract() {
        let sections = sections();
        let mut citations = 0;
        for (path, text) in texts(&root()) {
            for citation in text.split("contract, section").skip(1) {
                let citation = citation.split([')', ':', ';']).next().unwrap();
                let words = citation.trim_start_matches('s').split_whitespace();
                let numbers = words.map(|word| word.trim_matches([',', '.']));
                let numbers = numbers.take_while(|word| {
                    matches!(*word, "and" | "to") || word.starts_with(|c: char| c.is_ascii_digit())
                });
                for cited in numbers.filter(|word| !matches!(*word, "and" | "to")) {
                    citations += 1;
                    let path = path.display();
                    assert!(
                        sections.contains(cited),
                        "{path} cites section {cited}, which docs/contract.md does not have"
                    );
                }
            }
        }
        assert!(citations > 100, "{citations}");
    }
}
