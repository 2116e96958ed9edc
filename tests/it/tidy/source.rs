//! One source file as text and as tokens.
//!
//! Tokens come from `proc_macro2`, the lexer that macros use: comments are gone, strings of every
//! form are single tokens, brackets are paired. Doc comments are attributes. What a `macro_rules!`
//! or a macro's call holds is read like all else. Nothing here knows a rule.

use std::{fs, path::Path};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A file: its path from the package's root, its text and its tokens.
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
    tokens: TokenStream,
}

/// A function with a body, from the line of its `fn` to that of its closing brace.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// An attribute by its first word.
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) in_macro: bool,
    /// It switches a lint off, or expects it, and gives no reason.
    pub(super) unexplained: bool,
}

/// Where a run of tokens between two brackets stands.
#[derive(Clone, Default)]
pub(super) struct Place {
    /// The `mod name { .. }` around it, in this file.
    pub(super) modules: Vec<String>,
    /// Within the rules of a `macro_rules!`.
    pub(super) in_macro: bool,
}

/// Every Rust file under the folders `roots` of this package, as far as they exist, by path.
pub(super) fn tree(roots: &[&str]) -> Vec<Source> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    let mut folders: Vec<_> = roots.iter().map(|root| package.join(root)).collect();
    folders.retain(|root| root.exists());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the package can be read") {
            let path = entry.expect("an entry of the package can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let named = |path: &Path| path.strip_prefix(package).expect("inside").display().to_string();
    let read = |path: &Path| fs::read_to_string(path).expect("a source is UTF-8");
    paths.iter().map(|path| Source::new(&named(path), &read(path))).collect()
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let tokens = text.parse().unwrap_or_else(|error| panic!("{path}: not Rust: {error}"));
        Self { path: path.to_owned(), text: text.to_owned(), tokens }
    }

    /// A violation, with the place where it is.
    pub(super) fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }

    /// Calls `visit` with the tokens of the file, then with those of every bracket in it.
    pub(super) fn visit(&self, visit: &mut dyn FnMut(&[TokenTree], &Place)) {
        descend(self.tokens.clone(), &Place::default(), visit);
    }

    pub(super) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        self.visit(&mut |tokens, _| {
            for (index, token) in tokens.iter().enumerate() {
                let [TokenTree::Ident(name), rest @ ..] = &tokens[index + 1..] else {
                    continue;
                };
                if !is_word(token, "fn") {
                    continue;
                }
                let end = rest.iter().find(|it| body(it).is_some() || is_mark(it, ';'));
                if let Some(body) = end.and_then(body) {
                    found.push(Function {
                        name: name.to_string(),
                        first: line(token),
                        last: body.span_close().start().line,
                    });
                }
            }
        });
        found
    }

    /// Name and line of every `name!(..)`, also within other macros.
    pub(super) fn macro_calls(&self) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        self.visit(&mut |tokens, _| {
            for call in tokens.windows(3) {
                let [TokenTree::Ident(name), bang, TokenTree::Group(_)] = call else {
                    continue;
                };
                if is_mark(bang, '!') {
                    found.push((name.to_string(), line(&call[0])));
                }
            }
        });
        found
    }

    pub(super) fn attributes(&self) -> Vec<Attribute> {
        let mut found = Vec::new();
        self.visit(&mut |tokens, place| {
            for (index, hash) in tokens.iter().enumerate() {
                let group = match &tokens[index + 1..] {
                    [TokenTree::Group(group), ..] => group,
                    [bang, TokenTree::Group(group), ..] if is_mark(bang, '!') => group,
                    _ => continue,
                };
                if !is_mark(hash, '#') {
                    continue;
                }
                let first = group.stream().into_iter().next();
                found.push(Attribute {
                    name: first.map(|it| it.to_string()).unwrap_or_default(),
                    line: line(hash),
                    in_macro: place.in_macro,
                    unexplained: unexplained(group.stream()),
                });
            }
        });
        found
    }
}

pub(super) fn line(token: &TokenTree) -> usize {
    token.span().start().line
}

pub(super) fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

pub(super) fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

fn descend(stream: TokenStream, place: &Place, visit: &mut dyn FnMut(&[TokenTree], &Place)) {
    let tokens: Vec<_> = stream.into_iter().collect();
    visit(&tokens, place);
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let mut inside = place.clone();
        match &tokens[..index] {
            [.., word, TokenTree::Ident(name)] if is_word(word, "mod") => {
                inside.modules.push(name.to_string());
            }
            [.., word, bang, _] if is_word(word, "macro_rules") && is_mark(bang, '!') => {
                inside.in_macro = true;
            }
            _ => {}
        }
        descend(group.stream(), &inside, visit);
    }
}

fn body(token: &TokenTree) -> Option<&Group> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
        _ => None,
    }
}

/// Whether an attribute holds `allow(..)` or `expect(..)` with no `reason` in the brackets.
fn unexplained(attribute: TokenStream) -> bool {
    let tokens: Vec<_> = attribute.into_iter().collect();
    let switched_off = |pair: &[TokenTree]| match pair {
        [word, TokenTree::Group(lints)] if is_word(word, "allow") || is_word(word, "expect") => {
            !lints.stream().into_iter().any(|it| is_word(&it, "reason"))
        }
        [_, TokenTree::Group(inner)] => unexplained(inner.stream()),
        _ => false,
    };
    tokens.windows(2).any(switched_off)
}
