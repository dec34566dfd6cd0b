#!/bin/sh
# Every path in backquotes in ARCHITECTURE.md and README.md exists in the tree, * as in the shell.
# Not meant: what a build makes, files of a device, and those of the server's data folder.
set -eu
cd "$(dirname "$0")/../.."
bad=0
for doc in ARCHITECTURE.md README.md; do
	# an odd field between backquotes is text, an even one is code
	paths=$(awk -F '`' '{ for (i = 2; i < NF; i += 2) print $i }' "$doc" |
		grep -E '^[A-Za-z0-9_.*<>/-]+$' | grep -E '/|\.(md|c|h|py|sh)$' | sort -u)
	for path in $paths; do
		case $path in
		/* | build/* | blobs/ | ca/* | tls/* | trust/* | *'<'*) continue ;;
		esac
		# shellcheck disable=SC2086 # the pattern is meant to expand
		if ! git ls-files --error-unmatch $path >/dev/null 2>&1; then
			echo "$doc: \`$path\` is not in the tree"
			bad=1
		fi
	done
done
exit $bad
