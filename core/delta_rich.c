#include "core/delta_rich.h"

#include "core/mem.h"

#if SIZE_MAX > UINT16_MAX

enum { RATE = 9, WEIGHT_ONE = 1 << 16, MATCH_LEN_MAX = 63, STRETCH_MAX = 2047 };

/* 4096 / (1 + e^(-x/256)): an S of 33 points, straight between them. */
static int32_t squash(int32_t x)
{
	static const int16_t points[33] = { 1,    2,    3,    6,    10,   16,   27,   45,   73,
					    120,  194,  310,  488,  747,  1101, 1546, 2047, 2549,
					    2994, 3348, 3607, 3785, 3901, 3975, 4022, 4050, 4068,
					    4079, 4085, 4089, 4092, 4093, 4094 };
	int32_t at, part;

	if (x > STRETCH_MAX)
		return 4095;
	if (x < -STRETCH_MAX)
		return 1;
	at = (x + 2048) >> 7;
	part = (x + 2048) & 127;
	return (points[at] * (128 - part) + points[at + 1] * part + 64) >> 7;
}

/* stretch is the inverse of squash. */
static void make_stretch(int16_t *stretch)
{
	int32_t from = 0;

	for (int32_t x = -STRETCH_MAX; x <= STRETCH_MAX; x++) {
		int32_t p = squash(x);

		for (; from <= p && from < 4096; from++)
			stretch[from] = (int16_t)x;
	}
	for (; from < 4096; from++)
		stretch[from] = STRETCH_MAX;
}

static uint32_t mix(uint32_t a, uint32_t b)
{
	uint32_t h = a * 0x9e3779b1U ^ b * 0x85ebca6bU;

	return h ^ h >> 15;
}

/* Of the last MUE_RICH_MATCH_MIN bytes. */
static uint32_t match_hash(uint64_t last)
{
	uint32_t h = mix((uint32_t)last, (uint32_t)(last >> 32) & 0xffff);

	return (h * 0x2c1b3c6dU) >> (32 - MUE_RICH_MATCH_BITS);
}

int mue_rich_start(struct mue_delta_rich *x, uint32_t old_size,
		   int (*read)(void *ctx, uint32_t off, void *buf, uint16_t len), void *ctx)
{
	memset(x, 0, sizeof(*x));
	x->read = read;
	x->ctx = ctx;
	x->old_size = old_size;
	for (uint32_t i = 0; i < MUE_RICH_TABLES; i++)
		for (uint32_t j = 0; j < 1UL << MUE_RICH_SLOT_BITS; j++)
			x->slots[i][j] = MUE_DELTA_P_INIT;
	for (uint32_t i = 0; i < 64; i++)
		x->match_p[i] = 0xc000;
	for (uint32_t i = 0; i < MUE_RICH_SETS; i++)
		for (uint32_t j = 0; j < MUE_RICH_INPUTS; j++)
			x->weights[i][j] = WEIGHT_ONE / 3;
	make_stretch(x->stretch);
	for (uint32_t at = 0; at < old_size; at += MUE_RICH_WINDOW) {
		uint32_t left = old_size - at;
		uint16_t n = left < MUE_RICH_WINDOW ? (uint16_t)left : MUE_RICH_WINDOW;
		int r = read(ctx, at, x->window, n);

		if (r < 0)
			return r;
		for (uint16_t i = 0; i < n; i++) {
			x->last = x->last << 8 | x->window[i];
			x->match[match_hash(x->last)] = at + i + 1;
		}
	}
	x->last = 0;
	return 0;
}

void mue_rich_seen(struct mue_delta_rich *x, uint8_t b)
{
	x->last = x->last << 8 | b;
}

/* The byte of old at `at`; 0 where there is none. */
static uint8_t old_byte(struct mue_delta_rich *x, uint32_t at)
{
	if (at >= x->old_size)
		return 0;
	if (at < x->window_at || at - x->window_at >= x->window_len) {
		uint32_t left = x->old_size - at;

		x->window_at = at;
		x->window_len = left < MUE_RICH_WINDOW ? (uint16_t)left : MUE_RICH_WINDOW;
		if (x->read(x->ctx, at, x->window, x->window_len) < 0)
			memset(x->window, 0, sizeof(x->window));
	}
	return x->window[at - x->window_at];
}

/* Follows the running match, or looks for one that shares the last bytes. */
static void find_match(struct mue_delta_rich *x)
{
	uint32_t at;

	if (x->match_len && old_byte(x, x->match_at) == (uint8_t)x->last) {
		x->match_at++;
		x->match_len += x->match_len < MATCH_LEN_MAX;
		return;
	}
	x->match_len = 0;
	at = x->match[match_hash(x->last)];
	for (uint8_t i = 0; i < 8 && i < at; i++) {
		if (old_byte(x, at - 1 - i) != (uint8_t)(x->last >> (8 * i)))
			break;
		x->match_len++;
	}
	x->match_at = at;
	if (x->match_len < MUE_RICH_MATCH_MIN - 2)
		x->match_len = 0;
}

void mue_rich_fresh(struct mue_delta_rich *x, uint32_t pos)
{
	uint32_t l = (uint32_t)x->last;

	x->kind = MUE_RICH_FRESH;
	x->base[0] = mix(1, pos & 3);
	x->base[1] = mix(2, l & 0xff);
	x->base[2] = mix(3, l & 0xffff);
	x->base[3] = mix(4, l & 0xffffff);
	x->base[4] = mix(5, l);
	x->base[5] = mix(6 + (pos & 3), l >> 24 | (l & 0xff) << 8);
	find_match(x);
	x->expected = x->match_len ? old_byte(x, x->match_at) : 0;
	x->matching = x->match_len > 0;
}

void mue_rich_changed(struct mue_delta_rich *x, uint8_t guess, uint8_t at, uint32_t unit,
		      uint8_t last)
{
	uint32_t l = (uint32_t)x->last, before = x->diffs;

	at &= 7;
	x->kind = MUE_RICH_CHANGED;
	x->base[0] = mix(17 + at, last);
	x->base[1] = mix(33 + at, guess);
	x->base[2] = mix(49 + at, (l & 0xff) << 8 | guess);
	x->base[3] = mix(65 + at, unit);
	x->base[4] = mix(81 + at, before & 0xffffff);
	x->base[5] = mix(97 + at, (before & 0xff) << 16 | (unit >> 24) << 8 | guess);
	x->matching = false;
}

void mue_rich_good(struct mue_delta_rich *x, uint8_t kind, uint32_t unit, uint64_t history)
{
	uint32_t h = (uint32_t)history;

	x->kind = MUE_RICH_GOOD;
	x->base[0] = mix(113 + kind, h & 0xff);
	x->base[1] = mix(129 + kind, h & 0xffff);
	x->base[2] = mix(145 + kind, unit);
	x->base[3] = mix(161 + kind, (unit >> 24) << 8 | (h & 0xf));
	x->base[4] = mix(177 + kind, h & 0x01111111);
	x->base[5] = mix(193 + kind, (unit & 0xffff) << 4 | (h & 0xf));
	x->matching = false;
}

uint16_t mue_rich_p(struct mue_delta_rich *x, uint16_t node)
{
	int64_t sum = 0;
	int32_t p;

	x->set = x->weights[x->kind * 256 + node];
	for (uint32_t i = 0; i < MUE_RICH_TABLES; i++) {
		uint32_t h = (x->base[i] + node * 0x9e3779b1U) * 0x2c1b3c6dU;

		x->slot[i] = &x->slots[i][h >> (32 - MUE_RICH_SLOT_BITS)];
		x->input[i] = x->stretch[*x->slot[i] >> 4];
	}
	x->input[MUE_RICH_TABLES] = 0;
	if (x->matching) {
		uint8_t bits = 0;

		while (node >> (bits + 1))
			bits++;
		/* As long as the bits so far are the expected byte's. */
		if ((uint32_t)(x->expected | 0x100) >> (8 - bits) == node) {
			int16_t s = x->stretch[x->match_p[x->match_len] >> 4];
			bool one = x->expected >> (7 - bits) & 1;

			x->input[MUE_RICH_TABLES] = one ? (int16_t)-s : s;
		} else {
			x->matching = false;
		}
	}
	x->input[MUE_RICH_TABLES + 1] = 256;
	for (uint32_t i = 0; i < MUE_RICH_INPUTS; i++)
		sum += (int64_t)x->input[i] * x->set[i];
	p = squash((int32_t)(sum / WEIGHT_ONE));
	x->p = (uint16_t)(p < 1 ? 1 : p > 4095 ? 4095 : p);
	return x->p;
}

void mue_rich_learn(struct mue_delta_rich *x, uint8_t bit)
{
	int32_t err = (bit ? 0 : 4096) - x->p;

	for (uint32_t i = 0; i < MUE_RICH_INPUTS; i++)
		x->set[i] += (x->input[i] * err) >> RATE;
	for (uint32_t i = 0; i < MUE_RICH_TABLES; i++) {
		mue_delta_p_update(x->slot[i], bit);
	}
	if (x->matching && x->input[MUE_RICH_TABLES]) {
		bool right = (x->input[MUE_RICH_TABLES] > 0) == !bit;

		mue_delta_p_update(&x->match_p[x->match_len], !right);
		if (!right)
			x->match_len = 0;
	}
}

uint8_t mue_rich_read(struct mue_delta_rich *x, struct mue_delta_rc *rc)
{
	uint16_t node = 1;

	while (node < 256) {
		uint8_t bit = mue_delta_rc_p(rc, mue_rich_p(x, node));

		mue_rich_learn(x, bit);
		node = (uint16_t)(node << 1 | bit);
	}
	return (uint8_t)node;
}

#endif
