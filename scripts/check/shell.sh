#!/bin/sh
# Lints every shell script (shellcheck).
set -eu
cd "$(dirname "$0")/../.."
# shellcheck disable=SC2046
shellcheck -x $(git ls-files '*.sh' .ci/run)
