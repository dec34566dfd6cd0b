#!/bin/sh
# make check: every script of this folder, one line each; the first words of a failure are printed.
set -u
cd "$(dirname "$0")/../.." || exit 2
bad=0
for s in scripts/check/*.sh; do
	[ "$s" = scripts/check/all.sh ] && continue
	if out=$("$s" 2>&1); then
		echo "ok    $s"
		case $s in *sizes.sh) echo "$out" | sed 's/^/      /' ;; esac
	else
		echo "FAIL  $s"
		echo "$out" | tail -n 40 | sed 's/^/      /'
		bad=1
	fi
done
exit $bad
