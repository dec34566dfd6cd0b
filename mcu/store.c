#include "mcu/store.h"

#include "core/crc.h"
#include "core/err.h"
#include "core/mem.h"

#define MARK 0x69u /* every byte of a mark: neither 0xff nor 0 */

static int write_grain(void *ctx, uint32_t off, const void *data, uint32_t len)
{
	const struct mue_store *s = ctx;
	const struct mue_flash *f = s->place->data;
	uint32_t unit = f->write_size, whole = (len + unit - 1) & ~(unit - 1);

	/* A cell has room, and erased bytes, behind a short last grain. */
	return f->ops->write(f, s->place->off + off, data, whole);
}

static const struct mue_pieces_sink sink = { write_grain, NULL };

void mue_store_init(struct mue_store *s, uint8_t *bitmap, uint16_t bitmap_len,
		    struct mue_store_cell *cells, uint8_t count)
{
	memset(s, 0, sizeof(*s));
	s->bitmap = bitmap;
	s->bitmap_len = bitmap_len;
	s->cells = cells;
	s->count = count;
}

static bool has(const struct mue_store *s, uint32_t grain)
{
	return s->bitmap[grain >> 3] >> (grain & 7) & 1;
}

static uint32_t length_of(const struct mue_store *s, uint32_t grain)
{
	uint32_t start = grain << s->pieces.grain_log2, left = s->pieces.size - start;
	uint32_t whole = (uint32_t)1 << s->pieces.grain_log2;

	return left < whole ? left : whole;
}

/* ---- marks ---- */

static uint32_t head_room(const struct mue_store_place *p)
{
	uint32_t unit = p->marks->write_size;

	return (MUE_STORE_HEAD + unit - 1) & ~(unit - 1);
}

static int erase_marks(const struct mue_store_place *p, uint32_t bytes)
{
	uint32_t at;
	int e = MUE_OK;

	for (at = 0; at < bytes && e == MUE_OK; at += p->marks->erase_size)
		e = p->marks->ops->erase(p->marks, p->marks_off + at);
	return e;
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

static int write_head(const struct mue_store *s)
{
	const struct mue_store_place *p = s->place;
	uint8_t head[MUE_STORE_HEAD + MUE_STORE_UNIT_MAX];

	memset(head, p->marks->erased, sizeof(head));
	head[0] = 'M';
	head[1] = 'G';
	head[2] = 1; /* version */
	head[3] = p->grain_log2;
	put32(head + 4, s->pieces.size);
	memcpy(head + 8, s->pieces.key, MUE_PIECES_KEY);
	put32(head + 40, mue_crc32(0, head, 40));
	return p->marks->ops->write(p->marks, p->marks_off, head, head_room(p));
}

static uint32_t mark_at(const struct mue_store_place *p, uint32_t grain)
{
	return p->marks_off + head_room(p) + grain * p->marks->write_size;
}

/* 1: every byte of the mark is `value`; 0: not; or a verdict. */
static int mark_is(const struct mue_store_place *p, uint32_t grain, uint8_t value)
{
	uint8_t m[MUE_STORE_UNIT_MAX], i;
	int e = p->marks->ops->read(p->marks, mark_at(p, grain), m, p->marks->write_size);

	for (i = 0; e == MUE_OK && i < p->marks->write_size; i++)
		if (m[i] != value)
			return 0;
	return e == MUE_OK ? 1 : e;
}

static int mark(const struct mue_store_place *p, uint32_t grain)
{
	uint8_t m[MUE_STORE_UNIT_MAX];
	int e = mark_is(p, grain, p->marks->erased);

	/* A mark that was torn stays torn: its grain is received again after every reset. */
	if (e <= 0)
		return e;
	memset(m, MARK, sizeof(m));
	return p->marks->ops->write(p->marks, mark_at(p, grain), m, p->marks->write_size);
}

/* Marks anew what is in the bitmap. */
static int rebuild_marks(const struct mue_store *s)
{
	uint32_t grain;
	int e = erase_marks(s->place, mark_at(s->place, s->pieces.count) - s->place->marks_off);

	if (e == MUE_OK)
		e = write_head(s);
	for (grain = 0; grain < s->pieces.count && e == MUE_OK; grain++)
		if (has(s, grain))
			e = mark(s->place, grain);
	return e;
}

/* ---- sessions ---- */

static int open_session(struct mue_store *s, const struct mue_store_place *p, const uint8_t *key,
			uint32_t size)
{
	uint32_t grain = (uint32_t)1 << (p->grain_log2 & 31), end;
	uint8_t i;
	int e;

	if (!s->count || grain > MUE_STORE_GRAIN_MAX || grain < 32 ||
	    grain & (p->data->write_size - 1u) || p->marks->write_size > MUE_STORE_UNIT_MAX)
		return MUE_EINVAL;
	if (!size || size > p->room)
		return MUE_ESIZE;
	e = mue_pieces_begin(&s->pieces, &sink, s, key, size, p->grain_log2, s->bitmap,
			     s->bitmap_len, NULL, 0);
	if (e < 0)
		return e;
	end = mark_at(p, s->pieces.count) - p->marks_off;
	if (end > p->marks_room)
		return MUE_ENOSPC;
	s->place = p;
	for (i = 0; i < s->count; i++)
		s->cells[i].used = 0;
	return MUE_OK;
}

int mue_store_begin(struct mue_store *s, const struct mue_store_place *place,
		    const uint8_t key[MUE_PIECES_KEY], uint32_t size)
{
	int e = open_session(s, place, key, size);

	return e < 0 ? e : rebuild_marks(s);
}

int mue_store_resume(struct mue_store *s, const struct mue_store_place *place)
{
	uint8_t head[MUE_STORE_HEAD];
	uint32_t grain;
	int e = place->marks->ops->read(place->marks, place->marks_off, head, sizeof(head));

	if (e < 0)
		return e;
	if (head[0] != 'M' || head[1] != 'G' || head[2] != 1 || head[3] != place->grain_log2 ||
	    get32(head + 40) != mue_crc32(0, head, 40))
		return MUE_ENODATA;
	e = open_session(s, place, head + 8, get32(head + 4));
	for (grain = 0; e >= 0 && grain < s->pieces.count; grain++) {
		e = mark_is(place, grain, MARK);
		if (e > 0) {
			s->bitmap[grain >> 3] = (uint8_t)(s->bitmap[grain >> 3] |
							  1u << (grain & 7));
			s->pieces.have += length_of(s, grain);
		}
	}
	return e < 0 ? e : MUE_OK;
}

int mue_store_forget(const struct mue_store_place *place)
{
	return erase_marks(place, 1);
}

/* ---- from cells to flash ---- */

static int is_erased(const struct mue_flash *f, uint32_t off, uint32_t len)
{
	uint8_t b[32], i;
	int e;

	for (; len; off += 32, len -= 32) {
		e = f->ops->read(f, off, b, sizeof(b));
		if (e < 0)
			return e;
		for (i = 0; i < sizeof(b); i++)
			if (b[i] != f->erased)
				return 0;
	}
	return 1;
}

/*
 * Makes the grain's place writable.  In a block of several grains that are not all erased: left
 * from another session, or torn; then the block's other grains go too, their marks first.
 */
static int prepare(struct mue_store *s, uint32_t grain)
{
	const struct mue_flash *f = s->place->data;
	uint32_t len = (uint32_t)1 << s->pieces.grain_log2, off = grain << s->pieces.grain_log2;
	uint32_t have = s->pieces.have, block, at;
	int e;

	if (len < f->erase_size) {
		e = is_erased(f, s->place->off + off, len);
		if (e)
			return e < 0 ? e : MUE_OK;
		block = off & ~(f->erase_size - 1);
		mue_pieces_drop(&s->pieces, block, f->erase_size);
		e = s->pieces.have != have ? rebuild_marks(s) : MUE_OK;
		return e < 0 ? e : f->ops->erase(f, s->place->off + block);
	}
	for (at = 0; at < len; at += f->erase_size) {
		e = f->ops->erase(f, s->place->off + off + at);
		if (e < 0)
			return e;
	}
	return MUE_OK;
}

/* Did every byte arrive in the medium? */
static int read_back(const struct mue_store *s, const struct mue_store_cell *c, uint32_t len)
{
	const struct mue_flash *f = s->place->data;
	uint32_t off = s->place->off + (c->grain << s->pieces.grain_log2), at, n;
	uint8_t b[32];
	int e;

	for (at = 0; at < len; at += n) {
		n = len - at < sizeof(b) ? len - at : (uint32_t)sizeof(b);
		e = f->ops->read(f, off + at, b, n);
		if (e < 0)
			return e;
		if (memcmp(b, c->data + at, (size_t)n))
			return MUE_EIO;
	}
	return MUE_OK;
}

static int flush(struct mue_store *s, struct mue_store_cell *c)
{
	uint32_t len = length_of(s, c->grain), off = c->grain << s->pieces.grain_log2;
	int32_t n;
	int e;

	c->used = 0;
	e = prepare(s, c->grain);
	if (e < 0)
		return e;
	n = mue_pieces_put(&s->pieces, s->pieces.key, off, c->data, len);
	if (n < 0)
		return (int)n;
	e = read_back(s, c, len);
	if (e < 0) {
		mue_pieces_drop(&s->pieces, off, len);
		return e;
	}
	return mark(s->place, c->grain);
}

static struct mue_store_cell *find(const struct mue_store *s, uint32_t grain)
{
	uint8_t i;

	for (i = 0; i < s->count; i++)
		if (s->cells[i].used && s->cells[i].grain == grain)
			return &s->cells[i];
	return NULL;
}

/* May this cell be given up?  Not the first of several: what is wanted first must get done, or
 * small pieces over a lossy link would chase each other out for ever. */
static bool expendable(const struct mue_store *s, const struct mue_store_cell *c)
{
	uint8_t i;

	if (c->age < MUE_STORE_AGE)
		return false;
	for (i = 0; i < s->count; i++)
		if (s->cells[i].used && s->cells[i].grain < c->grain)
			return true;
	return s->count == 1;
}

/* The grain's cell, a free one, or one that has waited long in vain. */
static struct mue_store_cell *cell_for(struct mue_store *s, uint32_t grain)
{
	struct mue_store_cell *c = find(s, grain), *oldest = NULL;
	uint8_t i;

	for (i = 0; i < s->count && !c; i++) {
		if (!s->cells[i].used)
			oldest = &s->cells[i];
		else if (!oldest && expendable(s, &s->cells[i]))
			oldest = &s->cells[i];
	}
	for (i = 0; i < s->count; i++)
		if (s->cells[i].age < 255)
			s->cells[i].age++;
	if (!c && oldest) {
		c = oldest;
		c->grain = grain;
		c->used = 1;
		memset(c->units, 0, sizeof(c->units));
		memset(c->data, s->place->data->erased, sizeof(c->data));
	}
	if (c)
		c->age = 0;
	return c;
}

static bool unit_there(const struct mue_store_cell *c, uint32_t unit)
{
	return c->units[unit >> 3] >> (unit & 7) & 1;
}

/* Is anything of bytes [from, to) of the cell's grain missing? */
static bool lacks(const struct mue_store_cell *c, uint32_t from, uint32_t to)
{
	uint32_t u;

	for (u = from / MUE_FRAME_UNIT; u * MUE_FRAME_UNIT < to; u++)
		if (!unit_there(c, u))
			return true;
	return false;
}

/* Copies the whole units of [from, to) that are new; `len` is the grain's.  Bytes taken. */
static uint32_t fill(struct mue_store_cell *c, uint32_t from, uint32_t to, uint32_t len,
		     const uint8_t *data)
{
	uint32_t u, at, n, took = 0;

	for (u = (from + MUE_FRAME_UNIT - 1) / MUE_FRAME_UNIT; u * MUE_FRAME_UNIT < to; u++) {
		at = u * MUE_FRAME_UNIT;
		n = len - at < MUE_FRAME_UNIT ? len - at : MUE_FRAME_UNIT;
		if (at + n > to || unit_there(c, u))
			continue;
		memcpy(c->data + at, data + (at - from), (size_t)n);
		c->units[u >> 3] = (uint8_t)(c->units[u >> 3] | 1u << (u & 7));
		took += n;
	}
	return took;
}

int mue_store_put(struct mue_store *s, uint32_t off, const uint8_t *data, uint8_t len)
{
	struct mue_store_cell *c;
	uint32_t grain, from, to, whole, took = 0;
	int e;

	if (off > s->pieces.size || len > s->pieces.size - off)
		return MUE_ESIZE;
	while (len) {
		grain = off >> s->pieces.grain_log2;
		from = off - (grain << s->pieces.grain_log2);
		whole = length_of(s, grain);
		to = whole - from < len ? whole : from + len;
		c = has(s, grain) ? NULL : cell_for(s, grain);
		if (c) {
			took += fill(c, from, to, whole, data);
			e = lacks(c, 0, whole) ? MUE_OK : flush(s, c);
			if (e < 0)
				return e;
		}
		off += to - from;
		data += to - from;
		len = (uint8_t)(len - (to - from));
	}
	return (int)took;
}

/* ---- what is missing ---- */

static bool misses(const struct mue_store *s, uint32_t off, uint32_t len)
{
	uint32_t grain = off >> s->pieces.grain_log2, from = off - (grain << s->pieces.grain_log2);
	uint32_t whole = length_of(s, grain);
	const struct mue_store_cell *c;

	if (has(s, grain))
		return false;
	c = find(s, grain);
	return c ? lacks(c, from, from + len < whole ? from + len : whole) : true;
}

void mue_store_want(const struct mue_store *s, uint8_t *bitmap, uint8_t max, struct mue_frame *ret)
{
	uint32_t grain = 0, at, i;
	uint8_t k = s->pieces.grain_log2;

	while (grain < s->pieces.count && has(s, grain))
		grain++;
	at = grain << k;
	if (find(s, grain))
		for (k = 2; ((uint32_t)max * 8) << k < (uint32_t)1 << s->pieces.grain_log2;)
			k++;
	ret->off = at < s->pieces.size ? at : s->pieces.size;
	ret->grain_log2 = k;
	ret->data = bitmap;
	ret->len = 0;
	for (i = 0; i < (uint32_t)max * 8 && at < s->pieces.size; i++, at += (uint32_t)1 << k) {
		if (!(i & 7))
			bitmap[ret->len++] = 0;
		if (misses(s, at, (uint32_t)1 << k))
			bitmap[i >> 3] = (uint8_t)(bitmap[i >> 3] | 1u << (i & 7));
	}
}
