#include "core/delta_rc.h"

enum { TOP = 24, P_BITS = 12, COUNT_MASK = 15, COUNT_MAX = 6 };

/* How far a context moves towards the bit seen: 1/2 at first, 1/16 once it is settled. */
static const uint8_t rates[COUNT_MAX + 1] = { 1, 2, 2, 3, 3, 3, 4 };

void mue_delta_p_update(uint16_t *p, uint8_t bit)
{
	uint16_t v = (uint16_t)(*p >> 4);
	uint8_t count = *p & COUNT_MASK;

	if (bit)
		v = (uint16_t)(v - (v >> rates[count]));
	else
		v = (uint16_t)(v + (((1U << P_BITS) - v) >> rates[count]));
	if (count < COUNT_MAX)
		count++;
	*p = (uint16_t)(v << 4 | count);
}

static uint8_t next(struct mue_delta_rc *rc)
{
	uint8_t b = 0;

	if (rc->at < rc->len)
		b = rc->in[rc->at];
	rc->at++;
	return b;
}

static void normalise(struct mue_delta_rc *rc)
{
	while (!(rc->range >> TOP)) {
		rc->range <<= 8;
		rc->code = rc->code << 8 | next(rc);
	}
}

void mue_delta_rc_start(struct mue_delta_rc *rc)
{
	rc->range = UINT32_MAX;
	rc->code = 0;
	for (uint8_t i = 0; i < 4; i++)
		rc->code = rc->code << 8 | next(rc);
}

uint8_t mue_delta_rc_p(struct mue_delta_rc *rc, uint16_t p)
{
	uint32_t bound = (rc->range >> P_BITS) * p;
	uint8_t bit = rc->code >= bound;

	if (bit) {
		rc->code -= bound;
		rc->range -= bound;
	} else {
		rc->range = bound;
	}
	normalise(rc);
	return bit;
}

uint8_t mue_delta_rc_bit(struct mue_delta_rc *rc, uint16_t *p)
{
	uint8_t bit = mue_delta_rc_p(rc, *p >> 4);

	mue_delta_p_update(p, bit);
	return bit;
}

uint32_t mue_delta_rc_direct(struct mue_delta_rc *rc, uint32_t v, uint8_t bits)
{
	while (bits-- > 0) {
		uint8_t bit;

		rc->range >>= 1;
		bit = rc->code >= rc->range;
		if (bit)
			rc->code -= rc->range;
		v = v << 1 | bit;
		normalise(rc);
	}
	return v;
}

uint8_t mue_delta_rc_tree(struct mue_delta_rc *rc, uint16_t *tree, uint8_t bits)
{
	uint16_t node = 1;

	for (uint8_t i = 0; i < bits; i++)
		node = (uint16_t)(node << 1 | mue_delta_rc_bit(rc, &tree[node]));
	return (uint8_t)(node - (1U << bits));
}

uint8_t mue_delta_rc_diff(struct mue_delta_rc *rc, uint16_t *diff)
{
	uint8_t high = mue_delta_rc_tree(rc, diff, 4);

	return (uint8_t)(high << 4 | mue_delta_rc_tree(rc, diff + mue_delta_diff_row(high), 4));
}

uint8_t mue_delta_rc_fresh(struct mue_delta_rc *rc, uint16_t *fresh, uint8_t odd)
{
	uint8_t high = mue_delta_rc_tree(rc, fresh + 16 * odd, 4);

	return (uint8_t)(high << 4 | mue_delta_rc_tree(rc, fresh + 32 + 16 * high, 4));
}

uint32_t mue_delta_rc_num(struct mue_delta_rc *rc, uint16_t *num)
{
	uint8_t class = mue_delta_rc_tree(rc, num, 5);
	uint32_t v = 1;

	if (class <= 1)
		return class;
	if (class <= MUE_DELTA_NUM_DIRECT) {
		num += MUE_DELTA_NUM_TREE;
		for (uint8_t i = 1; i < class; i++)
			v = v << 1 | mue_delta_rc_bit(rc, &num[class == 3 ? v : 0]);
		return v;
	}
	return mue_delta_rc_direct(rc, v, (uint8_t)(class - 1));
}
