#!/usr/bin/env bash
# Coverage-guided fuzzing of everything that reads bytes of strangers, with libFuzzer on the stable
# toolchain. Each target gets FUZZ_SECS seconds of a processor, 600 unless told; it fails on a panic,
# on an input that takes longer than a second (FUZZ_TIMEOUT on a busy machine), and above 256 MB.
# FUZZ_TARGETS names some of them. What is learnt stays in target/fuzz/corpus, what fails in
# target/fuzz/found.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

scripts/need.sh fuzz
target=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
coverage+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage+=" -Cllvm-args=-sanitizer-coverage-pc-table"
coverage+=" -Cllvm-args=-sanitizer-coverage-trace-compares"
triple=$(rustc -vV | sed -n 's/^host: //p')
rules="cookies engine json multipart pattern seclang sqli transformation urlencoded xml xss"
edge="chunks coding head hello proxy"
wanted=${FUZZ_TARGETS:-$rules $edge}
secs=${FUZZ_SECS:-600}
root=$PWD

# With `--target`, build scripts and macros are left alone.
build() {
    say "building the targets of $1 with the instrumentation of libFuzzer"
    CARGO_TARGET_DIR=$target RUSTFLAGS="$coverage" cargo build --quiet --locked --release \
        --manifest-path fuzz/Cargo.toml --target "$triple" --package "fuzz-$1"
}

# Seconds of a processor that the programs started from here have used.
cpu() {
    awk '{ printf "%d", ($16 + $17) / 100 }' "/proc/$$/stat"
}

stat() {
    sed -n "s/^stat::$1: *//p" "$target/$name.log"
}

for name in $wanted; do
    case " $rules " in *" $name "*) group=rules ;; *) group=edge ;; esac
    [ -n "${FUZZ_BUILT:-}" ] || build "$group"
    mkdir -p "$target/corpus/$name" "$target/found/$name"
    # Rules are loaded from small files; the rest may be as long as a head, or a small body.
    case $name in seclang | pattern) bytes=2048 ;; *) bytes=16384 ;; esac
    # The first run writes the seeds, which the second reads.
    TARGET=$name SEEDS=$target/corpus/$name "$target/$triple/release/fuzz-$group" \
        -runs=0 "$target/corpus/$name" >/dev/null 2>&1
    cd "$target/found/$name"
    spent=0 executed=0
    while [ "$spent" -lt "$secs" ]; do
        begun=$(cpu)
        # In pieces, since its own clock is that on the wall.
        TARGET=$name "$target/$triple/release/fuzz-$group" -max_total_time=300 \
            -timeout="${FUZZ_TIMEOUT:-1}" -rss_limit_mb=256 -max_len="$bytes" -print_final_stats=1 \
            -verbosity=0 "$target/corpus/$name" >"$target/$name.log" 2>&1 ||
            give_up "$name failed: $(grep -aE 'SUMMARY|panicked|ERROR|Test unit' "$target/$name.log")"
        spent=$((spent + $(cpu) - begun))
        executed=$((executed + $(stat number_of_executed_units)))
    done
    cd "$root"
    say "$name: $executed inputs in $spent s of a processor, $(stat peak_rss_mb) MB, slowest" \
        "$(stat slowest_unit_time_sec) s"
done
