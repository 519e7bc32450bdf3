#!/usr/bin/env bash
# The tests that draw their input, with many more draws: hostile bytes for each parser (proptest
# reads PROPTEST_CASES), seeds for the simulator (drill reads PALISADE_SEEDS) and kills of a process
# that writes and of the whole program under load (ledger and palisade read PALISADE_KILLS), and
# changes of certificates under load (palisade reads PALISADE_CERTIFICATES).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

export PROPTEST_CASES=${PROPTEST_CASES:-20000}
export PALISADE_SEEDS=${PALISADE_SEEDS:-100}
export PALISADE_KILLS=${PALISADE_KILLS:-200}
export PALISADE_CERTIFICATES=${PALISADE_CERTIFICATES:-50}
scripts/need.sh test
say "soak: $PROPTEST_CASES cases per property, $PALISADE_SEEDS seeds per scenario, $PALISADE_KILLS kills"
cargo test --workspace --locked
say "soak: sieved and plain rules on the Core Rule Sets, and the worst inputs to each rule"
crs=$(scripts/fetch-crs.sh)
eval "$crs"
cargo test --locked --package conformance --test data agreement
cargo bench --locked --package rules --bench worst
