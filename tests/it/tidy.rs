//! The house rules that no compiler and no lint checks, over the source tree itself.
//!
//! A rule is a function from one source to its violations, each a line `file:line: what`.
//! Every rule has a twin that shows it refusing a small made-up source.

mod layers;
mod source;

use source::{Source, tree};

#[test]
fn every_module_names_only_what_its_layer_may() {
    holds(LIBRARY, layers::imports);
}

#[test]
fn no_module_knows_what_its_layer_does_without() {
    holds(LIBRARY, layers::absences);
}

#[test]
fn every_file_and_function_fits_in_one_sitting() {
    holds(EVERYWHERE, lengths);
}

#[test]
fn every_file_of_the_library_and_of_its_fuzz_targets_says_what_it_is_for() {
    holds(EXPLAINED, module_doc);
}

#[test]
fn no_file_is_called_mod_rs() {
    holds(EVERYWHERE, mod_file);
}

#[test]
fn nothing_half_done_is_committed() {
    holds(EVERYWHERE, leftovers);
}

#[test]
fn every_lint_switched_off_in_the_library_and_its_fuzz_targets_gives_its_reason() {
    holds(EXPLAINED, reasons);
}

#[test]
fn the_map_of_the_code_shows_every_file_of_the_library_and_none_that_is_not() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = std::fs::read_to_string(root.join("docs/architecture.md")).expect("there is a map");
    let shown: Vec<_> = map.split('`').filter(|word| word.starts_with("src/")).collect();
    let is_test = |path: &str| path.contains("/tests/") || path.ends_with("/tests.rs");
    let there: Vec<_> = tree(LIBRARY).into_iter().map(|source| source.path).collect();
    for path in there.iter().filter(|path| !is_test(path)) {
        assert!(shown.contains(&path.as_str()), "docs/architecture.md does not show {path}");
    }
    for path in shown {
        assert!(there.iter().any(|file| file == path), "docs/architecture.md shows {path}");
    }
}

#[test]
fn the_tree_that_is_read_holds_this_file_and_the_library() {
    let seen: Vec<_> = tree(EVERYWHERE).into_iter().map(|source| source.path).collect();
    assert!(seen.iter().any(|path| path == "src/lib.rs"), "{seen:?}");
    assert!(seen.iter().any(|path| path == "tests/it/tidy.rs"), "{seen:?}");
    assert!(seen.iter().any(|path| path == "tests/fuzz/src/lib.rs"), "{seen:?}");
}

#[test]
fn a_file_of_501_lines_is_refused() {
    assert_eq!(lengths(&Source::new("src/a.rs", &"\n".repeat(500))), [""; 0]);
    let refused = lengths(&Source::new("src/a.rs", &"\n".repeat(501)));
    assert_eq!(refused, ["src/a.rs:501: a file of 501 lines; 500 at most"]);
}

#[test]
fn a_function_of_71_lines_is_refused_and_braces_in_text_do_not_count() {
    let function = |lines: usize| {
        let body = "    // } r#\"\n".repeat(lines - 4);
        format!(
            "impl A {{\nfn long<const N: usize>(&self) -> [u8; N] {{\n{body} '}}'; \"}}{{\";\n r#\"}}\"#;\n}}\n}}"
        )
    };
    assert_eq!(lengths(&Source::new("tests/a.rs", &function(70))), [""; 0]);
    let refused = lengths(&Source::new("tests/a.rs", &function(71)));
    assert_eq!(refused, ["tests/a.rs:2: function `long` of 71 lines; 70 at most"]);
}

#[test]
fn a_function_without_a_body_borrows_none_from_the_next_item() {
    let text =
        format!("trait T {{\nfn declared(&self);\nconst C: fn() = {{{}}};\n}}", "\n".repeat(80));
    assert_eq!(lengths(&Source::new("src/a.rs", &text)), [""; 0]);
}

#[test]
fn a_file_without_a_module_doc_is_refused() {
    assert_eq!(module_doc(&Source::new("src/a.rs", "//! What it is for.\n")), [""; 0]);
    for text in ["", "\n", "/// An item.\nstruct A;", "// A comment.\n//! Late."] {
        let refused = module_doc(&Source::new("src/a.rs", text));
        assert_eq!(refused, ["src/a.rs:1: the file does not open with a `//!` module doc"]);
    }
}

#[test]
fn a_mod_rs_is_refused() {
    assert_eq!(mod_file(&Source::new("src/hub.rs", "")), [""; 0]);
    let refused = mod_file(&Source::new("src/hub/mod.rs", ""));
    assert_eq!(refused, ["src/hub/mod.rs:1: write `foo.rs` beside `foo/`, never `mod.rs`"]);
}

#[test]
fn each_kind_of_leftover_is_refused() {
    let text = "fn a() {\n todo!();\n unimplemented![\"b\"];\n let c = dbg!(c);\n}\n\
        #[test]\n#[ignore = \"slow\"]\nfn d() { e! { todo!() } }";
    let at = |line: u32, what: &str| format!("src/a.rs:{line}: `{what}` is left over");
    let expected = [at(2, "todo!"), at(3, "unimplemented!"), at(4, "dbg!"), at(7, "#[ignore]")];
    let refused = leftovers(&Source::new("src/a.rs", text));
    assert_eq!(refused.len(), expected.len() + 1, "{refused:?}");
    assert!(expected.iter().chain([&at(8, "todo!")]).all(|line| refused.contains(line)));
    let innocent = "// todo!()\nfn a(todo: u8) -> bool { let _ = \"dbg!(x)\"; todo != 3 }";
    assert_eq!(leftovers(&Source::new("src/a.rs", innocent)), [""; 0]);
}

#[test]
fn a_lint_switched_off_without_a_reason_is_refused() {
    for attribute in ["#[allow(dead_code)]", "#[expect(dead_code)]", "#![allow(dead_code)]"] {
        let refused = reasons(&Source::new("src/a.rs", &format!("\n{attribute}\nfn a() {{}}")));
        assert_eq!(refused, ["src/a.rs:2: a lint is switched off without a `reason`"]);
    }
    let conditional = Source::new("src/a.rs", "#[cfg_attr(test, allow(dead_code))] fn a() {}");
    assert_eq!(reasons(&conditional).len(), 1);
    let innocent = "#[expect(dead_code, reason = \"kept\")] fn a() { b.expect(\"c\"); }\n\
        macro_rules! m { () => { #[allow(dead_code)] fn d() {} } }";
    assert_eq!(reasons(&Source::new("src/a.rs", innocent)), [""; 0]);
}

#[test]
#[should_panic(expected = "a file of 501 lines")]
fn a_violation_fails_the_test_that_looks_for_it() {
    judge(&[Source::new("src/a.rs", &"\n".repeat(501))], lengths);
}

/// Fails with every violation of `rule` in the files under `roots`.
fn holds(roots: &[&str], rule: fn(&Source) -> Vec<String>) {
    judge(&tree(roots), rule);
}

fn judge(sources: &[Source], rule: fn(&Source) -> Vec<String>) {
    let violations: Vec<String> = sources.iter().flat_map(rule).collect();
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

/// A file of at most [`FILE_LINES_MAX`], functions of at most [`FUNCTION_LINES_MAX`], from `fn` to
/// the closing brace.
fn lengths(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        let what = format!("a file of {lines} lines; {FILE_LINES_MAX} at most");
        found.push(source.at(lines, &what));
    }
    for function in source.functions() {
        let lines = function.last - function.first + 1;
        if lines > FUNCTION_LINES_MAX {
            let name = function.name;
            let what = format!("function `{name}` of {lines} lines; {FUNCTION_LINES_MAX} at most");
            found.push(source.at(function.first, &what));
        }
    }
    found
}

fn module_doc(source: &Source) -> Vec<String> {
    let opens = source.text.starts_with("//!");
    let refusal = || source.at(1, "the file does not open with a `//!` module doc");
    (!opens).then(refusal).into_iter().collect()
}

fn mod_file(source: &Source) -> Vec<String> {
    let refusal = || source.at(1, "write `foo.rs` beside `foo/`, never `mod.rs`");
    source.path.ends_with("/mod.rs").then(refusal).into_iter().collect()
}

fn leftovers(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (name, line) in source.macro_calls() {
        if ["todo", "unimplemented", "dbg"].contains(&name.as_str()) {
            found.push(source.at(line, &format!("`{name}!` is left over")));
        }
    }
    for attribute in source.attributes() {
        if attribute.name == "ignore" {
            found.push(source.at(attribute.line, "`#[ignore]` is left over"));
        }
    }
    found
}

/// `allow` and `expect` say why; inside a `macro_rules!` there is nobody to tell.
fn reasons(source: &Source) -> Vec<String> {
    let attributes = source.attributes();
    let unexplained = attributes.iter().filter(|it| it.unexplained && !it.in_macro);
    unexplained.map(|it| source.at(it.line, "a lint is switched off without a `reason`")).collect()
}

const LIBRARY: &[&str] = &["src"];
const EXPLAINED: &[&str] = &["src", "tests/fuzz"];
const EVERYWHERE: &[&str] = &["src", "tests", "examples", "benches"];
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
