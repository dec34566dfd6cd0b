/*
 * blocks.h - the block container: a payload whose every block is verified before it is written.
 *
 * The signed manifest holds the SHA-256 of the container's header (the root).  The header holds the
 * digest of each group's table, a table the digest of each block's content.  So a device that has
 * the header and one table can fetch any block of that group alone, in any order, over any link,
 * and knows before it writes a byte whether the block is the signed one; a block whose content the
 * device has already need neither be fetched nor written.
 * The reader is sans-I/O and keeps views into the caller's bytes; no allocation.
 * Format: docs/FORMATS.md, section "Block container".
 */
#ifndef MUE_CORE_BLOCKS_H
#define MUE_CORE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#define MUE_BLOCKS_FIXED  56u /* bytes of the header before its group records */
#define MUE_BLOCKS_GROUP  44u /* bytes of a group record */
#define MUE_BLOCKS_ENTRY  46u /* bytes of a block's entry in a table */
#define MUE_BLOCKS_DIGEST 32u

/* Block sizes are powers of two, 1 KiB to 4 MiB; a group has 1 to 1024 blocks, a power of two. */
#define MUE_BLOCKS_LOG2_MIN       10
#define MUE_BLOCKS_LOG2_MAX       22
#define MUE_BLOCKS_GROUP_LOG2_MAX 10

/* What a block is made from.  Wire format: never renumber. */
enum mue_block_kind {
	MUE_BLOCK_LITERAL = 0, /* its stored bytes */
	MUE_BLOCK_ZERO = 1,    /* zeros; nothing stored */
	MUE_BLOCK_COPY = 2,    /* bytes of the old image at `source`; nothing stored */
	MUE_BLOCK_DELTA = 3    /* its stored bytes are a delta against the old image at `source` */
};

/* How the stored bytes are packed. */
enum mue_block_packing {
	MUE_BLOCK_PLAIN = 0,
	MUE_BLOCK_ZSTD = 1 /* one zstd frame (RFC 8878) */
};

struct mue_blocks {
	uint64_t image_size; /* bytes, > 0 */
	const uint8_t *image_digest;
	const uint8_t *groups; /* the group records */
	uint32_t block_count;  /* the last block may be short */
	uint32_t group_count;
	uint8_t block_log2; /* block size = 1 << block_log2 */
	uint8_t group_log2; /* blocks in a group = 1 << group_log2; the last may have fewer */
};

struct mue_block_group {
	const struct mue_blocks *blocks;
	const uint8_t *entries;
	uint64_t data;  /* offset in the container of the group's first stored byte */
	uint32_t first; /* number of its first block */
	uint32_t count;
};

struct mue_block {
	const uint8_t *digest; /* SHA-256 of the block's content */
	uint64_t offset;       /* in the image, bytes */
	uint64_t stored_at;    /* in the container, bytes */
	uint64_t source;       /* in the old image: COPY, DELTA */
	uint32_t size;         /* of the content, bytes */
	uint32_t stored;       /* bytes in the container; 0 for ZERO and COPY */
	uint8_t kind;          /* enum mue_block_kind */
	uint8_t packing;       /* enum mue_block_packing */
};

/*
 * Reads the header's length from its first MUE_BLOCKS_FIXED bytes, which are not verified yet: a
 * fetcher refuses a length that it is not ready to hold before it fetches more.  MUE_ETRUNC,
 * MUE_EFORMAT.
 */
int mue_blocks_header_size(const uint8_t *fixed, size_t len, uint64_t *ret);

/*
 * Opens a whole header (exactly its length).  `root`: SHA-256 of it, from the signed manifest.
 * MUE_EDIGEST, MUE_EFORMAT, MUE_ETRUNC, MUE_ESIZE.  *ret points into `header`.
 */
int mue_blocks_open(const uint8_t *header, size_t len, const uint8_t root[MUE_BLOCKS_DIGEST],
		    struct mue_blocks *ret);

/* Where group `g`'s table stands in the container, and how long it is.  MUE_EINVAL: no such group.
 */
int mue_blocks_table(const struct mue_blocks *b, uint32_t g, uint64_t *ret_offset,
		     uint32_t *ret_len);

/*
 * Opens the table of group `g`: digest, then every entry's form.  *ret points into `table` and b.
 * MUE_EDIGEST, MUE_EFORMAT, MUE_EINVAL.
 */
int mue_block_group_open(const struct mue_blocks *b, uint32_t g, const uint8_t *table, size_t len,
			 struct mue_block_group *ret);

/* The i-th block of the group, i < count.  Walks the entries before it.  MUE_EINVAL. */
int mue_block_at(const struct mue_block_group *g, uint32_t i, struct mue_block *ret);

/* The block after *b, which came from the same group; MUE_ENODATA behind the last. */
int mue_block_next(const struct mue_block_group *g, struct mue_block *b);

#endif
