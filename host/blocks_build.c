#include "host/blocks.h"

#include "host/file.h"
#include "host/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* The old image's blocks by digest: an open hash table of block numbers. */
struct old_index {
	uint8_t (*digest)[MUE_BLOCKS_DIGEST]; /* of block n */
	uint32_t *slot;                       /* block number + 1, 0: free */
	uint32_t count, mask;
};

struct build {
	const struct mue_blocks_options *o;
	int in, out;
	uint8_t block_log2, group_log2;
	uint64_t size, at; /* of the image; next free byte of the container */
	uint32_t blocks, groups;
	uint8_t *header, *plain, *stored, *table;
	size_t packed; /* bytes used in `stored`, this group */
	ZSTD_CCtx *zstd;
	struct mue_hash image;
	struct old_index old;
	struct mue_blocks_result *result;
};

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static void put64(uint8_t *p, uint64_t v)
{
	put32(p, (uint32_t)(v >> 32));
	put32(p + 4, (uint32_t)v);
}

static uint32_t slot_of(const struct old_index *x, const uint8_t *digest)
{
	uint32_t h;

	memcpy(&h, digest, sizeof(h));
	return h & x->mask;
}

static int index_old(struct build *b, struct mue_error *e)
{
	struct old_index *x = &b->old;
	uint32_t block = 1u << b->block_log2;
	struct stat st;
	int r;

	if (b->o->old_fd < 0)
		return MUE_OK;
	if (fstat(b->o->old_fd, &st))
		return mue_fail_errno(e, "old image");
	x->count = (uint32_t)((uint64_t)st.st_size >> b->block_log2); /* whole blocks only */
	for (x->mask = 15; x->mask < 2 * (uint64_t)x->count; x->mask = x->mask * 2 + 1)
		;
	x->digest = calloc(x->count + 1u, MUE_BLOCKS_DIGEST);
	x->slot = calloc((size_t)x->mask + 1, sizeof(*x->slot));
	if (!x->digest || !x->slot)
		return mue_fail(e, MUE_ENOMEM, "old image's index of %u blocks", x->count);
	for (uint32_t n = 0; n < x->count; n++) {
		uint32_t s;

		r = mue_fd_pread(b->o->old_fd, (uint64_t)n << b->block_log2, b->plain, block, e);
		if (r < 0)
			return mue_prefix(e, "old image");
		mue_hash_sha256(b->plain, block, x->digest[n]);
		for (s = slot_of(x, x->digest[n]); x->slot[s]; s = (s + 1) & x->mask)
			if (!memcmp(x->digest[x->slot[s] - 1], x->digest[n], MUE_BLOCKS_DIGEST))
				break; /* one of each is enough, or zeros would make long runs */
		if (!x->slot[s])
			x->slot[s] = n + 1;
	}
	return MUE_OK;
}

/* Where the old image has that block: at the same place if it can be, so that nothing is written.
 */
static int find_old(const struct build *b, const uint8_t *digest, uint32_t number, uint32_t len,
		    uint64_t *ret)
{
	const struct old_index *x = &b->old;

	if (!x->count || len != 1u << b->block_log2)
		return 0;
	if (number < x->count && !memcmp(x->digest[number], digest, MUE_BLOCKS_DIGEST)) {
		*ret = (uint64_t)number << b->block_log2;
		return 1;
	}
	for (uint32_t s = slot_of(x, digest); x->slot[s]; s = (s + 1) & x->mask) {
		if (memcmp(x->digest[x->slot[s] - 1], digest, MUE_BLOCKS_DIGEST))
			continue;
		*ret = (uint64_t)(x->slot[s] - 1) << b->block_log2;
		return 1;
	}
	return 0;
}

static int is_zero(const uint8_t *p, uint32_t len)
{
	return !p[0] && !memcmp(p, p + 1, len - 1);
}

/* Packs the block into b->stored; the shorter form is kept. */
static void store_literal(struct build *b, uint32_t len, uint8_t *entry)
{
	uint8_t *to = b->stored + b->packed;
	size_t n = len;

	if (b->o->level) {
		n = ZSTD_compressCCtx(b->zstd, to, ZSTD_compressBound(len), b->plain, len,
				      b->o->level);
		if (ZSTD_isError(n))
			n = len;
	}
	if (n < len)
		entry[1] = MUE_BLOCK_ZSTD;
	else
		memcpy(to, b->plain, n = len);
	put32(entry + 2, (uint32_t)n);
	b->packed += n;
}

static int add_block(struct build *b, uint32_t number, uint8_t *entry, struct mue_error *e)
{
	uint64_t at = (uint64_t)number << b->block_log2, source;
	uint32_t len = 1u << b->block_log2;
	int r;

	if (b->size - at < len)
		len = (uint32_t)(b->size - at);
	r = mue_fd_pread(b->in, at, b->plain, len, e);
	if (r < 0)
		return mue_prefix(e, "image");
	memset(entry, 0, MUE_BLOCKS_ENTRY);
	mue_hash_update(&b->image, b->plain, len);
	mue_hash_sha256(b->plain, len, entry + 14);
	if (is_zero(b->plain, len)) {
		entry[0] = MUE_BLOCK_ZERO;
		b->result->zero++;
	} else if (find_old(b, entry + 14, number, len, &source)) {
		entry[0] = MUE_BLOCK_COPY;
		put64(entry + 6, source);
		b->result->copy++;
	} else {
		entry[0] = MUE_BLOCK_LITERAL;
		store_literal(b, len, entry);
		b->result->literal++;
	}
	return MUE_OK;
}

static int add_group(struct build *b, uint32_t g, struct mue_error *e)
{
	uint8_t *rec = b->header + MUE_BLOCKS_FIXED + (size_t)g * MUE_BLOCKS_GROUP;
	uint32_t first = g << b->group_log2, n = b->blocks - first;
	size_t table_len;
	int r;

	if (n > 1u << b->group_log2)
		n = 1u << b->group_log2;
	b->packed = 0;
	for (uint32_t i = 0; i < n; i++) {
		r = add_block(b, first + i, b->table + (size_t)i * MUE_BLOCKS_ENTRY, e);
		if (r < 0)
			return r;
	}
	table_len = (size_t)n * MUE_BLOCKS_ENTRY;
	put64(rec, b->at);
	put32(rec + 8, (uint32_t)table_len);
	mue_hash_sha256(b->table, table_len, rec + 12);
	r = mue_fd_write(b->out, b->table, table_len, e);
	if (r == MUE_OK)
		r = mue_fd_write(b->out, b->stored, b->packed, e);
	if (r < 0)
		return mue_prefix(e, "container");
	b->at += table_len + b->packed;
	return MUE_OK;
}

static int allocate(struct build *b, struct mue_error *e)
{
	size_t block = (size_t)1 << b->block_log2, group = (size_t)1 << b->group_log2;

	b->header = calloc(1, b->result->header_size);
	b->plain = malloc(block);
	b->table = malloc(group * MUE_BLOCKS_ENTRY);
	b->stored = malloc(group * ZSTD_compressBound(block));
	b->zstd = ZSTD_createCCtx();
	if (!b->header || !b->plain || !b->table || !b->stored || !b->zstd)
		return mue_fail(e, MUE_ENOMEM, "container of %u blocks", b->blocks);
	return mue_hash_init(&b->image, MUE_HASH_SHA256);
}

static int measure(struct build *b, struct mue_error *e)
{
	const struct mue_blocks_options *o = b->o;
	struct stat st;
	off_t end;

	b->block_log2 = o->block_log2 ? o->block_log2 : 16;
	b->group_log2 = o->group_log2 ? o->group_log2 : 6;
	if (b->block_log2 < MUE_BLOCKS_LOG2_MIN || b->block_log2 > MUE_BLOCKS_LOG2_MAX)
		return mue_fail(e, MUE_EINVAL, "block size 2^%u: 2^%d to 2^%d are possible",
				b->block_log2, MUE_BLOCKS_LOG2_MIN, MUE_BLOCKS_LOG2_MAX);
	if (b->group_log2 > MUE_BLOCKS_GROUP_LOG2_MAX)
		return mue_fail(e, MUE_EINVAL, "group of 2^%u blocks: at most 2^%d", b->group_log2,
				MUE_BLOCKS_GROUP_LOG2_MAX);
	if (o->level < 0 || o->level > 19)
		return mue_fail(e, MUE_EINVAL, "zstd level %d: 0 to 19 are possible", o->level);
	end = lseek(b->in, 0, SEEK_END);
	if (end < 0 || fstat(b->in, &st))
		return mue_fail_errno(e, "image");
	if (end == 0)
		return mue_fail(e, MUE_ESIZE, "image is empty");
	b->size = (uint64_t)end;
	if (b->size >> b->block_log2 >= UINT32_MAX)
		return mue_fail(e, MUE_EINVAL, "image of %llu bytes needs larger blocks",
				(unsigned long long)b->size);
	b->blocks = (uint32_t)((b->size + (1u << b->block_log2) - 1) >> b->block_log2);
	b->groups = (uint32_t)(((uint64_t)b->blocks + (1u << b->group_log2) - 1) >> b->group_log2);
	b->result->header_size = MUE_BLOCKS_FIXED + b->groups * MUE_BLOCKS_GROUP;
	b->at = b->result->header_size;
	return MUE_OK;
}

/* The header is written last, over the room that was left for it. */
static int finish(struct build *b, struct mue_error *e)
{
	struct mue_blocks_result *r = b->result;

	memcpy(b->header, "MUEB", 4);
	b->header[4] = 1;
	b->header[5] = b->block_log2;
	b->header[6] = b->group_log2;
	put64(b->header + 8, b->size);
	mue_hash_final(&b->image, r->image);
	memcpy(b->header + 16, r->image, sizeof(r->image));
	put32(b->header + 48, b->blocks);
	put32(b->header + 52, b->groups);
	mue_hash_sha256(b->header, r->header_size, r->root);
	r->image_size = b->size;
	r->size = b->at;
	if (lseek(b->out, 0, SEEK_SET) < 0)
		return mue_fail_errno(e, "container");
	return mue_fd_write(b->out, b->header, r->header_size, e);
}

static int build(struct build *b, struct mue_error *e)
{
	int r = measure(b, e);

	if (r == MUE_OK)
		r = allocate(b, e);
	if (r == MUE_OK)
		r = index_old(b, e);
	if (r < 0)
		return r;
	if (ftruncate(b->out, 0) || lseek(b->out, (off_t)b->at, SEEK_SET) < 0)
		return mue_fail_errno(e, "container");
	for (uint32_t g = 0; g < b->groups && r == MUE_OK; g++) {
		r = add_group(b, g, e);
		if (r == MUE_OK && b->o->progress) {
			uint64_t done = (uint64_t)(g + 1) << (b->group_log2 + b->block_log2);

			b->o->progress(b->o->progress_ctx, done < b->size ? done : b->size,
				       b->size);
		}
	}
	return r < 0 ? r : finish(b, e);
}

int mue_blocks_build(int image_fd, int out_fd, const struct mue_blocks_options *o,
		     struct mue_blocks_result *ret, struct mue_error *e)
{
	struct mue_blocks_result result = { 0 };
	struct build b = { .o = o, .in = image_fd, .out = out_fd, .result = &result };
	int r = build(&b, e);

	mue_hash_drop(&b.image);
	ZSTD_freeCCtx(b.zstd);
	free(b.header);
	free(b.plain);
	free(b.stored);
	free(b.table);
	free(b.old.digest);
	free(b.old.slot);
	if (r == MUE_OK)
		*ret = result;
	return r;
}
