#!/bin/sh
# Builds the operator's page: ui/ -> ui/dist, from where the server's build packs it.
# Does nothing when the page is newer than its sources.  Without Node 18 it says so and gives 1: the server builds
# all the same and then shows a small page.
# usage: scripts/ui.sh [--quiet]
set -eu
cd "$(dirname "$0")/../ui"
quiet=${1:-}

say() {
	[ "$quiet" = --quiet ] || echo "$*"
}

fail() {
	echo "ui: $*" >&2
	exit 1
}

# Several builds may run at once in one tree.
exec 9>.lock
flock 9

sources=$(find src public index.html package.json package-lock.json vite.config.ts tsconfig.json -type f -exec sha256sum {} + |
	LC_ALL=C sort | sha256sum)
if [ -f dist/index.html ] && [ "$(cat dist/.sources 2>/dev/null)" = "$sources" ]; then
	say "ui: up to date"
	exit 0
fi
if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
	fail "Node.js 18 or newer is needed (apt-get install nodejs npm)"
fi
[ "$(node -p 'Number(process.versions.node.split(".")[0])')" -ge 18 ] || fail "Node.js $(node -v) is too old, 18 is needed"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# What the lock file names, once.  A registry that does not answer must not hold up the build.
if [ ! -d node_modules ] || ! cmp -s package-lock.json node_modules/.lock-copy; then
	if [ "$quiet" = --quiet ] && [ -n "$(find .npm-failed -mmin -60 2>/dev/null)" ]; then
		fail "npm ci failed within the last hour; to try again: scripts/ui.sh"
	fi
	timeout 180 npm ci --ignore-scripts --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=30000 \
		>"$log" 2>&1 </dev/null || {
		touch .npm-failed
		tail -n 5 "$log" >&2
		fail "npm ci failed"
	}
	rm -f .npm-failed
	cp package-lock.json node_modules/.lock-copy
fi
if ! { npx --no-install tsc --noEmit && npx --no-install vite build --outDir dist.new --emptyOutDir; } >"$log" 2>&1 </dev/null; then
	rm -rf dist.new
	cat "$log" >&2
	fail "the page does not build"
fi
printf '%s' "$sources" >dist.new/.sources
rm -rf dist
mv dist.new dist
say "ui: built"
