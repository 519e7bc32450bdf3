#!/usr/bin/env bash
# Everything that must hold before a change goes in, except the tests on recorded data
# (make test-data). One target folder and one set of flags, so that nothing is built twice.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

begun=$SECONDS
scripts/lint.sh
say "house rules: lengths, module docs, crate graph, purity, deny.toml"
cargo xtask all
say "tests: cargo test --workspace"
cargo test --workspace --locked
say "all tests passed in $((SECONDS - begun)) s"
