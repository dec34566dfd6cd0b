/* AVR, instruction encodings after Microchip DS40002198 "AVR Instruction Set Manual". */
#include "core/delta_field.h"

/* Where each form stands in the table. */
enum form {
	F_FAR = 1,             /* call, jmp: 22 bits of word address */
	F_REL12 = F_FAR + 12,  /* rcall, rjmp */
	F_REL7 = F_REL12 + 6,  /* brbs, brbc */
	F_DIRECT = F_REL7 + 6, /* lds, sts: 16 bits of data address */
	F_LDI = F_DIRECT + 6,  /* ldi lo; ldi hi */
	F_SUBI = F_LDI + 15,   /* subi lo; sbci hi: the address negated */
};

/* clang-format off */
static const uint8_t forms[] = {
	0,
	0, 0, 16, 1, 16, 1, 17, 0, 5, 18, 4, 0,
	13, MUE_FIELD_REL | MUE_FIELD_PC_2, 12, 1, 0, 0,
	8, MUE_FIELD_REL | MUE_FIELD_PC_2, 7, 1, 3, 0,
	0, 0, 16, 0, 16, 0,
	0, 0, 4, 0, 0, 4, 4, 8, 4, 8, 16, 4, 12, 24, 0,
	0, MUE_FIELD_MINUS, 4, 0, 0, 4, 4, 8, 4, 8, 16, 4, 12, 24, 0,
};
/* clang-format on */

static bool is_pair(uint16_t lo, uint16_t hi, uint16_t op_lo, uint16_t op_hi)
{
	return (lo & 0xf010) == op_lo && (hi & 0xf010) == (op_hi | 0x10) &&
	       (lo & 0xe0) == (hi & 0xe0);
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
	return mue_delta_field_get(forms + u->form, u, addr);
}

static bool put(struct mue_delta_unit *u, uint32_t addr, uint32_t value)
{
	return mue_delta_field_put(forms + u->form, u, addr, value);
}

const struct mue_delta_isa mue_delta_avr = { MUE_DELTA_AVR, 2, 4, scan, get, put };
