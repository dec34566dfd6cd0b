#!/bin/sh
# make bench: every benchmark, each beside a rival or a limit; one line a figure.
set -eu
cd "$(dirname "$0")/.."
for b in bench/*.py bench/*/run.sh; do
	[ -x "$b" ] || continue
	echo "== $b"
	"$b" || echo "   failed: $b"
done
