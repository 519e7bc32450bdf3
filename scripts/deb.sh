#!/usr/bin/env bash
# The Debian package: target/palisade_VERSION_ARCHITECTURE.deb, of what `make build` made. BINARY
# names another program. It is taken apart again and looked at: with lintian where that is installed,
# and by unpacking it into an empty root and asking the program in it whether its own file is valid.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

binary=${BINARY:-target/release/palisade}
[ -x "$binary" ] || give_up "there is no $binary: make build"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
architecture=$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
chmod 755 "$work"

install -Dm755 "$binary" "$root/usr/bin/palisade"
strip --strip-unneeded "$root/usr/bin/palisade"
install -Dm644 packaging/palisade.service "$root/lib/systemd/system/palisade.service"
install -Dm644 packaging/palisade.socket "$root/lib/systemd/system/palisade.socket"
install -Dm644 packaging/palisade.sysusers "$root/usr/lib/sysusers.d/palisade.conf"
install -Dm644 packaging/palisade.toml "$root/etc/palisade/palisade.toml"
doc=$root/usr/share/doc/palisade
install -Dm644 packaging/debian/copyright "$doc/copyright"
install -Dm644 packaging/prometheus-rules.yml "$doc/prometheus-rules.yml"
install -m644 docs/*.md "$doc/"
install -m644 CHANGELOG.md "$doc/"
maintainer=$(sed -n 's/^Maintainer: //p' packaging/debian/control.in)
date=$(date -R -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}")
printf 'palisade (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$date" | gzip -9n >"$doc/changelog.gz"
chmod 644 "$doc/changelog.gz"

mkdir "$root/DEBIAN"
echo /etc/palisade/palisade.toml >"$root/DEBIAN/conffiles"
install -m755 packaging/debian/postinst packaging/debian/prerm packaging/debian/postrm "$root/DEBIAN/"
# Which libraries in which versions the program needs, as Debian's own tool tells it.
mkdir -p "$work/source/debian"
printf 'Source: palisade\n\nPackage: palisade\nArchitecture: any\n' >"$work/source/debian/control"
needs=$(cd "$work/source" && dpkg-shlibdeps -O "$root/usr/bin/palisade" 2>/dev/null |
    sed -n 's/^shlibs:Depends=//p')
[ -n "$needs" ] || give_up "dpkg-shlibdeps does not say what the program needs (package dpkg-dev)"
size=$(du -sk --exclude=DEBIAN "$root" | cut -f1)
sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/$size/" \
    -e "s/@DEPENDS@/$needs/" packaging/debian/control.in >"$root/DEBIAN/control"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z |
    xargs -0 md5sum) >"$root/DEBIAN/md5sums"
find "$root" -type d -exec chmod 755 {} +

package=target/palisade_${version}_$architecture.deb
dpkg-deb --root-owner-group --build "$root" "$package" >/dev/null
say "built $package: $(du -h "$package" | cut -f1)"

if command -v lintian >/dev/null; then
    say "lintian"
    lintian --fail-on error,warning --suppress-tags-from-file packaging/debian/lintian "$package"
fi
say "unpacked into an empty root: is its file valid, would its unit run"
dpkg-deb --extract "$package" "$work/unpacked"
"$work/unpacked/usr/bin/palisade" check -c "$work/unpacked/etc/palisade/palisade.toml"
if command -v systemd-analyze >/dev/null; then
    # Exposure of 2.0 at the most; what is looked at is the unit alone.
    systemd-analyze security --offline=true --no-pager --threshold=20 \
        --root="$work/unpacked" palisade.service | tail -1
fi
