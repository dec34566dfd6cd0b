/*
 * Approximate matching after C. Percival, "Naive differences of executable code" (2003), on a
 * suffix array: exact seeds, grown over mismatches while at least half of the bytes agree.
 */
#include "delta/align.h"

#include <divsufsort.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUCKETS = 65536,
	SURE_LEN = 32,    /* the tail of a match this long is not searched again */
	BETTER_BY = 8,    /* bytes by which a new place must beat the running one */
	LEN_MAX = 1 << 20 /* of one comparison */
};

struct index {
	struct mue_span old;
	saidx_t *sa;
	saidx_t bucket[BUCKETS + 1]; /* first suffix that starts with these two bytes */
};

struct match {
	size_t pos, len;
};

static size_t equal(const uint8_t *a, const uint8_t *b, size_t max)
{
	size_t n = 0;

	while (n + 8 <= max) {
		uint64_t x, y;

		memcpy(&x, a + n, 8);
		memcpy(&y, b + n, 8);
		if (x != y)
			return n + (size_t)(__builtin_ctzll(x ^ y) >> 3);
		n += 8;
	}
	while (n < max && a[n] == b[n])
		n++;
	return n;
}

static int index_build(struct index *x, struct mue_span old, struct mue_error *e)
{
	memset(x, 0, sizeof(*x));
	x->old = old;
	x->sa = malloc((old.len + 1) * sizeof(*x->sa));
	if (!x->sa)
		return mue_fail(e, MUE_ENOMEM, "no memory to sort %zu bytes", old.len);
	if (old.len && divsufsort(old.data, x->sa, (saidx_t)old.len) != 0)
		return mue_fail(e, MUE_ENOMEM, "cannot sort %zu bytes", old.len);
	for (size_t i = 0; i + 1 < old.len; i++)
		x->bucket[(old.data[i] << 8 | old.data[i + 1]) + 1]++;
	/* The one suffix of a single byte sorts before all longer ones that start with it. */
	if (old.len)
		x->bucket[old.data[old.len - 1] << 8]++;
	for (size_t i = 0; i < BUCKETS; i++)
		x->bucket[i + 1] += x->bucket[i];
	return MUE_OK;
}

/* The longest match of s[0..n) in old. */
static struct match search(const struct index *x, const uint8_t *s, size_t n)
{
	struct match best = { 0, 0 };
	size_t lo_len = 2, hi_len = 2;
	saidx_t lo, hi;

	if (n < 2)
		return best;
	if (n > LEN_MAX)
		n = LEN_MAX;
	lo = x->bucket[s[0] << 8 | s[1]];
	hi = x->bucket[(s[0] << 8 | s[1]) + 1];
	while (lo < hi) {
		saidx_t mid = lo + (hi - lo) / 2;
		size_t at = (size_t)x->sa[mid], skip = lo_len < hi_len ? lo_len : hi_len;
		size_t max = x->old.len - at < n ? x->old.len - at : n, len;

		if (max < skip) { /* the single-byte suffix that ends a bucket */
			hi = mid;
			continue;
		}
		len = skip + equal(x->old.data + at + skip, s + skip, max - skip);
		if (len > best.len) {
			best.len = len;
			best.pos = at;
		}
		if (len == n)
			break;
		if (len == max || x->old.data[at + len] < s[len]) {
			lo = mid + 1;
			lo_len = len;
		} else {
			hi = mid;
			hi_len = len;
		}
	}
	return best;
}

static int add(struct mue_copies *c, size_t old, size_t new, size_t len, struct mue_error *e)
{
	if (!len)
		return MUE_OK;
	if (c->n == c->room) {
		size_t room = c->room ? c->room * 2 : 256;
		void *p = realloc(c->v, room * sizeof(*c->v));

		if (!p)
			return mue_fail(e, MUE_ENOMEM, "no memory for %zu copies", room);
		c->v = p;
		c->room = room;
	}
	c->v[c->n].old = (uint32_t)old;
	c->v[c->n].new = (uint32_t) new;
	c->v[c->n++].len = (uint32_t)len;
	return MUE_OK;
}

struct walk {
	const struct index *x;
	struct mue_span new;
	size_t scan, last_scan, last_pos;
	int64_t last_off; /* old - new of the running copy */
	struct match m;
};

/* Whether old at the running offset has the byte that new has at i. */
static bool agrees(const struct walk *w, size_t i)
{
	int64_t at = (int64_t)i + w->last_off;

	return at >= 0 && at < (int64_t)w->x->old.len && w->x->old.data[at] == w->new.data[i];
}

/* Goes on to the next place where another offset explains new better than the running one. */
static int64_t next_seed(struct walk *w)
{
	int64_t score = 0;
	size_t scored;

	w->scan += w->m.len;
	w->m.len = 0;
	for (scored = w->scan; w->scan < w->new.len; w->scan++) {
		if (w->m.len > SURE_LEN) {
			w->m.len--;
			w->m.pos++;
		} else {
			w->m = search(w->x, w->new.data + w->scan, w->new.len - w->scan);
		}
		for (; scored < w->scan + w->m.len; scored++)
			score += agrees(w, scored);
		if (w->m.len &&
		    ((int64_t)w->m.len == score || (int64_t)w->m.len > score + BETTER_BY))
			break;
		if (agrees(w, w->scan))
			score--;
	}
	return score;
}

/* How far the running copy goes on: where agreeing bytes lead disagreeing ones most. */
static size_t grow_forward(const struct walk *w)
{
	int64_t score = 0, best = 0;
	size_t len = 0;

	for (size_t i = 0; w->last_scan + i < w->scan && w->last_pos + i < w->x->old.len; i++) {
		score += agrees(w, w->last_scan + i) ? 1 : -1;
		if (score > best) {
			best = score;
			len = i + 1;
		}
	}
	return len;
}

static size_t grow_backward(const struct walk *w)
{
	int64_t score = 0, best = 0;
	size_t len = 0;

	if (w->scan >= w->new.len)
		return 0;
	for (size_t i = 1; w->scan >= w->last_scan + i && w->m.pos >= i; i++) {
		score += w->x->old.data[w->m.pos - i] == w->new.data[w->scan - i] ? 1 : -1;
		if (score > best) {
			best = score;
			len = i;
		}
	}
	return len;
}

/* Divides what both copies claim where the sum of agreeing bytes is largest. */
static void settle(const struct walk *w, size_t *forward, size_t *backward)
{
	size_t overlap, at = 0;
	int64_t score = 0, best = 0;

	if (w->last_scan + *forward <= w->scan - *backward)
		return;
	overlap = w->last_scan + *forward - (w->scan - *backward);
	for (size_t i = 0; i < overlap; i++) {
		size_t n = w->scan - *backward + i;

		score += agrees(w, n);
		score -= w->x->old.data[w->m.pos - *backward + i] == w->new.data[n];
		if (score > best) {
			best = score;
			at = i + 1;
		}
	}
	*forward -= overlap - at;
	*backward -= at;
}

int mue_align(struct mue_span old, struct mue_span new, struct mue_copies *ret, struct mue_error *e)
{
	struct index *x = malloc(sizeof(*x));
	struct walk w = { .x = x, .new = new };
	int r;

	if (!x)
		return mue_fail(e, MUE_ENOMEM, "no memory");
	r = index_build(x, old, e);
	while (r == MUE_OK && w.scan < new.len) {
		int64_t score = next_seed(&w);
		size_t forward, backward;

		if ((int64_t)w.m.len == score && w.scan < new.len)
			continue;
		forward = grow_forward(&w);
		backward = grow_backward(&w);
		settle(&w, &forward, &backward);
		r = add(ret, w.last_pos, w.last_scan, forward, e);
		w.last_scan = w.scan - backward;
		w.last_pos = w.m.pos - backward;
		w.last_off = (int64_t)w.last_pos - (int64_t)w.last_scan;
	}
	free(x->sa);
	free(x);
	return r;
}
