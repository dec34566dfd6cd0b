/*
 * Block container: header, tables and packed blocks from outside, digests made to fit so that the
 * checks behind them are reached.
 * FUZZ_SOURCES: core/blocks.c core/sha256.c host/blocks.c host/hash.c
 * FUZZ_SOURCES: host/file.c host/buf.c host/err.c
 * FUZZ_LIBS: -lgnutls -lzstd
 */
#include "host/blocks.h"
#include "host/hash.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void unpack_group(const struct mue_blocks *b, const struct mue_block_group *g,
			 const uint8_t *data, size_t size)
{
	struct mue_block k;

	for (int r = mue_block_at(g, 0, &k); r == 0; r = mue_block_next(g, &k)) {
		uint8_t *out;

		if (k.offset + k.size > b->image_size)
			abort();
		if (k.stored_at > size || k.stored > size - k.stored_at)
			continue;
		out = malloc(k.size);
		mue_block_unpack(&k, data + k.stored_at, NULL, NULL, out, NULL);
		free(out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mue_blocks b;
	struct mue_block_group g;
	uint8_t root[32], *copy;
	uint64_t header, at;
	uint32_t len;

	if (mue_blocks_header_size(data, size, &header) || header > size)
		return 0;
	copy = malloc(size);
	memcpy(copy, data, size);
	for (uint64_t i = 0; i < (header - MUE_BLOCKS_FIXED) / MUE_BLOCKS_GROUP; i++) {
		uint8_t *rec = copy + MUE_BLOCKS_FIXED + i * MUE_BLOCKS_GROUP;

		at = (uint64_t)rec[6] << 8 | rec[7];
		len = (uint32_t)rec[10] << 8 | rec[11];
		if (at >= header && at + len <= size)
			mue_hash_sha256(copy + at, len, rec + 12);
	}
	mue_hash_sha256(copy, header, root);
	if (!mue_blocks_open(copy, header, root, &b))
		for (uint32_t i = 0; i < b.group_count; i++)
			if (!mue_blocks_table(&b, i, &at, &len) && at <= size && len <= size - at &&
			    !mue_block_group_open(&b, i, copy + at, len, &g))
				unpack_group(&b, &g, copy, size);
	free(copy);
	return 0;
}
