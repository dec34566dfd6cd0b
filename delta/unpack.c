#include "delta/unpack.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { STREAM_MIN = 64, STREAM_MAX = 1 << 20 };

static int grow(void **p, size_t *room, size_t want, size_t item, struct mue_error *e)
{
	size_t n = *room ? *room : 4096;
	void *q;

	if (want <= *room)
		return MUE_OK;
	while (n < want)
		n *= 2;
	q = realloc(*p, n * item);
	if (!q)
		return mue_fail(e, MUE_ENOMEM, "no memory to unpack %zu bytes", n * item);
	*p = q;
	*room = n;
	return MUE_OK;
}

static int add_bytes(struct mue_unpacked *u, const uint8_t *data, size_t len, struct mue_error *e)
{
	int r;

	if (u->len + len > INT32_MAX)
		return mue_fail(e, MUE_ESIZE, "unpacked, the image is 2 GiB or more");
	r = grow((void **)&u->data, &u->room, u->len + len + 1, 1, e);
	if (r == MUE_OK && len) {
		memcpy(u->data + u->len, data, len);
		u->len += len;
	}
	return r;
}

static int add_stream(struct mue_unpacked *u, size_t gap, size_t len, uint8_t level,
		      struct mue_error *e)
{
	int r = grow((void **)&u->streams, &u->streams_room, u->n + 1, sizeof(*u->streams), e);

	if (r == MUE_OK) {
		u->streams[u->n].gap = (uint32_t)gap;
		u->streams[u->n].len = (uint32_t)len;
		u->streams[u->n++].level = level;
	}
	return r;
}

/* Unpacks the stream that starts at `in`; 0: there is none.  *ret_packed: its bytes there. */
static size_t inflate_at(z_stream *z, const uint8_t *in, size_t len, uint8_t *out,
			 size_t *ret_packed)
{
	if (inflateReset(z) != Z_OK)
		return 0;
	z->next_in = (Bytef *)(uintptr_t)in;
	z->avail_in = len < 2 * STREAM_MAX ? (uInt)len : 2 * STREAM_MAX;
	z->next_out = out;
	z->avail_out = STREAM_MAX;
	if (inflate(z, Z_FINISH) != Z_STREAM_END)
		return 0;
	*ret_packed = z->total_in;
	return z->total_out;
}

/* The level that packs `data` into exactly `packed`; 0: none does. */
static uint8_t prove_level(struct mue_span data, struct mue_span packed, uint8_t *tmp)
{
	static const uint8_t levels[] = { 9, 6, 1 };

	for (size_t i = 0; i < sizeof(levels); i++) {
		uLongf len = compressBound(STREAM_MAX);

		if (compress2(tmp, &len, data.data, (uLong)data.len, levels[i]) == Z_OK &&
		    len == packed.len && memcmp(tmp, packed.data, len) == 0)
			return levels[i];
	}
	return 0;
}

/* RFC 1950, section 2.2: deflate, window of 32 KiB, header divisible by 31, no dictionary. */
static bool may_start(const uint8_t *p)
{
	return p[0] == 0x78 && !((p[0] << 8 | p[1]) % 31) && !(p[1] & 0x20);
}

struct scan {
	struct mue_span image;
	struct mue_unpacked *u;
	z_stream z;
	uint8_t *out, *tmp;
	size_t done; /* bytes of the image that are in u */
	bool prove;
};

/* Takes the stream at `at` when there is one; *ret_len: its bytes in the image, else 0. */
static int take_stream(struct scan *s, size_t at, size_t *ret_len, struct mue_error *e)
{
	const uint8_t *in = s->image.data + at;
	size_t packed = 0, len = inflate_at(&s->z, in, s->image.len - at, s->out, &packed);
	struct mue_span data = { s->out, len }, was = { in, packed };
	uint8_t level = 0;
	int r;

	*ret_len = 0;
	if (len < STREAM_MIN)
		return MUE_OK;
	if (s->prove) {
		level = prove_level(data, was, s->tmp);
		if (!level)
			return MUE_OK;
	}
	r = add_stream(s->u, at - s->done, len, level, e);
	if (r == MUE_OK)
		r = add_bytes(s->u, s->image.data + s->done, at - s->done, e);
	if (r == MUE_OK)
		r = add_bytes(s->u, s->out, len, e);
	s->done = at + packed;
	s->u->packed += packed;
	*ret_len = packed;
	return r;
}

int mue_unpack(struct mue_span image, bool prove, struct mue_unpacked *ret, struct mue_error *e)
{
	struct scan s = { .image = image, .u = ret, .prove = prove };
	size_t at = 0, len;
	int r = MUE_OK;

	memset(ret, 0, sizeof(*ret));
	s.out = malloc(STREAM_MAX);
	s.tmp = malloc(compressBound(STREAM_MAX));
	if (!s.out || !s.tmp || inflateInit(&s.z) != Z_OK) {
		free(s.out);
		free(s.tmp);
		return mue_fail(e, MUE_ENOMEM, "no memory to unpack");
	}
	while (r == MUE_OK && at + 8 < image.len) {
		len = 0;
		if (may_start(image.data + at))
			r = take_stream(&s, at, &len, e);
		at += len ? len : 1;
	}
	if (r == MUE_OK)
		r = add_bytes(ret, image.data + s.done, image.len - s.done, e);
	inflateEnd(&s.z);
	free(s.out);
	free(s.tmp);
	if (r < 0)
		mue_unpacked_free(ret);
	return r;
}

void mue_unpacked_free(struct mue_unpacked *u)
{
	free(u->data);
	free(u->streams);
	memset(u, 0, sizeof(*u));
}

bool mue_unpack_pays(const struct mue_unpacked *u, size_t image_len)
{
	return u->n && u->packed > image_len / 8;
}

int mue_repack(const struct mue_unpacked *u, uint8_t **ret, size_t *ret_len, struct mue_error *e)
{
	struct mue_unpacked out = { 0 };
	uint8_t *tmp = malloc(compressBound(STREAM_MAX));
	size_t at = 0;
	int r = tmp ? MUE_OK : mue_fail(e, MUE_ENOMEM, "no memory to pack");

	for (size_t i = 0; i < u->n && r == MUE_OK; i++) {
		const struct mue_stream *s = &u->streams[i];
		uLongf len = compressBound(STREAM_MAX);

		if (s->len > STREAM_MAX || s->gap > u->len - at || s->len > u->len - at - s->gap)
			r = mue_fail(e, MUE_EFORMAT, "the list of streams is damaged");
		if (r == MUE_OK)
			r = add_bytes(&out, u->data + at, s->gap, e);
		at += s->gap;
		if (r == MUE_OK && compress2(tmp, &len, u->data + at, s->len, s->level) != Z_OK)
			r = mue_fail(e, MUE_EFORMAT, "a stream cannot be packed");
		if (r == MUE_OK)
			r = add_bytes(&out, tmp, len, e);
		at += s->len;
	}
	if (r == MUE_OK)
		r = add_bytes(&out, u->data + at, u->len - at, e);
	free(tmp);
	if (r < 0) {
		free(out.data);
		return r;
	}
	*ret = out.data;
	*ret_len = out.len;
	return MUE_OK;
}
