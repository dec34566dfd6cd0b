#include "delta/rc_enc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 24, P_BITS = 12 };

static void put(struct mue_rc_enc *rc, uint8_t b)
{
	if (rc->len == rc->room) {
		size_t room = rc->room ? rc->room * 2 : 4096;
		uint8_t *p = realloc(rc->out, room);

		if (!p) {
			rc->failed = true;
			return;
		}
		rc->out = p;
		rc->room = room;
	}
	rc->out[rc->len++] = b;
}

void mue_rc_start(struct mue_rc_enc *rc, double *cost)
{
	memset(rc, 0, sizeof(*rc));
	rc->range = UINT32_MAX;
	rc->cost = cost;
}

static void shift_low(struct mue_rc_enc *rc)
{
	if (rc->low < 0xff000000 || rc->low >> 32) {
		uint8_t carry = (uint8_t)(rc->low >> 32);

		if (rc->started)
			put(rc, (uint8_t)(rc->cache + carry));
		rc->started = true;
		for (; rc->pending; rc->pending--)
			put(rc, (uint8_t)(0xff + carry));
		rc->cache = (uint8_t)(rc->low >> 24);
	} else {
		rc->pending++;
	}
	rc->low = (rc->low & 0x00ffffff) << 8;
}

static void normalise(struct mue_rc_enc *rc)
{
	while (!(rc->range >> TOP)) {
		rc->range <<= 8;
		shift_low(rc);
	}
}

void mue_rc_p(struct mue_rc_enc *rc, uint16_t p0, uint8_t bit)
{
	uint32_t bound = (rc->range >> P_BITS) * p0;

	*rc->cost -= log2((bit ? 4096 - p0 : p0) / 4096.0);
	if (bit) {
		rc->low += bound;
		rc->range -= bound;
	} else {
		rc->range = bound;
	}
	normalise(rc);
}

void mue_rc_bit(struct mue_rc_enc *rc, uint16_t *p, uint8_t bit)
{
	mue_rc_p(rc, *p >> 4, bit);
	mue_delta_p_update(p, bit);
}

void mue_rc_tree(struct mue_rc_enc *rc, uint16_t *tree, uint8_t bits, uint8_t v)
{
	unsigned node = 1;

	while (bits-- > 0) {
		uint8_t bit = v >> bits & 1;

		mue_rc_bit(rc, &tree[node], bit);
		node = node << 1 | bit;
	}
}

void mue_rc_diff(struct mue_rc_enc *rc, uint16_t *diff, uint8_t v)
{
	mue_rc_tree(rc, diff, 4, v >> 4);
	mue_rc_tree(rc, diff + mue_delta_diff_row(v >> 4), 4, v & 15);
}

void mue_rc_fresh(struct mue_rc_enc *rc, uint16_t *fresh, uint8_t odd, uint8_t v)
{
	mue_rc_tree(rc, fresh + 16 * odd, 4, v >> 4);
	mue_rc_tree(rc, fresh + 32 + 16 * (v >> 4), 4, v & 15);
}

void mue_rc_direct(struct mue_rc_enc *rc, uint32_t v, uint8_t bits)
{
	while (bits-- > 0) {
		rc->range >>= 1;
		if (v >> bits & 1)
			rc->low += rc->range;
		*rc->cost += 1;
		normalise(rc);
	}
}

void mue_rc_num(struct mue_rc_enc *rc, uint16_t *num, uint32_t v)
{
	uint8_t class = 0;

	while (class < 31 && v >> class)
		class ++;
	mue_rc_tree(rc, num, 5, class);
	if (class > MUE_DELTA_NUM_DIRECT) {
		mue_rc_direct(rc, v, (uint8_t)(class - 1));
		return;
	}
	for (int i = class - 2; i >= 0; i--)
		mue_rc_bit(rc, &num[MUE_DELTA_NUM_TREE + (class == 3 ? v >> (i + 1) : 0)],
			   v >> i & 1);
}

/* Any code in [low, low + range) will do: takes the one with most zeros at its end. */
void mue_rc_finish(struct mue_rc_enc *rc)
{
	uint64_t end = rc->low + rc->range - 1;

	for (int zeros = 32; zeros > 0; zeros--) {
		uint64_t v = end >> zeros << zeros;

		if (v >= rc->low) {
			rc->low = v;
			break;
		}
	}
	for (int i = 0; i < 5; i++)
		shift_low(rc);
	while (rc->len && !rc->out[rc->len - 1])
		rc->len--;
}
