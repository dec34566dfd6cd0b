/*
 * RISC-V, instruction encodings after "The RISC-V Instruction Set Manual, Volume I" (20191213),
 * chapters 2 and 16.  Instructions are 2 or 4 bytes at multiples of 2.
 */
#include "core/delta_isa.h"

enum form {
	F_JAL = 1, /* JAL: 21 bits */
	F_BRANCH,  /* BEQ...: 13 bits */
	F_CJ,      /* C.J, C.JAL: 12 bits */
	F_CB,      /* C.BEQZ, C.BNEZ: 9 bits */
	F_PAIR,    /* AUIPC and the instruction with the low 12 bits behind it */
	F_LUI,     /* LUI and ADDI behind it */
	F_WORD,    /* pointer */
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

/* The bits of v from `from` on, `n` of them, moved to `to`. */
static uint32_t bits(uint32_t v, uint8_t from, uint8_t n, uint8_t to)
{
	return (v >> from & (((uint32_t)1 << n) - 1)) << to;
}

static bool is_store(uint32_t w)
{
	return (w & 0x5f) == 0x07 ? false : (w & 0x7f) == 0x23 || (w & 0x7f) == 0x27;
}

/* The low half of a pair: the 12 bits of an I or S instruction. */
static uint32_t low12(uint32_t w)
{
	return sign(is_store(w) ? bits(w, 7, 5, 0) | bits(w, 25, 7, 5) : w >> 20, 12);
}

static uint32_t with_low12(uint32_t w, uint32_t v)
{
	if (is_store(w))
		return (w & 0x01fff07f) | bits(v, 0, 5, 7) | bits(v, 5, 7, 25);
	return (w & 0x000fffff) | v << 20;
}

static uint32_t get_compressed(uint32_t w, uint8_t form)
{
	if (form == F_CJ)
		return sign(bits(w, 12, 1, 11) | bits(w, 11, 1, 4) | bits(w, 9, 2, 8) |
				    bits(w, 8, 1, 10) | bits(w, 7, 1, 6) | bits(w, 6, 1, 7) |
				    bits(w, 3, 3, 1) | bits(w, 2, 1, 5),
			    12);
	return sign(bits(w, 12, 1, 8) | bits(w, 10, 2, 3) | bits(w, 5, 2, 6) | bits(w, 3, 2, 1) |
			    bits(w, 2, 1, 5),
		    9);
}

static uint32_t get(const struct mue_delta_unit *u, uint32_t addr)
{
	uint32_t w = mue_delta_get32(u->bytes), x = mue_delta_get32(u->bytes + 4);

	switch (u->form) {
	case F_JAL:
		return addr + sign(bits(w, 31, 1, 20) | bits(w, 12, 8, 12) | bits(w, 20, 1, 11) |
					   bits(w, 21, 10, 1),
				   21);
	case F_BRANCH:
		return addr + sign(bits(w, 31, 1, 12) | bits(w, 7, 1, 11) | bits(w, 25, 6, 5) |
					   bits(w, 8, 4, 1),
				   13);
	case F_PAIR:
		return addr + (w & 0xfffff000) + low12(x);
	case F_LUI:
		return (w & 0xfffff000) + low12(x);
	case F_WORD:
		return w;
	default:
		return addr + get_compressed(w, u->form);
	}
}

/* Whether x uses, as its base, the register that w writes. */
static bool is_pair(uint32_t w, uint32_t x)
{
	uint32_t op = x & 0x7f;

	return bits(w, 7, 5, 0) == bits(x, 15, 5, 0) &&
	       (op == 0x13 || op == 0x67 || op == 0x03 || op == 0x07 || is_store(x)) &&
	       (op != 0x13 || !(x & 0x7000));
}

static void scan_compressed(uint32_t w, struct mue_delta_unit *u)
{
	set(u, 2, MUE_DELTA_BYTES, 0, 0);
	if ((w & 0xe003) == 0xa001 || (w & 0xe003) == 0x2001)
		set(u, 2, MUE_DELTA_BRANCH, F_CJ, 1);
	else if ((w & 0xc003) == 0xc001)
		set(u, 2, MUE_DELTA_BRANCH, F_CB, 1);
}

static void scan(struct mue_delta_scan *s, const uint8_t *b, struct mue_delta_unit *u)
{
	uint32_t w = mue_delta_get32(b), x = mue_delta_get32(b + 4);

	if (!(s->addr & 3) && w - s->base < s->size && s->base) {
		set(u, 4, MUE_DELTA_POINTER, F_WORD, 0);
		return;
	}
	if ((w & 3) != 3) {
		scan_compressed(w & 0xffff, u);
		return;
	}
	set(u, 4, MUE_DELTA_WIDE, 0, 0);
	if ((w & 0x7f) == 0x6f)
		set(u, 4, MUE_DELTA_CALL, F_JAL, 1);
	else if ((w & 0x7f) == 0x63)
		set(u, 4, MUE_DELTA_BRANCH, F_BRANCH, 1);
	else if ((w & 0x7f) == 0x17 && is_pair(w, x))
		set(u, 8, MUE_DELTA_POINTER, F_PAIR, 0);
	else if ((w & 0x7f) == 0x37 && is_pair(w, x))
		set(u, 8, MUE_DELTA_POINTER, F_LUI, 0);
}

static bool fits(uint32_t v, uint8_t n)
{
	uint32_t half = (uint32_t)1 << (n - 1);

	return v + half < half << 1 && !(v & 1);
}

static void put_pair(struct mue_delta_unit *u, uint32_t v)
{
	uint32_t w = mue_delta_get32(u->bytes), x = mue_delta_get32(u->bytes + 4);

	mue_delta_put32(u->bytes, (w & 0xfff) | ((v + 0x800) & 0xfffff000));
	mue_delta_put32(u->bytes + 4, with_low12(x, v & 0xfff));
}

static uint32_t put_jump(uint32_t w, uint32_t v, uint8_t form)
{
	switch (form) {
	case F_JAL:
		return (w & 0xfff) | bits(v, 20, 1, 31) | bits(v, 12, 8, 12) | bits(v, 11, 1, 20) |
		       bits(v, 1, 10, 21);
	case F_BRANCH:
		return (w & 0x01fff07f) | bits(v, 12, 1, 31) | bits(v, 11, 1, 7) |
		       bits(v, 5, 6, 25) | bits(v, 1, 4, 8);
	case F_CJ:
		return (w & 0xe003) | bits(v, 11, 1, 12) | bits(v, 4, 1, 11) | bits(v, 8, 2, 9) |
		       bits(v, 10, 1, 8) | bits(v, 6, 1, 7) | bits(v, 7, 1, 6) | bits(v, 1, 3, 3) |
		       bits(v, 5, 1, 2);
	default:
		return (w & 0xe383) | bits(v, 8, 1, 12) | bits(v, 3, 2, 10) | bits(v, 6, 2, 5) |
		       bits(v, 1, 2, 3) | bits(v, 5, 1, 2);
	}
}

static bool put(struct mue_delta_unit *u, uint32_t addr, uint32_t value)
{
	static const uint8_t reach[] = { [F_JAL] = 21, [F_BRANCH] = 13, [F_CJ] = 12, [F_CB] = 9 };
	uint32_t w = mue_delta_get32(u->bytes), v = value - addr;

	if (u->form == F_WORD) {
		mue_delta_put32(u->bytes, value);
	} else if (u->form == F_PAIR) {
		put_pair(u, v);
	} else if (u->form == F_LUI) {
		put_pair(u, value);
	} else {
		if (!fits(v, reach[u->form]))
			return false;
		w = put_jump(w, v, u->form);
		mue_delta_put16(u->bytes, (uint16_t)w);
		if (u->len == 4)
			mue_delta_put16(u->bytes + 2, (uint16_t)(w >> 16));
	}
	return true;
}

const struct mue_delta_isa mue_delta_riscv = { MUE_DELTA_RISCV, 2, 8, scan, get, put };
