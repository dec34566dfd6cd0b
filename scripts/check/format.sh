#!/bin/sh
# Every C file is as clang-format leaves it.  Remedy: make format
set -eu
cd "$(dirname "$0")/../.."
# shellcheck disable=SC2046
clang-format --dry-run -Werror $(git ls-files '*.c' '*.h') 2>&1 | grep -E 'error:' | head -20 && {
	echo "remedy: make format"
	exit 1
}
exit 0
