#!/usr/bin/env bash
# A sample API, Palisade before it in its default configuration, honest callers who warm it, and
# then an attacker; prints what is found and how to look closer. Everything stays on loopback, on
# free ports, in a temporary folder, and is stopped at the end (KEEP=1: at Ctrl-C).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

callers=24          # honest people, each with an address of their own
warm_secs=30        # how long they come alone before the attacker does
attack_calls=50     # log-ins the attacker tries each time,
attack_per_second=5 # at this pace
attacker=127.66.6.6
second_attacker=127.66.6.7

scripts/need.sh build
say "building (the first time takes some minutes)"
cargo build --release --locked --bin palisade --bin drill
programs=${CARGO_TARGET_DIR:-target}/release

work=$(mktemp -d)
started=()
# Stops what was started here, by its process id, the last one first.
clean_up() {
    trap - EXIT INT TERM
    local at
    for ((at = ${#started[@]} - 1; at >= 0; at--)); do
        kill "${started[at]}" 2>/dev/null || true
        wait "${started[at]}" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start NAME COMMAND...: runs it in the background, its output in a file.
start() {
    local name=$1
    shift
    "$@" >"$work/$name.out" 2>&1 &
    started+=($!)
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
    local port
    for ((port = $1; port < $1 + 200; port++)); do
        listening "$port" || { echo "$port"; return; }
    done
    give_up "no free port from $1 on"
}

# wait_for NAME PORT: until it listens; gives up when its process has ended.
wait_for() {
    local tries pid=${started[-1]}
    for ((tries = 0; tries < 100; tries++)); do
        listening "$2" && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    cat "$work/$1.out" >&2
    give_up "$1 did not start"
}

palisade() { "$programs/palisade" --data "$work/palisade-data" --color never "$@"; }

# show COMMAND...: prints the command as one would type it, then what it prints.
show() {
    printf '\n    $ palisade %s\n' "$*" >&2
    palisade "$@" 2>&1 | sed 's/^/    /'
}

attack() {
    "$programs/drill" attack stuffing --to "$front" --from "$1" \
        --calls "$attack_calls" --per-second "$attack_per_second" | tee "$work/attack.out"
}

api_port=$(free_port 18030)
say "sample API: accounts, orders, a log-in, on http://127.0.0.1:$api_port"
start sample-api "$programs/drill" sample-api --listen "127.0.0.1:$api_port" --data "$work/shop"
wait_for sample-api "$api_port"

port=$(free_port 18080)
front=http://127.0.0.1:$port
say "palisade run --to http://127.0.0.1:$api_port --listen 127.0.0.1:$port"
start palisade "$programs/palisade" run --to "http://127.0.0.1:$api_port" \
    --listen "127.0.0.1:$port" --data "$work/palisade-data"
wait_for palisade "$port"
palisade status >/dev/null 2>&1 || sleep 1
if ! palisade status >"$work/status.out" 2>&1; then
    cat "$work/palisade.out" "$work/status.out" >&2
    give_up "palisade does not answer its commands"
fi
sed 's/^/    /' "$work/palisade.out"

attack_secs=$((attack_calls / attack_per_second))
say "$callers honest callers browse, log in (some mistype), order; $warm_secs s to get to know them"
start callers "$programs/drill" callers --to "$front" --count "$callers" \
    --secs $((warm_secs + 2 * attack_secs + 5))
honest=${started[-1]}
sleep "$warm_secs"

say "what Palisade has learnt from the traffic alone"
show api list

say "an attacker at $attacker tries $attack_calls stolen passwords, $attack_per_second a second"
attack "$attacker"
say "monitor mode: the API answered all of them; this is what was seen, and would have been done"
sleep 1
show incidents list
incident=$(palisade incidents list --output jsonl |
    sed -n 's/^{"id": *"\([^"]*\)".*/\1/p' | head -n 1)
[ -n "$incident" ] || give_up "the attack was not found"
show incidents show "$incident"

say "now with verdicts carried out, and the next attacker at $second_attacker"
show enforce
attack "$second_attacker"
event=$(sed -n 's/.*, event \([^ ]*\).*/\1/p' "$work/attack.out")
[ -n "$event" ] || give_up "the attacker was not stopped"
say "the refused caller was told nothing but an event ID; with it the whole story"
show why "$event"

wait "$honest" || give_up "the honest callers failed: $(cat "$work/callers.out")"
say "and the honest callers meanwhile"
cat "$work/callers.out"
if ! grep -q 'refused: none' "$work/callers.out"; then
    give_up "honest callers were refused"
fi

say "to look closer (make demo KEEP=1 keeps everything running)"
typed="$programs/palisade --data $work/palisade-data"
cat <<TXT
    $typed status
    $typed tail
    $typed api show 'POST /api/v1/login'
    $typed api export openapi -o openapi.json
    $typed decisions list
    $typed why $event
    $programs/drill attack scan --to $front --from 127.66.6.8
TXT
if [ -n "${KEEP:-}" ]; then
    say "still running: $front before http://127.0.0.1:$api_port; Ctrl-C stops both"
    sleep infinity &
    started+=($!)
    wait $!
fi
say "done"
