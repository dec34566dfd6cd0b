/*
 * store.h - bytes that arrive in pieces, kept in flash: any order, smaller than a program unit,
 * across resets.
 *
 * Pieces are put together in a few cells of RAM; a cell that is full (a grain: a power of two,
 * whole program units) is written to flash and then marked.  A mark is one program unit in a region
 * of its own that is erased once a session: every mark's place is written once a session, that is
 * all the wear there is.  Data before mark, marks erased before the first data of a new session: a
 * mark never lies, whenever power is cut; at worst grains without a mark are wanted again.
 * Format: docs/FORMATS.md, section "Grain marks".
 */
#ifndef MUE_MCU_STORE_H
#define MUE_MCU_STORE_H

#include "core/flash.h"
#include "core/frame.h"
#include "core/pieces.h"

#ifndef MUE_STORE_GRAIN_MAX
#define MUE_STORE_GRAIN_MAX 256
#endif
#define MUE_STORE_HEAD     44 /* bytes of the marks' head */
#define MUE_STORE_UNIT_MAX 16 /* largest program unit of the marks' flash */
#define MUE_STORE_AGE      16 /* pieces elsewhere after which a cell may be given up */

/* Where a payload goes.  Offsets and sizes are whole erase blocks. */
struct mue_store_place {
	const struct mue_flash *data;
	uint32_t off, room;
	const struct mue_flash *marks;
	uint32_t marks_off, marks_room;
	uint8_t grain_log2; /* a grain is whole program units and at most MUE_STORE_GRAIN_MAX */
};

/* A grain being put together. */
struct mue_store_cell {
	uint32_t grain;
	uint8_t used, age;
	uint8_t units[MUE_STORE_GRAIN_MAX / MUE_FRAME_UNIT / 8];
	uint8_t data[MUE_STORE_GRAIN_MAX];
};

struct mue_store {
	struct mue_pieces pieces; /* size, have, bitmap */
	const struct mue_store_place *place;
	struct mue_store_cell *cells; /* the caller's */
	uint8_t *bitmap;              /* the caller's */
	uint16_t bitmap_len;
	uint8_t count; /* of cells */
};

/* Lends bitmap and cells for as long as *s is used; all sessions of *s share them. */
void mue_store_init(struct mue_store *s, uint8_t *bitmap, uint16_t bitmap_len,
		    struct mue_store_cell *cells, uint8_t count);

/* Begins an empty session: erases the marks, writes their head.  *place is kept.  MUE_ESIZE:
 * larger than the place or 0.  MUE_ENOSPC: bitmap or marks too small.  MUE_EINVAL: geometry.
 * Flash verdicts. */
int mue_store_begin(struct mue_store *s, const struct mue_store_place *place,
		    const uint8_t key[MUE_PIECES_KEY], uint32_t size);

/* Goes on with the session whose head stands there.  MUE_ENODATA: none.  Else as begin. */
int mue_store_resume(struct mue_store *s, const struct mue_store_place *place);

/* Forgets the session that is stored there: one erase. */
int mue_store_forget(const struct mue_store_place *place);

/* Takes bytes [off, off + len).  Returns how many were new and kept (in a cell or in flash): 0 for
 * a duplicate, or when no cell was free: they will be wanted again.  MUE_ESIZE: beyond the end.
 * Flash verdicts: the grain is wanted again. */
int mue_store_put(struct mue_store *s, uint32_t off, const uint8_t *data, uint8_t len);

/* Fills off, grain_log2, data (= bitmap), len of a MUE_FRAME_WANT with at most `max` bytes (at
 * least 1) of bitmap; a grain in the making is told in units. */
void mue_store_want(const struct mue_store *s, uint8_t *bitmap, uint8_t max, struct mue_frame *ret);

static inline bool mue_store_complete(const struct mue_store *s)
{
	return mue_pieces_complete(&s->pieces);
}

#endif
