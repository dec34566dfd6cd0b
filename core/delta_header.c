/* The header of a patch, docs/FORMATS.md, section "Delta". */
#include "core/delta.h"

#include "core/mem.h"

enum { MAGIC_0 = 'M', MAGIC_1 = 0xd1, VERSION = 1 };

struct cursor {
	const uint8_t *in;
	size_t len, at;
	int err;
};

static uint8_t byte(struct cursor *c)
{
	if (c->at == c->len) {
		c->err = MUE_ETRUNC;
		return 0;
	}
	return c->in[c->at++];
}

/* LEB128, at most five bytes. */
static uint32_t varint(struct cursor *c)
{
	uint32_t v = 0;

	for (uint8_t shift = 0; shift < 35; shift = (uint8_t)(shift + 7)) {
		uint8_t b = byte(c);

		if (shift == 28 && b > 15)
			break;
		v |= (uint32_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	if (!c->err)
		c->err = MUE_EFORMAT;
	return 0;
}

/* Addresses are mostly round: their zeros at the end are counted, not written. */
static uint32_t round_number(struct cursor *c)
{
	uint32_t v = varint(c);

	return v >> 5 << (v & 31);
}

static void digest(struct cursor *c, uint8_t ret[MUE_DELTA_DIGEST])
{
	for (uint8_t i = 0; i < MUE_DELTA_DIGEST; i++)
		ret[i] = byte(c);
}

static void read_fields(struct cursor *c, struct mue_delta_header *h)
{
	uint32_t v;

	h->isa = byte(c);
	h->variants = (uint8_t)((h->isa >> 6) + 1);
	h->isa &= 0x3f;
	h->old_size = varint(c);
	v = varint(c);
	h->new_size = h->old_size + (v >> 1 ^ (0 - (v & 1)));
	v = varint(c);
	if (v > UINT16_MAX)
		c->err = MUE_EFORMAT;
	h->blocks = (uint16_t)v;
	if (h->flags & MUE_DELTA_BACKWARD)
		h->page_log2 = byte(c);
	if (h->page_log2 > 15)
		c->err = MUE_EFORMAT;
	if (h->variants > MUE_DELTA_VARIANTS)
		c->err = MUE_EPROFILE;
	for (uint8_t i = 0; i < h->variants && !c->err; i++) {
		struct mue_delta_variant *d = &h->variant[i];

		if (h->isa != MUE_DELTA_PLAIN) {
			d->old_base = round_number(c);
			d->new_base = d->old_base + round_number(c);
		}
		digest(c, d->old_digest);
		digest(c, d->new_digest);
	}
}

int mue_delta_header_read(const uint8_t *in, size_t len, struct mue_delta_header *ret)
{
	struct cursor c = { in, len, 0, 0 };
	struct mue_delta_header h;
	uint8_t version;

	memset(&h, 0, sizeof(h));
	if (byte(&c) != MAGIC_0 || byte(&c) != MAGIC_1)
		return c.err ? c.err : MUE_EFORMAT;
	version = byte(&c);
	if (!c.err && version >> 4 != VERSION)
		return MUE_EPROFILE;
	h.flags = version & 0xf;
	read_fields(&c, &h);
	if (c.err)
		return c.err;
	h.size = (uint8_t)c.at;
	*ret = h;
	return MUE_OK;
}
