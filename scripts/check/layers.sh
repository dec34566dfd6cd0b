#!/bin/sh
# The layer table of ARCHITECTURE.md: which folder may include which.  A folder not named is free.
set -eu
cd "$(dirname "$0")/../.."
bad=0
layer() { # folder, allowed prefixes
	folder=$1
	allowed=$2
	files=$(git ls-files "$folder/*.c" "$folder/*.h")
	[ -n "$files" ] || return 0
	# shellcheck disable=SC2086
	out=$(grep -nE '^[[:space:]]*#[[:space:]]*include "' $files /dev/null |
		grep -vE "include \"($allowed)/" || true)
	if [ -n "$out" ]; then
		echo "$folder may include only: $allowed"
		echo "$out"
		bad=1
	fi
}
layer core 'core'
layer boot 'core|boot'
layer mcu 'core|mcu'
layer host 'core|host'
layer delta 'core|host|delta'
layer links 'core|host|links'
layer agent 'core|host|links|agent'
layer server/fleet 'core|server/fleet'
layer server 'core|host|server'
layer cli 'core|host|delta|cli'
layer sim 'core|host|sim|boot|mcu'
for b in boards/*/; do
	[ -d "$b" ] && layer "${b%/}" "core|boot|mcu|boards|${b%/}"
done
# core sees freestanding headers only
# shellcheck disable=SC2046
out=$(grep -nE '#[[:space:]]*include <' $(git ls-files 'core/*.[ch]') |
	grep -vE '<(stddef|stdint|stdbool|limits|stdarg|stdalign|stdnoreturn|float|iso646)\.h>' || true)
if [ -n "$out" ]; then
	echo "core may include freestanding headers only:"
	echo "$out"
	bad=1
fi
exit $bad
