/* Signing and verifying envelopes that exist. */
#include "host/hash.h"
#include "host/release.h"

#include <stdlib.h>
#include <string.h>

struct parts {
	struct mue_view before; /* raw bytes up to the value of the authentication wrapper */
	struct mue_view blocks; /* the wrapper's items, raw */
	size_t items;
	struct mue_view after; /* raw bytes behind the wrapper */
};

/* Where the authentication wrapper stands in an envelope that mue_suit_open has taken. */
static int take_apart(struct mue_view env, struct parts *ret)
{
	struct mue_cbor c = mue_cbor_read(env), w;
	struct mue_cbor_item item;
	struct mue_view wrapper;
	size_t n;
	uint64_t key;
	int r = mue_cbor_next(&c, &item);

	if (r == 0 && item.type == MUE_CBOR_TAG)
		r = mue_cbor_next(&c, &item); /* the map */
	if (r == 0)
		r = mue_cbor_uint(&c, &key);
	if (r < 0)
		return r;
	ret->before = (struct mue_view){ env.data, (size_t)(c.at - env.data) };
	r = mue_cbor_bytes(&c, &wrapper);
	if (r < 0)
		return r;
	ret->after = (struct mue_view){ c.at, (size_t)(c.end - c.at) };
	w = mue_cbor_read(wrapper);
	r = mue_cbor_array(&w, &n);
	if (r < 0)
		return r;
	ret->items = n;
	ret->blocks = (struct mue_view){ w.at, (size_t)(w.end - w.at) };
	return 0;
}

static void put_block(struct mue_cbor_writer *w, struct mue_view prot,
		      const struct mue_release_signer *s, const struct mue_buf *sig)
{
	mue_cbor_put_tag(w, MUE_COSE_SIGN1);
	mue_cbor_put_array(w, 4);
	mue_cbor_put_bytes(w, prot.data, prot.len);
	mue_cbor_put_map(w, s->kid_len > 0);
	if (s->kid_len > 0) {
		mue_cbor_put_uint(w, 4);
		mue_cbor_put_bytes(w, s->kid, s->kid_len);
	}
	mue_cbor_put_null(w);
	mue_cbor_put_bytes(w, sig->data, sig->len);
}

static void put_wrapper(struct mue_cbor_writer *w, const struct parts *p, struct mue_view prot,
			const struct mue_release_signer *s, const struct mue_buf *sig)
{
	struct mue_cbor_writer measure;

	mue_cbor_put_array(w, p->items + 1);
	mue_cbor_put_raw(w, p->blocks.data, p->blocks.len);
	mue_cbor_write(&measure, NULL, 0);
	put_block(&measure, prot, s, sig);
	mue_cbor_put_bytes_head(w, measure.len);
	put_block(w, prot, s, sig);
}

static int put_envelope(const struct parts *p, struct mue_view prot,
			const struct mue_release_signer *s, const struct mue_buf *sig,
			struct mue_buf *ret, struct mue_error *e)
{
	struct mue_cbor_writer w;
	size_t wrapper, len = 0;
	uint8_t *room = NULL;

	mue_cbor_write(&w, NULL, 0);
	put_wrapper(&w, p, prot, s, sig);
	wrapper = w.len;
	for (int pass = 0; pass < 2; pass++) {
		mue_cbor_write(&w, room, len);
		mue_cbor_put_raw(&w, p->before.data, p->before.len);
		mue_cbor_put_bytes_head(&w, wrapper);
		put_wrapper(&w, p, prot, s, sig);
		mue_cbor_put_raw(&w, p->after.data, p->after.len);
		if (pass == 1)
			break;
		len = w.len;
		room = mue_buf_room(ret, len);
		if (!room)
			return mue_fail(e, MUE_ESIZE, "the signed envelope is too large");
	}
	mue_buf_added(ret, len);
	return 0;
}

static int check_signable(const struct mue_suit *s, const struct mue_release_signer *signer,
			  struct mue_error *e)
{
	if (signer->kid_len > MUE_COSE_KID_MAX)
		return mue_fail(e, MUE_EINVAL, "a key id has at most %d bytes", MUE_COSE_KID_MAX);
	if (s->block_count >= MUE_SUIT_SIGNATURES_MAX)
		return mue_fail(e, MUE_ENOSPC, "the envelope has %u signatures already",
				s->block_count);
	for (uint8_t i = 0; i < s->block_count; i++) {
		struct mue_suit_signature sig;

		if (mue_suit_signature(s, i, &sig) < 0 || sig.id.kid_len != signer->kid_len ||
		    sig.id.kid_len == 0 || memcmp(sig.id.kid, signer->kid, signer->kid_len) != 0)
			continue;
		return mue_fail(e, MUE_EEXIST, "this key has signed the envelope already");
	}
	return 0;
}

/* The Sig_structure in one piece, signed. */
static int make_signature(const struct mue_suit *s, struct mue_view prot,
			  const struct mue_release_signer *signer, struct mue_buf *ret,
			  struct mue_error *e)
{
	struct mue_view none = { NULL, 0 };
	struct mue_cose_tbs tbs;
	uint8_t msg[256];
	int r;

	mue_cose_tbs_init(&tbs, prot, none, s->digest_structure);
	if (tbs.source.size > sizeof(msg))
		return mue_fail(e, MUE_ESIZE, "the bytes to be signed are too many");
	r = mue_cose_source_copy(&tbs.source, 0, msg, tbs.source.size);
	if (r < 0)
		return mue_fail(e, r, "%s", mue_err_text(r));
	return signer->sign(signer->ctx, msg, tbs.source.size, ret, e);
}

int mue_release_sign(struct mue_view envelope, const struct mue_release_signer *signer,
		     struct mue_buf *ret, struct mue_error *e)
{
	struct mue_buf sig = { .max = MUE_SIG_MAX };
	struct mue_cbor_writer w;
	struct mue_suit s;
	struct parts p;
	uint8_t prot[8];
	struct mue_view header = { prot, 0 };
	int r = mue_suit_open(envelope, MUE_SUIT_P2, &s);

	if (r == 0)
		r = take_apart(envelope, &p);
	if (r < 0)
		return mue_fail(e, r, "not an envelope that can be signed: %s", mue_err_text(r));
	r = check_signable(&s, signer, e);
	if (r < 0)
		return r;
	mue_cbor_write(&w, prot, sizeof(prot));
	mue_cbor_put_map(&w, 1);
	mue_cbor_put_uint(&w, 1);
	mue_cbor_put_int(&w, signer->alg);
	header.len = w.len;
	r = make_signature(&s, header, signer, &sig, e);
	if (r == 0)
		r = put_envelope(&p, header, signer, &sig, ret, e);
	mue_buf_free(&sig);
	return r;
}

int mue_release_strip(struct mue_view envelope, struct mue_buf *ret, struct mue_error *e)
{
	struct mue_view wrapper, manifest;
	struct mue_cbor_writer w;
	struct mue_suit s;
	struct parts p;
	struct mue_cbor c;
	uint64_t key;
	uint8_t head[3];
	int r = mue_suit_open(envelope, MUE_SUIT_P2, &s);

	if (r == 0)
		r = take_apart(envelope, &p);
	if (r < 0)
		return mue_fail(e, r, "not an envelope: %s", mue_err_text(r));
	/* From the wrapper's label to the end of the manifest; both were read before. */
	wrapper = (struct mue_view){ p.before.data + p.before.len - 1, 0 };
	c = mue_cbor_read(p.after);
	r = mue_cbor_uint(&c, &key);
	if (r == 0)
		r = mue_cbor_bytes(&c, &manifest);
	if (r < 0)
		return mue_fail(e, r, "not an envelope: %s", mue_err_text(r));
	wrapper.len = (size_t)(c.at - wrapper.data);
	mue_cbor_write(&w, head, sizeof(head));
	mue_cbor_put_tag(&w, 107);
	mue_cbor_put_map(&w, 2);
	r = mue_buf_add(ret, head, w.len);
	if (r == 0)
		r = mue_buf_add(ret, wrapper.data, wrapper.len);
	return r < 0 ? mue_fail(e, r, "the stripped envelope: %s", mue_err_text(r)) : 0;
}

/* --- keys --- */

static int sign_with_key(void *ctx, const void *msg, size_t len, struct mue_buf *ret,
			 struct mue_error *e)
{
	return mue_key_sign(ctx, msg, len, ret, e);
}

struct mue_release_signer mue_release_key_signer(struct mue_key *key)
{
	const struct mue_pubkey *pub = mue_key_public(key);
	struct mue_release_signer s = { mue_key_cose_alg(pub->kind), pub->kid, sizeof(pub->kid),
					sign_with_key, key };

	return s;
}

static int verify_by_trust(const struct mue_verifier *v, const struct mue_cose_id *id,
			   const struct mue_lms_source *tbs, const struct mue_lms_source *sig)
{
	struct mue_trust_verifier *tv = v->ctx;
	uint8_t *bytes;
	int r;

	if (sig->size > MUE_SIG_MAX || tbs->size > MUE_SIG_MAX)
		return MUE_ESIGNATURE;
	bytes = malloc((size_t)tbs->size + sig->size + 1);
	if (!bytes)
		return MUE_ENOMEM;
	r = mue_cose_source_copy(tbs, 0, bytes, tbs->size);
	if (r == 0)
		r = mue_cose_source_copy(sig, 0, bytes + tbs->size, sig->size);
	if (r == 0)
		r = mue_trust_check(tv->trust, id->alg, id->kid, id->kid_len, bytes, tbs->size,
				    bytes + tbs->size, sig->size, &tv->by);
	free(bytes);
	return r;
}

static const struct mue_verifier_ops trust_ops = { verify_by_trust };

void mue_trust_verifier_init(struct mue_trust_verifier *tv, const struct mue_trust *trust)
{
	tv->port.ops = &trust_ops;
	tv->port.ctx = tv;
	tv->trust = trust;
	tv->by = NULL;
}

/* Who did sign it, for the person who reads the refusal. */
static int fail_signature(const struct mue_suit *s, int verdict, struct mue_error *e)
{
	char kid[2 * MUE_COSE_KID_MAX + 1] = "";
	struct mue_suit_signature sig;

	if (s->block_count == 0)
		return mue_fail(e, MUE_ESIGNATURE, "the envelope is not signed; use mue sign");
	if (mue_suit_signature(s, 0, &sig) < 0)
		return mue_fail(e, verdict, "signature 1 of %u cannot be read", s->block_count);
	if (verdict == MUE_EPROFILE)
		return mue_fail(e, verdict, "signed with COSE algorithm %d, which we do not take",
				(int)sig.id.alg);
	mue_hex(sig.id.kid, sig.id.kid_len, kid);
	return mue_fail(e, verdict, "none of its %u signatures is by a trusted key (the first: %s)",
			s->block_count, sig.id.kid_len > 0 ? kid : "no key id");
}

static const char *open_hint(int r)
{
	switch (r) {
	case MUE_EDIGEST:
		return ": it was changed after it was made";
	case MUE_ETRUNC:
		return ": it is cut short";
	case MUE_ECANON:
		return ": it was not written by a deterministic encoder";
	default:
		return "";
	}
}

int mue_release_verify(struct mue_view envelope, const struct mue_trust *trust,
		       struct mue_suit *ret, const struct mue_trust_entry **ret_by,
		       struct mue_error *e)
{
	struct mue_trust_verifier tv;
	struct mue_suit s;
	int r = mue_suit_open(envelope, MUE_SUIT_P2, &s);

	if (r < 0)
		return mue_fail(e, r, "not a valid envelope: %s%s", mue_err_text(r), open_hint(r));
	mue_trust_verifier_init(&tv, trust);
	r = mue_suit_verify(&s, &tv.port, NULL);
	if (r < 0)
		return fail_signature(&s, r, e);
	*ret = s;
	if (ret_by)
		*ret_by = tv.by;
	return 0;
}
