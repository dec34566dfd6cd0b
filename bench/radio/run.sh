#!/bin/sh
# Energy and bytes of an update by radio; bench/radio/radio.c says what is measured.
set -eu
cd "$(dirname "$0")/../.."
"${MUE_BUILD:-build}/bench/radio_bench"
