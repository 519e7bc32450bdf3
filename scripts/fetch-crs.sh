#!/usr/bin/env bash
# Gets the two OWASP Core Rule Sets that the tests load, unmodified: version 4 as the Go module that
# Coraza publishes, with the set's regression tests, and version 3.3.4 as Debian's package. They go
# into target/crs, once; nothing of them is part of this repository. Prints, for `eval`, where they
# are. `make test-data` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

CRS4=github.com/corazawaf/coraza-coreruleset/v4@v4.25.0
CRS3=modsecurity-crs
target=$(pwd)/${CARGO_TARGET_DIR:-target}/crs
[ -z "${CARGO_TARGET_DIR:-}" ] || target=$CARGO_TARGET_DIR/crs
mkdir -p "$target"

if [ ! -e "$target/4/rules/@crs-setup.conf.example" ]; then
    command -v go >/dev/null || give_up "go is needed to get $CRS4"
    say "CRS 4: go mod download $CRS4" >&2
    folder=$(go mod download -json "$CRS4" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
    [ -d "$folder/rules" ] || give_up "the module $CRS4 has no folder rules"
    rm -rf "$target/4"
    cp -r "$folder" "$target/4"
    chmod -R u+w "$target/4"
fi

if [ ! -e "$target/3/usr/share/modsecurity-crs/rules" ]; then
    command -v apt-get >/dev/null || give_up "apt-get is needed to get $CRS3"
    say "CRS 3: apt-get download $CRS3" >&2
    rm -rf "$target/3"
    mkdir -p "$target/3"
    # A machine that is new has no list of packages yet.
    (cd "$target/3" && apt-get download -q "$CRS3" >&2) ||
        (apt-get update -qq >&2 && cd "$target/3" && apt-get download -q "$CRS3" >&2)
    (cd "$target/3" && dpkg-deb -x "$CRS3"_*.deb .)
    [ -d "$target/3/usr/share/modsecurity-crs/rules" ] || give_up "$CRS3 has no folder rules"
fi

echo "export CRS4_DIR=$target/4 CRS3_DIR=$target/3"
