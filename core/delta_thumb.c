/* Thumb-2, instruction encodings after ARM DDI 0403 "ARMv7-M Architecture Reference Manual". */
#include "core/delta_isa.h"

enum form {
	F_BL = 1, /* BL, B.W: 25 bits */
	F_BCW,    /* B<c>.W: 21 bits */
	F_B11,    /* B: 12 bits */
	F_B8,     /* B<c>: 9 bits */
	F_CBZ,    /* CBZ, CBNZ: 7 bits forward */
	F_LDR,    /* LDR literal, ADR: 10 bits forward, from Align(PC, 4) */
	F_LDRW,   /* LDR.W literal: 12 bits both ways */
	F_WORD,   /* literal */
	F_MOVWT,  /* MOVW, MOVT */
	F_NUM,    /* MOVW alone: a number */
	F_BLX,    /* BLX to ARM code: 25 bits, from Align(PC, 4) */
};

static void set(struct mue_delta_unit *u, uint8_t len, uint8_t kind, uint8_t form, uint8_t shift)
{
	u->len = len;
	u->kind = kind;
	u->form = form;
	u->shift = shift;
}

static uint32_t sign(uint32_t v, uint8_t bits)
{
	uint32_t top = (uint32_t)1 << (bits - 1);

	return (v ^ top) - top;
}

static uint16_t imm16(const uint8_t *b)
{
	uint16_t w = mue_delta_get16(b), x = mue_delta_get16(b + 2);

	return (uint16_t)((w & 0xf) << 12 | (w & 0x400) << 1 | (x >> 4 & 0x700) | (x & 0xff));
}

static uint32_t get_wide(uint16_t w, uint16_t x, uint8_t form)
{
	uint32_t s = w >> 10 & 1, j1 = x >> 13 & 1, j2 = x >> 11 & 1;
	uint32_t low = (uint32_t)(x & 0x7ff) << 1;

	if (form != F_BCW)
		return sign(s << 24 | (j1 ^ s ^ 1) << 23 | (j2 ^ s ^ 1) << 22 |
				    (uint32_t)(w & 0x3ff) << 12 | low,
			    25);
	return sign(s << 20 | j2 << 19 | j1 << 18 | (uint32_t)(w & 0x3f) << 12 | low, 21);
}

static uint32_t get(const struct mue_delta_unit *u, uint32_t addr)
{
	uint16_t w = mue_delta_get16(u->bytes), x = mue_delta_get16(u->bytes + 2);
	uint32_t pc = addr + 4, aligned = pc & ~(uint32_t)3;

	switch (u->form) {
	case F_WORD:
		return mue_delta_get32(u->bytes);
	case F_MOVWT:
		return (uint32_t)imm16(u->bytes + 4) << 16 | imm16(u->bytes);
	case F_NUM:
		return imm16(u->bytes);
	case F_LDR:
		return aligned + ((uint32_t)(w & 0xff) << 2);
	case F_LDRW:
		x &= 0xfff;
		return w & 0x80 ? aligned + x : aligned - x;
	case F_BL:
	case F_BCW:
		return pc + get_wide(w, x, u->form);
	case F_BLX:
		return aligned + get_wide(w, x, u->form);
	case F_B11:
		return pc + sign((uint32_t)(w & 0x7ff) << 1, 12);
	case F_B8:
		return pc + sign((uint32_t)(w & 0xff) << 1, 9);
	default:
		return pc + (uint32_t)((w >> 3 & 0x40) | (w >> 2 & 0x3e));
	}
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

	if (addr - s->addr >= 4 * MUE_DELTA_POOL_BITS - 4)
		return;
	mark_from(s, i, b, reg);
	s->u.pool[i / 8 % (MUE_DELTA_POOL_BITS / 8)] |= (uint8_t)(1U << i % 8);
}

/* Whether the word at s->addr is a literal that a load before it named; asks once. */
static bool take(struct mue_delta_scan *s)
{
	uint32_t i = s->addr >> 2;
	uint8_t *p = &s->u.pool[i / 8 % (MUE_DELTA_POOL_BITS / 8)], bit = (uint8_t)(1U << i % 8);
	bool is = *p & bit;

	*p &= (uint8_t)~bit;
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

static bool fits(uint32_t v, uint8_t bits)
{
	uint32_t half = (uint32_t)1 << (bits - 1);

	return v + half < half << 1 && !(v & 1);
}

static bool put_wide(struct mue_delta_unit *u, uint32_t v)
{
	uint16_t w = mue_delta_get16(u->bytes), x = mue_delta_get16(u->bytes + 2);
	uint16_t s = (uint16_t)(v >> 24 & 1), j1, j2;

	if (!fits(v, u->form == F_BCW ? 21 : 25) || (u->form == F_BLX && v & 2))
		return false;
	x = (uint16_t)((x & 0xd000) | (v >> 1 & 0x7ff));
	if (u->form != F_BCW) {
		j1 = (uint16_t)((v >> 23 & 1) ^ s ^ 1);
		j2 = (uint16_t)((v >> 22 & 1) ^ s ^ 1);
		w = (uint16_t)((w & 0xf800) | (uint32_t)s << 10 | (v >> 12 & 0x3ff));
	} else {
		j1 = (uint16_t)(v >> 18 & 1);
		j2 = (uint16_t)(v >> 19 & 1);
		w = (uint16_t)((w & 0xfbc0) | (uint32_t)s << 10 | (v >> 12 & 0x3f));
	}
	mue_delta_put16(u->bytes, w);
	mue_delta_put16(u->bytes + 2, (uint16_t)(x | j1 << 13 | j2 << 11));
	return true;
}

static void put_imm16(uint8_t *b, uint16_t v)
{
	uint16_t w = mue_delta_get16(b), x = mue_delta_get16(b + 2);

	w = (uint16_t)((w & 0xfbf0) | v >> 12 | (v >> 1 & 0x400));
	x = (uint16_t)((x & 0x8f00) | (v << 4 & 0x7000) | (v & 0xff));
	mue_delta_put16(b, w);
	mue_delta_put16(b + 2, x);
}

static bool put_load(struct mue_delta_unit *u, uint16_t w, uint32_t v)
{
	uint16_t x = mue_delta_get16(u->bytes + 2);

	if (u->form == F_LDR) {
		if (v > 1020 || v & 3)
			return false;
		mue_delta_put16(u->bytes, (uint16_t)((w & 0xff00) | v >> 2));
		return true;
	}
	w |= 0x80;
	if (v >> 31) {
		v = 0 - v;
		w &= (uint16_t)~0x80;
	}
	if (v > 0xfff)
		return false;
	mue_delta_put16(u->bytes, w);
	mue_delta_put16(u->bytes + 2, (uint16_t)((x & 0xf000) | v));
	return true;
}

static bool put(struct mue_delta_unit *u, uint32_t addr, uint32_t value)
{
	uint16_t w = mue_delta_get16(u->bytes);
	uint32_t v = value - addr - 4;

	switch (u->form) {
	case F_WORD:
		mue_delta_put32(u->bytes, value);
		return true;
	case F_MOVWT:
		put_imm16(u->bytes, (uint16_t)value);
		put_imm16(u->bytes + 4, (uint16_t)(value >> 16));
		return true;
	case F_NUM:
		if (value >> 16)
			return false;
		put_imm16(u->bytes, (uint16_t)value);
		return true;
	case F_LDR:
	case F_LDRW:
		return put_load(u, w, value - ((addr + 4) & ~(uint32_t)3));
	case F_BLX:
		return put_wide(u, value - ((addr + 4) & ~(uint32_t)3));
	case F_BL:
	case F_BCW:
		return put_wide(u, v);
	case F_B11:
		if (!fits(v, 12))
			return false;
		w = (uint16_t)((w & 0xf800) | (v >> 1 & 0x7ff));
		break;
	case F_B8:
		if (!fits(v, 9))
			return false;
		w = (uint16_t)((w & 0xff00) | (v >> 1 & 0xff));
		break;
	default:
		if (v > 126 || v & 1)
			return false;
		w = (uint16_t)((w & 0xfd07) | (v << 3 & 0x200) | (v << 2 & 0xf8));
		break;
	}
	mue_delta_put16(u->bytes, w);
	return true;
}

const struct mue_delta_isa mue_delta_thumb = { MUE_DELTA_THUMB, 2, 8, scan, get, put };
