/* AVR, instruction encodings after Microchip DS40002198 "AVR Instruction Set Manual". */
#include "core/delta_isa.h"

enum form {
	F_FAR = 1, /* call, jmp: 22 bits of word address */
	F_REL12,   /* rcall, rjmp */
	F_REL7,    /* brbs, brbc */
	F_DIRECT,  /* lds, sts: 16 bits of data address */
	F_LDI,     /* ldi lo; ldi hi */
	F_SUBI,    /* subi lo; sbci hi: the address negated */
};

static bool is_pair(uint16_t lo, uint16_t hi, uint16_t op_lo, uint16_t op_hi)
{
	return (lo & 0xf010) == op_lo && (hi & 0xf010) == (op_hi | 0x10) &&
	       (lo & 0xe0) == (hi & 0xe0);
}

static uint16_t imm8(uint16_t w)
{
	return (uint16_t)((w >> 4 & 0xf0) | (w & 0xf));
}

static void set(struct mue_delta_unit *u, uint8_t len, uint8_t kind, uint8_t form)
{
	u->len = len;
	u->kind = kind;
	u->form = form;
	u->shift = kind == MUE_DELTA_DATA ? 0 : 1;
}

static void scan(struct mue_delta_scan *s, const uint8_t *b, struct mue_delta_unit *u)
{
	uint16_t w = mue_delta_get16(b), x = mue_delta_get16(b + 2);

	(void)s;
	if ((w & 0xfe0c) == 0x940c)
		set(u, 4, MUE_DELTA_CALL, F_FAR);
	else if ((w & 0xfc0f) == 0x9000)
		set(u, 4, MUE_DELTA_DATA, F_DIRECT);
	else if ((w & 0xe000) == 0xc000)
		set(u, 2, MUE_DELTA_CALL, F_REL12);
	else if ((w & 0xf800) == 0xf000)
		set(u, 2, MUE_DELTA_BRANCH, F_REL7);
	else if (is_pair(w, x, 0xe000, 0xe000))
		set(u, 4, MUE_DELTA_DATA, F_LDI);
	else if (is_pair(w, x, 0x5000, 0x4000))
		set(u, 4, MUE_DELTA_DATA, F_SUBI);
	else
		set(u, 2, MUE_DELTA_BYTES, 0);
}

static uint32_t get(const struct mue_delta_unit *u, uint32_t addr)
{
	uint16_t w = mue_delta_get16(u->bytes), x = mue_delta_get16(u->bytes + 2), k;

	switch (u->form) {
	case F_FAR:
		k = (uint16_t)((w >> 3 & 0x3e) | (w & 1));
		return ((uint32_t)k << 16 | x) << 1;
	case F_REL12:
		k = (uint16_t)((w & 0x7ff) - (w & 0x800));
		return addr + 2 + (uint32_t)((int32_t)(int16_t)k * 2);
	case F_REL7:
		k = (uint16_t)((w >> 3 & 0x3f) - (w >> 3 & 0x40));
		return addr + 2 + (uint32_t)((int32_t)(int16_t)k * 2);
	case F_DIRECT:
		return x;
	default:
		k = (uint16_t)(imm8(w) | imm8(x) << 8);
		return u->form == F_SUBI ? (uint16_t)-k : k;
	}
}

static void put_imm8(uint8_t *b, uint8_t v)
{
	b[0] = (uint8_t)((b[0] & 0xf0) | (v & 0xf));
	b[1] = (uint8_t)((b[1] & 0xf0) | v >> 4);
}

static bool put(struct mue_delta_unit *u, uint32_t addr, uint32_t value)
{
	uint16_t w = mue_delta_get16(u->bytes);
	int32_t k = (int32_t)(value - addr - 2) / 2;

	switch (u->form) {
	case F_FAR:
		if (value & 1 || value >> 23)
			return false;
		w = (uint16_t)((w & 0xfe0e) | (value >> 14 & 0x1f0) | (value >> 17 & 1));
		mue_delta_put16(u->bytes + 2, (uint16_t)(value >> 1));
		break;
	case F_REL12:
		if (k < -2048 || k > 2047 || value & 1)
			return false;
		w = (uint16_t)((w & 0xf000) | ((uint16_t)k & 0xfff));
		break;
	case F_REL7:
		if (k < -64 || k > 63 || value & 1)
			return false;
		w = (uint16_t)((w & 0xfc07) | ((uint16_t)k & 0x7f) << 3);
		break;
	case F_DIRECT:
		if (value >> 16)
			return false;
		mue_delta_put16(u->bytes + 2, (uint16_t)value);
		return true;
	default:
		if (value >> 16)
			return false;
		if (u->form == F_SUBI)
			value = (uint16_t)-value;
		put_imm8(u->bytes, (uint8_t)value);
		put_imm8(u->bytes + 2, (uint8_t)(value >> 8));
		return true;
	}
	mue_delta_put16(u->bytes, w);
	return true;
}

const struct mue_delta_isa mue_delta_avr = { MUE_DELTA_AVR, 2, 4, scan, get, put };
