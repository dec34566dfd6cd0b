#include "host/lms_tree.h"

#include "core/err.h"
#include "core/sha256.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* RFC 8554 sections 4.4, 4.5, 5.3, and the third value of i in appendix A's extension. */
enum { D_PBLC = 0x8080, D_MESG = 0x8181, D_LEAF = 0x8282, D_INTR = 0x8383 };
enum { I_RANDOMIZER = 0xfffd, I_CHILD_SEED = 0xfffe, I_CHILD_ID = 0xffff };

#define THREADS_MAX 16

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

int mue_lms_tree_types(uint8_t n, uint8_t h, uint8_t w, uint32_t *ret_lms, uint32_t *ret_ots)
{
	static const uint8_t widths[] = { 1, 2, 4, 8 };

	if ((n != 24 && n != 32) || h < 5 || h > 25 || h % 5)
		return MUE_EPROFILE;
	for (uint32_t i = 0; i < sizeof(widths); i++) {
		if (widths[i] != w)
			continue;
		*ret_lms = h / 5u + (n == 24 ? 9 : 4);
		*ret_ots = i + (n == 24 ? 5 : 1);
		return MUE_OK;
	}
	return MUE_EPROFILE;
}

size_t mue_lms_tree_size(const struct mue_lms_tree *t)
{
	return ((size_t)2 << t->set.h) * t->set.n;
}

/* One compression of I || q || i || j || value, n bytes of value in and n bytes out: every step of
 * a chain, and the private keys themselves (j = 0xff). */
static void step(const struct mue_lms_tree *t, uint32_t q, unsigned i, unsigned j,
		 const uint8_t *value, uint8_t *ret)
{
	uint8_t block[MUE_SHA256_BLOCK] = { 0 };
	unsigned n = t->set.n;
	struct mue_sha256 s;

	mue_sha256_init(&s);
	memcpy(block, t->id, MUE_LMS_I_SIZE);
	put32(block + 16, q);
	put16(block + 20, i);
	block[22] = (uint8_t)j;
	memcpy(block + 23, value, n);
	block[23 + n] = 0x80;
	put16(block + 62, 8 * (23 + n));
	mue_sha256_compress(s.state, block);
	for (unsigned k = 0; k < n / 4; k++)
		put32(ret + 4 * k, s.state[k]);
}

static void begin(const struct mue_lms_tree *t, struct mue_sha256 *s, uint32_t number,
		  unsigned domain)
{
	uint8_t pre[MUE_LMS_I_SIZE + 6];

	memcpy(pre, t->id, MUE_LMS_I_SIZE);
	put32(pre + MUE_LMS_I_SIZE, number);
	put16(pre + MUE_LMS_I_SIZE + 4, domain);
	mue_sha256_init(s);
	mue_sha256_update(s, pre, sizeof(pre));
}

static void end(const struct mue_lms_tree *t, struct mue_sha256 *s, uint8_t *ret)
{
	uint8_t d[MUE_SHA256_SIZE];

	mue_sha256_final(s, d);
	memcpy(ret, d, t->set.n);
}

/* Chain i of leaf q from its private key up to `to`. */
static void chain(const struct mue_lms_tree *t, uint32_t q, unsigned i, unsigned to, uint8_t *ret)
{
	step(t, q, i, 0xff, t->seed, ret);
	for (unsigned j = 0; j < to; j++)
		step(t, q, i, j, ret, ret);
}

static void leaf(const struct mue_lms_tree *t, uint32_t q, uint8_t *ret)
{
	unsigned top = (1u << t->set.w) - 1;
	uint8_t y[MUE_LMS_N_MAX];
	struct mue_sha256 s;

	begin(t, &s, q, D_PBLC);
	for (unsigned i = 0; i < t->set.p; i++) {
		chain(t, q, i, top, y);
		mue_sha256_update(&s, y, t->set.n);
	}
	end(t, &s, y);
	begin(t, &s, ((uint32_t)1 << t->set.h) + q, D_LEAF);
	mue_sha256_update(&s, y, t->set.n);
	end(t, &s, ret);
}

/* --- building --- */

struct build {
	const struct mue_lms_tree *t;
	uint8_t *nodes;
	atomic_uint next; /* leaf that nobody has taken */
	void (*progress)(void *ctx, unsigned permille);
	void *ctx;
};

static void take_leaves(struct build *b, bool reports)
{
	uint32_t leaves = (uint32_t)1 << b->t->set.h, q;

	while ((q = atomic_fetch_add(&b->next, 1)) < leaves) {
		leaf(b->t, q, b->nodes + (size_t)(leaves + q) * b->t->set.n);
		if (reports && b->progress && q % 16 == 0)
			b->progress(b->ctx, (unsigned)((uint64_t)q * 1000 / leaves));
	}
}

static void *helper(void *b)
{
	take_leaves(b, false);
	return NULL;
}

int mue_lms_tree_build(const struct mue_lms_tree *t, uint8_t *nodes,
		       void (*progress)(void *ctx, unsigned permille), void *ctx)
{
	struct build b = { .t = t, .nodes = nodes, .progress = progress, .ctx = ctx };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[THREADS_MAX];
	unsigned started = 0, n = t->set.n;

	memset(nodes, 0, n);
	while (started + 1 < (unsigned)cpus && started < THREADS_MAX &&
	       pthread_create(&threads[started], NULL, helper, &b) == 0)
		started++;
	take_leaves(&b, true);
	while (started > 0)
		pthread_join(threads[--started], NULL);
	for (uint32_t r = ((uint32_t)1 << t->set.h) - 1; r > 0; r--) {
		struct mue_sha256 s;

		begin(t, &s, r, D_INTR);
		mue_sha256_update(&s, nodes + (size_t)2 * r * n, (size_t)2 * n);
		end(t, &s, nodes + (size_t)r * n);
	}
	if (progress)
		progress(ctx, 1000);
	return MUE_OK;
}

size_t mue_lms_tree_public(const struct mue_lms_tree *t, const uint8_t *root,
			   uint8_t ret[MUE_LMS_TREE_PUB_MAX])
{
	put32(ret, t->lms_type);
	put32(ret + 4, t->ots_type);
	memcpy(ret + 8, t->id, MUE_LMS_I_SIZE);
	memcpy(ret + 24, root, t->set.n);
	return 24u + t->set.n;
}

/* --- signing --- */

/* RFC 8554 sections 3.1.3 and 4.4: the hash's digits with those of the checksum behind them. */
static unsigned digit(const uint8_t *q, unsigned i, unsigned w)
{
	return (unsigned)(q[i * w / 8] >> (8 - w - i * w % 8)) & ((1u << w) - 1);
}

static void add_checksum(const struct mue_lms_set *set, uint8_t *q)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < 8u * set->n / set->w; i++)
		sum += (1u << set->w) - 1 - digit(q, i, set->w);
	put16(q + set->n, sum << set->ls);
}

void mue_lms_tree_sign(const struct mue_lms_tree *t, uint32_t q, const uint8_t *path,
		       const void *msg, size_t len, uint8_t *ret)
{
	uint8_t hash[MUE_LMS_N_MAX + 2];
	unsigned n = t->set.n;
	struct mue_sha256 s;

	put32(ret, q);
	put32(ret + 4, t->ots_type);
	ret += 8;
	step(t, q, I_RANDOMIZER, 0xff, t->seed, ret);
	begin(t, &s, q, D_MESG);
	mue_sha256_update(&s, ret, n);
	mue_sha256_update(&s, msg, len);
	end(t, &s, hash);
	add_checksum(&t->set, hash);
	ret += n;
	for (unsigned i = 0; i < t->set.p; i++, ret += n)
		chain(t, q, i, digit(hash, i, t->set.w), ret);
	put32(ret, t->lms_type);
	memcpy(ret + 4, path, (size_t)t->set.h * n);
}

void mue_lms_tree_child(const struct mue_lms_tree *t, uint32_t q, struct mue_lms_tree *ret)
{
	uint8_t id[MUE_LMS_N_MAX];

	*ret = *t;
	step(t, q, I_CHILD_SEED, 0xff, t->seed, ret->seed);
	step(t, q, I_CHILD_ID, 0xff, t->seed, id);
	memcpy(ret->id, id, MUE_LMS_I_SIZE);
}
