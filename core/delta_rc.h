/*
 * delta_rc.h - the adaptive binary range decoder of the delta codec and its number models.
 *
 * A range coder after G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a
 * digitised message" (1979), binary and carry-less on the decoding side.  32-bit arithmetic, no
 * division.  A probability is one uint16_t: 12 bits of "next bit is 0", 4 bits of how often it was
 * used, so that young contexts learn fast.  Format: docs/FORMATS.md, section "Delta".
 */
#ifndef MUE_CORE_DELTA_RC_H
#define MUE_CORE_DELTA_RC_H

#include <stddef.h>
#include <stdint.h>

struct mue_delta_rc {
	const uint8_t *in; /* caller's window of the patch */
	size_t at, len;
	uint32_t range, code;
};

#define MUE_DELTA_P_INIT 0x8000U

enum {
	MUE_DELTA_DIFF_SIZE = 64,
	MUE_DELTA_FRESH_SIZE = 288,
	MUE_DELTA_NUM_SIZE = 36,  /* contexts of one number model */
	MUE_DELTA_NUM_TREE = 32,  /* of these, the class tree; the rest are mantissas */
	MUE_DELTA_NUM_DIRECT = 3, /* classes up to this have modelled mantissas */
};

/* Takes the four bytes that start a stream.  Beyond in[len) zeros are read. */
void mue_delta_rc_start(struct mue_delta_rc *rc);

/* One bit in the context *p, which learns from it. */
uint8_t mue_delta_rc_bit(struct mue_delta_rc *rc, uint16_t *p);

/* One bit whose chance to be 0 is p of 4096, 0 < p < 4096. */
uint8_t mue_delta_rc_p(struct mue_delta_rc *rc, uint16_t p);

/* `bits` (0..31) bits of fixed chance below the number v. */
uint32_t mue_delta_rc_direct(struct mue_delta_rc *rc, uint32_t v, uint8_t bits);

/* `bits` (1..8) bits, most significant first, through a tree of 1 << bits contexts. */
uint8_t mue_delta_rc_tree(struct mue_delta_rc *rc, uint16_t *tree, uint8_t bits);

/*
 * A difference of bytes: high half, then low half, which knows of the high one only whether it is
 * 0, 15 or else.  Needs MUE_DELTA_DIFF_SIZE contexts.
 */
uint8_t mue_delta_rc_diff(struct mue_delta_rc *rc, uint16_t *diff);

/* Where the contexts of the low half stand. */
static inline uint8_t mue_delta_diff_row(uint8_t high)
{
	return high == 0 ? 16 : high == 15 ? 32 : 48;
}

/*
 * An inserted byte at a place of new whose lowest bit is `odd`: the high half knows that bit, the
 * low half the high one.  Needs MUE_DELTA_FRESH_SIZE contexts.
 */
uint8_t mue_delta_rc_fresh(struct mue_delta_rc *rc, uint16_t *fresh, uint8_t odd);

/* A number below 2^31 through MUE_DELTA_NUM_SIZE contexts. */
uint32_t mue_delta_rc_num(struct mue_delta_rc *rc, uint16_t *num);

/* What one bit does to a context; the encoder uses the same. */
void mue_delta_p_update(uint16_t *p, uint8_t bit);

#endif
