/*
 * encode.h - writes one patch for a given instruction set and alignment.
 */
#ifndef MUE_DELTA_ENCODE_H
#define MUE_DELTA_ENCODE_H

#include "delta/align.h"
#include "delta/rc_enc.h"

/* Where the bits went. */
enum mue_cost {
	MUE_COST_MAP,
	MUE_COST_GAPS,
	MUE_COST_FRESH,
	MUE_COST_GOOD, /* "as predicted" and its windows */
	MUE_COST_ADDRESS,
	MUE_COST_BYTES,
	MUE_COSTS,
};

struct mue_encoding {
	uint8_t *out; /* the patch, free() */
	size_t len;
	size_t header;
	double cost[MUE_COSTS]; /* bits */
	uint32_t units[MUE_DELTA_KINDS], wrong[MUE_DELTA_KINDS];
	double wrong_cost[MUE_DELTA_KINDS];
	size_t copies, blocks, fresh;
};

/*
 * Fills `h` up (sizes, blocks, digests) and encodes.  The copies that the map has no room for go
 * into the stream.  MUE_ENOMEM.
 */
int mue_encode(struct mue_span old, struct mue_span new, const struct mue_copies *copies,
	       const struct mue_delta_isa *isa, struct mue_delta_header *h,
	       struct mue_encoding *ret, struct mue_error *e);

#endif
