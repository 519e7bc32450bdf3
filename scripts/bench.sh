#!/usr/bin/env bash
# CPU and latency per proxied request, beside nginx as a plain proxy in the same run. The harness
# (an echo upstream, loads, and the measuring) is the folder PALISADE_BENCH. After it, what the program
# must bear (`drill trial`): it fails when a bar is missed. TRIALS names them; TRIAL_SECS is how long
# each load lasts.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

PALISADE_BENCH=${PALISADE_BENCH:-../shared/bench}
[ -f "$PALISADE_BENCH/bench.py" ] || give_up "PALISADE_BENCH: no bench.py in $PALISADE_BENCH"
scripts/need.sh bench
say "building"
cargo build --release --locked --bin palisade --bin drill
cargo build --release --locked --package gateway --example bare_hyper
palisade=${CARGO_TARGET_DIR:-$PWD/target}/release/palisade
drill=${CARGO_TARGET_DIR:-$PWD/target}/release/drill
hyper=${CARGO_TARGET_DIR:-$PWD/target}/release/examples/bare_hyper
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$PATH:/usr/sbin
say "the decision alone: the engine without sockets"
cargo bench --locked --package drill --bench decision
say "rules alone: the built-in ones, the Core Rule Set, and libmodsecurity and Coraza on the same requests"
eval "$(scripts/fetch-crs.sh)"
cargo bench --locked --package rules --bench engine
say "monitor mode, one worker: with the built-in rules, and without; beside it nginx, and bare hyper"
printf 'version = 1\n[rules]\nbuiltin = false\n[[site]]\nupstream = "http://127.0.0.1:19000"\n' \
    >"$work/no-rules.toml"
common="--mode monitor --workers 1 --quiet"
python3 "$PALISADE_BENCH/bench.py" --loads "${LOADS:-get,post1k,post16k}" \
    --rounds "${ROUNDS:-3}" --secs "${SECS:-4}" \
    "palisade=19200:$palisade run --to http://127.0.0.1:19000 --listen 127.0.0.1:19200 $common \
--data $work/data" \
    "no-rules=19202:$palisade run -c $work/no-rules.toml --listen 127.0.0.1:19202 $common \
--data $work/data-no-rules" \
    "hyper=19201:$hyper 127.0.0.1:19201 127.0.0.1:19000"
say "more load than it can carry, half of it beside nginx, reloads, large bodies, many strangers"
# The program on one core, the load and its upstream on another; a connection is a file to each.
ulimit -n "$(ulimit -H -n)"
# shellcheck disable=SC2086
taskset -c 1 "$drill" trial ${TRIALS:-slow-upstream busy-gateway half-load reloads upstreams dead-sink rule-reloads large-bodies memory} \
    --secs "${TRIAL_SECS:-30}" --program "taskset -c 0 $palisade" --nginx "taskset -c 0 nginx"
say "a million lines of an access log on all cores, GoAccess beside it"
"$drill" trial logs --program "$palisade"
