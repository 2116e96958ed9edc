#!/usr/bin/env bash
# Fuzzes each decoder, and a hub's session with sequences of frames: `bash tests/fuzz.sh [RUNS]`.
# Each decoder is given RUNS inputs; when not said, as many as suit the gate. An input of the session is
# a hub with two clients and all that they say, so it is given RUNS/200. What is missing is installed
# first. The seed is fixed and the corpus is made anew, so that a run can be repeated.
set -euo pipefail
cd "$(dirname "$0")/.."

RUNS=${1:-500000}
SEED=1
CARGO_FUZZ=0.13.2
FUZZ=$(realpath -m "${CARGO_TARGET_DIR:-target}")/fuzz
TRIPLE=$(rustc -vV | sed -n 's/^host: //p')

# A C++ compiler builds libFuzzer. The lock file of tests/fuzz must be up to date.
install() {
    command -v c++ >/dev/null || { as_root apt-get update && as_root apt-get install -y g++; }
    PATH="$FUZZ/tools/bin:$PATH"
    [ "$(cargo-fuzz --version 2>&1)" = "cargo-fuzz $CARGO_FUZZ" ] ||
        cargo install cargo-fuzz --locked --version "$CARGO_FUZZ" --root "$FUZZ/tools"
    cargo fetch --locked --manifest-path tests/fuzz/Cargo.toml
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Optimised, with debug assertions and overflow checks, as cargo-fuzz does by itself.
build() {
    cargo-fuzz build --sanitizer none --fuzz-dir tests/fuzz --target "$TRIPLE" --target-dir "$FUZZ"
}

# The vectors, as each target reads them, and what lies in tests/fuzz/seeds.
plant() {
    local vector name hex join which number=0
    rm -rf "$FUZZ/corpus"
    for target in "${TARGETS[@]}"; do
        mkdir -p "$FUZZ/corpus/$target"
        [ ! -d "tests/fuzz/seeds/$target" ] || cp "tests/fuzz/seeds/$target"/* "$FUZZ/corpus/$target"
    done
    for vector in tests/vectors/*.hex tests/vectors/malformed/*.hex; do
        name=$(basename "$vector" .hex)
        hex=$(digits "$vector")
        bytes "$hex" >"$FUZZ/corpus/frames/$name"
        bytes "${hex:8}" >"$FUZZ/corpus/frame/$name"
    done
    join=$(step "$(digits tests/vectors/join.hex)")
    for vector in tests/vectors/*.hex; do
        name=$(basename "$vector" .hex)
        # Alone, it is a first frame. Greeted and joined, one comes with shouts round it.
        bytes "01$(step "$(digits "$vector")")" >"$FUZZ/corpus/session/first_$name"
        printf -v which '%02x' $((number++ % 256))
        bytes "00${join}030304${which}000003030001" >"$FUZZ/corpus/session/later_$name"
    done
}

digits() {
    tr -d '[:space:]' <"$1"
}

bytes() {
    printf '%b' "$(sed 's/../\\x&/g' <<<"$1")"
}

# A frame with its length prefix as a step of tests/fuzz/src/bin/session.rs.
step() {
    local count=$(((${#1} - 8) / 2))
    printf '02%02x%02x%s' $((count % 256)) $((count / 256)) "${1:8}"
}

# The longest input. A frame's is the frame limit, or a little more. A payload or a transcript takes
# as much memory as its types want for each byte, so theirs are short.
bytes_max() {
    case $1 in
        frame) echo 65537 ;;
        frames) echo 131072 ;;
        session) echo 2048 ;;
        payload | transcript) echo 4096 ;;
        *) echo 512 ;;
    esac
}

runs_of() {
    case $1 in
        session) echo $((RUNS / 200)) ;;
        *) echo "$RUNS" ;;
    esac
}

fuzz() {
    local target=$1 began=$SECONDS program="$FUZZ/$TRIPLE/release/$1" log="$FUZZ/$1.log" status=0 found
    "$program" -runs="$(runs_of "$target")" -seed="$SEED" -max_len="$(bytes_max "$target")" \
        -timeout=10 -print_final_stats=1 -artifact_prefix="$FUZZ/found/$target-" \
        "$FUZZ/corpus/$target" >"$log" 2>&1 || status=$?
    if [ "$status" != 0 ]; then
        tail -n 60 "$log"
        found=$(sed -n 's/.*Test unit written to //p' "$log")
        printf '%s\n' "Target \`$target\` failed; its log is $log." \
            "The input is ${found:-none: it did not come so far}. Again: $program ${found:-}"
        exit 1
    fi
    printf '%-12s %12d executions %6d s\n' "$target" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" $((SECONDS - began))
}

TARGETS=(tests/fuzz/src/bin/*.rs)
TARGETS=("${TARGETS[@]##*/}")
TARGETS=("${TARGETS[@]%.rs}")
if ! [[ $# -le 1 && $RUNS =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: bash tests/fuzz.sh [RUNS]" >&2
    exit 2
fi
install
build
mkdir -p "$FUZZ/found"
plant
for target in "${TARGETS[@]}"; do
    fuzz "$target"
done
