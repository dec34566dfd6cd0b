/*
 * delta.h - turns an old image and a patch into the new image.
 *
 * Old is read at random, the patch in sequence, new is written in page order.  The old image's
 * digest is checked before anything is written, the new one's after everything is.  No allocation,
 * no globals, no recursion, no I/O of its own; never writes outside [0, new_size), whatever the
 * patch says.  A `struct mue_delta` between two steps is a checkpoint: copied bytes (with the page
 * buffer) resume there after a power cut, from patch position mue_delta_at().
 * Format: docs/FORMATS.md, section "Delta".
 */
#ifndef MUE_CORE_DELTA_H
#define MUE_CORE_DELTA_H

#include "core/delta_isa.h"
#include "core/delta_rc.h"
#include "core/err.h"
#include "core/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MUE_DELTA_DIGEST = 8,      /* bytes of SHA-256 kept of old and new */
	MUE_DELTA_VARIANTS = 2,    /* slots that one patch can serve */
	MUE_DELTA_HEADER_MAX = 96, /* bytes of the longest header */
	MUE_DELTA_LOOKAHEAD = 160, /* patch bytes that one step may take */
	MUE_DELTA_LEARNED = 16,    /* corrections kept for each address space */
	MUE_DELTA_AHEAD = 32,      /* bytes of old that a mapper may look at */
	MUE_DELTA_CALM = 16,       /* right predictions in a row before windows are tried */
	MUE_DELTA_SURE = 64,       /* units in a window */
	MUE_DELTA_SEGMENTS = 6,    /* loaded stretches of an ELF file */
};

#ifdef MUE_DELTA_SMALL
enum { MUE_DELTA_WINDOW = 32 }; /* bytes of old read at once */
#else
enum { MUE_DELTA_WINDOW = 240 };
#endif

/* What mue_delta_step returns above 0. */
enum {
	MUE_DELTA_MORE = 1,  /* call again */
	MUE_DELTA_INPUT = 2, /* call again with more of the patch */
};

/* Flags in the header's second byte, low nibble. */
enum {
	MUE_DELTA_BACKWARD = 1, /* pages are written from the last to the first */
	MUE_DELTA_ELF = 2,      /* addresses are those of old's program headers */
	MUE_DELTA_RICH = 4,     /* profile L: bytes through core/delta_rich.h */
};

/* One slot that the patch serves. */
struct mue_delta_variant {
	uint32_t old_base, new_base; /* addresses of the images' first bytes */
	uint8_t old_digest[MUE_DELTA_DIGEST];
	uint8_t new_digest[MUE_DELTA_DIGEST];
};

struct mue_delta_header {
	uint32_t old_size, new_size;
	uint16_t blocks;   /* entries that the copy map needs */
	uint8_t isa;       /* enum mue_delta_isa_id */
	uint8_t flags;     /* MUE_DELTA_BACKWARD */
	uint8_t page_log2; /* page size that BACKWARD means */
	uint8_t variants;  /* 1..MUE_DELTA_VARIANTS */
	uint8_t size;      /* bytes of the header itself */
	struct mue_delta_variant variant[MUE_DELTA_VARIANTS];
};

/*
 * Reads the header at the start of a patch.  MUE_ETRUNC: needs more than `len` bytes;
 * MUE_EFORMAT: not a patch; MUE_EPROFILE: of a later version.
 */
int mue_delta_header_read(const uint8_t *in, size_t len, struct mue_delta_header *ret);

/* The images.  Every function returns 0 or a verdict, which ends the decoding. */
struct mue_delta_io {
	/* Reads [off, off + len) of the old image, which lies inside it. */
	int (*read_old)(void *ctx, uint32_t off, void *buf, uint16_t len);
	/* Writes a page (the last one may be short) at `off`, a multiple of the page size. */
	int (*write_new)(void *ctx, uint32_t off, const void *buf, uint16_t len);
	/* Reads back what was written, for the digest. */
	int (*read_new)(void *ctx, uint32_t off, void *buf, uint16_t len);
};

struct mue_delta_rich;

/* A stretch of old that lives on in new. */
struct mue_delta_block {
	mue_delta_off old, new, len;
};

/* A learned step of the map from old to new addresses: holds from `key` on. */
struct mue_delta_lesson {
	uint32_t key, corr;
};

/* A loaded stretch of an ELF file. */
struct mue_delta_segment {
	uint32_t old_off, old_addr, len, new_off, new_addr;
};

struct mue_delta_models {
	uint16_t good[2][MUE_DELTA_KINDS][8]; /* unit as predicted? by hot, kind, history */
	uint16_t sure[4];                     /* whole window as predicted? */
	uint16_t address[MUE_DELTA_KINDS];    /* wrong unit: only its address? */
	uint16_t undo[2];                     /* wrong address: the other lesson? */
	uint16_t same[3][4];                  /* byte of a wrong unit as predicted? */
	uint16_t again[2];                    /* difference as the last one? */
	uint16_t sign[2];
	uint16_t seek[3];
	uint16_t rest; /* gap without a copy? */
	uint16_t raw;  /* inserted bytes as they are? */
#ifndef MUE_DELTA_SMALL
	uint16_t moved[2]; /* segment elsewhere? */
#endif
	uint16_t num[4][MUE_DELTA_NUM_SIZE];
	uint16_t diff[MUE_DELTA_DIFF_SIZE];
	uint16_t fresh[MUE_DELTA_FRESH_SIZE];
};

/* What is used most stands first: eight-bit machines reach 64 bytes from a pointer. */
struct mue_delta {
	struct mue_delta_rc rc;
	mue_delta_off pos;      /* in new */
	mue_delta_off old_pos;  /* of the running copy */
	mue_delta_off copy;     /* bytes left of it */
	mue_delta_off fresh;    /* bytes left of the running insert */
	mue_delta_off page_pos; /* new offset of page[0] */
	mue_delta_off stop;     /* end of the stretch that is being written */
	uint8_t *page;
	uint16_t page_size, page_fill;
	uint16_t run;      /* units right in a row */
	uint8_t history;   /* of the last units: 1 is wrong */
	uint8_t sure, hot; /* units left of a window: all right; one wrong */
	uint8_t flags;
	int8_t space; /* of the last lesson */
	uint8_t phase;
	uint8_t raw; /* inserted bytes stand as they are */

	/* Set by mue_delta_open; pointers are kept. */
	const struct mue_delta_io *io;
	void *io_ctx;
	const struct mue_delta_isa *isa; /* NULL: no prediction */
	struct mue_delta_block *blocks;  /* sorted by old */
	mue_delta_off old_size, new_size;
	uint32_t old_base, new_base;
	uint16_t blocks_max, blocks_count;
	uint8_t page_log2, variants;

	int16_t err;           /* of a write */
	mue_delta_off gap_end; /* end of the gap that pos is in */
	uint32_t number;       /* what was last added to a number */
	mue_delta_off window_pos;
	uint8_t window_len;
	uint8_t window[MUE_DELTA_WINDOW];
	uint8_t last_diff[2];
	uint8_t lessons_next[2];
	struct mue_delta_lesson lessons[2][MUE_DELTA_LEARNED];
	struct mue_delta_scan scan;
	uint8_t new_digest[MUE_DELTA_DIGEST];
#ifndef MUE_DELTA_SMALL
	struct mue_delta_rich *rich; /* NULL: profile S */
	uint64_t long_history;       /* as `history` */
	struct mue_delta_segment segments[MUE_DELTA_SEGMENTS];
	uint8_t segments_count;
#endif
	union {
		struct mue_delta_models m;
		struct {
			struct mue_sha256 sha;
			mue_delta_off at;
			struct mue_delta_variant variant[MUE_DELTA_VARIANTS];
		} check;
	} u;
};

/* What the caller lends to a decoder; all of it must live as long as the decoder. */
struct mue_delta_room {
	const struct mue_delta_io *io;
	void *io_ctx;
	const struct mue_delta_isa *const *isas; /* the instruction sets it knows, then NULL */
	struct mue_delta_block *blocks;
	uint16_t blocks_max;
	uint8_t *page;
	uint16_t page_size;
	struct mue_delta_rich *rich; /* NULL: patches of profile L are refused */
};

/*
 * Prepares *d.  MUE_EPROFILE: an instruction set that the caller does not have, or more blocks
 * than blocks_max; MUE_EINVAL: page_size is 0 or not the one a backward patch was made for.
 */
int mue_delta_open(struct mue_delta *d, const struct mue_delta_header *h,
		   const struct mue_delta_room *room);

/*
 * Works for a bounded time: hashes a page, reads a part of the map, or writes at most one page.
 * in[0..len) is the patch from position mue_delta_at() on (0 is the first byte after the header);
 * `last` says that nothing follows.  Stores in *ret_used how many bytes it will not need again. 0:
 * done, new is complete and its digest is right.  MUE_DELTA_MORE, MUE_DELTA_INPUT: see there.
 * MUE_EPRECURSOR: old is not the image the patch was made from; nothing was written.
 * MUE_EFORMAT, MUE_EDIGEST, or what the io functions returned.  After an error it stays an error.
 */
int mue_delta_step(struct mue_delta *d, const uint8_t *in, size_t len, bool last, size_t *ret_used);

#endif
