/* Thumb-2, instruction encodings after ARM DDI 0403 "ARMv7-M Architecture Reference Manual". */
#include "core/delta_field.h"
#include "core/mem.h"

/* Where each form stands in the table. */
enum form {
	F_BL = 1,             /* BL, B.W: 25 bits */
	F_BLX = F_BL + 18,    /* BLX to ARM code: 25 bits, from Align(PC, 4) */
	F_BCW = F_BLX + 18,   /* B<c>.W: 21 bits */
	F_B11 = F_BCW + 18,   /* B: 12 bits */
	F_B8 = F_B11 + 6,     /* B<c>: 9 bits */
	F_CBZ = F_B8 + 6,     /* CBZ, CBNZ: 7 bits forward */
	F_LDR = F_CBZ + 9,    /* LDR literal, ADR: 10 bits forward, from Align(PC, 4) */
	F_LDRW = F_LDR + 6,   /* LDR.W literal: 12 bits both ways */
	F_NUM = F_LDRW + 9,   /* MOVW alone: a number */
	F_WORD = F_NUM + 15,  /* literal */
	F_MOVWT = F_WORD + 9, /* MOVW, MOVT */
};

#define PC (MUE_FIELD_REL | MUE_FIELD_PC_4)

/* clang-format off */
static const uint8_t forms[] = {
	0,
	25, PC | MUE_FIELD_BL, 1, 24, 10, 1, 23, 29, 1, 22, 27, 10, 12, 0, 11, 1, 16, 0,
	25, PC | MUE_FIELD_BL | MUE_FIELD_ALIGNED, 1, 24, 10, 1, 23, 29, 1, 22, 27, 10, 12, 0, 11, 1, 16, 0,
	21, PC, 1, 20, 10, 1, 19, 27, 1, 18, 29, 6, 12, 0, 11, 1, 16, 0,
	12, PC, 11, 1, 0, 0,
	9, PC, 8, 1, 0, 0,
	0, PC, 1, 6, 9, 5, 1, 3, 0,
	0, PC | MUE_FIELD_ALIGNED, 8, 2, 0, 0,
	0, PC | MUE_FIELD_ALIGNED | MUE_FIELD_SIZE, 1, 12, 7, 12, 0, 16, 0,
	0, 0, 4, 12, 0, 1, 11, 10, 3, 8, 28, 8, 0, 16, 0,
	0, 0, 16, 0, 0, 16, 16, 16, 0,
};
/* clang-format on */

static void set(struct mue_delta_unit *u, uint8_t len, uint8_t kind, uint8_t form, uint8_t shift)
{
	u->len = len;
	u->kind = kind;
	u->form = form;
	u->shift = shift;
}

static uint32_t get(const struct mue_delta_unit *u, uint32_t addr)
{
	struct mue_delta_unit high;

	if (u->form != F_MOVWT)
		return mue_delta_field_get(forms + u->form, u, addr);
	memcpy(high.bytes, u->bytes + 4, 4);
	return mue_delta_field_get(forms + F_NUM, u, addr) |
	       mue_delta_field_get(forms + F_NUM, &high, addr) << 16;
}

/*
 * Position-independent code of ELF files loads a distance and adds the program counter to it: what
 * it counts from is remembered for the literal.
 */
#ifdef MUE_DELTA_SMALL
static void mark_from(struct mue_delta_scan *s, uint32_t i, const uint8_t *b, uint8_t reg)
{
	(void)s;
	(void)i;
	(void)b;
	(void)reg;
}

static bool set_literal(struct mue_delta_scan *s, struct mue_delta_unit *u)
{
	(void)s;
	(void)u;
	return false;
}
#else
static void mark_from(struct mue_delta_scan *s, uint32_t i, const uint8_t *b, uint8_t reg)
{
	uint32_t *from = &s->u.pic.from[i % MUE_DELTA_POOL_BITS];

	*from = 0;
	for (uint8_t at = 2; s->elf && at < 30; at = (uint8_t)(at + 2)) {
		if (mue_delta_get16(b + at) == (0x4478 | (reg & 7) | (reg & 8) << 4)) {
			*from = s->addr + at + 4;
			return;
		}
	}
}

static bool set_literal(struct mue_delta_scan *s, struct mue_delta_unit *u)
{
	uint32_t from = s->u.pic.from[(s->addr >> 2) % MUE_DELTA_POOL_BITS];

	if (!s->elf)
		return false;
	set(u, 4, from ? MUE_DELTA_POINTER : MUE_DELTA_DATA, from ? MUE_DELTA_FORM_FROM : F_WORD,
	    0);
	u->page = from;
	return true;
}
#endif

/* Notes that the word at u's address is a literal for register `reg`. */
static void mark(struct mue_delta_scan *s, const struct mue_delta_unit *u, const uint8_t *b,
		 uint8_t reg)
{
	uint32_t addr = get(u, s->addr), i = addr >> 2;
	uint8_t *p;

	if (addr - s->addr >= 4 * MUE_DELTA_POOL_BITS - 4)
		return;
	mark_from(s, i, b, reg);
	p = &s->u.pool[i / 8 % (MUE_DELTA_POOL_BITS / 8)];
	*p = (uint8_t)(*p | 1U << (i % 8));
}

/* Whether the word at s->addr is a literal that a load before it named; asks once. */
static bool take(struct mue_delta_scan *s)
{
	uint32_t i = s->addr >> 2;
	uint8_t *p = &s->u.pool[i / 8 % (MUE_DELTA_POOL_BITS / 8)], bit = (uint8_t)(1U << i % 8);
	bool is = *p & bit;

	*p = (uint8_t)(*p & ~bit);
	return is;
}

static void scan_wide(struct mue_delta_scan *s, const uint8_t *b, struct mue_delta_unit *u)
{
	uint16_t w = mue_delta_get16(b), x = mue_delta_get16(b + 2);

	set(u, 4, MUE_DELTA_WIDE, 0, 0);
	if ((w & 0xf800) == 0xf000 && x & 0x8000) {
		if ((x & 0xd000) == 0xd000 || (x & 0xd000) == 0x9000)
			set(u, 4, MUE_DELTA_CALL, F_BL, 1);
		else if ((x & 0xd001) == 0xc000)
			set(u, 4, MUE_DELTA_CALL, F_BLX, 2);
		else if ((x & 0xd000) == 0x8000 && (w & 0x380) != 0x380)
			set(u, 4, MUE_DELTA_BRANCH, F_BCW, 1);
	} else if ((w & 0xff7f) == 0xf85f) {
		set(u, 4, MUE_DELTA_LOCAL, F_LDRW, 0);
		mark(s, u, b, (uint8_t)(x >> 12));
	} else if ((w & 0xfbf0) == 0xf240) {
		uint16_t y = mue_delta_get16(b + 4), z = mue_delta_get16(b + 6);

		if ((y & 0xfbf0) == 0xf2c0 && (z & 0xf00) == (x & 0xf00))
			set(u, 8, MUE_DELTA_POINTER, F_MOVWT, 0);
		else
			set(u, 4, MUE_DELTA_WIDE, F_NUM, 0);
	}
}

static void scan_narrow(struct mue_delta_scan *s, const uint8_t *b, struct mue_delta_unit *u)
{
	uint16_t w = mue_delta_get16(b);

	if ((w & 0xf800) == 0x4800 || (w & 0xf800) == 0xa000) {
		set(u, 2, MUE_DELTA_LOCAL, F_LDR, 2);
		if (w & 0x4000)
			mark(s, u, b, (uint8_t)(w >> 8 & 7));
	} else if ((w & 0xf800) == 0xe000) {
		set(u, 2, MUE_DELTA_BRANCH, F_B11, 1);
	} else if ((w & 0xf000) == 0xd000 && (w & 0xf00) < 0xe00) {
		set(u, 2, MUE_DELTA_BRANCH, F_B8, 1);
	} else if ((w & 0xf500) == 0xb100) {
		set(u, 2, MUE_DELTA_BRANCH, F_CBZ, 1);
	}
}

static void scan(struct mue_delta_scan *s, const uint8_t *b, struct mue_delta_unit *u)
{
	uint16_t w = mue_delta_get16(b);

	if (!(s->addr & 3)) {
		bool literal = take(s);

		if (literal && set_literal(s, u))
			return;
		if (literal || mue_delta_get32(b) - s->base < s->size) {
			set(u, 4, MUE_DELTA_POINTER, F_WORD, 0);
			return;
		}
	}
	set(u, 2, MUE_DELTA_BYTES, 0, 0);
	if (w >= 0xe800)
		scan_wide(s, b, u);
	else
		scan_narrow(s, b, u);
}

static bool put(struct mue_delta_unit *u, uint32_t addr, uint32_t value)
{
	struct mue_delta_unit high;

	if (u->form != F_MOVWT)
		return mue_delta_field_put(forms + u->form, u, addr, value);
	memcpy(high.bytes, u->bytes + 4, 4);
	mue_delta_field_put(forms + F_NUM, u, addr, value & 0xffff);
	mue_delta_field_put(forms + F_NUM, &high, addr, value >> 16);
	memcpy(u->bytes + 4, high.bytes, 4);
	return true;
}

const struct mue_delta_isa mue_delta_thumb = { MUE_DELTA_THUMB, 2, 8, scan, get, put };
