/*
 * pieces.h - one payload received in pieces: any order, any size, any number of links, across
 * restarts.
 *
 * A session is keyed by the manifest's digest; a piece of another session is refused.  What is
 * there is a bitmap of grains (2^k bytes) in the caller's memory; pieces that cover a grain only
 * partly are kept track of in a few caller-given `parts`.  A sans-I/O engine with one small port:
 * new bytes go out through sink->write at once and exactly once; bytes already there are compared
 * through sink->read when the sink has one.  No allocation, no globals, no division.
 */
#ifndef MUE_CORE_PIECES_H
#define MUE_CORE_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#define MUE_PIECES_KEY  32 /* bytes in a manifest digest */
#define MUE_PIECES_HEAD 48 /* bytes in a stored head */

/* Where the bytes go.  Both return 0 or a negative verdict, which mue_pieces_put hands on. */
struct mue_pieces_sink {
	int (*write)(void *ctx, uint32_t off, const void *data, uint32_t len);
	/* May be NULL: then contradicting bytes go unnoticed until the payload's digest is taken.
	 */
	int (*read)(void *ctx, uint32_t off, void *buf, uint32_t len);
};

/* A grain that is there in part: bytes [from, to) of it. */
struct mue_pieces_part {
	uint32_t grain;
	uint32_t from, to; /* to 0: the part is free */
};

struct mue_pieces {
	const struct mue_pieces_sink *sink; /* kept */
	void *ctx;
	uint8_t *bitmap; /* kept, the caller's; bit i % 8 of byte i / 8: grain i is there */
	struct mue_pieces_part *parts; /* kept, the caller's */
	uint8_t nparts;
	uint8_t grain_log2;
	uint8_t key[MUE_PIECES_KEY];
	uint32_t size;  /* bytes in the payload */
	uint32_t have;  /* bytes there: whole grains and parts */
	uint32_t count; /* grains */
};

/* Bytes the bitmap needs for a payload of `size` bytes in grains of 2^grain_log2 (0..20). */
uint32_t mue_pieces_bitmap_size(uint32_t size, uint8_t grain_log2);

/* The smallest grain, not below 2^min_log2, with which the bitmap fits `bytes`; <0 MUE_ENOSPC. */
int mue_pieces_grain(uint32_t size, uint32_t bytes, uint8_t min_log2);

/* Begins an empty session: clears the bitmap and the parts.  `parts` may be NULL with nparts 0:
 * then only the whole grains of a piece are taken.  MUE_EINVAL: size 0 or grain_log2 > 20.
 * MUE_ENOSPC: `bitmap_len` is too small. */
int mue_pieces_begin(struct mue_pieces *p, const struct mue_pieces_sink *sink, void *ctx,
		     const uint8_t key[MUE_PIECES_KEY], uint32_t size, uint8_t grain_log2,
		     uint8_t *bitmap, uint32_t bitmap_len, struct mue_pieces_part *parts,
		     uint8_t nparts);

/* Takes the piece [off, off + len) of session `key`.  Returns the number of bytes that were new
 * and now count as there (0: a duplicate, or edges for which no part was free; those are still
 * missing and will be wanted again).  MUE_ENOTFOUND: another session's key.  MUE_ESIZE: beyond the
 * payload's end.  MUE_ECONFLICT: contradicts bytes already there; nothing of it was written.
 * Verdicts of the sink: bytes not written are not counted.  len > INT32_MAX: MUE_EINVAL. */
int32_t mue_pieces_put(struct mue_pieces *p, const uint8_t key[MUE_PIECES_KEY], uint32_t off,
		       const void *data, uint32_t len);

/* The first range at or after `from` that is missing, at most `max` bytes (0: no limit).  Without
 * parts it covers whole grains (rounded out, and never less than one).  When all parts are in use,
 * a range beside one of them may come first: with `from` 0 a piece of the range given is always
 * taken, so that asking and putting ends.  True and *ret_off, *ret_len when there is one. */
bool mue_pieces_missing(const struct mue_pieces *p, uint32_t from, uint32_t max, uint32_t *ret_off,
			uint32_t *ret_len);

/* True when every byte is there.  The payload's digest is the caller's to check. */
bool mue_pieces_complete(const struct mue_pieces *p);

/* Forgets the bytes that touch [off, off + len): after a block failed its digest. */
void mue_pieces_drop(struct mue_pieces *p, uint32_t off, uint32_t len);

/* Writes the head that, stored beside the bitmap (in one atomic file or after it), lets the session
 * resume.  It carries key, size, grain and a CRC over itself and the bitmap.  Sync the payload's
 * bytes BEFORE the bitmap is stored.  Parts are not stored: their bytes will be wanted again. */
void mue_pieces_head(const struct mue_pieces *p, uint8_t ret_head[MUE_PIECES_HEAD]);

/* Resumes from a stored head and the bitmap that `bitmap` already holds.  MUE_EFORMAT: torn, or no
 * head.  MUE_ENOTFOUND: of another key or size: begin afresh.  MUE_ENOSPC as above. */
int mue_pieces_resume(struct mue_pieces *p, const struct mue_pieces_sink *sink, void *ctx,
		      const uint8_t key[MUE_PIECES_KEY], uint32_t size,
		      const uint8_t head[MUE_PIECES_HEAD], uint8_t *bitmap, uint32_t bitmap_len,
		      struct mue_pieces_part *parts, uint8_t nparts);

#endif
