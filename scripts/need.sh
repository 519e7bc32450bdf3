#!/usr/bin/env bash
# Installs what is missing for a task: on Debian and Ubuntu with apt when run as root (or with a
# sudo that asks no password); elsewhere it says what to install.
#
#   need.sh build      a C compiler (SQLite and ring bring C sources)
#   need.sh test       and what formats and lints
#   need.sh fuzz       a C++ compiler (libFuzzer is built from source)
#   need.sh test-data  and the servers that stand on the far side of the gateway, and Python
#   need.sh bench      and the load generator and the proxy to compare with
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

missing=()

# want COMMAND PACKAGE: remembers the package when the command is absent.
want() {
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing+=("$2")
}

want_rust() {
    command -v cargo >/dev/null 2>&1 ||
        give_up "cargo is not installed: get Rust from https://rustup.rs (1.95 or newer)"
    local version
    version=$(cargo --version | cut -d' ' -f2)
    if [ "$(printf '%s\n' 1.95.0 "$version" | sort -V | head -n 1)" != 1.95.0 ]; then
        give_up "cargo $version is too old: Palisade needs Rust 1.95 or newer (rustup update)"
    fi
}

want_rust_component() {
    cargo "$1" --version >/dev/null 2>&1 && return
    command -v rustup >/dev/null 2>&1 || give_up "cargo $1 is not installed, nor is rustup"
    say "adding the Rust component $2"
    rustup component add "$2"
}

install() {
    [ ${#missing[@]} -gt 0 ] || return 0
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        root=(sudo -n)
        sudo -n true 2>/dev/null || give_up "please install: ${missing[*]}"
    fi
    command -v apt-get >/dev/null 2>&1 || give_up "please install: ${missing[*]}"
    say "installing ${missing[*]}"
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends "${missing[@]}" >/dev/null
}

want_rust
want cc gcc
[ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
case "${1:-build}" in
build) ;;
demo) want curl curl ;;
fuzz) want c++ g++ ;;
test)
    want_rust_component fmt rustfmt
    want_rust_component clippy clippy
    ;;
test-data)
    want c++ g++
    [ -e /usr/include/modsecurity/modsecurity.h ] || missing+=(libmodsecurity-dev)
    want node nodejs
    want go golang-go
    want nginx nginx-light
    want python3 python3
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    ;;
bench)
    want nginx nginx-light
    want wrk wrk
    want goaccess goaccess
    want python3 python3
    want taskset util-linux
    want ps procps
    ;;
*) give_up "need.sh: no task called $1" 2 ;;
esac
install
