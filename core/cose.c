#include "core/cose.h"
#include "core/mem.h"

/* Labels of RFC 9052, section 3.1. */
enum { LABEL_ALG = 1, LABEL_CRIT = 2, LABEL_KID = 4 };

static int read_alg(struct mue_cbor *c, struct mue_cose_id *id)
{
	struct mue_cbor_item item;
	int r = mue_cbor_next(c, &item);

	if (r < 0)
		return r;
	/* A text names an algorithm outside the registry; 0 is reserved. */
	if (item.type > MUE_CBOR_NINT || item.arg > INT32_MAX ||
	    (item.type == MUE_CBOR_UINT && item.arg == 0))
		return MUE_EPROFILE;
	id->alg = item.type == MUE_CBOR_UINT ? (int32_t)item.arg : -1 - (int32_t)item.arg;
	return 0;
}

static int read_kid(struct mue_cbor *c, struct mue_cose_id *id)
{
	struct mue_view kid;
	int r = mue_cbor_bytes(c, &kid);

	if (r < 0)
		return r;
	if (id->kid) /* in both headers: RFC 9052, section 3 */
		return MUE_EFORMAT;
	if (kid.len > MUE_COSE_KID_MAX)
		return MUE_EPROFILE;
	id->kid = kid.data;
	id->kid_len = (uint8_t)kid.len;
	return 0;
}

/* Reads a header map; an algorithm that is not protected is refused. */
static int read_header(struct mue_cbor *c, bool protected_, struct mue_cose_id *id)
{
	struct mue_cbor_item key;
	struct mue_cbor_map m;
	int r = mue_cbor_map_open(c, &m);

	if (r < 0)
		return r;
	while ((r = mue_cbor_map_key(c, &m, &key)) > 0) {
		if (key.type == MUE_CBOR_UINT && key.arg == LABEL_ALG)
			r = protected_ ? read_alg(c, id) : MUE_EPROFILE;
		else if (key.type == MUE_CBOR_UINT && key.arg == LABEL_CRIT)
			r = MUE_EPROFILE;
		else if (key.type == MUE_CBOR_UINT && key.arg == LABEL_KID)
			r = read_kid(c, id);
		else if (key.type == MUE_CBOR_ARRAY)
			r = MUE_EFORMAT; /* labels are integers or texts */
		else
			r = mue_cbor_skip(c, NULL);
		if (r < 0)
			return r;
	}
	return r;
}

static int read_headers(struct mue_cbor *c, struct mue_cose_sign1 *s)
{
	struct mue_cbor inner;
	int r = mue_cbor_bytes(c, &s->protected_);

	if (r < 0)
		return r;
	inner = mue_cbor_read(s->protected_);
	if (s->protected_.len > 0) {
		r = read_header(&inner, true, &s->id);
		if (r == 0)
			r = mue_cbor_end(&inner);
		if (r < 0)
			return r;
	}
	r = read_header(c, false, &s->id);
	if (r < 0)
		return r;
	return s->id.alg == 0 ? MUE_EPROFILE : 0;
}

static int read_tag(struct mue_cbor *c, uint8_t *ret)
{
	struct mue_cbor_item item;
	struct mue_cbor ahead = *c;
	int r = mue_cbor_next(&ahead, &item);

	if (r < 0)
		return r;
	*ret = MUE_COSE_NO_TAG;
	if (item.type != MUE_CBOR_TAG)
		return 0;
	if (item.arg == MUE_COSE_MAC0 || item.arg == MUE_COSE_MAC || item.arg == MUE_COSE_SIGN)
		return MUE_EPROFILE;
	if (item.arg != MUE_COSE_SIGN1)
		return MUE_EFORMAT;
	*ret = MUE_COSE_SIGN1;
	*c = ahead;
	return 0;
}

int mue_cose_sign1_decode(struct mue_view bytes, struct mue_cose_sign1 *ret)
{
	struct mue_cbor c = mue_cbor_read(bytes);
	struct mue_cose_sign1 s;
	size_t n;
	int r;

	memset(&s, 0, sizeof(s));
	r = read_tag(&c, &s.tag);
	if (r < 0)
		return r;
	r = mue_cbor_array(&c, &n);
	if (r < 0)
		return r;
	if (n != 4)
		return MUE_EFORMAT;
	r = read_headers(&c, &s);
	if (r < 0)
		return r;
	if (mue_cbor_null(&c) < 0) {
		r = mue_cbor_bytes(&c, &s.payload);
		if (r < 0)
			return r;
	}
	r = mue_cbor_bytes(&c, &s.signature);
	if (r == 0)
		r = mue_cbor_end(&c);
	if (r < 0)
		return r;
	*ret = s;
	return 0;
}

int mue_cose_sign1_verify(const struct mue_cose_sign1 *s, struct mue_view aad,
			  struct mue_view payload, const struct mue_verifier *v)
{
	struct mue_lms_source sig = { mue_lms_read_memory, s->signature.data,
				      (uint32_t)s->signature.len };
	struct mue_cose_tbs tbs;

	if (!payload.data == !s->payload.data)
		return MUE_EFORMAT;
	mue_cose_tbs_init(&tbs, s->protected_, aad, payload.data ? payload : s->payload);
	return v->ops->verify(v, &s->id, &tbs.source, &sig);
}
