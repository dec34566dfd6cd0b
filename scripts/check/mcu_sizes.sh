#!/bin/sh
# Compiles mcu/ and what it needs of core/ for the two machines it is for, warnings as errors, and
# prints code bytes, the RAM the client takes (structures, as the firmware lends them) and the
# deepest frames of stack.  Fails above the budgets below.
set -eu

cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
	-Wmissing-prototypes -Wvla -Wundef -Wcast-qual -Wwrite-strings -Wpointer-arith
	-Wswitch-enum -Werror"
fails=0

# The RAM of an ATmega128's client: two cells of a page, a bitmap for 231 pages.
cat >"$work/ram.c" <<'END'
#include "mcu/mcu.h"
char client[sizeof(struct mue_mcu)];
char cells[2 * sizeof(struct mue_store_cell)];
char bitmap[29];
END

# target NAME BUDGET-OF-RAM NM CC-WITH-FLAGS
target()
{
	name=$1 budget=$2 nm=$3
	shift 3
	mkdir "$work/$name"
	for c in mcu/*.c "$work/ram.c"; do
		o="$work/$name/$(basename "$c" .c).o"
		# shellcheck disable=SC2086 # a list of words
		if ! "$@" -Os -std=c11 -ffreestanding -fno-common -fstack-usage -I. $warnings -c "$c" -o "$o"; then
			echo "mcu $name: $c does not compile" >&2
			fails=$((fails + 1))
			return
		fi
	done
	code=$(size "$work/$name"/[jms]*.o | awk 'NR > 1 { s += $1; d += $2 + $3 } END { print s, d }')
	ram=$("$nm" -S "$work/$name/ram.o" | awk 'NF == 4 { print $4, $2 }' | sort | while read -r what hex; do
		printf '%s %d ' "$what" "0x$hex"
	done)
	sum=$(echo "$ram" | awk '{ for (i = 2; i <= NF; i += 2) s += $i; print s }')
	deep=$(cat "$work/$name"/[jms]*.su | awk '{ sub(/.*:/, "", $1); print $2, $1 }' | sort -rn | head -n 3 | tr '\n' ' ')
	echo "FIGURE mcu $name: text ${code% *} B, writable data ${code#* } B, RAM $sum B (${ram% })"
	echo "       deepest stack frames: $deep"
	if [ "${code#* }" != 0 ]; then
		echo "mcu $name: has globals" >&2
		fails=$((fails + 1))
	fi
	if [ "$sum" -gt "$budget" ]; then
		echo "mcu $name: $sum B of RAM, budget $budget" >&2
		fails=$((fails + 1))
	fi
}

target cortex-m0plus 1200 arm-none-eabi-nm arm-none-eabi-gcc -mcpu=cortex-m0plus -mthumb
target atmega128 1024 avr-nm avr-gcc -mmcu=atmega128
exit $((fails != 0))
