#!/usr/bin/env bash
# CPU and latency per proxied request, beside nginx as a plain proxy in the same run. The harness
# (an echo upstream, loads, and the measuring) is the folder PALISADE_BENCH.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

PALISADE_BENCH=${PALISADE_BENCH:-../shared/bench}
[ -f "$PALISADE_BENCH/bench.py" ] || give_up "PALISADE_BENCH: no bench.py in $PALISADE_BENCH"
scripts/need.sh bench
say "building"
cargo build --release --locked --bin palisade
palisade=${CARGO_TARGET_DIR:-$PWD/target}/release/palisade
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$PATH:/usr/sbin
say "the decision alone: the engine without sockets"
cargo bench --locked --package drill --bench decision
say "all layers on, monitor mode, one worker; nginx beside it"
python3 "$PALISADE_BENCH/bench.py" --loads "${LOADS:-get,post1k,post16k}" \
    --rounds "${ROUNDS:-3}" --secs "${SECS:-4}" \
    "palisade=19200:$palisade run --to http://127.0.0.1:19000 --listen 127.0.0.1:19200 \
--mode monitor --workers 1 --quiet --data $work/data"
