#!/usr/bin/env bash
# The tests that draw their input, with many more draws: hostile bytes for each parser (proptest
# reads PROPTEST_CASES) and seeds for the simulator (drill reads PALISADE_SEEDS).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

export PROPTEST_CASES=${PROPTEST_CASES:-20000}
export PALISADE_SEEDS=${PALISADE_SEEDS:-100}
scripts/need.sh test
say "soak: $PROPTEST_CASES cases per property, $PALISADE_SEEDS seeds per scenario"
cargo test --workspace --locked
