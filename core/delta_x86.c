/*
 * x86-64, after the Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2.  No
 * full decoding: the patterns below are looked for at every byte, a target inside the image
 * confirms.
 */
#include "core/delta_isa.h"

enum form {
	F_REL = 1, /* displacement from the end of itself */
	F_RIP = 2, /* from the end of the instruction: hint bytes later */
};

/* Offset of the displacement in the instruction at b, 0: none; *ret_after: immediate bytes. */
static uint8_t displacement(const uint8_t *b, uint8_t *ret_after)
{
	uint8_t at = 0;

	*ret_after = 0;
	if ((b[0] & 0xf0) == 0x40)
		at = 1;
	if (b[at] == 0x0f) {
		if ((b[at + 1] & 0xf0) == 0x80)
			return (uint8_t)(at + 2);
		return (b[at + 2] & 0xc7) == 5 ? (uint8_t)(at + 3) : 0;
	}
	if (b[at] == 0xe8 || b[at] == 0xe9)
		return (uint8_t)(at + 1);
	if ((b[at + 1] & 0xc7) != 5)
		return 0;
	switch (b[at]) {
	case 0x80:
	case 0x83:
	case 0xc6:
	case 0xc0:
	case 0xc1:
	case 0x6b:
		*ret_after = 1;
		break;
	case 0x81:
	case 0xc7:
	case 0x69:
		*ret_after = 4;
		break;
	default:
		break;
	}
	return (uint8_t)(at + 2);
}

static uint32_t get(const struct mue_delta_unit *u, uint32_t addr)
{
	uint8_t at = (uint8_t)(u->hint & 0xf), after = (uint8_t)(u->hint >> 4);

	return addr + at + 4 + after + mue_delta_get32(u->bytes + at);
}

static void scan(struct mue_delta_scan *s, const uint8_t *b, struct mue_delta_unit *u)
{
	uint8_t after, at = displacement(b, &after);

	u->len = 1;
	u->kind = MUE_DELTA_BYTES;
	u->form = 0;
	u->shift = 0;
	if (!at || at + 4 > MUE_DELTA_UNIT_MAX)
		return;
	u->hint = (uint16_t)(at | after << 4);
	if (get(u, s->addr) - s->base >= s->size)
		return;
	u->len = (uint8_t)(at + 4);
	u->kind = b[at - 1] == 0xe8 || b[at - 1] == 0xe9 ? MUE_DELTA_CALL
		  : (b[at - 1] & 0xf0) == 0x80           ? MUE_DELTA_BRANCH
							 : MUE_DELTA_SPLIT;
	u->form = F_REL;
}

static bool put(struct mue_delta_unit *u, uint32_t addr, uint32_t value)
{
	uint8_t at = (uint8_t)(u->hint & 0xf), after = (uint8_t)(u->hint >> 4);

	mue_delta_put32(u->bytes + at, value - (addr + at + 4 + after));
	return true;
}

const struct mue_delta_isa mue_delta_x86_64 = { MUE_DELTA_X86_64, 1, 12, scan, get, put };
