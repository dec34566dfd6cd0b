#include "boot/lms.h"

#include "boot/board.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/sha256.h"
#include "core/size.h"

/* RFC 8554 sections 4.1, 5.1; SP 800-208 section 4. */
enum {
	N = 24,
	CHAINS = 51,
	DIGITS = 48,
	LS = 4,
	OTS_TYPE = 7,
	LMS_TYPE_H5 = 10,
	LMS_TYPE_H25 = 14
};

/* Domain separators, RFC 8554 sections 4.4, 4.5, 5.3. */
enum { D_PBLC = 0x80, D_MESG = 0x81, D_LEAF = 0x82, D_INTR = 0x83 };

/* Offsets in the public key: levels, LMS type, OTS type, I, T[1]; all types below 256. */
enum { KEY_LEVELS = 3, KEY_LMS = 7, KEY_OTS = 11, KEY_I = 12, KEY_T = 28 };

/* Offsets in the signature: 0, q, OTS type, C, chains, LMS type, path. */
enum { SIG_Q = 4, SIG_OTS = 8, SIG_C = 12, SIG_Y = SIG_C + N, SIG_LMS = SIG_Y + CHAINS * N };
#define SIG_PATH (SIG_LMS + 4)

/* A chain's block: I, q, i, j, value, padding: one compression. */
enum { I_SIZE = 16, AT_I = 20, AT_J = 22, AT_VALUE = 23, BITS = 8 * (AT_VALUE + N) };

struct work {
	struct mue_sha256 s, kc; /* chains and tree; the chains' ends */
	board_off_t off;         /* what take() reads next */
	uint8_t slot;
	uint8_t pre[22]; /* I, number, domain: begins every hash */
	uint8_t q[32];   /* message hash and checksum, then the node */
};

uint8_t mue_boot_differ(const uint8_t *a, const uint8_t *b, uint8_t len)
{
	uint8_t bits = 0;

	while (len--)
		bits = (uint8_t)(bits | (*a++ ^ *b++));
	return bits;
}

MUE_NOINLINE static void take(struct work *w, uint8_t *to, uint8_t len)
{
	mue_board_read(w->slot, w->off, to, len);
	w->off = (board_off_t)(w->off + len);
}

/* A number, a type code or a count of the signature. */
static uint32_t take32(struct work *w)
{
	uint8_t b[4], i;
	uint32_t v = 0;

	take(w, b, 4);
	for (i = 0; i < 4; i++)
		v = v << 8 | b[i];
	return v;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (uint8_t i = 4; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

/* Starts H(I || number || domain || ...). */
static void begin(struct work *w, struct mue_sha256 *s, uint32_t number, uint8_t domain)
{
	put32(w->pre + I_SIZE, number);
	w->pre[20] = w->pre[21] = domain;
	mue_sha256_init(s);
	mue_sha256_update(s, w->pre, sizeof(w->pre));
}

static void end_node(struct work *w)
{
	mue_sha256_final(&w->s, w->q);
	mue_board_kick();
}

static void add_node(struct work *w)
{
	mue_sha256_update(&w->s, w->q, N);
}

static void add_taken(struct work *w)
{
	uint8_t piece[N];

	take(w, piece, N);
	mue_sha256_update(&w->s, piece, N);
}

static uint8_t digit(const struct work *w, uint8_t i)
{
	uint8_t b = w->q[i >> 1];

	return i & 1 ? b & 15 : b >> 4;
}

/* RFC 8554 section 4.4. */
static void add_checksum(struct work *w)
{
	uint16_t sum = 15 * DIGITS;

	for (uint8_t i = 0; i < DIGITS; i++)
		sum = (uint16_t)(sum - digit(w, i));
	sum = (uint16_t)(sum << LS);
	w->q[N] = (uint8_t)(sum >> 8);
	w->q[N + 1] = (uint8_t)sum;
}

/* RFC 8554 algorithm 4b: the candidate one-time public key, into w->q. */
static void ots_candidate(struct work *w, uint32_t leaf)
{
	uint8_t *block = w->s.block;

	begin(w, &w->kc, leaf, D_PBLC);
	memset(block, 0, MUE_SHA256_BLOCK);
	memcpy(block, w->pre, AT_I);
	block[AT_VALUE + N] = 0x80;
	block[MUE_SHA256_BLOCK - 2] = BITS >> 8;
	block[MUE_SHA256_BLOCK - 1] = BITS & 255;
	for (uint8_t i = 0; i < CHAINS; i++) {
		take(w, block + AT_VALUE, N);
		block[AT_I + 1] = i;
		for (uint8_t j = digit(w, i); j < 15; j++) {
			block[AT_J] = j;
			mue_sha256_init(&w->s);
			mue_sha256_compress(w->s.state, block);
			for (uint8_t k = 0; k < N / 4; k++)
				put32(block + AT_VALUE + 4 * k, w->s.state[k]);
		}
		mue_sha256_update(&w->kc, block + AT_VALUE, N);
		mue_board_kick();
	}
	mue_sha256_final(&w->kc, w->q);
}

/* RFC 8554 algorithm 6a: from the leaf to the candidate root, in w->q. */
static void climb(struct work *w, uint32_t node)
{
	begin(w, &w->s, node, D_LEAF);
	add_node(w);
	end_node(w);
	while (node > 1) {
		uint8_t right = node & 1;

		node >>= 1;
		begin(w, &w->s, node, D_INTR);
		if (!right)
			add_node(w);
		add_taken(w);
		if (right)
			add_node(w);
		end_node(w);
	}
}

int8_t mue_boot_lms_verify(const uint8_t pub[MUE_BOOT_PUB], const struct mue_boot_range *sig,
			   const uint8_t *msg, uint8_t msg_len, uint8_t *ret_proof)
{
	uint8_t type = pub[KEY_LMS], height = (uint8_t)(type - LMS_TYPE_H5 + 1);
	uint32_t leaf, leaves = 1;
	struct work w;

	w.off = sig->off;
	w.slot = sig->slot;
	/* An erased key has 0xff here and trusts nobody. */
	if (height < 1 || height > 5 || pub[KEY_LEVELS] != 1 || pub[KEY_OTS] != OTS_TYPE ||
	    sig->len != (uint16_t)(SIG_PATH + 5 * N * height) || take32(&w) != 0)
		return MUE_ESIGNATURE;
	while (height--)
		leaves <<= 5;
	leaf = take32(&w);
	if (leaf >= leaves || take32(&w) != OTS_TYPE)
		return MUE_ESIGNATURE;
	memcpy(w.pre, pub + KEY_I, I_SIZE);
	begin(&w, &w.s, leaf, D_MESG);
	add_taken(&w);
	mue_sha256_update(&w.s, msg, msg_len);
	end_node(&w);
	add_checksum(&w);
	ots_candidate(&w, leaf);
	if (take32(&w) != type)
		return MUE_ESIGNATURE;
	climb(&w, leaves + leaf);
	*ret_proof = mue_boot_differ(w.q, pub + KEY_T, N) ^ MUE_BOOT_PROOF_SIGNATURE;
	/* Compared twice, by different code: one fault does not do for both. */
	return memcmp(w.q, pub + KEY_T, N) ? MUE_ESIGNATURE : MUE_OK;
}
