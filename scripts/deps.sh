#!/bin/sh
# Installs the Debian packages that building, testing and the demo need, when one is missing.
# A second run costs a tenth of a second.
set -eu

packages='
build-essential git meson ninja-build pkg-config
libgnutls28-dev libmicrohttpd-dev libcurl4-gnutls-dev libjansson-dev libsqlite3-dev libcmocka-dev
libseccomp-dev libp11-kit-dev libdivsufsort-dev liblzma-dev libzstd-dev zlib1g-dev
clang libclang-rt-14-dev clang-format cppcheck shellcheck codespell pmccabe mandoc
gcc-avr avr-libc gcc-arm-none-eabi libsimavr-dev libunicorn-dev
python3 python3-pytest python3-pytest-xdist python3-requests python3-cryptography
softhsm2 opensc gnutls-bin openssl sqlite3 curl jq strace tmux
busybox-static squashfs-tools e2fsprogs swupdate nginx-light wrk
bsdiff xdelta3 zstd xz-utils
chromium fonts-dejavu-core
'
# The page's build needs Node 18; a Node from elsewhere is as good as Debian's.
command -v node >/dev/null && command -v npm >/dev/null || packages="$packages nodejs npm"

missing=
for p in $packages; do
	[ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null)" = 'ii ' ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "missing packages:$missing" >&2
	echo "remedy: run as root, or: sudo apt-get install$missing" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# No service that a package brings may start by itself.
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod +x "$policy"
	made=1
fi
trap '[ -z "$made" ] || rm -f "$policy"' EXIT
log=$(mktemp)
# shellcheck disable=SC2086
if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "remedy: make the Debian 12 archive reachable, then run again" >&2
	exit 1
fi
rm -f "$log"
