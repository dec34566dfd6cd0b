#!/bin/sh
# Budgets: a function has at most 100 lines and complexity 20 (60 and 12 wanted), a file at most 900
# lines (500 wanted), and no function body has an #if.  Tests may have longer tables.
set -eu
cd "$(dirname "$0")/../.."
bad=0
files=$(git ls-files '*.c' | grep -v '^tests/')
# pmccabe: modified complexity, complexity, statements, first line, lines, file(line): name
# shellcheck disable=SC2086
out=$(pmccabe $files 2>/dev/null | awk '$2 > 20 || $5 > 100 { print $6 " " $7 ": complexity " $2 ", " $5 " lines" }')
if [ -n "$out" ]; then
	echo "too long or too complex (20, 100 lines):"
	echo "$out"
	bad=1
fi
for f in $(git ls-files '*.c' '*.h' '*.py' '*.sh'); do
	n=$(wc -l <"$f")
	if [ "$n" -gt 900 ]; then
		echo "$f: $n lines, 900 at most: split it by its jobs"
		bad=1
	fi
done
# an #if between a line that opens a body ("{" alone) and the one that closes it ("}" alone)
# shellcheck disable=SC2086
out=$(awk 'FNR == 1 { body = 0 } /^\{/ { body = 1 } /^\}/ { body = 0 }
	body && /^[ \t]*#[ \t]*if/ { print FILENAME ":" FNR ": #if in a function body: choose a file instead" }' $files)
if [ -n "$out" ]; then
	echo "$out"
	bad=1
fi
exit $bad
