#include "core/pieces.h"

#include "core/crc.h"
#include "core/err.h"
#include "core/mem.h"

#define GRAIN_LOG2_MAX 20
#define HEAD_BODY      (MUE_PIECES_HEAD - 4)

static uint32_t grains_of(uint32_t size, uint8_t grain_log2)
{
	uint32_t whole = size >> grain_log2;

	return whole << grain_log2 == size ? whole : whole + 1;
}

uint32_t mue_pieces_bitmap_size(uint32_t size, uint8_t grain_log2)
{
	uint32_t n = grains_of(size, grain_log2);

	return (n >> 3) + (n & 7 ? 1 : 0);
}

int mue_pieces_grain(uint32_t size, uint32_t bytes, uint8_t min_log2)
{
	uint8_t k;

	for (k = min_log2; k <= GRAIN_LOG2_MAX; k++)
		if (mue_pieces_bitmap_size(size, k) <= bytes)
			return k;
	return MUE_ENOSPC;
}

static bool has(const struct mue_pieces *p, uint32_t grain)
{
	return p->bitmap[grain >> 3] >> (grain & 7) & 1;
}

static void set(struct mue_pieces *p, uint32_t grain)
{
	p->bitmap[grain >> 3] = (uint8_t)(p->bitmap[grain >> 3] | 1u << (grain & 7));
}

static void unset(struct mue_pieces *p, uint32_t grain)
{
	p->bitmap[grain >> 3] = (uint8_t)(p->bitmap[grain >> 3] & ~(1u << (grain & 7)));
}

static uint32_t start_of(const struct mue_pieces *p, uint32_t grain)
{
	return grain << p->grain_log2;
}

/* Bytes in this grain; the last one may be short. */
static uint32_t length_of(const struct mue_pieces *p, uint32_t grain)
{
	uint32_t left = p->size - start_of(p, grain), whole = (uint32_t)1 << p->grain_log2;

	return left < whole ? left : whole;
}

static struct mue_pieces_part *find_part(const struct mue_pieces *p, uint32_t grain)
{
	uint8_t i;

	for (i = 0; i < p->nparts; i++)
		if (p->parts[i].to && p->parts[i].grain == grain)
			return &p->parts[i];
	return NULL;
}

static struct mue_pieces_part *free_part(const struct mue_pieces *p)
{
	uint8_t i;

	for (i = 0; i < p->nparts; i++)
		if (!p->parts[i].to)
			return &p->parts[i];
	return NULL;
}

static int setup(struct mue_pieces *p, const struct mue_pieces_sink *sink, void *ctx,
		 const uint8_t *key, uint32_t size, uint8_t grain_log2, uint8_t *bitmap,
		 uint32_t bitmap_len, struct mue_pieces_part *parts, uint8_t nparts)
{
	uint8_t i;

	if (!size || grain_log2 > GRAIN_LOG2_MAX)
		return MUE_EINVAL;
	if (mue_pieces_bitmap_size(size, grain_log2) > bitmap_len)
		return MUE_ENOSPC;
	memset(p, 0, sizeof(*p));
	p->sink = sink;
	p->ctx = ctx;
	p->bitmap = bitmap;
	p->parts = parts;
	p->nparts = parts ? nparts : 0;
	p->grain_log2 = grain_log2;
	memcpy(p->key, key, MUE_PIECES_KEY);
	p->size = size;
	p->count = grains_of(size, grain_log2);
	for (i = 0; i < p->nparts; i++)
		parts[i].to = 0;
	return MUE_OK;
}

int mue_pieces_begin(struct mue_pieces *p, const struct mue_pieces_sink *sink, void *ctx,
		     const uint8_t key[MUE_PIECES_KEY], uint32_t size, uint8_t grain_log2,
		     uint8_t *bitmap, uint32_t bitmap_len, struct mue_pieces_part *parts,
		     uint8_t nparts)
{
	int e = setup(p, sink, ctx, key, size, grain_log2, bitmap, bitmap_len, parts, nparts);

	if (e == MUE_OK)
		memset(bitmap, 0, (size_t)mue_pieces_bitmap_size(size, grain_log2));
	return e;
}

/* What of [from, to) in `grain` is there already: *ret_from, *ret_to (empty: equal). */
static void overlap(const struct mue_pieces *p, uint32_t grain, uint32_t from, uint32_t to,
		    uint32_t *ret_from, uint32_t *ret_to)
{
	const struct mue_pieces_part *part = find_part(p, grain);

	*ret_from = *ret_to = from;
	if (has(p, grain)) {
		*ret_to = to;
	} else if (part && part->from < to && from < part->to) {
		*ret_from = part->from > from ? part->from : from;
		*ret_to = part->to < to ? part->to : to;
	}
}

static int compare(const struct mue_pieces *p, uint32_t off, const uint8_t *data, uint32_t len)
{
	uint8_t there[32];
	uint32_t n;
	int e;

	for (; len; off += n, data += n, len -= n) {
		n = len < sizeof(there) ? len : (uint32_t)sizeof(there);
		e = p->sink->read(p->ctx, off, there, n);
		if (e < 0)
			return e;
		if (memcmp(there, data, (size_t)n))
			return MUE_ECONFLICT;
	}
	return MUE_OK;
}

/* One grain's share of a piece: bytes [from, to) of `grain`, which are at `data`. */
struct share {
	const uint8_t *data;
	uint32_t grain, from, to;
};

/* The first share of what is left of a piece; the rest begins behind it. */
static struct share share_of(const struct mue_pieces *p, uint32_t off, const uint8_t *data,
			     uint32_t len)
{
	struct share s;
	uint32_t room;

	s.data = data;
	s.grain = off >> p->grain_log2;
	s.from = off - start_of(p, s.grain);
	room = length_of(p, s.grain) - s.from;
	s.to = s.from + (len < room ? len : room);
	return s;
}

/* Every byte of the piece that is there already must be the same, before any is written. */
static int check_all(const struct mue_pieces *p, uint32_t off, const uint8_t *data, uint32_t len)
{
	uint32_t a, b, n;
	struct share s;
	int e;

	if (!p->sink->read)
		return MUE_OK;
	for (; len; off += n, data += n, len -= n) {
		s = share_of(p, off, data, len);
		n = s.to - s.from;
		overlap(p, s.grain, s.from, s.to, &a, &b);
		e = compare(p, start_of(p, s.grain) + a, data + (a - s.from), b - a);
		if (e < 0)
			return e;
	}
	return MUE_OK;
}

static int write_share(struct mue_pieces *p, const struct share *s, uint32_t from, uint32_t to)
{
	int e;

	if (from >= to)
		return MUE_OK;
	e = p->sink->write(p->ctx, start_of(p, s->grain) + from, s->data + (from - s->from),
			   to - from);
	if (e == MUE_OK)
		p->have += to - from;
	return e;
}

/* A share that touches the part grows it on both sides. */
static int grow(struct mue_pieces *p, struct mue_pieces_part *part, const struct share *s)
{
	int e;

	if (s->from < part->from) {
		e = write_share(p, s, s->from, part->from);
		if (e < 0)
			return e;
		part->from = s->from;
	}
	if (s->to > part->to) {
		e = write_share(p, s, part->to, s->to);
		if (e < 0)
			return e;
		part->to = s->to;
	}
	return MUE_OK;
}

static int take(struct mue_pieces *p, const struct share *s)
{
	struct mue_pieces_part *part = find_part(p, s->grain);
	uint32_t len = length_of(p, s->grain);
	int e;

	if (has(p, s->grain))
		return MUE_OK;
	if (part && s->to >= part->from && s->from <= part->to) {
		e = grow(p, part, s);
		if (e < 0)
			return e;
		if (part->from == 0 && part->to == len) {
			part->to = 0;
			set(p, s->grain);
		}
		return MUE_OK;
	}
	if (s->from == 0 && s->to == len) {
		e = write_share(p, s, 0, len);
		if (e == MUE_OK)
			set(p, s->grain);
		return e;
	}
	if (part) /* a second island in one grain: too rare to keep, it will be wanted again */
		return MUE_OK;
	part = free_part(p);
	if (!part)
		return MUE_OK;
	e = write_share(p, s, s->from, s->to);
	if (e < 0)
		return e;
	part->grain = s->grain;
	part->from = s->from;
	part->to = s->to;
	return MUE_OK;
}

int32_t mue_pieces_put(struct mue_pieces *p, const uint8_t key[MUE_PIECES_KEY], uint32_t off,
		       const void *data, uint32_t len)
{
	const uint8_t *d = data;
	uint32_t before = p->have, n;
	struct share s;
	int e;

	if (len > INT32_MAX)
		return MUE_EINVAL;
	if (memcmp(key, p->key, MUE_PIECES_KEY))
		return MUE_ENOTFOUND;
	if (off > p->size || len > p->size - off)
		return MUE_ESIZE;
	e = check_all(p, off, d, len);
	if (e < 0)
		return e;
	for (; len; off += n, d += n, len -= n) {
		s = share_of(p, off, d, len);
		n = s.to - s.from;
		e = take(p, &s);
		if (e < 0)
			return e;
	}
	return (int32_t)(p->have - before);
}

/* The first missing range of this grain at or after byte `from` of it; false: none. */
static bool gap_in(const struct mue_pieces *p, uint32_t grain, uint32_t from, uint32_t *ret_from,
		   uint32_t *ret_to)
{
	const struct mue_pieces_part *part = find_part(p, grain);
	uint32_t len = length_of(p, grain);

	if (has(p, grain) || from >= len)
		return false;
	if (!p->nparts)
		from = 0;
	*ret_to = len;
	if (part && from >= part->from && from < part->to)
		from = part->to;
	else if (part && from < part->from)
		*ret_to = part->from;
	*ret_from = from;
	return from < len;
}

/* Would put take a piece that begins at `off` and ends inside that grain? */
static bool takeable(const struct mue_pieces *p, uint32_t off, uint32_t len)
{
	uint32_t grain = off >> p->grain_log2, from = off - start_of(p, grain);
	const struct mue_pieces_part *part = find_part(p, grain);

	if (part)
		return from <= part->to && from + len >= part->from;
	return (from == 0 && len >= length_of(p, grain)) || free_part(p);
}

/* At most `max` bytes that touch the part: behind it, else before it. */
static void beside(const struct mue_pieces *p, const struct mue_pieces_part *part, uint32_t max,
		   uint32_t *ret_off, uint32_t *ret_len)
{
	uint32_t start = start_of(p, part->grain), room = length_of(p, part->grain) - part->to;

	if (room) {
		*ret_len = room < max ? room : max;
		*ret_off = start + part->to;
	} else {
		*ret_len = part->from < max ? part->from : max;
		*ret_off = start + part->from - *ret_len;
	}
}

/* Shortens a range to `max` bytes, in such a way that a piece of that range will be taken. */
static void shorten(const struct mue_pieces *p, uint32_t max, uint32_t *off, uint32_t *len)
{
	const struct mue_pieces_part *part;

	if (!p->nparts) {
		*len = max >> p->grain_log2 << p->grain_log2;
		if (!*len)
			*len = length_of(p, *off >> p->grain_log2);
		return;
	}
	*len = max;
	if (takeable(p, *off, max))
		return;
	part = find_part(p, *off >> p->grain_log2);
	beside(p, part ? part : p->parts, max, off, len);
}

bool mue_pieces_missing(const struct mue_pieces *p, uint32_t from, uint32_t max, uint32_t *ret_off,
			uint32_t *ret_len)
{
	uint32_t grain = from >> p->grain_log2, at, a, b, off, end;

	if (from >= p->size)
		return false;
	at = from - start_of(p, grain);
	while (!gap_in(p, grain, at, &a, &b)) {
		at = 0;
		if (++grain == p->count)
			return false;
	}
	off = start_of(p, grain) + a;
	end = start_of(p, grain) + b;
	/* Goes on over grains that miss their beginning, as long as `max` allows. */
	while (b == length_of(p, grain) && ++grain < p->count && (!max || end - off < max) &&
	       gap_in(p, grain, 0, &a, &b) && a == 0)
		end = start_of(p, grain) + b;
	*ret_off = off;
	*ret_len = end - off;
	if (max && *ret_len > max)
		shorten(p, max, ret_off, ret_len);
	return true;
}

bool mue_pieces_complete(const struct mue_pieces *p)
{
	return p->have == p->size;
}

void mue_pieces_drop(struct mue_pieces *p, uint32_t off, uint32_t len)
{
	struct mue_pieces_part *part;
	uint32_t grain, last;

	if (!len || off >= p->size)
		return;
	if (len > p->size - off)
		len = p->size - off;
	last = (off + len - 1) >> p->grain_log2;
	for (grain = off >> p->grain_log2; grain <= last; grain++) {
		part = find_part(p, grain);
		if (has(p, grain))
			p->have -= length_of(p, grain);
		else if (part)
			p->have -= part->to - part->from;
		if (part)
			part->to = 0;
		unset(p, grain);
	}
}

static void put32(uint8_t *p, uint32_t v)
{
	uint8_t i;

	for (i = 0; i < 4; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t head_crc(const uint8_t *head, const uint8_t *bitmap, uint32_t bitmap_size)
{
	return mue_crc32(mue_crc32(0, head, HEAD_BODY), bitmap, (size_t)bitmap_size);
}

void mue_pieces_head(const struct mue_pieces *p, uint8_t ret_head[MUE_PIECES_HEAD])
{
	memset(ret_head, 0, MUE_PIECES_HEAD);
	ret_head[0] = 'M';
	ret_head[1] = 'P';
	ret_head[2] = 1; /* version */
	ret_head[3] = p->grain_log2;
	put32(ret_head + 4, p->size);
	memcpy(ret_head + 8, p->key, MUE_PIECES_KEY);
	put32(ret_head + HEAD_BODY,
	      head_crc(ret_head, p->bitmap, mue_pieces_bitmap_size(p->size, p->grain_log2)));
}

int mue_pieces_resume(struct mue_pieces *p, const struct mue_pieces_sink *sink, void *ctx,
		      const uint8_t key[MUE_PIECES_KEY], uint32_t size,
		      const uint8_t head[MUE_PIECES_HEAD], uint8_t *bitmap, uint32_t bitmap_len,
		      struct mue_pieces_part *parts, uint8_t nparts)
{
	uint32_t grain, n;
	int e;

	if (head[0] != 'M' || head[1] != 'P' || head[2] != 1 || head[3] > GRAIN_LOG2_MAX)
		return MUE_EFORMAT;
	if (memcmp(head + 8, key, MUE_PIECES_KEY) || get32(head + 4) != size)
		return MUE_ENOTFOUND;
	n = mue_pieces_bitmap_size(size, head[3]);
	if (n > bitmap_len)
		return MUE_ENOSPC;
	if (get32(head + HEAD_BODY) != head_crc(head, bitmap, n))
		return MUE_EFORMAT;
	e = setup(p, sink, ctx, key, size, head[3], bitmap, bitmap_len, parts, nparts);
	if (e < 0)
		return e;
	for (grain = 0; grain < p->count; grain++)
		if (has(p, grain))
			p->have += length_of(p, grain);
	return MUE_OK;
}
