/* A patch between unpacked images with what is needed to pack again: docs/FORMATS.md, "Delta". */
#include "delta/unpack.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum {
	MAGIC_0 = 'M',
	MAGIC_1 = 0xd2,
	VERSION = 1,
	HEAD = 3 + 2 * MUE_DELTA_DIGEST + 12,
	ENTRY = 9
};

static void digest8(struct mue_span s, uint8_t ret[MUE_DELTA_DIGEST])
{
	struct mue_sha256 sha;
	uint8_t full[MUE_SHA256_SIZE];

	mue_sha256_init(&sha);
	mue_sha256_update(&sha, s.data, s.len);
	mue_sha256_final(&sha, full);
	memcpy(ret, full, MUE_DELTA_DIGEST);
}

/* Columns compress better than rows: all gaps, all lengths, all levels. */
static uint8_t *list_of(const struct mue_unpacked *u)
{
	uint8_t *list = malloc(u->n * ENTRY + 1);

	for (size_t i = 0; list && i < u->n; i++) {
		mue_delta_put32(list + 4 * i, u->streams[i].gap);
		mue_delta_put32(list + 4 * (u->n + i), u->streams[i].len);
		list[8 * u->n + i] = u->streams[i].level;
	}
	return list;
}

int mue_wrap(struct mue_span old, struct mue_span new, const struct mue_unpacked *u,
	     struct mue_span inner, uint8_t **ret, size_t *ret_len, struct mue_error *e)
{
	size_t raw = u->n * ENTRY, bound = ZSTD_compressBound(raw), packed;
	uint8_t *list = list_of(u), *out = malloc(HEAD + bound + inner.len);

	if (!list || !out) {
		free(list);
		free(out);
		return mue_fail(e, MUE_ENOMEM, "no memory for the patch");
	}
	packed = ZSTD_compress(out + HEAD, bound, list, raw, 19);
	free(list);
	if (ZSTD_isError(packed)) {
		free(out);
		return mue_fail(e, MUE_ENOMEM, "%s", ZSTD_getErrorName(packed));
	}
	out[0] = MAGIC_0;
	out[1] = MAGIC_1;
	out[2] = VERSION << 4;
	digest8(old, out + 3);
	digest8(new, out + 3 + MUE_DELTA_DIGEST);
	mue_delta_put32(out + HEAD - 12, (uint32_t) new.len);
	mue_delta_put32(out + HEAD - 8, (uint32_t)u->n);
	mue_delta_put32(out + HEAD - 4, (uint32_t)packed);
	memcpy(out + HEAD + packed, inner.data, inner.len);
	*ret = out;
	*ret_len = HEAD + packed + inner.len;
	return MUE_OK;
}

bool mue_is_unpacked_patch(struct mue_span patch)
{
	return patch.len >= HEAD && patch.data[0] == MAGIC_0 && patch.data[1] == MAGIC_1;
}

/* Reads the list into *u and points *ret_inner at the patch inside. */
static int read_list(struct mue_span patch, struct mue_unpacked *u, struct mue_span *ret_inner,
		     struct mue_error *e)
{
	size_t n = mue_delta_get32(patch.data + HEAD - 8);
	size_t packed = mue_delta_get32(patch.data + HEAD - 4), raw = n * ENTRY;
	uint8_t *list;

	if (packed > patch.len - HEAD || n > INT32_MAX / ENTRY)
		return mue_fail(e, MUE_ETRUNC, "the list of streams ends too early");
	list = malloc(raw + 1);
	u->streams = calloc(n + 1, sizeof(*u->streams));
	if (!list || !u->streams) {
		free(list);
		return mue_fail(e, MUE_ENOMEM, "no memory for %zu streams", n);
	}
	if (ZSTD_decompress(list, raw, patch.data + HEAD, packed) != raw) {
		free(list);
		return mue_fail(e, MUE_EFORMAT, "the list of streams is damaged");
	}
	for (size_t i = 0; i < n; i++) {
		u->streams[i].gap = mue_delta_get32(list + 4 * i);
		u->streams[i].len = mue_delta_get32(list + 4 * (n + i));
		u->streams[i].level = list[8 * n + i] % 10;
	}
	u->n = n;
	free(list);
	ret_inner->data = patch.data + HEAD + packed;
	ret_inner->len = patch.len - HEAD - packed;
	return MUE_OK;
}

/* Unpacks old and applies the inner patch: new, unpacked. */
static int apply_inner(struct mue_span old, struct mue_span inner, struct mue_unpacked *u,
		       struct mue_error *e)
{
	struct mue_unpacked from;
	struct mue_span span;
	int r = mue_unpack(old, false, &from, e);

	if (r < 0)
		return r;
	span.data = from.data;
	span.len = from.len;
	r = mue_is_unpacked_patch(inner) ? mue_fail(e, MUE_EFORMAT, "a patch in a patch in a patch")
					 : mue_patch(span, inner, &u->data, &u->len, e);
	mue_unpacked_free(&from);
	return r;
}

int mue_patch_unpacked(struct mue_span old, struct mue_span patch, uint8_t **ret_new,
		       size_t *ret_len, struct mue_error *e)
{
	struct mue_unpacked u = { 0 };
	struct mue_span inner = { 0 }, new = { 0 };
	uint8_t digest[MUE_DELTA_DIGEST], *packed = NULL;
	int r;

	if (patch.data[2] != VERSION << 4)
		return mue_fail(e, MUE_EPROFILE, "a patch of a later version");
	digest8(old, digest);
	if (memcmp(digest, patch.data + 3, sizeof(digest)) != 0)
		return mue_fail(e, MUE_EPRECURSOR, "the patch was made from another image");
	r = read_list(patch, &u, &inner, e);
	if (r == MUE_OK)
		r = apply_inner(old, inner, &u, e);
	if (r == MUE_OK)
		r = mue_repack(&u, &packed, &new.len, e);
	mue_unpacked_free(&u);
	if (r < 0)
		return r;
	new.data = packed;
	digest8(new, digest);
	if (new.len != mue_delta_get32(patch.data + HEAD - 12) ||
	    memcmp(digest, patch.data + 3 + MUE_DELTA_DIGEST, sizeof(digest)) != 0) {
		free(packed);
		return mue_fail(e, MUE_EDIGEST, "this zlib packs otherwise than the encoder's");
	}
	*ret_new = packed;
	*ret_len = new.len;
	return MUE_OK;
}
