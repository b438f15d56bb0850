//! Lists each public item in a line, by the path that a user would write.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Attribute, Fields, ImplItem, Item, ItemImpl, Meta, Path, Token, TraitItem, Type, Visibility,
    parse_quote,
    punctuated::Punctuated,
    visit_mut::{self, VisitMut},
};

use crate::source::{
    Meaning, Names, Source, add_conditions, attributes, imports, is_hidden, is_public, joined, name,
};

/// Where an item can be named, and the `cfg`s on the way there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Export {
    /// The shortest path comes first.
    length: usize,
    path: Names,
    conditions: Vec<String>,
}

struct Listing<'a> {
    source: &'a Source,
    exports: BTreeMap<Names, BTreeSet<Export>>,
    lines: BTreeSet<String>,
    /// Types in public signatures that a user can't name.
    unnameable: BTreeSet<String>,
}

/// The lines, sorted. A type in them has its whole path; one of this crate begins with `crate`. Not listed: values of
/// constants, auto traits such as `Send`, and how a type is written with serde.
pub(crate) fn listing(source: &Source) -> Vec<String> {
    let mut listing = Listing {
        source,
        exports: BTreeMap::new(),
        lines: BTreeSet::new(),
        unnameable: BTreeSet::new(),
    };
    listing.export(&Names::new(), &Names::new(), &[]);
    for (path, module) in &source.modules {
        for item in &module.items {
            match item {
                Item::Impl(block) => listing.block(path, block),
                item => listing.item(path, item),
            }
        }
    }
    assert!(
        listing.unnameable.is_empty(),
        "public signatures name what is not public: {:?}",
        listing.unnameable
    );
    listing.lines.into_iter().collect()
}

impl Listing<'_> {
    /// Finds where the items of a public module can be named.
    fn export(&mut self, module: &Names, public: &Names, conditions: &[String]) {
        let source = self.source;
        if !public.is_empty() {
            self.line(public, conditions, "pub mod");
        }
        for item in &source.modules[module].items {
            if !is_public(item) {
                continue;
            }
            let mut conditions = conditions.to_vec();
            add_conditions(&mut conditions, attributes(item));
            if let Item::Mod(inner) = item {
                let name = [inner.ident.to_string()];
                self.export(&joined(module, &name), &joined(public, &name), &conditions);
            } else if let Item::Use(import) = item {
                for import in imports(&import.tree) {
                    let public = match import.name.as_str() {
                        "*" => public.clone(),
                        name => joined(public, &[name.to_owned()]),
                    };
                    for meaning in source.imported(module, &import) {
                        match meaning {
                            Meaning::Module(other) => {
                                // A private module can't be re-exported, but its items can.
                                if import.name == "*" || self.is_public_module(&other) {
                                    self.export(&other, &public, &conditions);
                                }
                            }
                            Meaning::Item(item, rest) if rest.is_empty() => {
                                self.add_export(item, public.clone(), conditions.clone());
                            }
                            Meaning::Item(..) => panic!("a variant is re-exported: {public:?}"),
                            Meaning::Foreign(path) => {
                                let path = path.join("::");
                                if import.name == "*" {
                                    let all = joined(&public, &["*".to_owned()]);
                                    let text = format!("pub use {path}::*");
                                    self.line(&all, &conditions, &text);
                                } else {
                                    self.line(&public, &conditions, &format!("pub use {path}"));
                                }
                            }
                        }
                    }
                }
            } else if let Some(name) = name(item) {
                let name = [name.to_string()];
                self.add_export(joined(module, &name), joined(public, &name), conditions);
            }
        }
    }

    fn is_public_module(&self, module: &Names) -> bool {
        let Some((name, around)) = module.split_last() else {
            return true;
        };
        let mut items = self.source.modules[around].items.iter();
        items.any(|item| {
            matches!(item, Item::Mod(module) if module.ident == name) && is_public(item)
        })
    }

    fn add_export(&mut self, item: Names, path: Names, conditions: Vec<String>) {
        let export = Export {
            length: path.len(),
            path,
            conditions,
        };
        self.exports.entry(item).or_default().insert(export);
    }

    fn exported(&self, item: &Names) -> Option<&Export> {
        self.exports.get(item)?.first()
    }

    fn line(&mut self, path: &[String], conditions: &[String], text: &str) {
        let conditions: String = conditions.iter().map(|c| format!("{c} ")).collect();
        let path = path.join("::");
        self.lines.insert(format!("{path}: {conditions}{text}"));
    }

    fn item(&mut self, module: &Names, item: &Item) {
        let Some(name) = name(item) else {
            return;
        };
        let exports = self.exports.get(&joined(module, &[name.to_string()]));
        let exports: Vec<Export> = exports.into_iter().flatten().cloned().collect();
        let mut exports = exports.into_iter();
        let Some(Export {
            path, conditions, ..
        }) = exports.next()
        else {
            return;
        };
        for other in exports {
            let text = format!("pub use crate::{}", path.join("::"));
            self.line(&other.path, &other.conditions, &text);
        }
        let mut conditions = conditions;
        add_conditions(&mut conditions, attributes(item));
        let item = self.resolved(module, item);
        let marks = marks(attributes(&item));
        let head = match &item {
            Item::Const(item) => {
                let (name, of) = (&item.ident, text(&item.ty));
                format!("pub const {name}: {of}")
            }
            Item::Static(item) => {
                let (name, of) = (&item.ident, text(&item.ty));
                format!("pub static {name}: {of}")
            }
            Item::Fn(item) => signature(Some(&item.vis), &item.sig),
            Item::Type(item) => {
                let mut item = item.clone();
                item.attrs.clear();
                printed(Item::Type(item))
            }
            Item::Struct(of) => {
                self.fields(&path, &conditions, &of.fields);
                let mut bare = of.clone();
                bare.attrs.clear();
                bare.fields = Fields::Unit;
                bare.semi_token = Some(Default::default());
                format!("{}{}", printed(Item::Struct(bare)), shape(&of.fields))
            }
            Item::Enum(of) => {
                for variant in &of.variants {
                    if is_hidden(&variant.attrs) {
                        continue;
                    }
                    let path = joined(&path, &[variant.ident.to_string()]);
                    let mut conditions = conditions.clone();
                    add_conditions(&mut conditions, &variant.attrs);
                    let fields = variant.fields.iter().map(|field| {
                        let name = field.ident.as_ref().map(|name| format!("{name}: "));
                        name.unwrap_or_default() + &text(&field.ty)
                    });
                    let fields = fields.collect::<Vec<_>>().join(", ");
                    let fields = match &variant.fields {
                        Fields::Named(_) => format!(" {{ {fields} }}"),
                        Fields::Unnamed(_) => format!("({fields})"),
                        Fields::Unit => String::new(),
                    };
                    let marks = self::marks(&variant.attrs);
                    let line = format!("{marks}variant {}{fields}", variant.ident);
                    self.line(&path, &conditions, &line);
                }
                let mut bare = of.clone();
                bare.attrs.clear();
                bare.variants.clear();
                printed(Item::Enum(bare))
            }
            Item::Trait(of) => {
                for item in &of.items {
                    self.trait_item(&path, &conditions, item);
                }
                let mut bare = of.clone();
                bare.attrs.clear();
                bare.items.clear();
                printed(Item::Trait(bare))
            }
            item => panic!(
                "teach tests/public_api/listing.rs this item: {}",
                quote!(#item)
            ),
        };
        self.line(&path, &conditions, &format!("{marks}{head}"));
        self.derived(module, &path, &conditions, &item);
    }

    fn fields(&mut self, path: &[String], conditions: &[String], fields: &Fields) {
        for (number, field) in fields.iter().enumerate() {
            if is_private(&field.vis) || is_hidden(&field.attrs) {
                continue;
            }
            let name = field.ident.as_ref().map(ToString::to_string);
            let name = name.unwrap_or_else(|| number.to_string());
            let line = format!("pub {name}: {}", text(&field.ty));
            let mut conditions = conditions.to_vec();
            add_conditions(&mut conditions, &field.attrs);
            self.line(&joined(path, &[name]), &conditions, &line);
        }
    }

    fn trait_item(&mut self, path: &[String], conditions: &[String], item: &TraitItem) {
        let (name, attributes, line) = match item {
            TraitItem::Fn(method) => {
                let end = match method.default {
                    Some(_) => " { .. }",
                    None => "",
                };
                let line = signature(None, &method.sig) + end;
                (&method.sig.ident, &method.attrs, line)
            }
            TraitItem::Type(item) => (&item.ident, &item.attrs, text(item)),
            TraitItem::Const(item) => (&item.ident, &item.attrs, text(item)),
            item => panic!(
                "teach tests/public_api/listing.rs this item: {}",
                quote!(#item)
            ),
        };
        if is_hidden(attributes) {
            return;
        }
        let mut conditions = conditions.to_vec();
        add_conditions(&mut conditions, attributes);
        self.line(&joined(path, &[name.to_string()]), &conditions, &line);
    }

    /// The traits that the item derives, as `block` has those that are written out. `thiserror::Error` stands for what
    /// it makes.
    fn derived(&mut self, module: &Names, path: &[String], conditions: &[String], item: &Item) {
        for (derived, own) in derives(item) {
            let conditions = &*[conditions, &own].concat();
            let derived = text(&self.resolved(module, &derived));
            match derived.as_str() {
                "Debug" => self.line(path, conditions, "impl std::fmt::Debug"),
                "Hash" => self.line(path, conditions, "impl std::hash::Hash"),
                "serde::Deserialize" => {
                    self.line(path, conditions, "impl<'de> serde::Deserialize<'de>");
                }
                "thiserror::Error" => {
                    self.line(path, conditions, "impl std::error::Error");
                    self.line(path, conditions, "impl std::fmt::Display");
                    for from in from_fields(item) {
                        let line = format!("impl From<{}>", text(&from));
                        self.line(path, conditions, &line);
                    }
                }
                derived => self.line(path, conditions, &format!("impl {derived}")),
            }
        }
    }

    fn block(&mut self, module: &Names, block: &ItemImpl) {
        if is_hidden(&block.attrs) {
            return;
        }
        let own = self.local(module, &block.self_ty);
        let mut conditions = self.source.modules[module].conditions.clone();
        add_conditions(&mut conditions, &block.attrs);
        match &block.trait_ {
            None => {
                if let Some(export) = own.and_then(|own| self.exported(&own)).cloned() {
                    self.methods(module, block, &export);
                }
            }
            Some((_, of, _)) => {
                let of = self.local(module, &parse_quote!(#of));
                let mut named = Locals::new(self.source, module);
                named.visit_item_impl_mut(&mut header(block));
                let is_public = |item: &Names| self.exports.contains_key(item);
                if !named.found.iter().all(is_public) {
                    return;
                }
                let Some(under) = own.or(of).or(named.found.first().cloned()) else {
                    return;
                };
                let Some(export) = self.exported(&under).cloned() else {
                    return;
                };
                let mut all = export.conditions.clone();
                conditions.retain(|condition| !all.contains(condition));
                all.append(&mut conditions);
                let block = self.resolved(module, &Item::Impl(header(block)));
                // The line begins with the item, and a written impl is listed like a derived one.
                let of_item = format!(" for crate::{}", export.path.join("::"));
                let line = printed(block);
                let line = match line.split_once(&of_item) {
                    Some((line, "")) => line.to_owned(),
                    Some((line, rest)) if rest.starts_with(' ') => format!("{line}{rest}"),
                    _ => line,
                };
                self.line(&export.path, &all, &line);
            }
        }
    }

    fn methods(&mut self, module: &Names, block: &ItemImpl, export: &Export) {
        let mut conditions = export.conditions.clone();
        for condition in &self.source.modules[module].conditions {
            if !conditions.contains(condition) {
                conditions.push(condition.clone());
            }
        }
        add_conditions(&mut conditions, &block.attrs);
        let mut whole = block.clone();
        whole.items.clear();
        whole.attrs.clear();
        let bounds = match whole.generics.params.is_empty() {
            true => String::new(),
            false => {
                let whole = printed(self.resolved(module, &Item::Impl(whole)));
                format!(" in {}", whole.trim_end_matches(" {}"))
            }
        };
        for item in &block.items {
            let (name, visibility, attributes) = match item {
                ImplItem::Fn(item) => (&item.sig.ident, &item.vis, &item.attrs),
                ImplItem::Const(item) => (&item.ident, &item.vis, &item.attrs),
                item => panic!(
                    "teach tests/public_api/listing.rs this item: {}",
                    quote!(#item)
                ),
            };
            if is_private(visibility) || is_hidden(attributes) {
                continue;
            }
            let mut conditions = conditions.clone();
            add_conditions(&mut conditions, attributes);
            let line = match self.resolved(module, item) {
                ImplItem::Fn(item) => signature(Some(&item.vis), &item.sig),
                ImplItem::Const(item) => format!("pub const {}: {}", item.ident, text(&item.ty)),
                _ => continue,
            };
            let path = joined(&export.path, &[name.to_string()]);
            self.line(&path, &conditions, &(line + &bounds));
        }
    }

    /// The item of this crate that the type is, if it is one.
    fn local(&self, module: &Names, of: &Type) -> Option<Names> {
        let Type::Path(of) = of else {
            return None;
        };
        match meaning(self.source, module, &of.path)? {
            Meaning::Item(item, _) => Some(item),
            _ => None,
        }
    }

    /// The item with the whole path of every type, and without bodies.
    fn resolved<T: Clone + Resolve>(&mut self, module: &Names, item: &T) -> T {
        let mut item = item.clone();
        let mut resolver = Resolver {
            listing: self,
            module,
        };
        item.resolve(&mut resolver);
        item
    }
}

fn meaning(source: &Source, module: &Names, path: &Path) -> Option<Meaning> {
    let names = path
        .segments
        .iter()
        .map(|segment| segment.ident.to_string());
    let names: Names = names.collect();
    if path.leading_colon.is_some() || names.first().is_some_and(|first| first == "Self") {
        return None;
    }
    let meanings = source.meanings(module, &names);
    meanings
        .into_iter()
        .find(|meaning| !matches!(meaning, Meaning::Module(_)))
}

trait Resolve {
    fn resolve(&mut self, resolver: &mut Resolver<'_, '_>);
}

impl Resolve for Item {
    fn resolve(&mut self, resolver: &mut Resolver<'_, '_>) {
        resolver.visit_item_mut(self);
    }
}

impl Resolve for ImplItem {
    fn resolve(&mut self, resolver: &mut Resolver<'_, '_>) {
        resolver.visit_impl_item_mut(self);
    }
}

impl Resolve for Path {
    fn resolve(&mut self, resolver: &mut Resolver<'_, '_>) {
        resolver.visit_path_mut(self);
    }
}

struct Resolver<'a, 'b> {
    listing: &'a mut Listing<'b>,
    module: &'a Names,
}

impl VisitMut for Resolver<'_, '_> {
    fn visit_block_mut(&mut self, _: &mut syn::Block) {}
    fn visit_expr_mut(&mut self, _: &mut syn::Expr) {}
    fn visit_attribute_mut(&mut self, _: &mut Attribute) {}

    /// A private field is not listed.
    fn visit_item_struct_mut(&mut self, item: &mut syn::ItemStruct) {
        self.visit_generics_mut(&mut item.generics);
        for field in item
            .fields
            .iter_mut()
            .filter(|field| !is_private(&field.vis))
        {
            self.visit_type_mut(&mut field.ty);
        }
    }

    fn visit_visibility_mut(&mut self, _: &mut Visibility) {}

    /// A private alias is replaced by its type.
    fn visit_type_mut(&mut self, of: &mut Type) {
        if let Type::Path(path) = of
            && let Some(Meaning::Item(item, _)) =
                meaning(self.listing.source, self.module, &path.path)
            && !self.listing.exports.contains_key(&item)
            && let Some(alias) = self.listing.source.alias(&item)
        {
            let name = &alias.ident;
            assert!(
                alias.generics.params.is_empty(),
                "the private alias {name} has parameters"
            );
            *of = (*alias.ty).clone();
            let module = item[..item.len() - 1].to_vec();
            let mut there = Resolver {
                listing: self.listing,
                module: &module,
            };
            return there.visit_type_mut(of);
        }
        visit_mut::visit_type_mut(self, of);
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let whole: Names = match meaning(self.listing.source, self.module, path) {
            None | Some(Meaning::Module(_)) => return,
            Some(Meaning::Foreign(path)) => path,
            Some(Meaning::Item(item, rest)) => {
                let crate_ = ["crate".to_owned()];
                let path = match self.listing.exported(&item) {
                    Some(export) => joined(&export.path, &rest),
                    None => {
                        self.listing.unnameable.insert(item.join("::"));
                        joined(&item, &rest)
                    }
                };
                joined(&crate_, &path)
            }
        };
        let last = path.segments.pop().unwrap().into_value();
        let mut resolved: Path = syn::parse_str(&whole.join("::")).unwrap();
        resolved.segments.last_mut().unwrap().arguments = last.arguments;
        *path = resolved;
    }
}

/// Collects the items of this crate that are named.
struct Locals<'a> {
    source: &'a Source,
    module: &'a Names,
    found: Vec<Names>,
}

impl<'a> Locals<'a> {
    fn new(source: &'a Source, module: &'a Names) -> Self {
        Self {
            source,
            module,
            found: Vec::new(),
        }
    }
}

impl VisitMut for Locals<'_> {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        if let Some(Meaning::Item(item, _)) = meaning(self.source, self.module, path)
            && self.source.alias(&item).is_none()
        {
            self.found.push(item);
        }
    }
}

/// The block without its methods, which leaves the associated types.
fn header(block: &ItemImpl) -> ItemImpl {
    let mut header = block.clone();
    header.attrs.clear();
    header.items.retain(|item| !matches!(item, ImplItem::Fn(_)));
    header
}

/// The fields that `thiserror` makes a `From` of.
fn from_fields(item: &Item) -> Vec<Type> {
    let fields: Vec<&syn::Field> = match item {
        Item::Struct(item) => item.fields.iter().collect(),
        Item::Enum(item) => item.variants.iter().flat_map(|v| &v.fields).collect(),
        _ => Vec::new(),
    };
    let fields = fields.into_iter();
    let from = fields.filter(|field| field.attrs.iter().any(|a| a.path().is_ident("from")));
    from.map(|field| field.ty.clone()).collect()
}

/// The attributes that are a part of the API.
fn marks(attributes: &[Attribute]) -> String {
    let listed = ["async_trait", "deprecated", "non_exhaustive", "repr"];
    let marks = attributes.iter().filter_map(|attribute| {
        let name = attribute.path().segments.last()?.ident.to_string();
        let meta = match &attribute.meta {
            Meta::Path(_) => name.clone(),
            meta => text(meta),
        };
        listed
            .contains(&name.as_str())
            .then(|| format!("#[{meta}] "))
    });
    marks.collect()
}

fn shape(fields: &Fields) -> String {
    let is_open = fields.iter().any(|field| is_private(&field.vis));
    match fields {
        Fields::Unit => String::new(),
        Fields::Unnamed(_) if is_open => "(..)".to_owned(),
        Fields::Named(_) if is_open => " { .. }".to_owned(),
        Fields::Unnamed(fields) => format!("({} public)", fields.unnamed.len()),
        Fields::Named(fields) => format!(" {{ {} public }}", fields.named.len()),
    }
}

fn is_private(visibility: &Visibility) -> bool {
    !matches!(visibility, Visibility::Public(_))
}

fn signature(visibility: Option<&Visibility>, signature: &syn::Signature) -> String {
    let visibility = visibility.map(ToTokens::to_token_stream);
    let mut signature = signature.clone();
    for input in &mut signature.inputs {
        match input {
            syn::FnArg::Receiver(receiver) if receiver.reference.is_none() => {
                receiver.mutability = None;
            }
            syn::FnArg::Typed(input) => {
                if let syn::Pat::Ident(name) = &mut *input.pat {
                    name.mutability = None;
                }
            }
            syn::FnArg::Receiver(_) => {}
        }
    }
    let whole = printed(parse_quote!(#visibility #signature {}));
    whole.trim_end_matches(" {}").to_owned()
}

/// A type, a path or another part of an item on one line.
fn text(part: &impl ToTokens) -> String {
    let tokens: TokenStream = part.to_token_stream();
    if let Ok(of) = syn::parse2::<Type>(tokens.clone()) {
        let alias = printed(parse_quote!(type T = #of;));
        return alias.trim_start_matches("type T = ").to_owned();
    }
    if let Ok(item) = syn::parse2::<TraitItem>(tokens.clone()) {
        let item = printed(parse_quote!(trait T { #item }));
        let item = item.trim_start_matches("trait T { ");
        return item.trim_end_matches(" }").trim_end_matches(';').to_owned();
    }
    tokens.to_string()
}

/// The item on one line.
fn printed(item: Item) -> String {
    let file = syn::File {
        shebang: None,
        attrs: Vec::new(),
        items: vec![item],
    };
    let text = prettyplease::unparse(&file);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.replace("( ", "(").replace("< ", "<");
    let text = text
        .replace(", )", ")")
        .replace(", >", ">")
        .replace(", {", " {");
    text.trim_end_matches(';')
        .trim_end_matches(" {}")
        .to_owned()
}

/// What an item derives, and the `cfg` of a `cfg_attr` around it.
fn derives(item: &Item) -> Vec<(Path, Vec<String>)> {
    let mut derives = Vec::new();
    for attribute in attributes(item) {
        let mut metas = vec![attribute.meta.clone()];
        let mut conditions = Vec::new();
        if attribute.path().is_ident("cfg_attr") {
            let read = Punctuated::<Meta, Token![,]>::parse_terminated;
            let mut within = attribute.parse_args_with(read).unwrap().into_iter();
            let condition = within.next().unwrap();
            add_conditions(&mut conditions, &[parse_quote!(#[cfg(#condition)])]);
            metas = within.collect();
        }
        for meta in metas.iter().filter(|meta| meta.path().is_ident("derive")) {
            let list = meta.require_list().unwrap();
            let traits = list.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated);
            let traits = traits.unwrap().into_iter();
            derives.extend(traits.map(|derived| (derived, conditions.clone())));
        }
    }
    derives
}
