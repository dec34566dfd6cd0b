#include "host/blocks.h"

#include "host/hash.h"

#include <string.h>
#include <zstd.h>

static int unpack_literal(const struct mue_block *b, const uint8_t *stored, uint8_t *ret,
			  struct mue_error *e)
{
	size_t n;

	if (b->packing == MUE_BLOCK_PLAIN) {
		memcpy(ret, stored, b->size);
		return MUE_OK;
	}
	n = ZSTD_decompress(ret, b->size, stored, b->stored);
	if (ZSTD_isError(n))
		return mue_fail(e, MUE_EFORMAT, "block at %llu: %s", (unsigned long long)b->offset,
				ZSTD_getErrorName(n));
	if (n != b->size)
		return mue_fail(e, MUE_EFORMAT, "block at %llu: %zu bytes instead of %u",
				(unsigned long long)b->offset, n, b->size);
	return MUE_OK;
}

int mue_block_unpack(const struct mue_block *b, const uint8_t *stored, mue_blocks_old old,
		     void *old_ctx, uint8_t *ret, struct mue_error *e)
{
	uint8_t digest[MUE_BLOCKS_DIGEST];
	int r = MUE_OK;

	switch (b->kind) {
	case MUE_BLOCK_LITERAL:
		r = unpack_literal(b, stored, ret, e);
		break;
	case MUE_BLOCK_ZERO:
		memset(ret, 0, b->size);
		break;
	case MUE_BLOCK_COPY:
		if (!old)
			return mue_fail(e, MUE_EPROFILE,
					"block at %llu is a copy, there is no old image",
					(unsigned long long)b->offset);
		r = old(old_ctx, b->source, ret, b->size);
		if (r < 0)
			mue_fail(e, r, "old image unreadable at %llu",
				 (unsigned long long)b->source);
		break;
	default:
		return mue_fail(e, MUE_EPROFILE, "block at %llu has kind %u",
				(unsigned long long)b->offset, b->kind);
	}
	if (r < 0)
		return r;
	mue_hash_sha256(ret, b->size, digest);
	if (memcmp(digest, b->digest, sizeof(digest)))
		return mue_fail(e, MUE_EDIGEST, "block at %llu is not the signed one",
				(unsigned long long)b->offset);
	return MUE_OK;
}
