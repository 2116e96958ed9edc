//! Who may name whom: the table of layers of docs/architecture.md, held as data.
//!
//! A path that begins with `crate` (or the library's own name) or climbs to the root by `super`
//! names a top-level module, in a `use` or anywhere else, in tests and in macros too. Links in doc
//! comments are free. `src/lib.rs` is exempt: it puts the modules together. So that nothing hides
//! there, modules name the module of a thing, not what `lib.rs` re-exports of it. What a macro
//! writes into a user's program (`$crate::Thing`) is that public name, and no import of ours.

use proc_macro2::{Delimiter, TokenTree};

use super::source::{Source, is_mark, is_word, line};

/// Layer, module, and what it may name beside itself.
const LAYERS: &[(u8, &str, Option<&[&str]>)] = &[
    (0, "limits", BELOW),
    (1, "object", BELOW),
    (2, "wire", BELOW),
    (3, "transport", BELOW),
    (4, "connection", BELOW),
    (4, "journal", Some(&["limits", "object", "wire"])),
    (4, "supervise", Some(&["limits"])),
    (4, "metrics", Some(&["limits"])),
    (5, "leaf", BELOW),
    (5, "hub", BELOW),
    (6, "link", BELOW),
    (7, "testing", BELOW),
];

/// Every module of a lower layer, none of its own.
const BELOW: Option<&[&str]> = None;

/// The binary: a crate of its own, which sees the public API and nothing more.
const BINARY: &str = "bin";

/// Words that are absent from a module and what is below it: `wire` opens no socket and starts no
/// actor; the values of the hub have no actor, no clock and nothing to wait for.
const ABSENT: &[(&str, &[&str])] = &[
    ("src/limits", &["actix", "actix_rt", "tokio"]),
    ("src/wire", &["actix", "actix_rt", "tokio"]),
    ("src/hub/history", &["actix", "actix_rt", "tokio", "async", "await"]),
    ("src/hub/fanout", &["actix", "actix_rt", "tokio", "async", "await"]),
    ("src/hub/life", &["actix", "actix_rt", "tokio", "async", "await"]),
    ("src/hub/roster", &["actix", "actix_rt", "tokio", "async", "await"]),
];

/// Macros stand at the root wherever they are written: by name, the module that they belong to.
const MACROS: &[(&str, &str)] = &[("interface", "object"), ("elsewhere", "object")];

/// What `lib.rs` keeps public for macros alone.
const DOOR: &str = "__private";

const LIBRARY: &str = "actix_multiplex";

/// The modules a file names, against [`LAYERS`].
pub(super) fn imports(source: &Source) -> Vec<String> {
    let home = module(&source.path);
    let Some(top) = home.first() else {
        return Vec::new();
    };
    if top != BINARY && layer(top).is_none() {
        return vec![source.at(1, &format!("`{top}` is not in the table of layers"))];
    }
    let mut found = Vec::new();
    source.visit(&mut |tokens, place| {
        let here = [home.as_slice(), place.modules.as_slice()].concat();
        for (name, line) in named(tokens, &here) {
            found.extend(refusal(top, &name).map(|why| source.at(line, &why)));
        }
    });
    found
}

/// The words a file holds, against [`ABSENT`].
pub(super) fn absences(source: &Source) -> Vec<String> {
    let stem = source.path.trim_end_matches(".rs");
    let within = |root: &str| stem == root || stem.starts_with(&format!("{root}/"));
    let mut found = Vec::new();
    for (root, words) in ABSENT.iter().filter(|(root, _)| within(root)) {
        source.visit(&mut |tokens, _| {
            for token in tokens {
                if let Some(word) = words.iter().find(|word| is_word(token, word)) {
                    found.push(source.at(line(token), &format!("`{root}` knows no `{word}`")));
                }
            }
        });
    }
    found
}

/// `src/hub/session.rs` is `[hub, session]`; `src/lib.rs` is the root, `[]`.
fn module(path: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    inside.split('/').filter(|part| *part != "lib").map(str::to_owned).collect()
}

fn layer(module: &str) -> Option<(u8, Option<&'static [&'static str]>)> {
    let row = LAYERS.iter().find(|(_, name, _)| *name == module);
    row.map(|(layer, _, only)| (*layer, *only))
}

/// Why the top-level module `home` may not name `name`.
fn refusal(home: &str, name: &str) -> Option<String> {
    if home == BINARY {
        return (name == DOOR).then(|| format!("`{DOOR}` is for macros"));
    }
    let name = MACROS.iter().find(|(a_macro, _)| *a_macro == name).map_or(name, |found| found.1);
    let (mine, only) = layer(home)?;
    let Some((theirs, _)) = layer(name) else {
        return Some(format!("`crate::{name}` is no module of the table of layers: name one"));
    };
    let may = name == home || only.map_or(theirs < mine, |only| only.contains(&name));
    (!may).then(|| format!("`{home}` (layer {mine}) may not name `{name}` (layer {theirs})"))
}

/// Top-level modules named in one run of tokens of the module `here`, with their lines.
fn named(tokens: &[TokenTree], here: &[String]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let binary = here[0] == BINARY;
    for (index, token) in tokens.iter().enumerate() {
        let (before, rest) = (&tokens[..index], &tokens[index + 1..]);
        if is_word(token, LIBRARY) || (is_word(token, "crate") && !binary) {
            let mut paths = Vec::new();
            follow(rest, &[], &mut paths);
            let expanded = before.last().is_some_and(|before| is_mark(before, '$'));
            paths.retain(|(name, _)| !expanded || layer(name).is_some());
            found.append(&mut paths);
        } else if !binary && !matches!(before, [.., one, two] if is_joint(one, two)) {
            step(&tokens[index..], here, &mut found);
        }
    }
    found
}

/// Follows a path that has come to the module `at`; says what it names once that is the root.
fn follow(rest: &[TokenTree], at: &[String], found: &mut Vec<(String, usize)>) {
    let at_root = at.is_empty();
    match rest {
        [one, two, rest @ ..] if is_joint(one, two) => match rest {
            [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Brace => {
                let inside: Vec<_> = group.stream().into_iter().collect();
                for path in inside.split(|token| is_mark(token, ',')) {
                    step(path, at, found);
                }
            }
            _ => step(rest, at, found),
        },
        [word, ..] if at_root && is_word(word, "as") => found.push(("*".to_owned(), line(word))),
        _ => {}
    }
}

/// One segment of a path, with what comes after it.
fn step(path: &[TokenTree], at: &[String], found: &mut Vec<(String, usize)>) {
    match path {
        [word, rest @ ..] if is_word(word, "super") => {
            follow(rest, &at[..at.len().saturating_sub(1)], found);
        }
        [word, rest @ ..] if is_word(word, "self") => follow(rest, at, found),
        [token, ..] if at.is_empty() => found.push((token.to_string(), line(token))),
        _ => {}
    }
}

/// `::`, as against the `:` before a type.
fn is_joint(one: &TokenTree, two: &TokenTree) -> bool {
    is_mark(one, ':') && is_mark(two, ':')
}

#[test]
fn a_row_names_only_modules_of_its_own_layer_or_below() {
    for (layer, name, only) in LAYERS {
        for other in only.unwrap_or_default() {
            let row = LAYERS.iter().find(|(_, name, _)| name == other);
            assert!(row.is_some_and(|(theirs, ..)| theirs < layer), "`{name}` may name `{other}`");
        }
    }
}

#[test]
fn hub_and_leaf_never_name_each_other() {
    for (home, other) in [("hub", "leaf"), ("leaf", "hub")] {
        let expected =
            format!("src/{home}/a.rs:1: `{home}` (layer 5) may not name `{other}` (layer 5)");
        let text = format!("use crate::{other}::Thing;");
        assert_eq!(imports(&Source::new(&format!("src/{home}/a.rs"), &text)), [expected]);
    }
}

#[test]
fn every_way_to_name_a_higher_module_is_refused() {
    for text in [
        "use crate::hub;",
        "use crate::{limits, hub::{Hub, self}};",
        "use crate::{limits::A, self as _, wire::B}; use super::super::hub::*;",
        "use super::super::{object::Id, hub};",
        "use super::{super::hub::Hub, frame};",
        "use self::super::super::hub::Hub;",
        "fn a() -> crate::hub::Hub { todo() }",
        "fn a(b: super::super::hub::Hub) {}",
        "fn a(self: &Self) { self::super::super::hub::b() }",
        "fn a() { b(&[<crate::hub::Hub as Default>::default()]) }",
        "mod tests { use super::super::super::hub::Hub; }",
        "mod tests { mod deep { type A = super::super::super::super::hub::Hub; } }",
        "macro_rules! m { () => { $crate::hub::Hub } }",
        "assert_eq!(crate::hub::LIMIT, 3);",
        "use ::actix_multiplex::hub::Hub;",
    ] {
        let refused = imports(&Source::new("src/wire/frame.rs", &format!("//! Doc.\n{text}")));
        let expected = "src/wire/frame.rs:2: `wire` (layer 2) may not name `hub` (layer 5)";
        assert!(refused.iter().any(|line| line == expected), "{text}: {refused:?}");
    }
}

#[test]
fn what_a_module_may_name_passes() {
    for text in [
        "use crate::{limits::{self, FRAME_BYTES_MAX}, object::ObjectId};",
        "use super::{codec, super::object}; use super::hub; pub(in super::super) fn a() {}",
        "use crate::wire::hub; pub(crate) struct A; use std::sync::hub; use self::hub::A;",
        "// crate::hub\n/// Read by [`Hub`](crate::hub::Hub).\nconst A: &str = \"crate::hub\";",
        "mod tests { use super::*; use super::super::hub; use crate::interface; }",
        "macro_rules! m { () => { $crate::__private::hub; $crate::Stateful } }",
    ] {
        assert_eq!(imports(&Source::new("src/wire/frame.rs", text)), [""; 0], "{text}");
    }
    let allowed = [
        ("src/connection.rs", "use crate::transport::Duplex; use super::wire;"),
        ("src/leaf/client.rs", "use crate::supervise::Placement; use crate::metrics;"),
        ("src/hub/session.rs", "use crate::{connection, journal}; use super::super::supervise;"),
        ("src/link.rs", "use crate::{hub, leaf};"),
        ("src/testing/run.rs", "use crate::{hub, leaf, link};"),
        ("src/bin/multiplex.rs", "use actix_multiplex::{Hub, hub}; use crate::flags;"),
        ("src/lib.rs", "pub use crate::{hub::Hub, testing};"),
    ];
    for (path, text) in allowed {
        assert_eq!(imports(&Source::new(path, text)), [""; 0], "{path}");
    }
}

#[test]
fn each_row_refuses_what_is_beside_or_above_it() {
    for (home, other) in [
        ("limits", "object"),
        ("object", "wire"),
        ("transport", "connection"),
        ("connection", "metrics"),
        ("journal", "connection"),
        ("supervise", "object"),
        ("metrics", "supervise"),
        ("leaf", "link"),
        ("hub", "testing"),
        ("link", "testing"),
    ] {
        let source = Source::new(&format!("src/{home}.rs"), &format!("use super::{other};"));
        assert_eq!(imports(&source).len(), 1, "`{home}` names `{other}`");
    }
}

#[test]
fn the_root_is_no_way_round_the_table() {
    for text in ["use crate::*;", "use super::Hub;", "use crate as root;", "use crate::__private;"]
    {
        assert_eq!(imports(&Source::new("src/leaf.rs", text)).len(), 1, "{text}");
    }
    let unknown = imports(&Source::new("src/utils/strings.rs", ""));
    assert_eq!(unknown, ["src/utils/strings.rs:1: `utils` is not in the table of layers"]);
    let binary = Source::new("src/bin/multiplex.rs", "use actix_multiplex::__private::Any;");
    assert_eq!(imports(&binary), ["src/bin/multiplex.rs:1: `__private` is for macros"]);
}

#[test]
fn a_word_that_must_be_absent_is_refused() {
    let socket = Source::new("src/wire/frame.rs", "//! No tokio.\nuse tokio::net::TcpStream;");
    assert_eq!(absences(&socket), ["src/wire/frame.rs:2: `src/wire` knows no `tokio`"]);
    let waiting = Source::new("src/hub/roster.rs", "fn a() { b(async { c.await }) }");
    assert_eq!(absences(&waiting).len(), 2);
    let session = Source::new("src/hub/session.rs", "use actix::Actor;");
    assert_eq!(absences(&session), [""; 0]);
}
