/*
 * The aligner looks at bytes; what counts is what they cost in the patch.  Copies that cost more
 * than inserting their bytes go, neighbours that are one copy with a few changes become one.
 */
#include "delta/align.h"

#include <string.h>

/* Sixteenths of a bit, as measured on many pairs; only their proportions matter. */
enum {
	COST_COPY = 27 * 16,  /* its place, its length, the end of the gap */
	COST_FRESH = 100,     /* an inserted byte */
	COST_CHANGE = 7 * 16, /* a wrong unit */
	COST_BYTE = 9 * 16,   /* a changed byte in it */
	UNIT = 2,
	ROUNDS = 3,
};

struct refine {
	struct mue_span old, new;
};

/* What new[at, at + len) costs as a copy of old at `from`, its own overhead not counted. */
static uint64_t copy_cost(const struct refine *x, uint64_t from, uint64_t at, uint64_t len)
{
	uint64_t cost = 0;

	for (uint64_t i = 0; i < len; i += UNIT) {
		uint64_t n = len - i < UNIT ? len - i : UNIT;
		unsigned changed = 0;

		for (uint64_t j = i; j < i + n; j++)
			changed += x->old.data[from + j] != x->new.data[at + j];
		if (changed)
			cost += COST_CHANGE + changed * COST_BYTE;
	}
	return cost;
}

/* Whether b goes on where a ended, as far on in old as in new, so that one copy could be both. */
static bool same_diagonal(const struct mue_delta_block *a, const struct mue_delta_block *b)
{
	return b->old - a->old == b->new - a->new && b->old > a->old;
}

static bool worth_joining(const struct refine *x, const struct mue_delta_block *a,
			  const struct mue_delta_block *b)
{
	uint64_t at = a->new + a->len, gap = b->new - at;

	if (!same_diagonal(a, b))
		return false;
	return copy_cost(x, a->old + a->len, at, gap) <= COST_COPY + gap * COST_FRESH;
}

static bool worth_keeping(const struct refine *x, const struct mue_delta_block *b)
{
	if (b->len > 4096)
		return true;
	return COST_COPY + copy_cost(x, b->old, b->new, b->len) < (uint64_t)b->len * COST_FRESH;
}

static size_t join(const struct refine *x, struct mue_delta_block *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct mue_delta_block *last = kept ? &v[kept - 1] : NULL;

		if (last && worth_joining(x, last, &v[i]))
			last->len = v[i].new + v[i].len - last->new;
		else
			v[kept++] = v[i];
	}
	return kept;
}

static size_t drop(const struct refine *x, struct mue_delta_block *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (worth_keeping(x, &v[i]))
			v[kept++] = v[i];
	return kept;
}

void mue_refine(struct mue_span old, struct mue_span new, struct mue_copies *copies)
{
	const struct refine x = { old, new };

	for (int i = 0; i < ROUNDS; i++) {
		size_t before = copies->n;

		copies->n = join(&x, copies->v, copies->n);
		copies->n = drop(&x, copies->v, copies->n);
		if (copies->n == before)
			break;
	}
}
