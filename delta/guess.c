#include "delta/guess.h"

#include "core/delta_isa.h"

#include <stdlib.h>
#include <string.h>

enum {
	SMALL = 4 << 20, /* raw images up to this are tried as each microcontroller */
	BASE_STEP = 0x100,
	ELF_MACHINE = 18,
};

static bool is_elf(struct mue_span s)
{
	return s.len > 64 && memcmp(s.data,
				    "\x7f"
				    "ELF",
				    4) == 0;
}

static int elf_isa(struct mue_span s)
{
	switch (mue_delta_get16(s.data + ELF_MACHINE)) {
	case 40:
		return MUE_DELTA_THUMB;
	case 62:
		return MUE_DELTA_X86_64;
	case 183:
		return MUE_DELTA_ARM64;
	case 243:
		return MUE_DELTA_RISCV;
	default:
		return MUE_DELTA_PLAIN;
	}
}

struct targets {
	uint32_t *v; /* distinct addresses that functions may start at */
	size_t n;
};

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void make_distinct(struct targets *t)
{
	size_t n = 0;

	qsort(t->v, t->n, sizeof(*t->v), by_value);
	for (size_t i = 0; i < t->n; i++)
		if (!n || t->v[n - 1] != t->v[i])
			t->v[n++] = t->v[i];
	t->n = n;
}

/* The base, of the `steps` ones from `first` on, at which most targets are function starts. */
static uint32_t best_base(struct mue_span s, const struct targets *t, uint32_t first,
			  uint32_t steps, bool (*is_start)(struct mue_span, uint32_t))
{
	uint32_t best = first;
	size_t best_score = 0;

	for (uint32_t i = 0; i < steps; i++) {
		uint32_t base = first + i * BASE_STEP;
		size_t score = 0;

		for (size_t j = 0; j < t->n; j++) {
			uint32_t at = t->v[j] - base;

			score += at >= 2 && at < s.len - 2 && is_start(s, at);
		}
		if (score > best_score) {
			best_score = score;
			best = base;
		}
	}
	return best;
}

static bool thumb_start(struct mue_span s, uint32_t at)
{
	uint16_t w = mue_delta_get16(s.data + at);

	return (w & 0xff00) == 0xb500 || w == 0xe92d;
}

/* The lowest of the targets that lie closest together: at most `span` apart, most of them. */
static uint32_t densest(const struct targets *t, uint32_t span)
{
	size_t lo = 0, most = 0;
	uint32_t best = 0;

	for (size_t hi = 0; hi < t->n; hi++) {
		while (t->v[hi] - t->v[lo] > span)
			lo++;
		if (hi - lo >= most) {
			most = hi - lo + 1;
			best = t->v[lo];
		}
	}
	return best;
}

static bool in_ram(uint32_t v)
{
	return v >> 29 == 1 || v >> 28 >= 4;
}

/* Odd words that lie close together are function pointers; functions start with a push. */
static uint32_t thumb_base(struct mue_span s)
{
	struct targets t = { malloc(s.len + 4), 0 };
	uint32_t first, base, len = (uint32_t)s.len;

	if (!t.v || s.len < 64) {
		free(t.v);
		return 0;
	}
	for (size_t i = 0; i + 4 <= s.len; i += 4) {
		uint32_t v = mue_delta_get32(s.data + i);

		if (v & 1 && !in_ram(v))
			t.v[t.n++] = v & ~(uint32_t)1;
	}
	make_distinct(&t);
	first = densest(&t, len) & ~(uint32_t)(BASE_STEP - 1);
	first = first > len ? (first - len) & ~(uint32_t)(BASE_STEP - 1) : 0;
	base = best_base(s, &t, first, 2 * len / BASE_STEP + 1, thumb_start);
	free(t.v);
	return base;
}

static bool avr_start(struct mue_span s, uint32_t at)
{
	uint16_t w = mue_delta_get16(s.data + at - 2);

	return w == 0x9508 || w == 0x9518 || (w & 0xf000) == 0xc000;
}

/* Targets of calls; functions stand behind a return or a jump. */
static uint32_t avr_base(struct mue_span s)
{
	struct targets t = { malloc(2 * s.len + 4), 0 };
	uint32_t base;

	if (!t.v || s.len < 4) {
		free(t.v);
		return 0;
	}
	for (size_t i = 0; i + 4 <= s.len; i += 2) {
		struct mue_delta_unit u = { 0 };
		struct mue_delta_scan scan = { 0 };

		memcpy(u.bytes, s.data + i, 4);
		mue_delta_avr.scan(&scan, u.bytes, &u);
		if (u.kind == MUE_DELTA_CALL && u.len == 4)
			t.v[t.n++] = mue_delta_avr.get(&u, 0);
	}
	make_distinct(&t);
	base = best_base(s, &t, 0, 0x40000 / BASE_STEP, avr_start);
	free(t.v);
	return base;
}

uint32_t mue_guess_base(struct mue_span s, int isa)
{
	if (is_elf(s))
		return 0;
	return isa == MUE_DELTA_AVR ? avr_base(s) : isa == MUE_DELTA_THUMB ? thumb_base(s) : 0;
}

static void add(struct mue_span old, struct mue_span new, const struct mue_diff_options *o, int isa,
		struct mue_guess *ret, size_t *n)
{
	struct mue_guess *g = &ret[(*n)++];

	g->isa = isa;
	g->elf = isa != MUE_DELTA_PLAIN && is_elf(old) && is_elf(new);
	g->old_base = o->bases_given ? o->old_base : mue_guess_base(old, isa);
	g->new_base = o->bases_given ? o->new_base : mue_guess_base(new, isa);
}

size_t mue_guess_isa(struct mue_span old, struct mue_span new, const struct mue_diff_options *o,
		     struct mue_guess ret[MUE_GUESSES])
{
	bool elf = is_elf(old) && is_elf(new);
	size_t n = 0;

	if (o->isa != MUE_DIFF_AUTO) {
		add(old, new, o, o->isa, ret, &n);
	} else if (elf && elf_isa(old) != MUE_DELTA_PLAIN) {
		add(old, new, o, elf_isa(old), ret, &n);
	} else {
		add(old, new, o, MUE_DELTA_PLAIN, ret, &n);
		if (!elf && old.len < SMALL) {
			add(old, new, o, MUE_DELTA_AVR, ret, &n);
			add(old, new, o, MUE_DELTA_THUMB, ret, &n);
		}
	}
	return n;
}
