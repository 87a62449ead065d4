#!/bin/sh
# A private Asterisk 22 for the tests and for `gudok demo --asterisk`: Debian's next release, unpacked by
# debootstrap into a folder of its own. Nothing on the machine is changed, and nothing of it runs as a service:
# the binary is started by the tree's own loader. May be run again: a tree that is there is kept.
#
#   deploy/asterisk-tree.sh [FOLDER]          default: $ASTERISK_TREE, else .cache/asterisk
#
# To bring it needs root and debootstrap, about a minute and 600 MB; to use it needs neither. It comes from
# debootstrap's own mirror of Debian; MIRROR names another one, and one of Debian's snapshots of a day pins
# every package. FOLDER.packages lists what was fetched.
set -eu

here="$(cd "$(dirname "$0")/.." && pwd)"
tree="${1:-${ASTERISK_TREE:-$here/.cache/asterisk}}"
release=forky
major=22
mirror="${MIRROR:-}"
packages=asterisk,asterisk-modules,asterisk-core-sounds-ru-wav,asterisk-core-sounds-en-wav

stop() {
    echo "asterisk-tree: $*" >&2
    exit 1
}

version() {
    for loader in "$1"/usr/lib/*-linux-gnu*/ld-linux*.so.*; do
        [ -x "$loader" ] || return 0
        "$loader" --library-path "$(dirname "$loader"):$1/usr/lib" "$1/usr/sbin/asterisk" -V 2>/dev/null |
            sed -n 's/^Asterisk \([0-9.]*\).*/\1/p'
        return 0
    done
}

case "$tree" in
    "" | / | "$here" | "$HOME") stop "$tree is no folder for a tree" ;;
    /*) ;;
    *) tree="$PWD/$tree" ;;
esac
found="$(version "$tree")"
case "$found" in
    "$major".*)
        echo "asterisk-tree: Asterisk $found in $tree"
        exit 0
        ;;
esac
if [ -e "$tree" ] && [ ! -e "$tree/usr/lib/os-release" ] && [ -n "$(ls -A "$tree")" ]; then
    stop "$tree is there and is no tree of ours; name another folder"
fi

[ "$(id -u)" = 0 ] || stop "bringing Asterisk needs root: sudo make asterisk"
command -v debootstrap >/dev/null || stop "debootstrap is missing: apt-get install debootstrap"
scripts=/usr/share/debootstrap/scripts
script="$scripts/$release"
[ -e "$script" ] || script="$scripts/sid"
mkdir -p "$(dirname "$tree")"
rm -rf "$tree.new"
log="$tree.log"
echo "asterisk-tree: fetching Asterisk $major of Debian $release${mirror:+ from $mirror} (about a minute) ..."
if ! debootstrap --variant=minbase --include="$packages" "$release" "$tree.new" "$mirror" "$script" >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    rm -rf "$tree.new"
    stop "debootstrap failed (its log: $log); is ${mirror:-its mirror of Debian} reachable? MIRROR names another one"
fi
rm -rf "$tree.new/var/cache/apt/archives" "$tree.new/var/lib/apt/lists"
found="$(version "$tree.new")"
case "$found" in
    "$major".*) ;;
    *)
        rm -rf "$tree.new"
        stop "Debian $release has no Asterisk $major any more (found: '$found');" \
            "name a snapshot of Debian of 1 November 2026 or earlier as MIRROR"
        ;;
esac
sed -n 's/^Package: //p; s/^Version: //p' "$tree.new/var/lib/dpkg/status" | paste - - >"$tree.packages"
rm -rf "$tree"
mv "$tree.new" "$tree"
echo "asterisk-tree: Asterisk $found in $tree"
