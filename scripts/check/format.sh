#!/bin/sh
# Every C file is as clang-format leaves it.  Remedy: make format
set -eu
cd "$(dirname "$0")/../.."
# shellcheck disable=SC2046
out=$(clang-format --dry-run -Werror $(git ls-files '*.c' '*.h') 2>&1 | grep 'error:' || true)
[ -z "$out" ] && exit 0
echo "$out" | head -n 20
echo "remedy: make format"
exit 1
