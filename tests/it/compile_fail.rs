//! What does not compile, and what the compiler then says.
//!
//! Each case in `tests/compile_fail` is a mistake that a user makes; beside it is the whole of what
//! the compiler says, so that an error that gets longer, or is said twice, fails too. The texts
//! are those of Rust 1.95. After a change, `TRYBUILD=overwrite cargo test --all-features
//! compile_fail` writes what is said now: read it as a user would.
//!
//! Only with all features: the compiler also names what the feature `testing` adds.

#[test]
fn each_mistake_is_told_with_its_remedy() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
