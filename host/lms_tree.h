/*
 * lms_tree.h - one LMS tree with its private keys: building, signing (RFC 8554).
 *
 * Private keys are pseudorandom (RFC 8554 appendix A): x_q[i] = H(I || q || i || 0xff || SEED); the
 * randomizer C uses i = 0xfffd, a child tree's SEED and I use i = 0xfffe and 0xffff, as the
 * implementation of RFC 8554's authors does.  So a signature with leaf q of one message is always
 * the same bytes.  This module keeps no state: never to use a leaf twice is lms_signer.h's duty.
 */
#ifndef MUE_HOST_LMS_TREE_H
#define MUE_HOST_LMS_TREE_H

#include "core/lms.h"

#include <stddef.h>
#include <stdint.h>

#define MUE_LMS_TREE_PUB_MAX 56 /* LMS public key: two types, I, T[1] */

struct mue_lms_tree {
	struct mue_lms_set set;
	uint32_t lms_type, ots_type;
	uint8_t id[MUE_LMS_I_SIZE];  /* I */
	uint8_t seed[MUE_LMS_N_MAX]; /* n bytes */
};

/* Type codes of a parameter set.  MUE_EPROFILE: there is none. */
int mue_lms_tree_types(uint8_t n, uint8_t h, uint8_t w, uint32_t *ret_lms, uint32_t *ret_ots);

/* Bytes of all nodes: 2^(h+1) * n; node r stands at r * n, the root is 1, node 0 is unused. */
size_t mue_lms_tree_size(const struct mue_lms_tree *t);

/* Computes all nodes into `nodes`, with one thread a processor.  progress (may be NULL) gets
 * 0..1000.  0 or MUE_ENOMEM. */
int mue_lms_tree_build(const struct mue_lms_tree *t, uint8_t *nodes,
		       void (*progress)(void *ctx, unsigned permille), void *ctx);

/* Writes 24 + n bytes: the LMS public key; returns their number. */
size_t mue_lms_tree_public(const struct mue_lms_tree *t, const uint8_t *root,
			   uint8_t ret[MUE_LMS_TREE_PUB_MAX]);

/* Writes t->set.bytes: the LMS signature of `msg` with leaf q; `path` is h * n bytes, the siblings
 * from the leaf upwards. */
void mue_lms_tree_sign(const struct mue_lms_tree *t, uint32_t q, const uint8_t *path,
		       const void *msg, size_t len, uint8_t *ret);

/* The tree below leaf q of `t`, with the same types. */
void mue_lms_tree_child(const struct mue_lms_tree *t, uint32_t q, struct mue_lms_tree *ret);

#endif
