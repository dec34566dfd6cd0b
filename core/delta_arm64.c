/* A64, instruction encodings after ARM DDI 0487 "Arm Architecture Reference Manual", C4 and C6. */
#include "core/delta_isa.h"

#ifndef MUE_DELTA_SMALL

enum form {
	F_26 = 1, /* B, BL: imm26 at bit 0 */
	F_19,     /* B.cond, CBZ, CBNZ, LDR literal: imm19 at bit 5 */
	F_14,     /* TBZ, TBNZ: imm14 at bit 5 */
	F_ADR,    /* ADR: immhi:immlo */
	F_PAGE,   /* ADRP */
	F_NUM,    /* MOVZ: a number */
	F_LOW,    /* ADD, LDR, STR with the low 12 bits of an address */
};

enum { LOOK = 7, PAGE = 0xfff };

static void set(struct mue_delta_unit *u, uint8_t kind, uint8_t form, uint8_t shift)
{
	u->kind = kind;
	u->form = form;
	u->shift = shift;
}

static uint32_t sign(uint32_t v, uint8_t bits)
{
	uint32_t top = (uint32_t)1 << (bits - 1);

	return (v ^ top) - top;
}

/* ADD (64-bit, immediate, not shifted) or a load or store with an unsigned offset. */
static bool uses_low(uint32_t w)
{
	return (w & 0xffc00000) == 0x91000000 || (w & 0x3b000000) == 0x39000000;
}

/* How far a load's or store's offset is shifted left; 0 for ADD. */
static uint8_t low_scale(uint32_t w)
{
	if ((w & 0x3b000000) != 0x39000000)
		return 0;
	if ((w & 0xff800000) == 0x3d800000)
		return 4;
	return (uint8_t)(w >> 30);
}

static uint32_t low_of(uint32_t w)
{
	return (w >> 10 & PAGE) << low_scale(w);
}

static uint32_t adr_imm(uint32_t w)
{
	return sign((w >> 29 & 3) | (w >> 3 & 0x1ffffc), 21);
}

static uint32_t get(const struct mue_delta_unit *u, uint32_t addr)
{
	uint32_t w = mue_delta_get32(u->bytes);

	switch (u->form) {
	case F_26:
		return addr + (sign(w & 0x3ffffff, 26) << 2);
	case F_19:
		return addr + (sign(w >> 5 & 0x7ffff, 19) << 2);
	case F_14:
		return addr + (sign(w >> 5 & 0x3fff, 14) << 2);
	case F_ADR:
		return addr + adr_imm(w);
	case F_NUM:
		return w >> 5 & 0xffff;
	case F_PAGE:
		return (addr & ~(uint32_t)PAGE) + (adr_imm(w) << 12) + u->hint;
	default:
		return u->page + (low_of(w) & PAGE);
	}
}

static void scan_adrp(struct mue_delta_scan *s, const uint8_t *b, struct mue_delta_unit *u,
		      uint32_t w)
{
	uint8_t reg = (uint8_t)(w & 31);

	set(u, MUE_DELTA_SPLIT, F_PAGE, 12);
	u->hint = 0;
	s->u.reg.page[reg] = get(u, s->addr);
	s->u.reg.known |= (uint32_t)1 << reg;
	for (uint8_t i = 1; i <= LOOK; i++) {
		uint32_t x = mue_delta_get32(b + 4 * i);

		if (uses_low(x) && (x >> 5 & 31) == reg) {
			u->hint = (uint16_t)(low_of(x) & PAGE);
			break;
		}
	}
}

/* Registers that no longer hold a page: what the instruction writes; after a call, the scratch
 * ones. */
static void forget(struct mue_delta_scan *s, uint32_t w)
{
	bool store = (w & 0x3bc00000) == 0x39000000, jump = (w & 0x1c000000) == 0x14000000;

	if ((w & 0xfc000000) == 0x94000000)
		s->u.reg.known &= 0xfff80000;
	else if (!store && !jump)
		s->u.reg.known &= ~((uint32_t)1 << (w & 31));
}

static void scan(struct mue_delta_scan *s, const uint8_t *b, struct mue_delta_unit *u)
{
	uint32_t w = mue_delta_get32(b);

	u->len = 4;
	set(u, MUE_DELTA_BYTES, 0, 0);
	if ((w & 0x7c000000) == 0x14000000)
		set(u, MUE_DELTA_CALL, F_26, 2);
	else if ((w & 0xff000010) == 0x54000000 || (w & 0x7e000000) == 0x34000000)
		set(u, MUE_DELTA_BRANCH, F_19, 2);
	else if ((w & 0x7e000000) == 0x36000000)
		set(u, MUE_DELTA_BRANCH, F_14, 2);
	else if ((w & 0x3b000000) == 0x18000000)
		set(u, MUE_DELTA_LOCAL, F_19, 2);
	else if ((w & 0x9f000000) == 0x10000000)
		set(u, MUE_DELTA_LOCAL, F_ADR, 0);
	else if ((w & 0x9f000000) == 0x90000000)
		scan_adrp(s, b, u, w);
	else if ((w & 0x7fe00000) == 0x52800000)
		set(u, MUE_DELTA_WIDE, F_NUM, 0);
	else if (uses_low(w) && s->u.reg.known >> (w >> 5 & 31) & 1) {
		set(u, MUE_DELTA_SPLIT, F_LOW, low_scale(w));
		u->page = s->u.reg.page[w >> 5 & 31];
	}
	if (u->form != F_PAGE)
		forget(s, w);
}

static bool put_branch(struct mue_delta_unit *u, uint32_t w, uint32_t v, uint8_t bits, uint8_t at)
{
	uint32_t mask = ((uint32_t)1 << bits) - 1, half = (uint32_t)1 << (bits + 1);

	if (v & 3 || v + half >= half << 1)
		return false;
	mue_delta_put32(u->bytes, (w & ~(mask << at)) | (v >> 2 & mask) << at);
	return true;
}

static bool put_adr(struct mue_delta_unit *u, uint32_t w, uint32_t v)
{
	if (v + 0x100000 >= 0x200000)
		return false;
	w = (w & 0x9f00001f) | (v & 3) << 29 | (v << 3 & 0xffffe0);
	mue_delta_put32(u->bytes, w);
	return true;
}

static bool put(struct mue_delta_unit *u, uint32_t addr, uint32_t value)
{
	uint32_t w = mue_delta_get32(u->bytes), v = value - addr;
	uint8_t scale;

	switch (u->form) {
	case F_26:
		return put_branch(u, w, v, 26, 0);
	case F_19:
		return put_branch(u, w, v, 19, 5);
	case F_14:
		return put_branch(u, w, v, 14, 5);
	case F_ADR:
		return put_adr(u, w, v);
	case F_NUM:
		if (value >> 16)
			return false;
		mue_delta_put32(u->bytes, (w & ~((uint32_t)0xffff << 5)) | value << 5);
		return true;
	case F_PAGE:
		v = (value >> 12) - (addr >> 12);
		return put_adr(u, w, sign(v & 0xfffff, 20));
	default:
		scale = low_scale(w);
		v = value & PAGE;
		if (v & (((uint32_t)1 << scale) - 1))
			return false;
		mue_delta_put32(u->bytes, (w & 0xffc003ff) | v >> scale << 10);
		return true;
	}
}

const struct mue_delta_isa mue_delta_arm64 = { MUE_DELTA_ARM64, 4, 4 * (LOOK + 1), scan, get, put };

#endif
