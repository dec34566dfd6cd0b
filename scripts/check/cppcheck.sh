#!/bin/sh
# cppcheck over the product's code. varFuncNullUB: NULL may end a
# variadic list on every host that POSIX names.  ctuuninitvar: takes an output buffer for an input;
# the sanitizers watch that for real.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/cppcheck
# shellcheck disable=SC2046
cppcheck -q -j 2 --std=c11 --cppcheck-build-dir=build/cppcheck --enable=warning,portability \
	--inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem --suppress=varFuncNullUB --suppress=ctuuninitvar -I . -D__linux__ -U__cplusplus --include=scripts/check/cppcheck_jansson.h \
	$(git ls-files '*.c' | grep -vE '^(tests|ui)/')
