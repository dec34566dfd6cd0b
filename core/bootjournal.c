/* The durable half of bootstate.h: load and store.  docs/FORMATS.md, section "Boot state". */
#include "core/bootstate.h"

#include "core/crc.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/size.h"

#include <stddef.h>

#define REC      MUE_BOOTSTATE_RECORD
#define REC_BODY (REC - 4) /* what the CRC covers */
#define VERSION  1

#ifdef MUE_BOOTSTATE_SMALL
/*
 * A board whose geometry is fixed when it is compiled: two blocks below 32 kB that begin at 0,
 * program unit 1, erased value 0xff.  It has these three functions instead of a struct mue_flash
 * (`f` is NULL): a third less code, and no pointer to a function that a fault could bend.
 */
typedef uint16_t place_t;
#define UNIT_MAX  REC
#define BLOCK(f)  MUE_BOOTSTATE_SMALL
#define ERASED(f) 0xff

int mue_small_read(place_t off, uint8_t *buf, uint8_t len);
int mue_small_write(place_t off, const uint8_t *buf, uint8_t len);
int mue_small_erase(place_t off);

#define READ(f, off, buf, len)  mue_small_read(off, buf, len)
#define WRITE(f, off, buf, len) mue_small_write(off, buf, (uint8_t)(len))
#define ERASE(f, off)           mue_small_erase(off)

static place_t stride_of(const struct mue_flash *f)
{
	(void)f;
	return REC;
}

static bool fits(const struct mue_flash *f)
{
	(void)f;
	return true;
}
#else
typedef uint32_t place_t;
#define UNIT_MAX                256
#define BLOCK(f)                ((f)->erase_size)
#define ERASED(f)               ((f)->erased)
#define READ(f, off, buf, len)  (f)->ops->read(f, off, buf, len)
#define WRITE(f, off, buf, len) (f)->ops->write(f, off, buf, len)
#define ERASE(f, off)           (f)->ops->erase(f, off)

/* Bytes a record takes on this medium: whole program units. */
static place_t stride_of(const struct mue_flash *f)
{
	return f->write_size > REC ? f->write_size : REC;
}

static bool fits(const struct mue_flash *f)
{
	uint16_t unit = f->write_size;

	return unit && unit <= UNIT_MAX && !(unit & (unit - 1u)) && f->size >> 1 >= f->erase_size &&
	       f->erase_size >= 2 * stride_of(f) && !(f->erase_size & (stride_of(f) - 1));
}
#endif

/* The newest valid record and where it stands. */
struct found {
	struct mue_bootstate state; /* sequence 0: none is valid */
	place_t off;
};

/* In struct mue_bootstate and in the record alike, eight bytes and three words stand in a row. */
enum { BYTES = offsetof(struct mue_bootstate, active), BYTE_COUNT = 8, WORD_COUNT = 3 };
enum { REC_BYTES = 3, REC_WORDS = 12 };
_Static_assert(offsetof(struct mue_bootstate, verdict) == BYTES + BYTE_COUNT - 1, "the order");
_Static_assert(offsetof(struct mue_bootstate, trial_counter) == 8, "the order");

static void put32(uint8_t *p, uint32_t v)
{
	uint8_t i;

	for (i = 0; i < 4; i++, v >>= 8)
		*p++ = (uint8_t)v;
}

MUE_NOINLINE static uint32_t get32(const uint8_t *p)
{
	uint32_t v = 0;
	uint8_t i;

	for (i = 4; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

static void encode(uint8_t r[REC], const struct mue_bootstate *s)
{
	uint8_t i;

	memset(r, 0, REC);
	r[0] = 'M';
	r[1] = 'B';
	r[2] = VERSION;
	memcpy(r + REC_BYTES, (const uint8_t *)s + BYTES, BYTE_COUNT);
	for (i = 0; i < WORD_COUNT; i++)
		put32(r + REC_WORDS + 4 * i, (&s->sequence)[i]);
	put32(r + REC_BODY, mue_crc32(0, r, REC_BODY));
}

static bool decode(const uint8_t r[REC], struct mue_bootstate *ret)
{
	uint8_t i;

	if (r[0] != 'M' || r[1] != 'B' || r[2] != VERSION ||
	    get32(r + REC_BODY) != mue_crc32(0, r, REC_BODY))
		return false;
	memcpy((uint8_t *)ret + BYTES, r + REC_BYTES, BYTE_COUNT);
	for (i = 0; i < WORD_COUNT; i++)
		(&ret->sequence)[i] = get32(r + REC_WORDS + 4 * i);
	/* A CRC holds for whatever was written: do not index with it unlooked at. */
	return ret->active <= 1 && (ret->trial <= 1 || ret->trial == MUE_SLOT_NONE) &&
	       ret->active != ret->trial;
}

static int scan(const struct mue_flash *f, struct found *ret)
{
	struct mue_bootstate s;
	uint8_t rec[REC];
	place_t off;
	int e;

	if (!fits(f))
		return MUE_EINVAL;
	ret->state.sequence = 0;
	ret->off = 0;
	for (off = 0; off < (place_t)(2 * BLOCK(f)); off = (place_t)(off + stride_of(f))) {
		e = READ(f, off, rec, REC);
		if (e < 0)
			return e;
		if (!decode(rec, &s) || s.sequence <= ret->state.sequence)
			continue;
		ret->state = s;
		ret->off = off;
	}
	return MUE_OK;
}

int mue_bootstate_load(const struct mue_flash *f, struct mue_bootstate *ret)
{
	struct found found;
	int e = scan(f, &found);

	if (e < 0)
		return e;
	if (!found.state.sequence)
		return MUE_ENODATA;
	*ret = found.state;
	return MUE_OK;
}

/* 1: the place at `off` is erased; 0: it is not. */
MUE_NOINLINE static int is_free(const struct mue_flash *f, place_t off)
{
	place_t end = (place_t)(off + stride_of(f));
	uint8_t rec[REC], i;
	int e;

	for (; off < end; off = (place_t)(off + REC)) {
		e = READ(f, off, rec, REC);
		if (e < 0)
			return e;
		for (i = 0; i < REC; i++)
			if (rec[i] != ERASED(f))
				return 0;
	}
	return 1;
}

/*
 * Finds or makes the erased place for the next record; a negative verdict or the places passed.
 * Torn records behind the newest burn their number: should a marginal cell read as valid one day,
 * it must not tie with the record written now.
 */
static int make_room(const struct mue_flash *f, struct found *at)
{
	place_t block = (place_t)BLOCK(f), end = at->off < block ? block : (place_t)(2 * block);
	int passed = 0, e;

	if (at->state.sequence)
		for (;;) {
			passed++;
			at->off = (place_t)(at->off + stride_of(f));
			if (at->off == end)
				break;
			e = is_free(f, at->off);
			if (e)
				return e < 0 ? e : passed;
		}
	/* The block that does not hold the newest; without one, both are junk or never written. */
	at->off = at->state.sequence && end == block ? block : 0;
	e = ERASE(f, at->off);
	return e < 0 ? e : passed + !passed;
}

MUE_NOINLINE static int write_checked(const struct mue_flash *f, place_t off,
				      const struct mue_bootstate *s)
{
	uint8_t unit[UNIT_MAX], back[REC];
	int e;

	memset(unit, ERASED(f), sizeof(unit));
	encode(unit, s);
	e = WRITE(f, off, unit, stride_of(f));
	if (e == MUE_OK)
		e = READ(f, off, back, REC);
	if (e == MUE_OK && memcmp(unit, back, REC))
		e = MUE_EIO;
	return e;
}

int mue_bootstate_store(const struct mue_flash *f, struct mue_bootstate *s)
{
	struct found found;
	int e, passed;

	e = scan(f, &found);
	if (e < 0)
		return e;
	if (found.state.sequence != s->sequence)
		return MUE_ECONFLICT;
	if (s->sequence > UINT32_MAX - BLOCK(f) / REC) /* each place may burn a number */
		return MUE_EEXHAUSTED;
	passed = make_room(f, &found);
	if (passed < 0)
		return passed;
	s->sequence += (uint32_t)passed;
	e = write_checked(f, found.off, s);
	if (e < 0)
		s->sequence = found.state.sequence;
	return e;
}
