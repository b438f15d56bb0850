//! Expands the `macro_rules` of the sources, so that the items that they generate are listed, too.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser};

/// A `macro_rules` macro: the pattern and the expansion of each rule.
pub(crate) struct Macro(Vec<(Vec<Pattern>, TokenStream)>);

enum Pattern {
    Token(String),
    Group(Delimiter, Vec<Self>),
    Variable {
        name: String,
        fragment: String,
    },
    Repetition {
        patterns: Vec<Self>,
        separator: Option<String>,
        at_most_once: bool,
    },
}

#[derive(Clone)]
enum Binding {
    Tokens(TokenStream),
    Repeated(Vec<Self>),
}

type Bindings = BTreeMap<String, Binding>;

impl Macro {
    /// Reads the rules between the braces of `macro_rules! name { .. }`.
    pub(crate) fn new(rules: TokenStream) -> Self {
        let groups = rules.into_iter().filter_map(|token| match token {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        });
        let groups: Vec<TokenStream> = groups.collect();
        let rules = groups.chunks_exact(2);
        Self(
            rules
                .map(|rule| (patterns(rule[0].clone()), rule[1].clone()))
                .collect(),
        )
    }

    pub(crate) fn expand(&self, input: TokenStream) -> TokenStream {
        let input: Vec<TokenTree> = input.into_iter().collect();
        for (patterns, body) in &self.0 {
            let mut bindings = Bindings::new();
            if take(patterns, &input, &mut bindings) == Some(input.len()) {
                return transcribe(body.clone(), &bindings);
            }
        }
        panic!("no rule of the macro matches {input:?}");
    }
}

fn patterns(tokens: TokenStream) -> Vec<Pattern> {
    let mut tokens = tokens.into_iter().peekable();
    let mut patterns_read = Vec::new();
    while let Some(token) = tokens.next() {
        patterns_read.push(match token {
            TokenTree::Punct(dollar) if dollar.as_char() == '$' => match tokens.next().unwrap() {
                TokenTree::Group(group) => {
                    let (separator, operator) = repetition(&mut tokens);
                    Pattern::Repetition {
                        patterns: patterns(group.stream()),
                        separator,
                        at_most_once: operator == '?',
                    }
                }
                name => {
                    let colon = tokens.next().unwrap().to_string();
                    assert_eq!(colon, ":", "`${name}` of a macro has no fragment");
                    Pattern::Variable {
                        name: name.to_string(),
                        fragment: tokens.next().unwrap().to_string(),
                    }
                }
            },
            TokenTree::Group(group) => Pattern::Group(group.delimiter(), patterns(group.stream())),
            token => Pattern::Token(token.to_string()),
        });
    }
    patterns_read
}

/// The separator, if there is one, and the operator after `$(..)`.
fn repetition(tokens: &mut impl Iterator<Item = TokenTree>) -> (Option<String>, char) {
    let mut separator = None;
    loop {
        let token = tokens.next().unwrap().to_string();
        if let "*" | "+" | "?" = token.as_str() {
            return (separator, token.chars().next().unwrap());
        }
        assert!(separator.is_none(), "a separator of two tokens");
        separator = Some(token);
    }
}

/// How many tokens the patterns take, if they match.
fn take(patterns: &[Pattern], input: &[TokenTree], bindings: &mut Bindings) -> Option<usize> {
    let mut at = 0;
    for pattern in patterns {
        at += take_one(pattern, &input[at..], bindings)?;
    }
    Some(at)
}

fn take_one(pattern: &Pattern, input: &[TokenTree], bindings: &mut Bindings) -> Option<usize> {
    match pattern {
        Pattern::Token(token) => (input.first()?.to_string() == *token).then_some(1),
        Pattern::Group(delimiter, patterns) => {
            let TokenTree::Group(group) = input.first()? else {
                return None;
            };
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let is_whole =
                group.delimiter() == *delimiter && take(patterns, &inner, bindings)? == inner.len();
            is_whole.then_some(1)
        }
        Pattern::Variable { name, fragment } => {
            let (tokens, length) = fragment_of(fragment, input)?;
            bindings.insert(name.clone(), Binding::Tokens(tokens));
            Some(length)
        }
        Pattern::Repetition {
            patterns,
            separator,
            at_most_once,
        } => {
            let mut rounds = Vec::new();
            let mut at = 0;
            loop {
                let mut start = at;
                if let (Some(separator), false) = (separator, rounds.is_empty()) {
                    match input.get(at) {
                        Some(token) if token.to_string() == *separator => start += 1,
                        _ => break,
                    }
                }
                let mut round = Bindings::new();
                match take(patterns, &input[start..], &mut round) {
                    Some(length) if length > 0 => at = start + length,
                    _ => break,
                }
                rounds.push(round);
                if *at_most_once {
                    break;
                }
            }
            for name in names(patterns) {
                let bound = rounds.iter().map(|round| round[&name].clone());
                bindings.insert(name.clone(), Binding::Repeated(bound.collect()));
            }
            Some(at)
        }
    }
}

fn names(patterns: &[Pattern]) -> Vec<String> {
    let names = patterns.iter().flat_map(|pattern| match pattern {
        Pattern::Token(_) => Vec::new(),
        Pattern::Variable { name, .. } => vec![name.clone()],
        Pattern::Group(_, patterns) | Pattern::Repetition { patterns, .. } => names(patterns),
    });
    names.collect()
}

/// The fragment that the tokens begin with, and how many tokens it has.
fn fragment_of(fragment: &str, input: &[TokenTree]) -> Option<(TokenStream, usize)> {
    match fragment {
        "ident" => parsed::<syn::Ident>(input),
        "literal" => parsed::<syn::Lit>(input),
        "meta" => parsed::<syn::Meta>(input),
        "ty" => parsed::<syn::Type>(input),
        "expr" => parsed::<syn::Expr>(input),
        "path" => parsed::<syn::Path>(input),
        "tt" => parsed::<TokenTree>(input),
        _ => panic!("teach tests/public_api/expansion.rs the fragment `{fragment}`"),
    }
}

fn parsed<T: Parse + ToTokens>(input: &[TokenTree]) -> Option<(TokenStream, usize)> {
    let parser = |stream: ParseStream<'_>| Ok((stream.parse::<T>()?, stream.parse()?));
    let tokens: TokenStream = input.iter().cloned().collect();
    let (fragment, rest): (T, TokenStream) = parser.parse2(tokens).ok()?;
    let length = input.len() - rest.into_iter().count();
    Some((fragment.into_token_stream(), length))
}

fn transcribe(body: TokenStream, bindings: &Bindings) -> TokenStream {
    let mut made = TokenStream::new();
    let mut tokens = body.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(dollar) if dollar.as_char() == '$' => match tokens.next().unwrap() {
                TokenTree::Group(group) => {
                    let (separator, _) = repetition(&mut tokens);
                    let rounds = rounds(&group.stream(), bindings);
                    for (number, round) in rounds.iter().enumerate() {
                        if let (Some(separator), true) = (&separator, number > 0) {
                            made.extend(separator.parse::<TokenStream>().unwrap());
                        }
                        made.extend(transcribe(group.stream(), round));
                    }
                }
                name if name.to_string() == "crate" => made.extend([name]),
                name => match &bindings[&name.to_string()] {
                    Binding::Tokens(tokens) => made.extend(tokens.clone()),
                    Binding::Repeated(_) => panic!("`${name}` repeats"),
                },
            },
            TokenTree::Group(group) => {
                let inner = transcribe(group.stream(), bindings);
                made.extend([TokenTree::from(Group::new(group.delimiter(), inner))]);
            }
            token => made.extend([token]),
        }
    }
    made
}

/// The bindings of each round of a repetition with this body.
fn rounds(body: &TokenStream, bindings: &Bindings) -> Vec<Bindings> {
    let mut used = Vec::new();
    variables(body.clone(), &mut used);
    let repeated = used.iter().filter_map(|name| match bindings.get(name) {
        Some(Binding::Repeated(rounds)) => Some((name, rounds)),
        _ => None,
    });
    let repeated: BTreeMap<&String, &Vec<Binding>> = repeated.collect();
    let count = repeated.values().map(|rounds| rounds.len()).max();
    let round = |number: usize| {
        let mut round = bindings.clone();
        for (name, rounds) in &repeated {
            round.insert((*name).clone(), rounds[number].clone());
        }
        round
    };
    (0..count.unwrap()).map(round).collect()
}

fn variables(tokens: TokenStream, found: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match (token, tokens.peek()) {
            (TokenTree::Punct(dollar), Some(TokenTree::Ident(name))) if dollar.as_char() == '$' => {
                found.push(name.to_string());
            }
            (TokenTree::Group(group), _) => variables(group.stream(), found),
            _ => {}
        }
    }
}
