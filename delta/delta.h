/*
 * delta.h - makes patches that core/delta.h applies, and applies them on hosts.
 *
 * Near-linear time, about six bytes of memory per byte of old.  Every patch has been decoded by
 * the core decoder and compared with new before it is handed out.
 */
#ifndef MUE_DELTA_DELTA_H
#define MUE_DELTA_DELTA_H

#include "core/delta.h"
#include "host/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Bytes in memory; whose they are is said where they are used. */
struct mue_span {
	const uint8_t *data;
	size_t len;
};

enum { MUE_DIFF_AUTO = -1 };

struct mue_diff_options {
	int isa;          /* enum mue_delta_isa_id, or MUE_DIFF_AUTO */
	bool bases_given; /* else they are found in the images */
	uint32_t old_base, new_base;
	uint16_t blocks_max; /* entries of the device's copy map; 0: as fits the instruction set */
	uint8_t page_log2;   /* with backward */
	int rich;            /* profile: 1 L, -1 S, 0 by what the images are */
	bool backward;       /* pages from the last to the first */
	struct mue_span also_old, also_new; /* the same pair linked for the other slot, or empty */
	/* Called now and then with how much is done, 0..1000; NULL: not wanted. */
	void (*progress)(void *ctx, unsigned permille);
	void *progress_ctx;
	FILE *explain; /* where the bytes went, as text; NULL: not wanted */
};

struct mue_diff_result {
	uint8_t *patch; /* caller frees with free() */
	size_t len;
	int isa;
	uint32_t old_base, new_base;
};

/*
 * Makes the patch from `old` to `new`.  With `also` one patch serves both slots as long as inserted
 * code holds no absolute addresses; where it does MUE_EDIGEST says so: make one patch a slot.
 * MUE_ESIZE: an image of 2 GiB or more; MUE_ENOMEM; MUE_EINVAL: the options contradict each other
 * or `also` cannot share this patch.
 */
int mue_diff(struct mue_span old, struct mue_span new, const struct mue_diff_options *options,
	     struct mue_diff_result *ret, struct mue_error *e);

/* Applies a patch in memory; *ret_new is the caller's to free.  Verdicts of core/delta.h. */
int mue_patch(struct mue_span old, struct mue_span patch, uint8_t **ret_new, size_t *ret_len,
	      struct mue_error *e);

/* All instruction sets of this program, NULL at the end; names for people ("avr", "thumb"...). */
extern const struct mue_delta_isa *const mue_delta_isas[];
const char *mue_delta_isa_name(int id);

#endif
