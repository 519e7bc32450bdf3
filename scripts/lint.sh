#!/usr/bin/env bash
# Format and lints. Warnings are errors here, so that they never pile up.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

scripts/need.sh test
say "format: cargo fmt --check"
cargo fmt --all --check
cargo fmt --manifest-path fuzz/Cargo.toml --all --check
say "lints: cargo clippy, warnings are errors"
cargo clippy --workspace --all-targets --locked -- -D warnings
say "the fuzz targets are a workspace of their own: its lock file must have kept up"
cargo metadata --locked --manifest-path fuzz/Cargo.toml --format-version 1 >/dev/null
