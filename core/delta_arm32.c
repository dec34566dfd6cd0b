/* A32, instruction encodings after ARM DDI 0406 "ARMv7-A Architecture Reference Manual", chapter
 * A5. */
#include "core/delta_isa.h"

enum form {
	F_BRANCH = 1, /* B, BL: 24 bits, words */
	F_LDR,        /* LDR literal: 12 bits both ways */
	F_MOVW,       /* MOVW: a number */
	F_MOVWT,      /* MOVW, MOVT */
	F_WORD,       /* pointer */
};

static void set(struct mue_delta_unit *u, uint8_t len, uint8_t kind, uint8_t form, uint8_t shift)
{
	u->len = len;
	u->kind = kind;
	u->form = form;
	u->shift = shift;
}

static uint32_t imm16(uint32_t w)
{
	return (w & 0xfff) | (w >> 4 & 0xf000);
}

static uint32_t with_imm16(uint32_t w, uint32_t v)
{
	return (w & 0xfff0f000) | (v & 0xfff) | (v << 4 & 0xf0000);
}

static uint32_t get(const struct mue_delta_unit *u, uint32_t addr)
{
	uint32_t w = mue_delta_get32(u->bytes), pc = addr + 8;

	switch (u->form) {
	case F_BRANCH:
		return pc + ((((w & 0xffffff) ^ 0x800000) - 0x800000) << 2);
	case F_LDR:
		return w & 0x800000 ? pc + (w & 0xfff) : pc - (w & 0xfff);
	case F_MOVW:
		return imm16(w);
	case F_MOVWT:
		return imm16(w) | imm16(mue_delta_get32(u->bytes + 4)) << 16;
	default:
		return w;
	}
}

static void scan(struct mue_delta_scan *s, const uint8_t *b, struct mue_delta_unit *u)
{
	uint32_t w = mue_delta_get32(b), x = mue_delta_get32(b + 4);

	set(u, 4, MUE_DELTA_BYTES, 0, 0);
	if (w - s->base < s->size)
		set(u, 4, MUE_DELTA_POINTER, F_WORD, 0);
	else if ((w & 0x0e000000) == 0x0a000000)
		set(u, 4, w & 0x01000000 ? MUE_DELTA_CALL : MUE_DELTA_BRANCH, F_BRANCH, 2);
	else if ((w & 0x0f7f0000) == 0x051f0000)
		set(u, 4, MUE_DELTA_LOCAL, F_LDR, 2);
	else if ((w & 0x0ff00000) == 0x03000000) {
		if ((x & 0x0ff00000) == 0x03400000 && (w & 0xf000) == (x & 0xf000))
			set(u, 8, MUE_DELTA_POINTER, F_MOVWT, 0);
		else
			set(u, 4, MUE_DELTA_WIDE, F_MOVW, 0);
	}
}

static bool put_ldr(struct mue_delta_unit *u, uint32_t w, uint32_t v)
{
	w |= 0x800000;
	if (v >> 31) {
		v = 0 - v;
		w &= ~(uint32_t)0x800000;
	}
	if (v > 0xfff)
		return false;
	mue_delta_put32(u->bytes, (w & 0xfffff000) | v);
	return true;
}

static bool put(struct mue_delta_unit *u, uint32_t addr, uint32_t value)
{
	uint32_t w = mue_delta_get32(u->bytes), v = value - addr - 8;

	switch (u->form) {
	case F_BRANCH:
		if (v & 3 || v + 0x2000000 >= 0x4000000)
			return false;
		mue_delta_put32(u->bytes, (w & 0xff000000) | (v >> 2 & 0xffffff));
		return true;
	case F_LDR:
		return put_ldr(u, w, v);
	case F_MOVW:
		if (value >> 16)
			return false;
		mue_delta_put32(u->bytes, with_imm16(w, value));
		return true;
	case F_MOVWT:
		mue_delta_put32(u->bytes, with_imm16(w, value));
		w = mue_delta_get32(u->bytes + 4);
		mue_delta_put32(u->bytes + 4, with_imm16(w, value >> 16));
		return true;
	default:
		mue_delta_put32(u->bytes, value);
		return true;
	}
}

const struct mue_delta_isa mue_delta_arm32 = { MUE_DELTA_ARM32, 4, 8, scan, get, put };
