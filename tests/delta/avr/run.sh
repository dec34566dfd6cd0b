#!/bin/sh
# Decodes real pairs on an ATmega128 in simavr.  $1: the source tree, $2: the mkdata program.
set -eu
mkdata=$(realpath "$2")
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fails=0
n=0
pairs="avr-own-const avr-own-small avr-own-slot2 avr-arduino-mega-lib"
echo "1..$(echo "$pairs" | wc -w)"
for pair in $pairs; do
	folder=${MUE_SHARED:-../shared}/firmware-pairs/$pair
	n=$((n + 1))
	if ! command -v simavr >/dev/null || ! command -v avr-gcc >/dev/null; then
		echo "ok $n - $pair # SKIP simavr or avr-gcc is not installed"
		continue
	fi
	if [ ! -e "$folder/old" ]; then
		echo "ok $n - $pair # SKIP $folder is not there"
		continue
	fi
	"$mkdata" "$folder/old" "$folder/new" >"$work/data.h"
	avr-gcc -mmcu=atmega128 -std=c11 -Os -mcall-prologues -fno-gcse -DMUE_DELTA_SMALL -DMUE_DELTA_NARROW -DF_CPU=16000000 \
		-I. -I"$work" core/delta.c core/delta_avr.c core/delta_engine.c core/delta_field.c core/delta_header.c \
		core/delta_rc.c core/sha256.c tests/delta/avr/device.c -o "$work/device.elf"
	line=$(timeout 100 simavr -m atmega128 -f 16000000 "$work/device.elf" 2>&1 | tr -d '\r' |
		sed 's/\x1b\[[0-9;]*m//g' | grep -o 'verdict.*' | tr -d '.' | head -n 1)
	# shellcheck disable=SC2086 # words
	set -- $line
	if [ "${2:-}" = 0 ] && [ "${4:-}" = 0 ]; then
		echo "ok $n - $pair on ATmega128: $6 bytes, $(($8 * 1000 / $6)) cycles a byte with both digests"
	else
		echo "not ok $n - $pair on ATmega128: ${line:-no answer}"
		fails=1
	fi
done
exit $fails
