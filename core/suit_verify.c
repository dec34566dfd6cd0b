#include "core/mem.h"
#include "core/suit.h"

/* The algorithm of a block that is no COSE_Sign1: from its protected header, 0 when unreadable. */
static int32_t alg_of(struct mue_cbor c)
{
	struct mue_cbor_item key;
	struct mue_cbor_map m;
	struct mue_view prot;
	int64_t alg;
	size_t n;

	if (mue_cbor_array(&c, &n) < 0 || mue_cbor_bytes(&c, &prot) < 0)
		return 0;
	c = mue_cbor_read(prot);
	if (mue_cbor_map_open(&c, &m) < 0 || mue_cbor_map_key(&c, &m, &key) <= 0)
		return 0;
	if (key.type != MUE_CBOR_UINT || key.arg != 1 || mue_cbor_int(&c, &alg) < 0)
		return 0;
	return alg < INT32_MIN || alg > INT32_MAX ? 0 : (int32_t)alg;
}

int mue_suit_signature(const struct mue_suit *s, uint8_t i, struct mue_suit_signature *ret)
{
	struct mue_cbor c = mue_cbor_read(s->blocks);
	struct mue_suit_signature sig;
	struct mue_cbor_item tag;
	struct mue_view block;
	int r = MUE_EINVAL;

	if (i >= s->block_count)
		return r;
	for (uint8_t at = 0; at <= i; at++) {
		r = mue_cbor_bytes(&c, &block);
		if (r < 0)
			return r;
	}
	memset(&sig, 0, sizeof(sig));
	c = mue_cbor_read(block);
	r = mue_cbor_next(&c, &tag);
	if (r < 0)
		return r;
	if (tag.type != MUE_CBOR_TAG) /* the draft takes tagged messages only */
		return MUE_EFORMAT;
	if (tag.arg == MUE_COSE_SIGN1) {
		r = mue_cose_sign1_decode(block, &sig.sign1);
		if (r < 0)
			return r;
		sig.id = sig.sign1.id;
	} else if (tag.arg == MUE_COSE_MAC0 || tag.arg == MUE_COSE_MAC ||
		   tag.arg == MUE_COSE_SIGN) {
		sig.id.alg = alg_of(c);
	} else {
		return MUE_EFORMAT;
	}
	sig.tag = (uint8_t)tag.arg;
	*ret = sig;
	return 0;
}

int mue_suit_verify(const struct mue_suit *s, const struct mue_verifier *v, uint8_t *ret_mask)
{
	struct mue_view none = { NULL, 0 };
	uint8_t mask = 0, refused = 0;
	int verdict = MUE_ESIGNATURE;

	for (uint8_t i = 0; i < s->block_count; i++) {
		struct mue_suit_signature sig;
		int r = mue_suit_signature(s, i, &sig);

		if (r == 0 && sig.tag != MUE_COSE_SIGN1)
			r = MUE_EPROFILE;
		if (r == 0)
			r = mue_cose_sign1_verify(&sig.sign1, none, s->digest_structure, v);
		if (r == 0)
			mask = (uint8_t)(mask | 1u << i);
		else if (r == MUE_EPROFILE)
			refused++;
		else if (r != MUE_ESIGNATURE)
			verdict = r;
	}
	if (mask != 0) {
		if (ret_mask)
			*ret_mask = mask;
		return 0;
	}
	return s->block_count > 0 && refused == s->block_count ? MUE_EPROFILE : verdict;
}
