#!/usr/bin/env bash
# The tests that need something from outside: recorded data (captures, protocol vectors, corpora) in
# the folder PALISADE_DATA, the Core Rule Sets (scripts/fetch-crs.sh), ModSecurity's test
# vectors, other servers (node, Go, nginx) on the far side of the gateway, and clients and a
# validator in Python (gRPC, WebSocket, HTTP/2, OpenAPI, OCSF), Prometheus' own tool, a browser for
# the report. They live in crates/*/tests/data.rs, which plain `cargo test` leaves out.
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
# Clients, servers and a validator of others, in versions that are known to work.
PALISADE_PYTHON=${PALISADE_PYTHON:-${CARGO_TARGET_DIR:-$PWD/target}/python}
export PALISADE_PYTHON
packages="grpcio==1.85.3 h2==4.4.1 httpx==0.28.1 jsonschema==4.26.0 ocsf-json-schema==1.2.0 \
openapi-spec-validator==0.9.0 prometheus_client==0.26.0 schemathesis==4.32.5 websockets==17.4"
if [ "$(cat "$PALISADE_PYTHON/packages" 2>/dev/null)" != "$packages" ]; then
    say "installing Python packages for these tests: $packages"
    python3 -m venv --clear "$PALISADE_PYTHON"
    # shellcheck disable=SC2086
    "$PALISADE_PYTHON/bin/pip" install --quiet --disable-pip-version-check $packages
    printf '%s\n' "$packages" >"$PALISADE_PYTHON/packages"
fi
# Prometheus' own tool, unpacked and not installed: the package would start a server.
PALISADE_PROMTOOL=$(command -v promtool || true)
if [ -z "$PALISADE_PROMTOOL" ]; then
    unpacked=${CARGO_TARGET_DIR:-$PWD/target}/prometheus
    PALISADE_PROMTOOL=$unpacked/usr/bin/promtool
    if [ ! -x "$PALISADE_PROMTOOL" ]; then
        say "unpacking promtool from the package prometheus"
        mkdir -p "$unpacked"
        (cd "$unpacked" && apt-get download -qq prometheus && dpkg -x prometheus_*.deb .)
    fi
fi
export PALISADE_PROMTOOL
# ModSecurity's test vectors, as the Go module of Coraza keeps them.
coraza=github.com/corazawaf/coraza/v3@v3.8.1
PALISADE_CORAZA=$(go mod download -json "$coraza" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
[ -d "$PALISADE_CORAZA" ] || give_up "the module $coraza cannot be had"
export PALISADE_CORAZA
crates=()
for file in crates/*/tests/data.rs; do
    [ -e "$file" ] || give_up "no crate has a tests/data.rs"
    crate=${file#crates/}
    crates+=(-p "${crate%%/*}")
done
say "tests on recorded data in $PALISADE_DATA: ${crates[*]}"
cargo test --locked "${crates[@]}" --test data
say "transformations and operators by ModSecurity's vectors"
cargo test --locked --package rules --test vectors
say "bodies, detectors and whole decisions beside libmodsecurity"
cargo test --locked --package rules --test body_libmodsecurity --test injection_libmodsecurity
cargo test --locked --package conformance --test decisions_libmodsecurity
