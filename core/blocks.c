#include "core/blocks.h"

#include "core/err.h"
#include "core/mem.h"
#include "core/sha256.h"

/* Offsets of the header's fields. */
enum {
	AT_MAGIC = 0,
	AT_VERSION = 4,
	AT_BLOCK = 5,
	AT_GROUP = 6,
	AT_ZERO = 7,
	AT_SIZE = 8,
	AT_DIGEST = 16,
	AT_BLOCKS = 48,
	AT_GROUPS = 52
};
/* Of a group record. */
enum { G_OFFSET = 0, G_LENGTH = 8, G_DIGEST = 12 };
/* Of a block's entry. */
enum { E_KIND = 0, E_PACKING = 1, E_STORED = 2, E_SOURCE = 6, E_DIGEST = 14 };

static const uint8_t magic[4] = { 'M', 'U', 'E', 'B' };

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t get64(const uint8_t *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

/* Blocks or groups that hold `n` things, 1 << log2 in each. */
static uint64_t parts(uint64_t n, uint8_t log2)
{
	return (n + ((uint64_t)1 << log2) - 1) >> log2;
}

static int digest_is(const uint8_t *data, size_t len, const uint8_t *digest)
{
	struct mue_sha256 s;
	uint8_t d[MUE_SHA256_SIZE];

	mue_sha256_init(&s);
	mue_sha256_update(&s, data, len);
	mue_sha256_final(&s, d);
	return memcmp(d, digest, sizeof(d)) == 0;
}

int mue_blocks_header_size(const uint8_t *fixed, size_t len, uint64_t *ret)
{
	if (len < MUE_BLOCKS_FIXED)
		return MUE_ETRUNC;
	if (memcmp(fixed + AT_MAGIC, magic, sizeof(magic)) || fixed[AT_VERSION] != 1)
		return MUE_EFORMAT;
	*ret = MUE_BLOCKS_FIXED + (uint64_t)get32(fixed + AT_GROUPS) * MUE_BLOCKS_GROUP;
	return MUE_OK;
}

/* Each group stands behind the one before; its table has an entry for each of its blocks. */
static int check_groups(const struct mue_blocks *b, uint64_t header_len)
{
	uint64_t at = header_len;
	uint32_t left = b->block_count, full = (uint32_t)1 << b->group_log2;

	for (uint32_t g = 0; g < b->group_count; g++) {
		const uint8_t *rec = b->groups + (size_t)g * MUE_BLOCKS_GROUP;
		uint32_t n = left < full ? left : full;
		uint64_t offset = get64(rec + G_OFFSET);

		if (offset < at || offset > UINT64_MAX / 2)
			return MUE_EFORMAT;
		if (get32(rec + G_LENGTH) != n * MUE_BLOCKS_ENTRY)
			return MUE_EFORMAT;
		at = offset + n * MUE_BLOCKS_ENTRY;
		left -= n;
	}
	return left ? MUE_EFORMAT : MUE_OK;
}

int mue_blocks_open(const uint8_t *header, size_t len, const uint8_t root[MUE_BLOCKS_DIGEST],
		    struct mue_blocks *ret)
{
	struct mue_blocks b;
	uint64_t size;
	int r = mue_blocks_header_size(header, len, &size);

	if (r < 0)
		return r;
	if (size != len)
		return size > len ? MUE_ETRUNC : MUE_EFORMAT;
	if (!digest_is(header, len, root))
		return MUE_EDIGEST;
	b.block_log2 = header[AT_BLOCK];
	b.group_log2 = header[AT_GROUP];
	b.image_size = get64(header + AT_SIZE);
	b.image_digest = header + AT_DIGEST;
	b.block_count = get32(header + AT_BLOCKS);
	b.group_count = get32(header + AT_GROUPS);
	b.groups = header + MUE_BLOCKS_FIXED;
	if (b.block_log2 < MUE_BLOCKS_LOG2_MIN || b.block_log2 > MUE_BLOCKS_LOG2_MAX ||
	    b.group_log2 > MUE_BLOCKS_GROUP_LOG2_MAX || header[AT_ZERO])
		return MUE_EFORMAT;
	if (b.image_size == 0 || b.image_size > UINT64_MAX / 2)
		return MUE_ESIZE;
	if (parts(b.image_size, b.block_log2) != b.block_count ||
	    parts(b.block_count, b.group_log2) != b.group_count)
		return MUE_EFORMAT;
	r = check_groups(&b, len);
	if (r < 0)
		return r;
	*ret = b;
	return MUE_OK;
}

int mue_blocks_table(const struct mue_blocks *b, uint32_t g, uint64_t *ret_offset,
		     uint32_t *ret_len)
{
	const uint8_t *rec;

	if (g >= b->group_count)
		return MUE_EINVAL;
	rec = b->groups + (size_t)g * MUE_BLOCKS_GROUP;
	*ret_offset = get64(rec + G_OFFSET);
	*ret_len = get32(rec + G_LENGTH);
	return MUE_OK;
}

/* Which kinds store bytes, and which have a source: anything else in those fields is refused. */
static int entry_holds(const uint8_t *entry, uint32_t block_size)
{
	uint32_t stored = get32(entry + E_STORED);
	uint64_t source = get64(entry + E_SOURCE);
	uint8_t packing = entry[E_PACKING];

	if (packing > MUE_BLOCK_ZSTD || source > UINT64_MAX / 2)
		return 0;
	switch (entry[E_KIND]) {
	case MUE_BLOCK_LITERAL:
		if (source)
			return 0;
		return packing == MUE_BLOCK_PLAIN ? stored == block_size
						  : stored > 0 && stored < block_size;
	case MUE_BLOCK_ZERO:
		return !stored && !source && packing == MUE_BLOCK_PLAIN;
	case MUE_BLOCK_COPY:
		return !stored && packing == MUE_BLOCK_PLAIN;
	case MUE_BLOCK_DELTA:
		return stored > 0 && stored < block_size;
	default:
		return 0;
	}
}

static uint32_t size_of_block(const struct mue_blocks *b, uint32_t number)
{
	uint64_t at = (uint64_t)number << b->block_log2, left = b->image_size - at;
	uint32_t full = (uint32_t)1 << b->block_log2;

	return left < full ? (uint32_t)left : full;
}

int mue_block_group_open(const struct mue_blocks *b, uint32_t g, const uint8_t *table, size_t len,
			 struct mue_block_group *ret)
{
	struct mue_block_group group;
	uint64_t offset;
	uint32_t table_len;
	int r = mue_blocks_table(b, g, &offset, &table_len);

	if (r < 0)
		return r;
	if (len != table_len)
		return MUE_ETRUNC;
	if (!digest_is(table, len, b->groups + (size_t)g * MUE_BLOCKS_GROUP + G_DIGEST))
		return MUE_EDIGEST;
	group.blocks = b;
	group.entries = table;
	group.data = offset + table_len;
	group.first = g << b->group_log2;
	group.count = table_len / MUE_BLOCKS_ENTRY;
	for (uint32_t i = 0; i < group.count; i++)
		if (!entry_holds(table + (size_t)i * MUE_BLOCKS_ENTRY,
				 size_of_block(b, group.first + i)))
			return MUE_EFORMAT;
	*ret = group;
	return MUE_OK;
}

static void fill(const struct mue_block_group *g, uint32_t i, uint64_t stored_at,
		 struct mue_block *ret)
{
	const uint8_t *entry = g->entries + (size_t)i * MUE_BLOCKS_ENTRY;

	ret->kind = entry[E_KIND];
	ret->packing = entry[E_PACKING];
	ret->stored = get32(entry + E_STORED);
	ret->source = get64(entry + E_SOURCE);
	ret->digest = entry + E_DIGEST;
	ret->stored_at = stored_at;
	ret->offset = (uint64_t)(g->first + i) << g->blocks->block_log2;
	ret->size = size_of_block(g->blocks, g->first + i);
}

int mue_block_at(const struct mue_block_group *g, uint32_t i, struct mue_block *ret)
{
	uint64_t at = g->data;

	if (i >= g->count)
		return MUE_EINVAL;
	for (uint32_t j = 0; j < i; j++)
		at += get32(g->entries + (size_t)j * MUE_BLOCKS_ENTRY + E_STORED);
	fill(g, i, at, ret);
	return MUE_OK;
}

int mue_block_next(const struct mue_block_group *g, struct mue_block *b)
{
	uint32_t i = (uint32_t)(b->offset >> g->blocks->block_log2) - g->first + 1;

	if (i >= g->count)
		return MUE_ENODATA;
	fill(g, i, b->stored_at + b->stored, b);
	return MUE_OK;
}
