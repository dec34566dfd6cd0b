#include "core/delta_field.h"

enum { PIECES = 2, STEP = 3 };

/* What the number counts from. */
static uint32_t origin(uint8_t how, uint32_t addr)
{
	if (!(how & MUE_FIELD_REL))
		return 0;
	addr += how >> 5;
	return how & MUE_FIELD_ALIGNED ? addr & ~(uint32_t)3 : addr;
}

static uint32_t inverted(uint8_t how, uint32_t v)
{
	if (how & MUE_FIELD_BL && !(v >> 24 & 1))
		v ^= (uint32_t)3 << 22;
	return v;
}

static uint32_t mask_of(uint8_t bits)
{
	return ((uint32_t)1 << bits) - 1;
}

uint32_t mue_delta_field_get(const uint8_t *form, const struct mue_delta_unit *u, uint32_t addr)
{
	uint32_t insn = mue_delta_get32(u->bytes), v = 0, top;
	uint8_t how = form[1];

	for (const uint8_t *p = form + PIECES; p[0]; p += STEP)
		v |= (insn >> p[2] & mask_of(p[0])) << p[1];
	v = inverted(how, v);
	if (form[0]) {
		top = (uint32_t)1 << (form[0] - 1);
		v = (v ^ top) - top;
	}
	if (how & MUE_FIELD_SIZE)
		v = v >> 12 ? v & 0xfff : 0 - v;
	if (how & MUE_FIELD_MINUS)
		v = (uint16_t)-v;
	return v + origin(how, addr);
}

bool mue_delta_field_put(const uint8_t *form, struct mue_delta_unit *u, uint32_t addr,
			 uint32_t value)
{
	uint32_t before = mue_delta_get32(u->bytes), insn = before, v;
	uint8_t how = form[1];

	v = value - origin(how, addr);
	if (how & MUE_FIELD_MINUS)
		v = 0 - v;
	if (how & MUE_FIELD_SIZE)
		v = v >> 31 ? 0 - v : v | 0x1000;
	v = inverted(how, v);
	for (const uint8_t *p = form + PIECES; p[0]; p += STEP) {
		uint32_t mask = mask_of(p[0]);

		insn = (insn & ~(mask << p[2])) | (v >> p[1] & mask) << p[2];
	}
	mue_delta_put32(u->bytes, insn);
	if (mue_delta_field_get(form, u, addr) == value)
		return true;
	mue_delta_put32(u->bytes, before);
	return false;
}
