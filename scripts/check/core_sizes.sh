#!/bin/sh
# Compiles every file of core/ freestanding for three machines with warnings as errors, prints the
# bytes of text per target and per file, and refuses any undefined symbol but mem*, other core
# symbols and the compilers' own arithmetic helpers.
set -eu

cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
	-Wmissing-prototypes -Wvla -Wundef -Wcast-qual -Wwrite-strings -Wpointer-arith
	-Wswitch-enum -Werror"
fails=0

# libgcc: on Cortex-M0+ (no divide instruction, no wide shifts) the run-time ABI's arithmetic and
# jump tables; on AVR multiplication, division, wide shifts and compares, byte swaps, jump tables,
# shared prologues, and the mark that data must be copied at start.
arm='__aeabi_(u?idiv|u?idivmod|uldivmod|ldivmod|lmul|llsl|llsr|lasr|lcmp|ulcmp)|__gnu_thumb1_case_(uqi|sqi|uhi|shi|si)'
avr='__u?mul[hsd]i3|__u?mul(hisi|sidi)3|__muluhisi3|__mulshisi3|__u?divmod[hs]i4|__u?div[d]i3|__u?moddi3|__udivmod[qhsd]i4|__divmod[qhs]i4|__(ashl|lshr|ashr)[sd]i3|__cmpdi2(_s8)?|__(add|sub)di3(_s8)?|__negdi2|__bswap[sd]i2|__tablejump2?__|__(prologue_saves|epilogue_restores)__|__do_copy_data|__do_clear_bss'
helpers="$arm|$avr"
memory='mem(cpy|move|set|cmp)'

# target NAME CC-WITH-FLAGS NM
target()
{
	name=$1 cc=$2 nm=$3
	mkdir "$work/$name"
	for c in core/*.c; do
		o="$work/$name/$(basename "$c" .c).o"
		# shellcheck disable=SC2086 # both are lists of words
		if ! $cc -Os -std=c11 -ffreestanding -I. $warnings -c "$c" -o "$o"; then
			echo "core $name: $c does not compile" >&2
			fails=$((fails + 1))
		fi
	done
	set -- "$work/$name"/*.o
	if [ ! -e "$1" ]; then
		return
	fi
	"$nm" -g --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u >"$work/defined"
	"$nm" -u "$@" | awk '$1 == "U" { print $2 }' | sort -u >"$work/undefined"
	bad=$(comm -23 "$work/undefined" "$work/defined" | grep -Evx "$memory|$helpers" || true)
	if [ -n "$bad" ]; then
		echo "core $name: may not use" "$bad" >&2
		fails=$((fails + 1))
	fi
	used=$(comm -23 "$work/undefined" "$work/defined" | grep -Evx "$memory" | tr '\n' ' ' || true)
	data=$(size "$@" | awk 'NR > 1 { s += $2 + $3 } END { print s + 0 }')
	if [ "$data" != 0 ]; then
		echo "core $name: $data bytes of writable data, core has no globals" >&2
		fails=$((fails + 1))
	fi
	size "$@" | awk -v name="$name" -v used="$used" 'NR > 1 { s += $1; n++ }
		END { printf "core %s: %d bytes of text in %d files; compiler helpers: %s\n",
			name, s, n, (used == "" ? "none" : used) }'
	size "$@" | awk 'NR > 1 { n = $6; sub(/.*\//, "", n); sub(/\.o$/, "", n);
		printf "%s%s %d", (NR > 2 ? ", " : "  "), n, $1 } END { print "" }'
}

target x86-64 "gcc -Wnull-dereference -fno-stack-protector -fno-pie" nm
target cortex-m0plus "arm-none-eabi-gcc -mcpu=cortex-m0plus -mthumb" arm-none-eabi-nm
target atmega128 "avr-gcc -mmcu=atmega128" avr-nm

exit $((fails != 0))
