/* The durable half of bootstate.h: load and store.  docs/FORMATS.md, section "Boot state". */
#include "core/bootstate.h"

#include "core/crc.h"
#include "core/err.h"
#include "core/mem.h"

#define REC      MUE_BOOTSTATE_RECORD
#define REC_BODY (REC - 4) /* what the CRC covers */
#define UNIT_MAX 256
#define VERSION  1

/* What one walk over both blocks finds. */
struct scan {
	struct mue_bootstate newest; /* sequence 0: none is valid */
	uint8_t block;               /* where the newest stands */
	uint32_t used[2]; /* bytes of each block up to its last place that is not erased */
	uint32_t end;     /* offset in its block behind the newest */
};

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

static void encode(uint8_t r[REC], const struct mue_bootstate *s, uint32_t sequence)
{
	memset(r, 0, REC);
	r[0] = 'M';
	r[1] = 'B';
	r[2] = VERSION;
	r[3] = s->active;
	r[4] = s->trial;
	r[5] = s->tries;
	r[6] = s->begun;
	r[7] = s->image[0];
	r[8] = s->image[1];
	r[9] = s->reason;
	r[10] = (uint8_t)s->verdict;
	put32(r + 12, sequence);
	put32(r + 16, s->counter);
	put32(r + 20, s->trial_counter);
	put32(r + REC_BODY, mue_crc32(0, r, REC_BODY));
}

static bool decode(const uint8_t r[REC], struct mue_bootstate *ret)
{
	if (r[0] != 'M' || r[1] != 'B' || r[2] != VERSION)
		return false;
	if (r[3] > 1 || (r[4] > 1 && r[4] != MUE_SLOT_NONE) || r[3] == r[4] || r[6] > 1)
		return false;
	if (get32(r + REC_BODY) != mue_crc32(0, r, REC_BODY))
		return false;
	ret->active = r[3];
	ret->trial = r[4];
	ret->tries = r[5];
	ret->begun = r[6];
	ret->image[0] = r[7];
	ret->image[1] = r[8];
	ret->reason = r[9];
	ret->verdict = (int8_t)r[10];
	ret->sequence = get32(r + 12);
	ret->counter = get32(r + 16);
	ret->trial_counter = get32(r + 20);
	return ret->sequence != 0;
}

/* Bytes a record takes on this medium: whole program units. */
static uint32_t stride_of(const struct mue_flash *f)
{
	return f->write_size > REC ? f->write_size : REC;
}

static bool fits(const struct mue_flash *f)
{
	uint16_t unit = f->write_size;

	return unit && unit <= UNIT_MAX && !(unit & (unit - 1u)) && f->size >> 1 >= f->erase_size &&
	       f->erase_size >= 2 * stride_of(f) && !(f->erase_size & (unit - 1u));
}

static bool is_erased(const struct mue_flash *f, const uint8_t *p, uint32_t len)
{
	while (len--)
		if (*p++ != f->erased)
			return false;
	return true;
}

/* Looks at the place at `at` of block `b`. */
static int scan_place(const struct mue_flash *f, uint8_t b, uint32_t at, struct scan *s)
{
	uint32_t base = b ? f->erase_size : 0, stride = stride_of(f), i;
	struct mue_bootstate found;
	uint8_t r[REC];
	int e;

	for (i = 0; i < stride; i += REC) {
		e = f->ops->read(f, base + at + i, r, REC);
		if (e < 0)
			return e;
		if (!is_erased(f, r, REC))
			s->used[b] = at + stride;
		if (i || !decode(r, &found) || found.sequence <= s->newest.sequence)
			continue;
		s->newest = found;
		s->block = b;
		s->end = at + stride;
	}
	return MUE_OK;
}

static int scan_all(const struct mue_flash *f, struct scan *s)
{
	uint32_t at, last = f->erase_size - stride_of(f);
	uint8_t b;
	int e;

	if (!fits(f))
		return MUE_EINVAL;
	memset(s, 0, sizeof(*s));
	for (b = 0; b < 2; b++)
		for (at = 0; at <= last; at += stride_of(f)) {
			e = scan_place(f, b, at, s);
			if (e < 0)
				return e;
		}
	return MUE_OK;
}

int mue_bootstate_load(const struct mue_flash *f, struct mue_bootstate *ret)
{
	struct scan s;
	int e = scan_all(f, &s);

	if (e < 0)
		return e;
	if (!s.newest.sequence)
		return MUE_ENODATA;
	*ret = s.newest;
	return MUE_OK;
}

/* Finds or makes the erased place for the next record. */
static int make_room(const struct mue_flash *f, const struct scan *s, uint32_t *ret_off)
{
	uint32_t base = s->block ? f->erase_size : 0;
	int e;

	if (s->used[s->block] + stride_of(f) <= f->erase_size) {
		*ret_off = base + s->used[s->block];
		return MUE_OK;
	}
	/* Full.  The other block holds nothing newer; without any newest both are junk. */
	if (s->newest.sequence)
		base = s->block ? 0 : f->erase_size;
	e = f->ops->erase(f, base);
	if (e < 0)
		return e;
	*ret_off = base;
	return MUE_OK;
}

static int write_checked(const struct mue_flash *f, uint32_t off, const uint8_t *rec)
{
	uint8_t unit[UNIT_MAX];
	uint32_t stride = stride_of(f);
	int e;

	memset(unit, f->erased, sizeof(unit));
	memcpy(unit, rec, REC);
	e = f->ops->write(f, off, unit, stride);
	if (e < 0)
		return e;
	e = f->ops->read(f, off, unit, REC);
	if (e < 0)
		return e;
	return memcmp(unit, rec, REC) ? MUE_EIO : MUE_OK;
}

int mue_bootstate_store(const struct mue_flash *f, struct mue_bootstate *s)
{
	uint8_t rec[REC];
	struct scan sc;
	uint32_t off, next;
	int e;

	e = scan_all(f, &sc);
	if (e < 0)
		return e;
	if (sc.newest.sequence != s->sequence)
		return MUE_ECONFLICT;
	/* Torn records behind the newest burn their number: should a marginal cell read as valid
	 * one day, it must not tie with the record written now.  One number a place will do. */
	next = s->sequence + 1;
	for (off = sc.end; off < sc.used[sc.block]; off += stride_of(f))
		next++;
	if (next <= s->sequence)
		return MUE_EEXHAUSTED;
	e = make_room(f, &sc, &off);
	if (e < 0)
		return e;
	encode(rec, s, next);
	e = write_checked(f, off, rec);
	if (e < 0)
		return e;
	s->sequence = next;
	return MUE_OK;
}
