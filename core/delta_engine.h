/*
 * delta_engine.h - what the delta decoder and the encoder in delta/ must do alike: predict units,
 * choose contexts, learn.  Not for other callers.
 */
#ifndef MUE_CORE_DELTA_ENGINE_H
#define MUE_CORE_DELTA_ENGINE_H

#include "core/delta.h"

/* Number models. */
enum { NUM_LEN, NUM_GAP, NUM_SEEK, NUM_CORR };

/* A unit's prediction and how it came about. */
struct mue_delta_guess {
	struct mue_delta_unit unit; /* bytes: as predicted */
	uint32_t mapped;            /* the address through the copy map */
	uint32_t corr;              /* the lesson added to it */
	uint32_t undo;              /* the lesson to try instead */
	bool reference;             /* the prediction was written into the bytes */
};

void mue_delta_models_start(struct mue_delta_models *m);

/* Points the running copy at `old` for `len` bytes. */
void mue_delta_copy_start(struct mue_delta *d, mue_delta_off old, mue_delta_off len);

/* Predicts the unit at d->old_pos for d->pos.  0 or the verdict of read_old. */
int mue_delta_guess(struct mue_delta *d, struct mue_delta_guess *ret);

/* Moves on behind a unit. */
void mue_delta_advance(struct mue_delta *d, uint8_t len);

/* The context of "unit as predicted?", of "window as predicted?". */
uint16_t *mue_delta_good(struct mue_delta *d, const struct mue_delta_guess *g);
uint16_t *mue_delta_sure(struct mue_delta *d);

/* Notes whether a unit was as predicted. */
void mue_delta_note(struct mue_delta *d, bool good);

/* Learns that g's address should have been `actual`. */
void mue_delta_learn(struct mue_delta *d, const struct mue_delta_guess *g, uint32_t actual);

/* Adds a block to the map; d->blocks has room. */
void mue_delta_block_add(struct mue_delta *d, const struct mue_delta_block *b);

/* The block that holds new offset `pos`, or the next one after it; NULL: none. */
const struct mue_delta_block *mue_delta_block_at(const struct mue_delta *d, mue_delta_off pos);

/*
 * Addresses of offsets and back.  Built small, an image is one stretch at its base and ELF files
 * are refused; built for hosts, core/delta_elf.c finds the stretches of ELF files.
 */
#ifdef MUE_DELTA_SMALL
enum { MUE_DELTA_FLAGS = 0 };

static inline uint32_t mue_delta_old_addr(const struct mue_delta *d, mue_delta_off off)
{
	return d->old_base + off;
}

static inline uint32_t mue_delta_new_addr(const struct mue_delta *d, mue_delta_off off)
{
	return d->new_base + off;
}

/* False: the address is not in the old image. */
static inline bool mue_delta_old_off(const struct mue_delta *d, uint32_t addr, mue_delta_off *ret)
{
	addr -= d->old_base;
	*ret = (mue_delta_off)addr;
	return addr < d->old_size;
}

static inline bool mue_delta_elf_scan(struct mue_delta_scan *s, const uint8_t *b,
				      struct mue_delta_unit *u)
{
	(void)s;
	(void)b;
	(void)u;
	return false;
}

static inline uint32_t mue_delta_get(const struct mue_delta *d, const struct mue_delta_unit *u,
				     uint32_t addr)
{
	return d->isa->get(u, addr);
}

static inline bool mue_delta_put(const struct mue_delta *d, struct mue_delta_unit *u, uint32_t addr,
				 uint32_t value)
{
	return d->isa->put(u, addr, value);
}

static inline void mue_delta_note_long(struct mue_delta *d, bool good)
{
	(void)d;
	(void)good;
}

static inline int mue_delta_big_start(struct mue_delta *d)
{
	(void)d;
	return MUE_OK;
}

static inline uint8_t mue_delta_read_fresh(struct mue_delta *d)
{
	return mue_delta_rc_fresh(&d->rc, d->u.m.fresh, d->pos & 1);
}

static inline uint8_t mue_delta_read_diff(struct mue_delta *d, const struct mue_delta_guess *g,
					  uint8_t i)
{
	(void)g;
	if (!mue_delta_rc_bit(&d->rc, &d->u.m.again[i & 1]))
		return d->last_diff[i & 1];
	return mue_delta_rc_diff(&d->rc, d->u.m.diff);
}

static inline bool mue_delta_read_good(struct mue_delta *d, const struct mue_delta_guess *g)
{
	return !mue_delta_rc_bit(&d->rc, mue_delta_good(d, g));
}

static inline void mue_delta_seen(struct mue_delta *d, uint8_t b)
{
	(void)d;
	(void)b;
}

static inline bool mue_delta_big_open(struct mue_delta *d, const struct mue_delta_room *room)
{
	(void)d;
	(void)room;
	return true;
}
#else
enum { MUE_DELTA_FLAGS = MUE_DELTA_BACKWARD | MUE_DELTA_ELF | MUE_DELTA_RICH };

uint32_t mue_delta_old_addr(const struct mue_delta *d, mue_delta_off off);
uint32_t mue_delta_new_addr(const struct mue_delta *d, mue_delta_off off);
bool mue_delta_old_off(const struct mue_delta *d, uint32_t addr, mue_delta_off *ret);
uint32_t mue_delta_get(const struct mue_delta *d, const struct mue_delta_unit *u, uint32_t addr);
bool mue_delta_put(const struct mue_delta *d, struct mue_delta_unit *u, uint32_t addr,
		   uint32_t value);
bool mue_delta_elf_scan(struct mue_delta_scan *s, const uint8_t *b, struct mue_delta_unit *u);
/* Finds the stretches of the old image, which is an ELF file.  MUE_EFORMAT: it is none. */
int mue_delta_elf_open(struct mue_delta *d);
static inline void mue_delta_note_long(struct mue_delta *d, bool good)
{
	d->long_history = d->long_history << 1 | !good;
}

/* Reads where the stretches are in new; readies the rich model. */
int mue_delta_big_start(struct mue_delta *d);
/* False: the caller's room lacks what the patch wants. */
bool mue_delta_big_open(struct mue_delta *d, const struct mue_delta_room *room);
/* An inserted byte; the difference of byte i of a wrong unit; a byte of new. */
uint8_t mue_delta_read_fresh(struct mue_delta *d);
uint8_t mue_delta_read_diff(struct mue_delta *d, const struct mue_delta_guess *g, uint8_t i);
void mue_delta_seen(struct mue_delta *d, uint8_t b);
bool mue_delta_read_good(struct mue_delta *d, const struct mue_delta_guess *g);
/* For the encoder: set the rich model's contexts; note a difference. */
void mue_delta_rich_diff(struct mue_delta *d, const struct mue_delta_guess *g, uint8_t i);
void mue_delta_rich_good(struct mue_delta *d, const struct mue_delta_guess *g);
void mue_delta_diffed(struct mue_delta *d, uint8_t diff);
/* The unit as the rich model's contexts want it. */
uint32_t mue_delta_unit_word(const struct mue_delta_guess *g);
#endif

/* Contexts of byte `i` of a wrong unit. */
uint16_t *mue_delta_same(struct mue_delta *d, const struct mue_delta_guess *g, uint8_t i,
			 uint8_t wrong);

#endif
