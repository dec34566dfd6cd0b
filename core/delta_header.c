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
	uint8_t b;

	for (uint8_t shift = 0; shift < 35; shift = (uint8_t)(shift + 7)) {
		b = byte(c);
		v |= (uint32_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	c->err = MUE_EFORMAT;
	return v;
}

/* Addresses are mostly round: their zeros at the end are counted, not written. */
static uint32_t round_number(struct cursor *c)
{
	uint32_t v = varint(c);

	return v >> 5 << (v & 31);
}

static void read_variant(struct cursor *c, uint8_t isa, struct mue_delta_variant *v)
{
	if (isa != MUE_DELTA_PLAIN) {
		v->old_base = round_number(c);
		v->new_base = v->old_base + round_number(c);
	}
	for (uint8_t i = 0; i < MUE_DELTA_DIGEST; i++)
		v->old_digest[i] = byte(c);
	for (uint8_t i = 0; i < MUE_DELTA_DIGEST; i++)
		v->new_digest[i] = byte(c);
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
	h->blocks = (uint16_t)v;
	if (h->flags & MUE_DELTA_BACKWARD)
		h->page_log2 = byte(c);
	if (v >> 16 || h->page_log2 > 15 || h->variants > MUE_DELTA_VARIANTS) {
		c->err = MUE_EFORMAT;
		return;
	}
	for (uint8_t i = 0; i < h->variants; i++)
		read_variant(c, h->isa, &h->variant[i]);
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
