#include "core/cose.h"
#include "core/mem.h"

/* Reads across the pieces. */
static int read_pieces(const struct mue_lms_source *s, uint32_t off, void *buf, uint8_t len)
{
	const struct mue_cose_tbs *tbs = s->ctx;
	uint8_t *to = buf;

	for (uint8_t i = 0; i < MUE_COSE_PIECES && len > 0; i++) {
		const struct mue_view *p = &tbs->piece[i];
		uint8_t n = len;

		if (off >= p->len) {
			off -= (uint32_t)p->len;
			continue;
		}
		if (n > p->len - off)
			n = (uint8_t)(p->len - off);
		memcpy(to, p->data + off, n);
		to += n;
		len = (uint8_t)(len - n);
		off = 0;
	}
	return len == 0 ? 0 : MUE_ETRUNC;
}

void mue_cose_tbs_init(struct mue_cose_tbs *tbs, struct mue_view protected_, struct mue_view aad,
		       struct mue_view payload)
{
	/* Array of four and the context string: RFC 9052, section 4.4. */
	static const uint8_t begin[] = { 0x84, 0x6a, 'S', 'i', 'g', 'n',
					 'a',  't',  'u', 'r', 'e', '1' };
	struct mue_view part[3] = { protected_, aad, payload };

	memcpy(tbs->head[0], begin, sizeof(begin));
	tbs->source.size = 0;
	for (uint8_t i = 0; i < 3; i++) {
		uint8_t skip = i == 0 ? sizeof(begin) : 0;
		uint8_t n = mue_cbor_head(tbs->head[i] + skip, MUE_CBOR_BYTES,
					  (uint32_t)part[i].len);

		tbs->piece[2 * i].data = tbs->head[i];
		tbs->piece[2 * i].len = (size_t)(skip + n);
		tbs->piece[2 * i + 1] = part[i];
		tbs->source.size += (uint32_t)skip + n + (uint32_t)part[i].len;
	}
	tbs->source.read = read_pieces;
	tbs->source.ctx = tbs;
}

int mue_cose_source_copy(const struct mue_lms_source *s, uint32_t off, void *buf, uint32_t len)
{
	uint8_t *to = buf;

	if (off > s->size || len > s->size - off)
		return MUE_ETRUNC;
	while (len > 0) {
		uint8_t n = len < MUE_LMS_READ_MAX ? (uint8_t)len : MUE_LMS_READ_MAX;
		int r = s->read(s, off, to, n);

		if (r < 0)
			return r;
		to += n;
		off += n;
		len -= n;
	}
	return 0;
}
