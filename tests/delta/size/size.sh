#!/bin/sh
# Prints what the delta decoder adds to a program (text with tables; RAM) on two machines, SHA-256
# and memory functions not counted, beside the goal, and refuses more than the limit that it has
# reached.  $1: the source tree.
set -eu
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fails=0
n=0

# measure NAME TEXT-GOAL TEXT-LIMIT RAM-LIMIT SIZE-TOOL MAPPER COMPILER...
measure()
{
	name=$1 goal=$2 text_max=$3 ram_max=$4 size=$5 mapper=$6
	shift 6
	n=$((n + 1))
	if ! command -v "$1" >/dev/null; then
		echo "ok $n - delta decoder on $name # SKIP $1 is not installed"
		return
	fi
	flags="-std=c11 -Os -flto -ffreestanding -ffunction-sections -fdata-sections -Wl,--gc-sections -DMUE_DELTA_SMALL -I."
	# shellcheck disable=SC2086 # a list of words
	"$@" $flags core/delta.c core/delta_engine.c core/delta_field.c core/delta_header.c core/delta_rc.c "$mapper" \
		core/sha256.c tests/delta/size/device.c -o "$work/with"
	# shellcheck disable=SC2086
	"$@" $flags -DBASELINE core/sha256.c tests/delta/size/device.c -o "$work/without"
	# shellcheck disable=SC2046 # words
	set -- $($size "$work/with" "$work/without" | awk 'NR > 1 { print $1 + $2, $2 + $3 }')
	text=$(($1 - $3)) ram=$(($2 - $4))
	verdict=ok
	if [ "$text" -gt "$text_max" ] || [ "$ram" -gt "$ram_max" ]; then
		verdict='not ok' fails=1
	fi
	echo "$verdict $n - delta decoder on $name: $text bytes of text (goal $goal, limit $text_max), $ram of RAM (goal and limit $ram_max)"
}

echo 1..2
measure ATmega128 6144 8400 2048 avr-size core/delta_avr.c avr-gcc -mmcu=atmega128 -mcall-prologues -mrelax -fno-gcse -DMUE_DELTA_NARROW
measure Cortex-M0+ 4096 5300 3072 arm-none-eabi-size core/delta_thumb.c arm-none-eabi-gcc \
	-mcpu=cortex-m0plus -mthumb -nostdlib -Wl,--entry=main boards/nrf51/mem.c -lgcc
exit $fails
