#!/usr/bin/env bash
# The tests that need something from outside: recorded data (captures, protocol vectors, corpora) in
# the folder PALISADE_DATA, the Core Rule Sets (scripts/fetch-crs.sh), and other servers (node, Go, nginx) on the far side of the gateway. They
# live in crates/*/tests/data.rs, which plain `cargo test` leaves out.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

PALISADE_DATA=${PALISADE_DATA:-../shared/data}
[ -d "$PALISADE_DATA" ] || give_up "PALISADE_DATA: there is no folder $PALISADE_DATA"
# The tests run in their crate's folder, so the path must be absolute.
PALISADE_DATA=$(cd "$PALISADE_DATA" && pwd)
export PALISADE_DATA

scripts/need.sh test-data
crs=$(scripts/fetch-crs.sh)
eval "$crs"
crates=()
for file in crates/*/tests/data.rs; do
    [ -e "$file" ] || give_up "no crate has a tests/data.rs"
    crate=${file#crates/}
    crates+=(-p "${crate%%/*}")
done
say "tests on recorded data in $PALISADE_DATA: ${crates[*]}"
cargo test --locked "${crates[@]}" --test data
