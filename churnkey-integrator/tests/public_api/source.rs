//! Reads the modules of the library with their items, and resolves paths in them.

use std::{collections::BTreeMap, fs, path::Path};

use proc_macro2::TokenStream;
use syn::{
    Attribute, ImplItem, Item, ItemType, UseTree, Visibility,
    parse::{ParseStream, Parser},
};

use crate::expansion::Macro;

/// A path from the crate's root, without `crate`.
pub(crate) type Names = Vec<String>;

pub(crate) struct Source {
    pub(crate) modules: BTreeMap<Names, Module>,
    macros: BTreeMap<String, Macro>,
}

pub(crate) struct Module {
    pub(crate) items: Vec<Item>,
    /// The `cfg`s of the module and of those around it.
    pub(crate) conditions: Vec<String>,
}

/// A path and the module in which it is looked up. During the look-up, a glob that leads back to it finds nothing.
type Question = (Names, Names);

/// What a path resolves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    Module(Names),
    /// An item of this crate, and the rest of the path, such as a variant.
    Item(Names, Names),
    Foreign(Names),
}

/// A name that a `use` brings in; `*` brings in all.
pub(crate) struct Import {
    pub(crate) name: String,
    pub(crate) path: Names,
}

impl Source {
    /// Reads `lib.rs` and the modules that it declares, without those for tests.
    pub(crate) fn read(src: &Path) -> Self {
        let mut source = Self {
            modules: BTreeMap::new(),
            macros: BTreeMap::new(),
        };
        let root = file(&src.join("lib.rs"));
        source.add(src, Names::new(), Vec::new(), root);
        let modules = std::mem::take(&mut source.modules);
        for (path, mut module) in modules {
            module.items = source.expanded(module.items);
            source.modules.insert(path, module);
        }
        source
    }

    fn add(&mut self, folder: &Path, path: Names, conditions: Vec<String>, items: Vec<Item>) {
        for item in &items {
            match item {
                Item::Mod(module) if !is_for_tests(&module.attrs) => {
                    let name = module.ident.to_string();
                    let inside = folder.join(&name);
                    let inner = match &module.content {
                        Some((_, items)) => items.clone(),
                        None => {
                            let beside = folder.join(format!("{name}.rs"));
                            let beside = beside.exists().then_some(beside);
                            file(&beside.unwrap_or_else(|| inside.join("mod.rs")))
                        }
                    };
                    let mut around = conditions.clone();
                    add_conditions(&mut around, &module.attrs);
                    let inner_path = joined(&path, &[name]);
                    self.add(&inside, inner_path, around, inner);
                }
                Item::Macro(rules) if rules.mac.path.is_ident("macro_rules") => {
                    let name = rules.ident.as_ref().unwrap().to_string();
                    let mut attributes = rules.attrs.iter();
                    let is_exported = attributes.any(|a| a.path().is_ident("macro_export"));
                    assert!(
                        !is_exported,
                        "teach tests/public_api/listing.rs the public {name}!"
                    );
                    let rules = Macro::new(rules.mac.tokens.clone());
                    let former = self.macros.insert(name.clone(), rules);
                    assert!(former.is_none(), "two macros are called {name}");
                }
                _ => {}
            }
        }
        let items = items.into_iter();
        let items = items.filter(|item| !is_for_tests(attributes(item)));
        let module = Module {
            items: items.collect(),
            conditions,
        };
        self.modules.insert(path, module);
    }

    fn expanded(&self, items: Vec<Item>) -> Vec<Item> {
        let items = items.into_iter().flat_map(|item| match item {
            Item::Macro(rules) if rules.mac.path.is_ident("macro_rules") => vec![],
            Item::Macro(call) => {
                let made = match call.mac.path.is_ident("thread_local") {
                    // It holds statics as they are.
                    true => call.mac.tokens,
                    false => self.expansion(&call.mac),
                };
                self.expanded(syn::parse2::<syn::File>(made).unwrap().items)
            }
            Item::Impl(mut block) => {
                let items = std::mem::take(&mut block.items);
                block.items = items
                    .into_iter()
                    .flat_map(|item| match item {
                        ImplItem::Macro(call) => {
                            impl_items.parse2(self.expansion(&call.mac)).unwrap()
                        }
                        item => vec![item],
                    })
                    .collect();
                vec![Item::Impl(block)]
            }
            item => vec![item],
        });
        items.collect()
    }

    fn expansion(&self, call: &syn::Macro) -> TokenStream {
        let name = call.path.segments.last().map(|name| name.ident.to_string());
        let rules = name.and_then(|name| self.macros.get(&name));
        match rules {
            Some(rules) => rules.expand(call.tokens.clone()),
            None => panic!(
                "only a macro of this crate can be expanded: {}",
                quote::quote!(#call)
            ),
        }
    }

    /// The item, if it is an alias of a type.
    pub(crate) fn alias(&self, item: &[String]) -> Option<&ItemType> {
        let (name, module) = item.split_last()?;
        let mut items = self.modules.get(module)?.items.iter();
        items.find_map(|item| match item {
            Item::Type(alias) if alias.ident == name => Some(alias),
            _ => None,
        })
    }

    /// What the path resolves to in this module. One name may be a module and a function, so there may be several results.
    pub(crate) fn meanings(&self, module: &Names, path: &[String]) -> Vec<Meaning> {
        self.look_up(module, path, &mut Vec::new())
    }

    /// What a `use` in this module brings in.
    pub(crate) fn imported(&self, module: &Names, import: &Import) -> Vec<Meaning> {
        self.follow(module, import, &mut Vec::new())
    }

    fn look_up(&self, module: &Names, path: &[String], open: &mut Vec<Question>) -> Vec<Meaning> {
        let (first, rest) = path.split_first().unwrap();
        match first.as_str() {
            "crate" => self.inside(&Names::new(), rest, open),
            "self" => self.inside(module, rest, open),
            "super" => {
                let around = module[..module.len() - 1].to_vec();
                match rest.first().map(String::as_str) {
                    Some("super") => self.look_up(&around, rest, open),
                    _ => self.inside(&around, rest, open),
                }
            }
            _ => match self.inside(module, path, open) {
                found if found.is_empty() => vec![Meaning::Foreign(path.to_vec())],
                found => found,
            },
        }
    }

    /// What the path resolves to if it begins with a name of this module.
    fn inside(&self, module: &Names, path: &[String], open: &mut Vec<Question>) -> Vec<Meaning> {
        let Some((first, rest)) = path.split_first() else {
            return vec![Meaning::Module(module.clone())];
        };
        let question = (module.clone(), path.to_vec());
        if open.contains(&question) {
            return Vec::new();
        }
        open.push(question);
        let mut found = Vec::new();
        for item in &self.modules[module].items {
            let is_called = |name: &syn::Ident| name == first;
            match item {
                Item::Mod(inner) if is_called(&inner.ident) => {
                    let inner = joined(module, std::slice::from_ref(first));
                    found.extend(self.inside(&inner, rest, open));
                }
                Item::Use(import) => {
                    for import in imports(&import.tree) {
                        if import.name == "*" {
                            for meaning in self.follow(module, &import, open) {
                                if let Meaning::Module(other) = meaning {
                                    found.extend(self.inside(&other, path, open));
                                }
                            }
                        } else if import.name == *first {
                            let path = joined(&import.path, rest);
                            found.extend(self.follow(module, &Import { path, ..import }, open));
                        }
                    }
                }
                // No path continues after a function.
                Item::Fn(_) if !rest.is_empty() => {}
                item if name(item).is_some_and(is_called) => {
                    let item = joined(module, std::slice::from_ref(first));
                    found.push(Meaning::Item(item, rest.to_vec()));
                }
                _ => {}
            }
        }
        open.pop();
        found.dedup();
        found
    }

    /// In `use name::name`, the first of the two is a module of this one or a crate, not the name that is brought in.
    fn follow(&self, module: &Names, import: &Import, open: &mut Vec<Question>) -> Vec<Meaning> {
        let (first, rest) = import.path.split_first().unwrap();
        let inner = joined(module, std::slice::from_ref(first));
        if *first != import.name {
            self.look_up(module, &import.path, open)
        } else if self.modules.contains_key(&inner) {
            self.inside(&inner, rest, open)
        } else {
            vec![Meaning::Foreign(import.path.clone())]
        }
    }
}

fn file(path: &Path) -> Vec<Item> {
    let text = fs::read_to_string(path).unwrap();
    syn::parse_file(&text).unwrap().items
}

fn impl_items(stream: ParseStream<'_>) -> syn::Result<Vec<ImplItem>> {
    let mut items = Vec::new();
    while !stream.is_empty() {
        items.push(stream.parse()?);
    }
    Ok(items)
}

pub(crate) fn joined(start: &[String], end: &[String]) -> Names {
    [start, end].concat()
}

pub(crate) fn imports(tree: &UseTree) -> Vec<Import> {
    fn add(tree: &UseTree, start: &[String], found: &mut Vec<Import>) {
        let (name, last) = match tree {
            UseTree::Path(path) => {
                let start = joined(start, &[path.ident.to_string()]);
                return add(&path.tree, &start, found);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| add(tree, start, found));
            }
            UseTree::Glob(_) => ("*".to_owned(), None),
            UseTree::Name(name) if name.ident == "self" => (start[start.len() - 1].clone(), None),
            UseTree::Name(name) => (name.ident.to_string(), Some(name.ident.to_string())),
            UseTree::Rename(rename) => (rename.rename.to_string(), Some(rename.ident.to_string())),
        };
        let path = joined(start, last.as_slice());
        found.push(Import { name, path });
    }
    let mut found = Vec::new();
    add(tree, &[], &mut found);
    found
}

pub(crate) fn name(item: &Item) -> Option<&syn::Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}

pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        item => panic!(
            "teach tests/public_api/source.rs this item: {}",
            quote::quote!(#item)
        ),
    }
}

pub(crate) fn is_public(item: &Item) -> bool {
    let visibility = match item {
        Item::Const(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        Item::Mod(item) => &item.vis,
        Item::Static(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        Item::Union(item) => &item.vis,
        Item::Use(item) => &item.vis,
        _ => return false,
    };
    matches!(visibility, Visibility::Public(_)) && !is_hidden(attributes(item))
}

pub(crate) fn is_hidden(attributes: &[Attribute]) -> bool {
    let hidden: Attribute = syn::parse_quote!(#[doc(hidden)]);
    let hidden = quote::quote!(#hidden).to_string();
    let mut texts = attributes.iter().map(|a| quote::quote!(#a).to_string());
    texts.any(|text| text == hidden)
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    let mut conditions = Vec::new();
    add_conditions(&mut conditions, attributes);
    conditions
        .iter()
        .any(|condition| condition == "#[cfg(test)]")
}

pub(crate) fn add_conditions(conditions: &mut Vec<String>, attributes: &[Attribute]) {
    for attribute in attributes.iter().filter(|a| a.path().is_ident("cfg")) {
        let syn::Meta::List(list) = &attribute.meta else {
            panic!("a `cfg` without parentheses");
        };
        let condition = list.tokens.to_string();
        let condition = condition.replace(" (", "(").replace(" ,", ",");
        let condition = format!("#[cfg({condition})]");
        if !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }
}
