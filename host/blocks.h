/*
 * blocks.h - makes block containers (core/blocks.h) and turns their blocks back into bytes.
 */
#ifndef MUE_HOST_BLOCKS_H
#define MUE_HOST_BLOCKS_H

#include "core/blocks.h"
#include "host/err.h"

#include <stdbool.h>

struct mue_blocks_options {
	uint8_t block_log2; /* 0: 16 (64 KiB) */
	uint8_t group_log2; /* 0: 6 (64 blocks); memory needed is about one group */
	int level;          /* zstd's, 1..19; 0: store plain */
	int old_fd;         /* -1, or the image that devices have: equal blocks become copies */
	/* Called after each group with bytes read so far; may be NULL. */
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *progress_ctx;
};

struct mue_blocks_result {
	uint8_t root[MUE_BLOCKS_DIGEST];  /* of the header: goes into the manifest */
	uint8_t image[MUE_BLOCKS_DIGEST]; /* SHA-256 of the whole image */
	uint64_t image_size, size;        /* of the image, of the container; bytes */
	uint32_t header_size;
	uint32_t literal, zero, copy; /* blocks of each kind */
};

/*
 * Reads the image from the start of `image_fd` and writes its container to `out_fd` (a regular
 * file, written from offset 0; the caller makes it durable).  The same image and options give the
 * same bytes.  MUE_ESIZE: empty image; MUE_EINVAL names the option; MUE_EIO, MUE_ENOSPC,
 * MUE_ENOMEM.
 */
int mue_blocks_build(int image_fd, int out_fd, const struct mue_blocks_options *o,
		     struct mue_blocks_result *ret, struct mue_error *e);

/* Reads `len` bytes of the old image at `off`; 0 or a verdict. */
typedef int (*mue_blocks_old)(void *ctx, uint64_t off, void *buf, size_t len);

/*
 * Makes the content of *b from its b->stored stored bytes, and from the old image where the block
 * says so, and checks the digest: only a block that holds is ever returned.  `ret` has room for
 * b->size bytes.  MUE_EDIGEST: the content is not the signed one (a changed old image, a flipped
 * bit); MUE_EFORMAT: the packed bytes are damaged; MUE_EPROFILE: DELTA, or `old` is NULL and
 * needed.
 */
int mue_block_unpack(const struct mue_block *b, const uint8_t *stored, mue_blocks_old old,
		     void *old_ctx, uint8_t *ret, struct mue_error *e);

#endif
