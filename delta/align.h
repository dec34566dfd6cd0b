/*
 * align.h - finds what of old lives on in new.
 */
#ifndef MUE_DELTA_ALIGN_H
#define MUE_DELTA_ALIGN_H

#include "delta/delta.h"

/* Copies in the order of new, none empty, none overlapping in new. */
struct mue_copies {
	struct mue_delta_block *v; /* free() */
	size_t n, room;
};

/*
 * Writes into `ret` (as long as `image`) the image with every reference replaced by a constant, so
 * that two images compare equal where only addresses moved.
 */
void mue_normalise(struct mue_span image, const struct mue_delta_isa *isa, uint32_t base, bool elf,
		   uint8_t *ret);

/* Aligns two images, normalised ones as a rule.  MUE_ENOMEM. */
int mue_align(struct mue_span old, struct mue_span new, struct mue_copies *ret,
	      struct mue_error *e);

/* Drops and joins copies where that makes the patch smaller; the images are the aligned ones. */
void mue_refine(struct mue_span old, struct mue_span new, struct mue_copies *copies);

#endif
