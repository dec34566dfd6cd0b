#include "core/lms.h"

#include "core/err.h"
#include "core/mem.h"
#include "core/sha256.h"

/* Domain separators, RFC 8554 sections 4.4, 4.5, 5.3. */
enum { D_PBLC = 0x80, D_MESG = 0x81, D_LEAF = 0x82, D_INTR = 0x83 };

/* An LMS public key, RFC 8554 section 5.3: LMS type, OTS type, I, T[1]. */
enum { KEY_OTS = 4, KEY_I = 8, KEY_T = 24, KEY_MAX = KEY_T + MUE_LMS_N_MAX };

/* One hash prefix: I, a number (q or a node), a domain; the chains put i and j instead of it. */
enum { PRE_NUM = MUE_LMS_I_SIZE, PRE_DOM = PRE_NUM + 4, PRE_SIZE = PRE_DOM + 2 };

/* A chain's block: I, q, i, j, then n bytes of value: one compression with n = 24 and n = 32. */
enum { BLOCK_J = PRE_SIZE, BLOCK_VALUE = BLOCK_J + 1 };

/* What is used most stands first: an AVR reaches 64 bytes from a pointer. */
struct work {
	const struct mue_lms_source *sig; /* the whole signature, read from front to end */
	uint32_t off;                     /* of the next byte */
	int err;                      /* what the first failed read returned; no read after it */
	struct mue_lms_set set;       /* of this level */
	uint8_t q[MUE_LMS_N_MAX + 2]; /* the message's hash and its checksum; then the node */
	uint8_t pre[PRE_SIZE];        /* prefix of every hash */
	uint8_t key[KEY_MAX];         /* LMS public key of this level */
	struct mue_sha256 s;          /* message, chains, tree */
	struct mue_sha256 kc;         /* collects the chains' ends; then a pair of nodes */
};

static uint32_t get32(const uint8_t *p)
{
	uint32_t v = 0;

	for (uint8_t i = 0; i < 4; i++)
		v = v << 8 | p[i];
	return v;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (uint8_t i = 4; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

int mue_lms_read_memory(const struct mue_lms_source *s, uint32_t off, void *buf, uint8_t len)
{
	memcpy(buf, (const uint8_t *)s->ctx + off, len);
	return MUE_OK;
}

int mue_lms_set(uint32_t lms_type, uint32_t ots_type, struct mue_lms_set *ret)
{
	/* Digits of the checksum for w = 1, 2, 4, 8 (RFC 8554 appendix B). */
	static const uint8_t checksum_digits[4] = { 9, 5, 3, 2 };
	uint8_t lms, ots, digits, log_w;

	/* LMS 5..9 is M32, 10..14 is M24; LM-OTS 1..4 is N32, 5..8 is N24. */
	if (lms_type < 5 || lms_type > 14 || ots_type < 1 || ots_type > 8)
		return MUE_EPROFILE;
	lms = (uint8_t)lms_type;
	ots = (uint8_t)(ots_type - 1);
	if ((lms >= 10) != (ots >= 4))
		return MUE_EFORMAT;
	ret->n = lms >= 10 ? 24 : 32;
	ret->h = (uint8_t)(5 * (lms - (lms >= 10 ? 9 : 4)));
	log_w = ots & 3;
	ret->w = (uint8_t)(1 << log_w);
	digits = checksum_digits[log_w];
	if (ots == 4) /* N24 and W1: 192 ones fit in 8 bits */
		digits = 8;
	ret->p = (uint16_t)((8u * ret->n >> log_w) + digits);
	ret->ls = (uint8_t)(16 - digits * ret->w);
	ret->bytes = (uint16_t)(12 + ret->n * (1u + ret->p + ret->h));
	return MUE_OK;
}

/* The next bytes of the signature; the caller has checked that they are there. */
static void take(struct work *w, uint8_t *to, uint8_t len)
{
	if (!w->err)
		w->err = w->sig->read(w->sig, w->off, to, len);
	w->off += len;
}

/* Are the next four bytes these? */
static uint8_t takes(struct work *w, const uint8_t *want)
{
	uint8_t got[4] = { 0 };

	take(w, got, sizeof(got));
	return memcmp(got, want, sizeof(got)) == 0;
}

/* Starts w->s over I || number || domain || ... */
static void begin(struct work *w, uint32_t number, uint8_t domain)
{
	put32(w->pre + PRE_NUM, number);
	w->pre[PRE_DOM] = w->pre[PRE_DOM + 1] = domain;
	mue_sha256_init(&w->s);
	mue_sha256_update(&w->s, w->pre, PRE_SIZE);
}

/* Digit i of the message's hash with its checksum, RFC 8554 section 3.1.3. */
static uint8_t digit(const struct work *w, uint16_t i)
{
	uint8_t width = w->set.w;
	uint16_t bit = (uint16_t)(i * width);

	return (uint8_t)((uint8_t)(w->q[bit >> 3] << (bit & 7)) >> (8 - width));
}

static void add_checksum(struct work *w)
{
	uint16_t sum = 0, i = 0;
	uint8_t max = (uint8_t)((1u << w->set.w) - 1), n = w->set.n;

	/* The digits of the n bytes, whatever their width. */
	for (uint16_t bits = 0; bits < 8u * n; bits = (uint16_t)(bits + w->set.w))
		sum = (uint16_t)(sum + (uint8_t)(max - digit(w, i++)));
	sum = (uint16_t)(sum << w->set.ls);
	w->q[n] = (uint8_t)(sum >> 8);
	w->q[n + 1] = (uint8_t)sum;
}

/* RFC 8554 algorithm 4b, step 3: the message's digits, into w->q. */
static void hash_message(struct work *w, uint32_t leaf, const struct mue_lms_source *msg,
			 uint32_t off, uint32_t len)
{
	uint8_t n = w->set.n;

	begin(w, leaf, D_MESG);
	take(w, w->q, n); /* C */
	mue_sha256_update(&w->s, w->q, n);
	for (; len > 0 && !w->err; off += n, len -= n) {
		n = len < MUE_LMS_READ_MAX ? (uint8_t)len : MUE_LMS_READ_MAX;
		w->err = msg->read(msg, off, w->q, n);
		mue_sha256_update(&w->s, w->q, n);
	}
	mue_sha256_final(&w->s, w->q);
	add_checksum(w);
}

/* Runs the block of w->s from j to the chain's end.  The block, padding included, is laid out
 * once; only i, j and the value change. */
static void chain(struct work *w, uint8_t j)
{
	uint8_t *value = w->s.block + BLOCK_VALUE, end = (uint8_t)((1u << w->set.w) - 1);

	for (; j < end; j++) {
		w->s.block[BLOCK_J] = j;
		mue_sha256_init(&w->s);
		mue_sha256_compress(w->s.state, w->s.block);
		for (uint8_t i = 0; i < w->set.n >> 2; i++)
			put32(value + 4 * i, w->s.state[i]);
	}
}

/* RFC 8554 algorithm 4b, from step 4 on: the candidate public key of LM-OTS, into w->q. */
static void ots_candidate(struct work *w, uint32_t leaf)
{
	uint8_t n = w->set.n, *block = w->s.block;
	uint16_t bits = (uint16_t)(8 * (BLOCK_VALUE + n));

	begin(w, leaf, D_PBLC);
	w->kc = w->s;
	memset(block, 0, MUE_SHA256_BLOCK);
	memcpy(block, w->pre, PRE_DOM);
	block[BLOCK_VALUE + n] = 0x80;
	block[MUE_SHA256_BLOCK - 2] = (uint8_t)(bits >> 8);
	block[MUE_SHA256_BLOCK - 1] = (uint8_t)bits;
	for (uint16_t i = 0; i < w->set.p && !w->err; i++) {
		take(w, block + BLOCK_VALUE, n);
		block[PRE_DOM] = (uint8_t)(i >> 8);
		block[PRE_DOM + 1] = (uint8_t)i;
		chain(w, digit(w, i));
		mue_sha256_update(&w->kc, block + BLOCK_VALUE, n);
	}
	mue_sha256_final(&w->kc, w->q);
}

/* RFC 8554 algorithm 6a, steps 4 and 5: from the leaf up to the candidate root, in w->q. */
static void climb(struct work *w, uint32_t node)
{
	uint8_t n = w->set.n, *pair = w->kc.block;

	begin(w, node, D_LEAF);
	mue_sha256_update(&w->s, w->q, n);
	mue_sha256_final(&w->s, w->q);
	for (; node > 1 && !w->err;) {
		/* An odd node is a right child. */
		memcpy(pair + (node & 1 ? n : 0), w->q, n);
		take(w, pair + (node & 1 ? 0 : n), n);
		node >>= 1;
		begin(w, node, D_INTR);
		mue_sha256_update(&w->s, pair, (size_t)2 * n);
		mue_sha256_final(&w->s, w->q);
	}
}

/* Does the next LMS signature sign `len` bytes at `off` of `msg` under w->key?  RFC 8554
 * algorithms 6 and 6a. */
static int verify_level(struct work *w, const struct mue_lms_source *msg, uint32_t off,
			uint32_t len)
{
	uint8_t q[4] = { 0 }, same;
	uint32_t leaf;

	memcpy(w->pre, w->key + KEY_I, MUE_LMS_I_SIZE);
	take(w, q, sizeof(q));
	leaf = get32(q);
	same = takes(w, w->key + KEY_OTS);
	if (w->err)
		return w->err;
	if (!same || leaf >> w->set.h != 0)
		return MUE_EFORMAT;
	hash_message(w, leaf, msg, off, len);
	ots_candidate(w, leaf);
	same = takes(w, w->key);
	if (w->err)
		return w->err;
	if (!same)
		return MUE_EFORMAT;
	climb(w, leaf + ((uint32_t)1 << w->set.h));
	if (w->err)
		return w->err;
	return memcmp(w->q, w->key + KEY_T, w->set.n) == 0 ? MUE_OK : MUE_ESIGNATURE;
}

/* One level that signs the public key of the next, which stands behind it and becomes w->key. */
static int verify_key(struct work *w, uint32_t left)
{
	uint32_t at = w->off + w->set.bytes;
	uint8_t type[4] = { 0 }, n;
	int r;

	left -= w->set.bytes;
	if (left < KEY_T + 24)
		return MUE_ETRUNC;
	r = w->sig->read(w->sig, at, type, sizeof(type));
	if (r)
		return r;
	n = get32(type) < 10 ? 32 : 24; /* any other type is refused when its turn comes */
	if (left < (uint32_t)KEY_T + n)
		return MUE_ETRUNC;
	r = verify_level(w, w->sig, at, (uint32_t)KEY_T + n);
	if (r)
		return r;
	take(w, w->key, KEY_T);
	take(w, w->key + KEY_T, n);
	return w->err;
}

/* RFC 8554 section 6.3: each level signs the public key of the next, the last one the message. */
static int verify_levels(struct work *w, uint8_t levels, const struct mue_lms_source *msg)
{
	for (;;) {
		uint32_t left = w->sig->size - w->off;
		int r = mue_lms_set(get32(w->key), get32(w->key + KEY_OTS), &w->set);

		if (r)
			return r;
		if (left < w->set.bytes)
			return MUE_ETRUNC;
		if (--levels == 0)
			return left == w->set.bytes ? verify_level(w, msg, 0, msg->size)
						    : MUE_EFORMAT;
		r = verify_key(w, left);
		if (r)
			return r;
	}
}

int mue_lms_verify(const uint8_t *pub, uint8_t pub_size, const struct mue_lms_source *sig,
		   const struct mue_lms_source *msg)
{
	struct work w = { .sig = sig };
	uint8_t less[4] = { 0 };
	uint32_t levels;
	int r;

	if (pub_size < 4 + KEY_T || sig->size < 4)
		return MUE_ETRUNC;
	levels = get32(pub);
	if (levels < 1 || levels > MUE_HSS_LEVEL_MAX)
		return MUE_EPROFILE;
	r = mue_lms_set(get32(pub + 4), get32(pub + 4 + KEY_OTS), &w.set);
	if (r)
		return r;
	if (pub_size != 4 + KEY_T + w.set.n)
		return pub_size < 4 + KEY_T + w.set.n ? MUE_ETRUNC : MUE_EFORMAT;
	memcpy(w.key, pub + 4, (size_t)pub_size - 4);
	less[3] = (uint8_t)(levels - 1);
	if (!takes(&w, less))
		return w.err ? w.err : MUE_EFORMAT;
	return verify_levels(&w, (uint8_t)levels, msg);
}
