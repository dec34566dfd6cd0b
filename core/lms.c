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

struct work {
	struct mue_sha256 s;              /* chains, then the tree */
	struct mue_sha256 kc;             /* collects the chains' ends */
	uint8_t pre[PRE_SIZE];            /* prefix of every hash */
	uint8_t q[MUE_LMS_N_MAX + 2];     /* the message's hash and its checksum; then the node */
	const struct mue_lms_set *set;    /* of this level */
	const struct mue_lms_source *sig; /* the whole signature */
};

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
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

/* Hashes `len` bytes of a source. */
static int absorb(struct mue_sha256 *s, const struct mue_lms_source *from, uint32_t off,
		  uint32_t len)
{
	uint8_t piece[MUE_LMS_READ_MAX];

	while (len > 0) {
		uint8_t n = len < sizeof(piece) ? (uint8_t)len : (uint8_t)sizeof(piece);
		int r = from->read(from, off, piece, n);

		if (r < 0)
			return r;
		mue_sha256_update(s, piece, n);
		off += n;
		len -= n;
	}
	return MUE_OK;
}

/* Starts H(I || number || domain || ...). */
static void begin(struct work *w, struct mue_sha256 *s, uint32_t number, uint8_t domain)
{
	put32(w->pre + PRE_NUM, number);
	w->pre[PRE_DOM] = w->pre[PRE_DOM + 1] = domain;
	mue_sha256_init(s);
	mue_sha256_update(s, w->pre, PRE_SIZE);
}

/* Digit i of the message's hash with its checksum, RFC 8554 section 3.1.3. */
static uint8_t digit(const struct work *w, uint16_t i)
{
	uint8_t width = w->set->w;
	uint16_t bit = (uint16_t)(i * width);

	return (uint8_t)((uint8_t)(w->q[bit >> 3] << (bit & 7)) >> (8 - width));
}

static void add_checksum(struct work *w)
{
	uint16_t sum = 0, digits = (uint16_t)(w->set->n * 8u / w->set->w);
	uint8_t max = (uint8_t)((1u << w->set->w) - 1);

	for (uint16_t i = 0; i < digits; i++)
		sum = (uint16_t)(sum + max - digit(w, i));
	sum = (uint16_t)(sum << w->set->ls);
	w->q[w->set->n] = (uint8_t)(sum >> 8);
	w->q[w->set->n + 1] = (uint8_t)sum;
}

/* Runs the block of w->s from j to the chain's end.  The block, padding included, is laid out
 * once; only j and the value change. */
static void chain(struct work *w, uint8_t j, uint8_t end)
{
	uint8_t *value = w->s.block + BLOCK_VALUE;

	for (; j < end; j++) {
		w->s.block[BLOCK_J] = j;
		mue_sha256_init(&w->s);
		mue_sha256_compress(w->s.state, w->s.block);
		for (uint8_t i = 0; i < w->set->n >> 2; i++)
			put32(value + 4 * i, w->s.state[i]);
	}
}

/* RFC 8554 algorithm 4b, from step 4 on: the candidate public key of LM-OTS, into w->q. */
static int ots_candidate(struct work *w, uint32_t off, uint32_t leaf)
{
	uint8_t n = w->set->n, end = (uint8_t)((1u << w->set->w) - 1);
	uint16_t bits = (uint16_t)(8 * (BLOCK_VALUE + n));
	uint8_t *block = w->s.block;

	begin(w, &w->kc, leaf, D_PBLC);
	memset(block, 0, MUE_SHA256_BLOCK);
	memcpy(block, w->pre, PRE_DOM);
	block[BLOCK_VALUE + n] = 0x80;
	block[MUE_SHA256_BLOCK - 2] = (uint8_t)(bits >> 8);
	block[MUE_SHA256_BLOCK - 1] = (uint8_t)bits;
	for (uint16_t i = 0; i < w->set->p; i++, off += n) {
		int r = w->sig->read(w->sig, off, block + BLOCK_VALUE, n);

		if (r < 0)
			return r;
		block[PRE_DOM] = (uint8_t)(i >> 8);
		block[PRE_DOM + 1] = (uint8_t)i;
		chain(w, digit(w, i), end);
		mue_sha256_update(&w->kc, block + BLOCK_VALUE, n);
	}
	mue_sha256_final(&w->kc, w->q);
	return MUE_OK;
}

/* RFC 8554 algorithm 6a, steps 4 and 5: from the leaf up to the candidate root, in w->q. */
static int climb(struct work *w, uint32_t off, uint32_t leaf)
{
	uint8_t n = w->set->n;
	uint32_t node = ((uint32_t)1 << w->set->h) + leaf;

	begin(w, &w->s, node, D_LEAF);
	mue_sha256_update(&w->s, w->q, n);
	mue_sha256_final(&w->s, w->q);
	for (; node > 1; off += n) {
		uint8_t right = node & 1; /* the node so far is a right child */
		int r;

		node >>= 1;
		begin(w, &w->s, node, D_INTR);
		if (!right)
			mue_sha256_update(&w->s, w->q, n);
		r = absorb(&w->s, w->sig, off, n);
		if (r < 0)
			return r;
		if (right)
			mue_sha256_update(&w->s, w->q, n);
		mue_sha256_final(&w->s, w->q);
	}
	return MUE_OK;
}

/* Reads and checks the two type codes of an LMS signature at `off`, and its leaf number. */
static int check_types(const struct work *w, const uint8_t *key, uint32_t off, uint32_t *ret_leaf)
{
	uint8_t head[8], tail[4];
	uint32_t path = (uint32_t)w->set->h * w->set->n, leaf;
	int r = w->sig->read(w->sig, off, head, sizeof(head));

	if (r == 0)
		r = w->sig->read(w->sig, off + w->set->bytes - path - 4, tail, sizeof(tail));
	if (r < 0)
		return r;
	leaf = get32(head);
	if (memcmp(head + 4, key + KEY_OTS, 4) != 0 || memcmp(tail, key, 4) != 0 ||
	    leaf >> w->set->h != 0)
		return MUE_EFORMAT;
	*ret_leaf = leaf;
	return MUE_OK;
}

/* Does the LMS signature at `off` sign `len` bytes at `msg_off` of `msg` under `key`? */
static int verify_level(struct work *w, const uint8_t *key, uint32_t off,
			const struct mue_lms_source *msg, uint32_t msg_off, uint32_t len)
{
	uint32_t leaf = 0;
	uint8_t n = w->set->n;
	int r = check_types(w, key, off, &leaf);

	if (r < 0)
		return r;
	off += 8;
	memcpy(w->pre, key + KEY_I, MUE_LMS_I_SIZE);
	begin(w, &w->s, leaf, D_MESG);
	r = absorb(&w->s, w->sig, off, n); /* C */
	if (r == 0)
		r = absorb(&w->s, msg, msg_off, len);
	if (r < 0)
		return r;
	mue_sha256_final(&w->s, w->q);
	add_checksum(w);
	off += n;
	r = ots_candidate(w, off, leaf);
	if (r < 0)
		return r;
	off += (uint32_t)n * w->set->p + 4;
	r = climb(w, off, leaf);
	if (r < 0)
		return r;
	return memcmp(w->q, key + KEY_T, n) == 0 ? MUE_OK : MUE_ESIGNATURE;
}

/* Reads the public key that stands in the signature at `off`; its set, its size. */
static int read_key(const struct mue_lms_source *sig, uint32_t off, uint8_t key[KEY_MAX],
		    struct mue_lms_set *set)
{
	int r;

	if (sig->size - off < KEY_T)
		return MUE_ETRUNC;
	r = sig->read(sig, off, key, KEY_T);
	if (r == 0)
		r = mue_lms_set(get32(key), get32(key + KEY_OTS), set);
	if (r < 0)
		return r;
	if (sig->size - off - KEY_T < set->n)
		return MUE_ETRUNC;
	return sig->read(sig, off + KEY_T, key + KEY_T, set->n);
}

/* RFC 8554 section 6.3: each level signs the public key of the next, the last one the message. */
static int verify_levels(const uint8_t *pub, struct mue_lms_set *set, uint8_t below,
			 const struct mue_lms_source *sig, const struct mue_lms_source *msg)
{
	struct work w = { .set = set, .sig = sig };
	uint8_t key[KEY_MAX], next[KEY_MAX];
	uint32_t off = 4, key_off;
	int r;

	memcpy(key, pub, (size_t)KEY_T + set->n);
	for (; below > 0; below--) {
		struct mue_lms_set next_set;

		if (sig->size - off < set->bytes)
			return MUE_ETRUNC;
		key_off = off + set->bytes;
		r = read_key(sig, key_off, next, &next_set);
		if (r == 0)
			r = verify_level(&w, key, off, sig, key_off, (uint32_t)KEY_T + next_set.n);
		if (r < 0)
			return r;
		memcpy(key, next, KEY_MAX);
		*set = next_set;
		off = key_off + KEY_T + set->n;
	}
	if (sig->size - off != set->bytes)
		return sig->size - off < set->bytes ? MUE_ETRUNC : MUE_EFORMAT;
	return verify_level(&w, key, off, msg, 0, msg->size);
}

int mue_lms_verify(const uint8_t *pub, uint8_t pub_size, const struct mue_lms_source *sig,
		   const struct mue_lms_source *msg)
{
	struct mue_lms_set set;
	uint8_t count[4];
	uint32_t levels;
	int r;

	if (pub_size < 4 + KEY_T || sig->size < 4)
		return MUE_ETRUNC;
	levels = get32(pub);
	if (levels < 1 || levels > MUE_HSS_LEVEL_MAX)
		return MUE_EPROFILE;
	pub += 4;
	r = mue_lms_set(get32(pub), get32(pub + KEY_OTS), &set);
	if (r < 0)
		return r;
	if (pub_size != 4 + KEY_T + set.n)
		return pub_size < 4 + KEY_T + set.n ? MUE_ETRUNC : MUE_EFORMAT;
	r = sig->read(sig, 0, count, sizeof(count));
	if (r < 0)
		return r;
	if (get32(count) != levels - 1)
		return MUE_EFORMAT;
	return verify_levels(pub, &set, (uint8_t)(levels - 1), sig, msg);
}
