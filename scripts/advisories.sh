#!/usr/bin/env bash
# cargo-deny over the whole of deny.toml, with its database of advisories. It is built once into
# target/tools (some minutes) and needs the network, which is why `make test` does without it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

tools=${CARGO_TARGET_DIR:-target}/tools
PATH=$PWD/$tools/bin:$tools/bin:$PATH
if ! command -v cargo-deny >/dev/null 2>&1; then
    scripts/need.sh build
    say "building cargo-deny into $tools (once)"
    cargo install --locked --root "$tools" cargo-deny
fi
say "cargo deny check"
cargo deny --all-features check
