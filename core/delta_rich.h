/*
 * delta_rich.h - the rich model of the delta codec's profile L, for hosts: predicts bytes from
 * several contexts at once, mixed by what has served best.
 *
 * Logistic mixing after M. Mahoney, "Adaptive Weighing of Context Models for Lossless Data
 * Compression" (2005), in integers.  About 8 MiB, lent by the caller.
 */
#ifndef MUE_CORE_DELTA_RICH_H
#define MUE_CORE_DELTA_RICH_H

#include "core/delta_rc.h"

#include <stdbool.h>

/* Tables this large do not exist where addresses have 16 bits. */
#if SIZE_MAX > UINT16_MAX

enum {
	MUE_RICH_SLOT_BITS = 19, /* of one context's table */
	MUE_RICH_TABLES = 6,
	MUE_RICH_INPUTS = MUE_RICH_TABLES + 2, /* and the match, and a constant */
	MUE_RICH_SETS = 3 * 256,               /* weights for each kind of byte and tree node */
	MUE_RICH_MATCH_BITS = 20,
	MUE_RICH_MATCH_MIN = 6, /* bytes that a match must share */
	MUE_RICH_WINDOW = 64,
};

/* What a byte is. */
enum mue_rich_kind { MUE_RICH_FRESH, MUE_RICH_CHANGED, MUE_RICH_GOOD };

struct mue_delta_rich {
	uint16_t slots[MUE_RICH_TABLES][1UL << MUE_RICH_SLOT_BITS];
	uint32_t match[1UL << MUE_RICH_MATCH_BITS]; /* where in old these bytes were, + 1 */
	int32_t weights[MUE_RICH_SETS][MUE_RICH_INPUTS];
	int16_t stretch[4096];
	uint16_t match_p[64]; /* "the match is right", by its length */

	uint32_t diffs; /* the last four differences */
	uint64_t last;  /* the last eight bytes of new */
	uint32_t base[MUE_RICH_TABLES];
	uint16_t *slot[MUE_RICH_TABLES]; /* of the running bit */
	int16_t input[MUE_RICH_INPUTS];
	int32_t *set;
	uint16_t p;
	uint8_t kind, expected;
	bool matching;
	uint32_t match_at, match_len;

	int (*read)(void *ctx, uint32_t off, void *buf, uint16_t len);
	void *ctx;
	uint32_t old_size, window_at;
	uint16_t window_len;
	uint8_t window[MUE_RICH_WINDOW];
};

/* Learns where the bytes of old are.  0 or the verdict of `read`, which is kept. */
int mue_rich_start(struct mue_delta_rich *x, uint32_t old_size,
		   int (*read)(void *ctx, uint32_t off, void *buf, uint16_t len), void *ctx);

/* A byte of new that is known already. */
void mue_rich_seen(struct mue_delta_rich *x, uint8_t b);

/*
 * Prepares for a byte: an inserted one at `pos` of new, or the difference from the prediction
 * `guess` at place `at` of a unit that starts with the bytes `unit`; `last` is the difference
 * before.
 */
void mue_rich_fresh(struct mue_delta_rich *x, uint32_t pos);
void mue_rich_changed(struct mue_delta_rich *x, uint8_t guess, uint8_t at, uint32_t unit,
		      uint8_t last);

/* Prepares for "is the unit as predicted?"; `history` has a bit for each unit before, 1 is wrong.
 */
void mue_rich_good(struct mue_delta_rich *x, uint8_t kind, uint32_t unit, uint64_t history);

/* The chance, of 4096, that the next bit below tree node `node` is 0; then what it was. */
uint16_t mue_rich_p(struct mue_delta_rich *x, uint16_t node);
void mue_rich_learn(struct mue_delta_rich *x, uint8_t bit);

/* The byte itself. */
uint8_t mue_rich_read(struct mue_delta_rich *x, struct mue_delta_rc *rc);

#endif
#endif
