//! Checks every path in the source files against the layers of ARCHITECTURE.md.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

const LIBRARY: &str = "churnkey-integrator";
const CRATES: [&str; 3] = [LIBRARY, "churnkey-conformance", "churnkey-integrator-redis"];

/// The layers of a crate from the lowest to the highest, each with its modules, as ARCHITECTURE.md lists them.
fn layers(name: &str) -> Vec<(String, Vec<String>)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let page = fs::read_to_string(page).unwrap();
    let block = page.split_once(&format!("\n{name}/")).unwrap().1;
    let block = block.split_once("\n  src/\n").unwrap().1;
    let mut layers: Vec<(String, Vec<String>)> = Vec::new();
    for line in block.lines().take_while(|line| line.starts_with("    ")) {
        if let Some(heading) = line.trim_start().strip_prefix("-- ") {
            let name = heading.split(':').next().unwrap();
            layers.push((name.to_owned(), Vec::new()));
        } else if line.starts_with("    ") && !line.starts_with("     ") {
            let files = line.split_whitespace();
            let files = files.map_while(|word| word.strip_suffix(".rs").or(word.strip_suffix('/')));
            layers
                .last_mut()
                .unwrap()
                .1
                .extend(files.map(str::to_owned));
        }
    }
    layers
}

/// The files and folders that ARCHITECTURE.md lists in a folder of `src`, such as `http`.
fn listed_in(folder: &str) -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let page = fs::read_to_string(page).unwrap();
    let block = page.split_once(&format!("\n    {folder}/ ")).unwrap().1;
    let lines = block.lines().skip(1);
    let lines = lines.take_while(|line| line.starts_with("      "));
    let names = lines.filter(|line| !line.starts_with("       "));
    let names = names.flat_map(|line| {
        let words = line.split_whitespace();
        words.take_while(|word| word.ends_with(".rs") || word.ends_with('/'))
    });
    names
        .map(|name| name.trim_end_matches('/').to_owned())
        .collect()
}

/// The files below a folder, without hidden folders and what cargo builds.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let entries = entries.map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let folders = folders.iter().filter(|folder| {
        let name = folder.file_name().unwrap().to_str().unwrap();
        !name.starts_with('.') && name != "target"
    });
    let deeper = folders.flat_map(|folder| files_in(folder));
    deeper.chain(files).collect()
}

/// The path of each source file of a crate below `src`, and its tokens, without comments and with unexpanded macros.
fn sources(name: &str) -> Vec<(String, TokenStream)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(name)
        .join("src");
    let mut sources = Vec::new();
    let files = files_in(&src).into_iter();
    for path in files.filter(|path| path.extension().is_some_and(|of| of == "rs")) {
        let name = path.strip_prefix(&src).unwrap().to_str().unwrap();
        let tokens = fs::read_to_string(&path).unwrap().parse().unwrap();
        sources.push((name.to_owned(), tokens));
    }
    sources
}

fn module_of(file: &str) -> Vec<String> {
    let mut module: Vec<String> = file
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if module
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        module.pop();
    }
    module
}

fn identifiers(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => drop(found.insert(ident.to_string())),
            TokenTree::Group(group) => identifiers(group.stream(), found),
            _ => {}
        }
    }
}

/// Every path within the crate that the tokens contain, from the crate's root: in a `use`, grouped or not, in an
/// expression or in a macro.
fn paths(module: &[String], tokens: TokenStream) -> Vec<Vec<String>> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Ident(ident) if *ident == "mod" => {
                let name = tokens.get(at + 1).map(ToString::to_string);
                if let (Some(name), Some(TokenTree::Group(body))) = (name, tokens.get(at + 2)) {
                    let inner = [module, &[name]].concat();
                    found.extend(paths(&inner, body.stream()));
                    at += 2;
                }
            }
            TokenTree::Ident(ident)
                if is_separator(&tokens, at + 1)
                    && !(at >= 2 && is_separator(&tokens, at - 2))
                    && ["crate", "super", "self"].contains(&ident.to_string().as_str()) =>
            {
                at = path(module, &[], &tokens, at, &mut found);
                continue;
            }
            TokenTree::Group(group) => found.extend(paths(module, group.stream())),
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads one path, with the group at its end if there is one, and returns the index of the next token.
fn path(
    module: &[String],
    start: &[String],
    tokens: &[TokenTree],
    mut at: usize,
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = start.to_vec();
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => match ident.to_string().as_str() {
                "crate" => path.clear(),
                "self" if path.is_empty() => path = module.to_vec(),
                "self" => {}
                "super" => {
                    if path.is_empty() {
                        path = module.to_vec();
                    }
                    path.pop();
                }
                name => path.push(name.to_owned()),
            },
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let comma =
                    |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
                for one in inner.split(comma).filter(|one| !one.is_empty()) {
                    self::path(module, &path, one, 0, found);
                }
                return at + 1;
            }
            Some(TokenTree::Punct(all)) if all.as_char() == '*' => path.push("*".to_owned()),
            // A turbofish, or the token after the path.
            _ => break,
        }
        at += 1;
        if !is_separator(tokens, at) {
            break;
        }
        at += 2;
    }
    found.push(path);
    at
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon =
        |at| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(at) && colon(at + 1)
}

/// The re-exports of the crate's root, with their modules: `crate::Email` is in `pii`.
fn reexports(sources: &[(String, TokenStream)]) -> BTreeMap<String, String> {
    let (_, root) = sources.iter().find(|(file, _)| file == "lib.rs").unwrap();
    // In the root a path may begin with the name of a module.
    let tokens: Vec<TokenTree> = root.clone().into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if matches!(token, TokenTree::Ident(ident) if *ident == "use") {
            path(&[], &[], &tokens, at + 1, &mut found);
        }
    }
    let names = found.into_iter().filter(|path| path.len() > 1);
    names
        .map(|path| (path.last().unwrap().clone(), path[0].clone()))
        .collect()
}

#[test]
fn the_reader_of_paths_sees_groups_nesting_inner_modules_expressions_and_macros() {
    let text = r#"
        use std::{fmt, crate_like::no};
        use crate::{a, b::{self, c}, d::*, e::F as G};
        use super::{sibling, super::h};
        use crate::Root;
        use other_crate::no::Item;
        /// crate::only::said
        fn f(self) -> crate::i::J { self.x; super::k::l::<crate::m::N>() }
        pub(crate) mod inner { use super::{super::o, p}; use self::q; }
        macro_rules! m { () => { $crate::r::s!(crate::t) } }
    "#;
    let module = ["x", "y"].map(str::to_owned);
    let found = paths(&module, text.parse().unwrap());
    let found: Vec<String> = found.iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        [
            "a",
            "b",
            "b::c",
            "d::*",
            "e::F",
            "x::sibling",
            "h",
            "Root",
            "i::J",
            "x::k::l",
            "m::N",
            "x::o",
            "x::y::p",
            "x::y::inner::q",
            "r::s",
            "t",
        ]
    );
}

#[test]
fn every_module_has_its_place_in_one_layer() {
    for name in CRATES {
        let placed = layers(name).into_iter().flat_map(|(_, files)| files);
        let mut placed: Vec<String> = placed.collect();
        placed.sort();
        let sources = sources(name);
        let modules = sources
            .iter()
            .filter_map(|(file, _)| module_of(file).into_iter().next());
        let modules: BTreeSet<String> = modules.collect();
        assert_eq!(placed, modules.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn every_file_of_http_is_described() {
    let http = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let files = fs::read_dir(http).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(listed_in("http"), files.collect());
}

#[test]
fn a_file_uses_its_own_layers_earlier_files_and_lower_layers() {
    for name in CRATES {
        let (upward, unknown) = against_the_order(name);
        assert_eq!((upward, unknown), (vec![], vec![]), "{name}");
    }
}

/// The paths in a crate's files that lead to later files, and those that lead nowhere.
fn against_the_order(name: &str) -> (Vec<String>, Vec<String>) {
    let order = layers(name).into_iter().flat_map(|(_, files)| files);
    let order: Vec<String> = order.collect();
    let place = |module: &str| order.iter().position(|name| name == module);
    let sources = sources(name);
    let reexports = reexports(&sources);
    let (mut upward, mut unknown) = (Vec::new(), Vec::new());
    for (file, tokens) in &sources {
        let module = module_of(file);
        let Some(own) = module.first().and_then(|own| place(own)) else {
            continue;
        };
        for path in paths(&module, tokens.clone()) {
            let named = path.first().map_or("", String::as_str);
            let target = reexports.get(named).map_or(named, String::as_str);
            match place(target) {
                Some(target) if target <= own => {}
                Some(_) => upward.push(format!("{file}: {}", path.join("::"))),
                // The macro crate is below every layer.
                None if target == "churnkey_integrator_macros" => {}
                None => unknown.push(format!("{file}: {}", path.join("::"))),
            }
        }
    }
    (upward, unknown)
}

/// The source files by their modules.
type Modules<'a> = BTreeMap<Vec<String>, &'a str>;

fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if *ident == word)
}

/// The tokens without the re-exports, and the re-exports of a module's own children: name and whole path.
fn split_reexports(
    module: &[String],
    tokens: TokenStream,
    modules: &Modules<'_>,
) -> (Vec<TokenTree>, BTreeMap<String, Vec<String>>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut kept, mut found) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let in_crate = matches!(tokens.get(at + 1), Some(TokenTree::Group(_)));
        let after = at + 1 + usize::from(in_crate);
        if is_word(Some(token), "pub") && is_word(tokens.get(after), "use") {
            at = path(module, &[], &tokens, after + 1, &mut found);
        } else {
            kept.push(token.clone());
            at += 1;
        }
    }
    let of_children = found.into_iter().filter_map(|path| {
        let path = match path.starts_with(module) {
            true if !module.is_empty() => path,
            _ => [module, &path].concat(),
        };
        modules
            .contains_key(path.get(..=module.len())?)
            .then(|| (path.last().unwrap().clone(), path))
    });
    (kept, of_children.collect())
}

/// The files of the crate that each file uses, in any layer. A re-export is not a use. A use of its name is a use of the file
/// where the item is defined.
fn uses(sources: &[(String, TokenStream)]) -> BTreeMap<&str, BTreeSet<&str>> {
    let modules: Modules<'_> = sources
        .iter()
        .map(|(file, _)| (module_of(file), &**file))
        .collect();
    let mut reexports = BTreeMap::new();
    let mut code = Vec::new();
    for (file, tokens) in sources {
        let module = module_of(file);
        let (kept, own) = split_reexports(&module, tokens.clone(), &modules);
        reexports.insert(module.clone(), own);
        code.push((file.as_str(), module, kept));
    }
    let file_of = |mut path: Vec<String>| loop {
        let lengths = (0..=path.len()).rev();
        let of_file = lengths
            .map(|length| &path[..length])
            .find(|m| modules.contains_key(*m))?;
        let name = path.get(of_file.len());
        match name.and_then(|name| reexports[of_file].get(name)) {
            Some(whole) => path = [whole, &path[of_file.len() + 1..]].concat(),
            None => return Some(modules[of_file]),
        }
    };
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (file, module, tokens) in &code {
        let mut named = paths(module, tokens.iter().cloned().collect());
        named.extend(children_named(module, tokens, &modules));
        let used = named
            .into_iter()
            .filter_map(file_of)
            .filter(|used| used != file);
        uses.entry(file).or_default().extend(used);
    }
    uses
}

/// The paths that begin with the name of a child module, as in `child::f()` and `use child::f`.
fn children_named(
    module: &[String],
    tokens: &[TokenTree],
    modules: &Modules<'_>,
) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) if is_separator(tokens, at + 1) => {
                let child = [module, &[ident.to_string()]].concat();
                if modules.contains_key(&child) && !(at >= 2 && is_separator(tokens, at - 2)) {
                    path(module, module, tokens, at, &mut found);
                }
            }
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                found.extend(children_named(module, &inner, modules));
            }
            _ => {}
        }
    }
    found
}

/// The files that depend on themselves through other files.
fn cycles(
    uses: &BTreeMap<&str, BTreeSet<&str>>,
    is_one_layer: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let mut found = Vec::new();
    for file in uses.keys() {
        let mut reached = BTreeSet::new();
        let mut ahead = vec![*file];
        while let Some(next) = ahead.pop() {
            for used in uses.get(next).into_iter().flatten() {
                if is_one_layer(file, used) && reached.insert(*used) {
                    ahead.push(used);
                }
            }
        }
        if reached.contains(file) {
            found.push((*file).to_owned());
        }
    }
    found
}

#[test]
fn a_cycle_is_found_through_reexports_children_and_further_files() {
    let sources = [
        (
            "a/mod.rs",
            "mod b; mod c; pub use b::B; pub(crate) use self::c::{C, D};",
        ),
        ("a/b.rs", "use super::C;"),
        ("a/c.rs", "fn f() { super::e::E; }"),
        ("a/e.rs", "use crate::a::{B, X};"),
        ("a/leaf.rs", "use std::fmt;"),
        ("g/mod.rs", "mod h; fn f() { h::f() }"),
        ("g/h.rs", "use super::Own;"),
        ("lib.rs", "mod a; mod g; pub use a::B;"),
    ];
    let sources = sources.map(|(file, text)| (file.to_owned(), text.parse().unwrap()));
    let uses = uses(&sources);
    assert_eq!(uses["a/e.rs"], BTreeSet::from(["a/b.rs", "a/mod.rs"]));
    assert_eq!(uses["a/mod.rs"], BTreeSet::new());
    let found = cycles(&uses, |_, _| true);
    assert_eq!(found, ["a/b.rs", "a/c.rs", "a/e.rs", "g/h.rs", "g/mod.rs"]);
}

#[test]
fn no_files_of_a_layer_depend_on_each_other_in_a_cycle() {
    for name in CRATES {
        let layers = layers(name);
        let layer_of = |file: &str| {
            let own = module_of(file).into_iter().next()?;
            layers
                .iter()
                .position(|(_, modules)| modules.contains(&own))
        };
        let sources = sources(name);
        let uses = uses(&sources);
        let cycles = cycles(&uses, |one, other| {
            layer_of(one).is_some() && layer_of(one) == layer_of(other)
        });
        assert_eq!(cycles, [""; 0], "{name}");
    }
}

/// Which of these names the files of a layer of the library use, each with its file.
fn mentions(layer: &str, names: &[&str]) -> Vec<String> {
    let layers = layers(LIBRARY);
    let (_, modules) = layers.iter().find(|(name, _)| name == layer).unwrap();
    let mut found = Vec::new();
    for (file, tokens) in sources(LIBRARY) {
        if !module_of(&file)
            .first()
            .is_some_and(|own| modules.contains(own))
        {
            continue;
        }
        let mut used = BTreeSet::new();
        identifiers(tokens, &mut used);
        let used = names.iter().filter(|name| used.contains(**name));
        found.extend(used.map(|name| format!("{file}: {name}")));
    }
    found
}

#[test]
fn only_http_and_assembly_know_axum() {
    for layer in ["vocabulary", "contract", "verification"] {
        assert_eq!(mentions(layer, &["axum"]), [""; 0]);
    }
    assert!(
        !mentions("HTTP", &["axum"]).is_empty(),
        "the search itself works"
    );
}

#[test]
fn the_vocabulary_has_no_async_and_no_http() {
    let names = ["async", "await", "Future", "http", "hyper", "tokio"];
    assert_eq!(mentions("vocabulary", &names), [""; 0]);
}

/// A file in a `tests` folder is the root of a test, and no module.
#[test]
fn a_module_with_files_of_its_own_is_the_mod_rs_of_their_folder() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = files_in(&repository);
    let is_module = |file: &&PathBuf| {
        file.extension().is_some_and(|extension| extension == "rs")
            && !file.parent().unwrap().ends_with("tests")
    };
    let (modules, beside): (Vec<_>, Vec<_>) = files
        .iter()
        .filter(is_module)
        .partition(|file| !file.with_extension("").is_dir());
    assert_eq!(beside, Vec::<&PathBuf>::new());
    assert!(modules.len() > 300, "{} files", modules.len());
}
