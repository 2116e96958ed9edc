#!/usr/bin/env bash
# The gate: everything a commit must pass. `bash tests/gate.sh` runs all stages in order and stops at
# the first that fails; `bash tests/gate.sh STAGE` runs one. What is missing is installed first.
set -euo pipefail
cd "$(dirname "$0")/.."

STAGES=(tools format clippy features tests instructions fuzz dependencies docs)
LOGS="${CARGO_TARGET_DIR:-target}/gate"

# A compiler's components, a linker, Python for tests/foreign, and every crate of the lock file.
# Cargo.lock must be up to date.
stage_tools() {
    command -v cargo >/dev/null || {
        echo "no cargo: install Rust 1.95 or later, https://rustup.rs" >&2
        return 1
    }
    cargo fmt --version || rustup component add rustfmt
    cargo clippy --version || rustup component add clippy
    command -v cc >/dev/null || { as_root apt-get update && as_root apt-get install -y gcc libc6-dev; }
    command -v python3 >/dev/null || { as_root apt-get update && as_root apt-get install -y python3; }
    cargo fetch --locked
}

stage_format() {
    cargo fmt --check
    cargo fmt --check --manifest-path tests/fuzz/Cargo.toml
}

stage_clippy() {
    cargo clippy --all-targets --all-features -- -D warnings
}

# Each feature alone, then none: clippy is `cargo check` that can make warnings errors.
stage_features() {
    local feature
    for feature in $(features); do
        echo "feature $feature"
        cargo clippy --no-default-features --features "$feature" -- -D warnings
    done
    echo "no feature"
    cargo clippy --no-default-features -- -D warnings
}

# The library, the binary, tests/*, doctests; the examples are built.
stage_tests() {
    cargo test --all-features 2>&1 | tee "$LOGS/tests.log"
}

# How many instructions the data path takes for one item, under valgrind. The runner must be of the
# library's version.
stage_instructions() {
    local tools version
    command -v valgrind >/dev/null || { as_root apt-get update && as_root apt-get install -y valgrind; }
    tools=$(realpath -m "${CARGO_TARGET_DIR:-target}")/instructions
    version=$(awk '$1 == "name" { name = $3 } name == "\"gungraun\"" && $1 == "version" { print $3 }' \
        Cargo.lock | tr -d '"')
    export GUNGRAUN_RUNNER="$tools/bin/gungraun-runner"
    [ "$("$GUNGRAUN_RUNNER" --version 2>&1)" = "gungraun-runner $version" ] ||
        cargo install gungraun-runner --locked --version "$version" --root "$tools"
    if ! cargo bench --bench instructions; then
        echo "Under 'Regressions' stands what takes more instructions than it may. Make it faster; or" >&2
        echo "raise its bound in tests/instructions/bounds.rs and say in the commit what that buys." >&2
        return 1
    fi
}

# A short run of every fuzz target; a long one is in CONTRIBUTING.md. Then the targets' own checks:
# they are a package apart, which needs what fuzz.sh installs.
stage_fuzz() {
    bash tests/fuzz.sh
    local built
    built=$(realpath -m "${CARGO_TARGET_DIR:-target}")/fuzz
    cargo clippy --locked --manifest-path tests/fuzz/Cargo.toml --target-dir "$built" --all-targets \
        -- -D warnings
    cargo test --locked --manifest-path tests/fuzz/Cargo.toml --target-dir "$built" --lib
}

# Licences, bans and sources by deny.toml. A filter that matches no test must not pass.
stage_dependencies() {
    cargo test --all-features --test it dependencies:: 2>&1 | tee "$LOGS/dependencies.log"
    grep -qE '^test result: ok\. [1-9]' "$LOGS/dependencies.log"
}

stage_docs() {
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

features() {
    awk '/^\[/ { inside = $0 == "[features]" }
         inside && /^[a-z0-9_-]+ *=/ && $1 != "default" { print $1 }' Cargo.toml
}

# Runs one stage in a shell of its own, where the first failing command ends it. No `if` and no `||`
# round it: both would switch that off.
run() {
    local stage=$1 began=$SECONDS status
    printf '\n== %s\n' "$stage"
    set +e
    (set -e; "stage_$stage")
    status=$?
    set -e
    printf -v row '%-14s %5d s' "$stage" $((SECONDS - began))
    if [ "$status" != 0 ]; then
        printf '== %s  FAILED\n\n' "$row"
        echo "The gate stopped at stage \`$stage\`. Alone: bash tests/gate.sh $stage" >&2
        exit "$status"
    fi
    echo "== $row"
    summary+=("$row")
}

if [ $# -gt 1 ] || { [ $# = 1 ] && [[ " ${STAGES[*]} " != *" $1 "* ]]; }; then
    echo "usage: bash tests/gate.sh [STAGE], one of: ${STAGES[*]}" >&2
    exit 2
fi

mkdir -p "$LOGS"
summary=()
for stage in "${@:-${STAGES[@]}}"; do
    run "$stage"
done
[ $# = 0 ] || exit 0

printf '\n'
grep -E '^test result:' "$LOGS/tests.log"
printf '\n%s\n' "The gate is passed:"
printf '%s\n' "${summary[@]}"
printf '%-14s %5d s\n' total "$SECONDS"
