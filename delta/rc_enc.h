/*
 * rc_enc.h - the encoding side of core/delta_rc.h, and what its bits cost.
 */
#ifndef MUE_DELTA_RC_ENC_H
#define MUE_DELTA_RC_ENC_H

#include "core/delta_rc.h"

#include <stdbool.h>

struct mue_rc_enc {
	uint8_t *out; /* grows; free() it */
	size_t len, room;
	uint64_t low;
	uint32_t range;
	uint8_t cache;
	size_t pending;       /* 0xff bytes behind cache that a carry may still change */
	bool started, failed; /* failed: out of memory */
	double *cost;         /* bits are added here; never NULL */
};

void mue_rc_start(struct mue_rc_enc *rc, double *cost);
void mue_rc_p(struct mue_rc_enc *rc, uint16_t p0, uint8_t bit);
void mue_rc_bit(struct mue_rc_enc *rc, uint16_t *p, uint8_t bit);
void mue_rc_tree(struct mue_rc_enc *rc, uint16_t *tree, uint8_t bits, uint8_t v);
void mue_rc_diff(struct mue_rc_enc *rc, uint16_t *diff, uint8_t v);
void mue_rc_fresh(struct mue_rc_enc *rc, uint16_t *fresh, uint8_t odd, uint8_t v);
void mue_rc_direct(struct mue_rc_enc *rc, uint32_t v, uint8_t bits);
void mue_rc_num(struct mue_rc_enc *rc, uint16_t *num, uint32_t v);
/* Ends the stream with as few bytes as the decoder, which reads zeros behind the end, needs. */
void mue_rc_finish(struct mue_rc_enc *rc);

#endif
