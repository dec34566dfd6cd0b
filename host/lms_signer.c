#include "host/lms_signer.h"

#include "host/file.h"
#include "host/hash.h"
#include "host/lms_journal.h"
#include "host/lms_keyfile.h"
#include "host/lms_tree.h"

#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_FILE_MAX 1024
#define CACHE_MAGIC  "MUELMST1"
#define CACHE_HEAD   32 /* magic, I, two types */
#define PATH_LEN     4096

struct mue_lms_signer {
	char *path;
	struct mue_lms_params params;
	struct mue_lms_tree top;
	struct mue_pubkey pub;
	struct mue_lms_journal journal;
	bool broken; /* a write failed: what is on the disk is not known any more */
};

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

/* --- the cache of public nodes: PATH.tree for the top, PATH.tree2 for the tree below --- */

struct progress {
	void (*report)(void *ctx, unsigned permille);
	void *ctx;
};

static void cache_head(const struct mue_lms_tree *t, uint8_t ret[CACHE_HEAD])
{
	memcpy(ret, CACHE_MAGIC, 8);
	memcpy(ret + 8, t->id, MUE_LMS_I_SIZE);
	put32(ret + 24, t->lms_type);
	put32(ret + 28, t->ots_type);
}

static int cache_make(const char *file, const struct mue_lms_tree *t, const struct progress *p,
		      struct mue_error *e)
{
	size_t size = CACHE_HEAD + mue_lms_tree_size(t);
	uint8_t *all = malloc(size);
	int r;

	if (!all)
		return mue_fail(e, MUE_ENOMEM, "out of memory for a tree of %zu bytes", size);
	cache_head(t, all);
	r = mue_lms_tree_build(t, all + CACHE_HEAD, p ? p->report : NULL, p ? p->ctx : NULL);
	if (r == 0)
		r = mue_file_write(file, all, size, 0600, e);
	free(all);
	return r;
}

/* Opens the cache of this tree; makes it when it is lost or of another tree.  Its nodes are not
 * checked here: a signature is verified before it is given out. */
static int cache_open(const char *file, const struct mue_lms_tree *t, struct mue_error *e)
{
	uint8_t want[CACHE_HEAD], got[CACHE_HEAD];
	int r;

	cache_head(t, want);
	for (int attempt = 0; attempt < 2; attempt++) {
		int fd = open(file, O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && mue_fd_pread(fd, 0, got, sizeof(got), NULL) == 0 &&
		    memcmp(got, want, sizeof(want)) == 0)
			return fd;
		mue_fd_close(&fd);
		r = cache_make(file, t, NULL, e);
		if (r < 0)
			return r;
	}
	return mue_fail(e, MUE_EIO, "%s: does not keep what is written", file);
}

static int node(int fd, const struct mue_lms_tree *t, uint32_t r, uint8_t *ret, struct mue_error *e)
{
	return mue_fd_pread(fd, CACHE_HEAD + (uint64_t)r * t->set.n, ret, t->set.n, e);
}

/* The siblings from leaf q upwards, and the root. */
static int read_path(const char *file, const struct mue_lms_tree *t, uint32_t q, uint8_t *ret_path,
		     uint8_t *ret_root, struct mue_error *e)
{
	__attribute__((cleanup(mue_fd_close))) int fd = cache_open(file, t, e);
	uint32_t r = ((uint32_t)1 << t->set.h) + q;
	int err;

	if (fd < 0)
		return fd;
	err = node(fd, t, 1, ret_root, e);
	for (; err == 0 && r > 1; r >>= 1, ret_path += t->set.n)
		err = node(fd, t, r ^ 1, ret_path, e);
	return err;
}

/* --- making a key --- */

static int tree_of(const struct mue_lms_params *p, struct mue_lms_tree *ret)
{
	if (p->levels < 1 || p->levels > 2 || p->h > 20 ||
	    mue_lms_tree_types(p->n, p->h, p->w, &ret->lms_type, &ret->ots_type) < 0)
		return MUE_EINVAL;
	return mue_lms_set(ret->lms_type, ret->ots_type, &ret->set);
}

static int side_path(const char *path, const char *suffix, char ret[PATH_LEN], struct mue_error *e)
{
	int n = snprintf(ret, PATH_LEN, "%s%s", path, suffix);

	if (n < 0 || n >= PATH_LEN)
		return mue_fail(e, MUE_EINVAL, "%.80s...: path too long", path);
	return MUE_OK;
}

static int refuse_leftovers(const char *path, struct mue_error *e)
{
	static const char *const suffixes[] = { "", ".journal", ".state" };
	char file[PATH_LEN];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		int r = side_path(path, suffixes[i], file, e);

		if (r < 0)
			return r;
		if (mue_file_exists(file))
			return mue_fail(
				e, MUE_EEXIST,
				"%s: is there already; choose another name, or remove it if "
				"no key belongs to it",
				file);
	}
	return MUE_OK;
}

/* The key file comes last: without it the others mean nothing. */
static int write_key(const char *path, const struct mue_lms_keyfile *k, const char *pass,
		     struct mue_pubkey *ret_pub, struct mue_error *e)
{
	struct mue_buf sealed = { .max = KEY_FILE_MAX };
	int r = mue_pubkey_from_point(MUE_KEY_LMS, k->pub, 28u + k->params.n, ret_pub, e);

	if (r == 0)
		r = mue_lms_keyfile_seal(k, pass, &sealed, e);
	if (r == 0)
		r = mue_lms_journal_create(path, ret_pub->kid, e);
	if (r == 0)
		r = mue_file_create(path, sealed.data, sealed.len, 0600, e);
	mue_buf_free(&sealed);
	return r;
}

int mue_lms_signer_create(const char *path, const struct mue_lms_params *p, const char *pass,
			  uint32_t rounds, void (*progress)(void *ctx, unsigned permille),
			  void *ctx, struct mue_pubkey *ret_pub, struct mue_error *e)
{
	const struct progress report = { progress, ctx };
	struct mue_lms_keyfile k = { .params = *p, .rounds = rounds };
	uint8_t unused[MUE_LMS_N_MAX * 25], root[MUE_LMS_N_MAX];
	struct mue_lms_tree t = { 0 };
	char file[PATH_LEN];
	int r;

	if (tree_of(p, &t) < 0)
		return mue_fail(
			e, MUE_EINVAL,
			"LMS: 1 or 2 levels, n 24 or 32, height 5, 10, 15 or 20, w 1, 2, 4 or 8");
	r = refuse_leftovers(path, e);
	if (r == 0)
		r = side_path(path, ".tree", file, e);
	if (r < 0)
		return r;
	if (gnutls_rnd(GNUTLS_RND_KEY, t.seed, t.set.n) < 0 ||
	    gnutls_rnd(GNUTLS_RND_KEY, t.id, sizeof(t.id)) < 0)
		return mue_fail(e, MUE_EKEY, "no random numbers");
	r = cache_make(file, &t, &report, e);
	if (r == 0)
		r = read_path(file, &t, 0, unused, root, e);
	if (r == 0) {
		put32(k.pub, p->levels);
		mue_lms_tree_public(&t, root, k.pub + 4);
		memcpy(k.seed, t.seed, sizeof(k.seed));
		r = write_key(path, &k, pass, ret_pub, e);
	}
	explicit_bzero(&k, sizeof(k));
	explicit_bzero(&t, sizeof(t));
	return r;
}

/* --- opening --- */

bool mue_lms_signer_is(const char *path)
{
	__attribute__((cleanup(mue_fd_close))) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t magic[8];

	return fd >= 0 && mue_fd_pread(fd, 0, magic, sizeof(magic), NULL) == 0 &&
	       memcmp(magic, MUE_LMS_KEY_MAGIC, sizeof(magic)) == 0;
}

static int load(struct mue_lms_signer *s, const char *pass, struct mue_error *e)
{
	struct mue_buf b = { .max = KEY_FILE_MAX };
	struct mue_lms_keyfile k = { 0 };
	int r = mue_file_read(s->path, &b, e);

	if (r == 0) {
		r = mue_lms_keyfile_open(b.data, b.len, pass, &k, e);
		if (r < 0)
			mue_prefix(e, "%s", s->path);
	}
	if (r == 0)
		r = mue_pubkey_from_point(MUE_KEY_LMS, k.pub, 28u + k.params.n, &s->pub, e);
	if (r == 0) {
		s->params = k.params;
		r = tree_of(&k.params, &s->top);
		memcpy(s->top.id, k.pub + 12, MUE_LMS_I_SIZE);
		memcpy(s->top.seed, k.seed, sizeof(k.seed));
	}
	explicit_bzero(&k, sizeof(k));
	mue_buf_free(&b);
	return r;
}

int mue_lms_signer_open(const char *path, const char *pass, struct mue_lms_signer **ret,
			struct mue_error *e)
{
	struct mue_lms_signer *s = calloc(1, sizeof(*s));
	int r;

	if (!s || !(s->path = strdup(path))) {
		free(s);
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	}
	s->journal.fd = -1;
	r = load(s, pass, e);
	if (r == 0)
		r = mue_lms_journal_open(path, s->pub.kid, &s->journal, e);
	if (r < 0) {
		mue_lms_signer_close(s);
		return r;
	}
	*ret = s;
	return MUE_OK;
}

void mue_lms_signer_close(struct mue_lms_signer *s)
{
	if (!s)
		return;
	mue_lms_journal_close(&s->journal);
	free(s->path);
	explicit_bzero(s, sizeof(*s));
	free(s);
}

const struct mue_pubkey *mue_lms_signer_public(const struct mue_lms_signer *s)
{
	return &s->pub;
}

static uint64_t total(const struct mue_lms_signer *s)
{
	return UINT64_C(1) << (s->params.h * s->params.levels);
}

uint64_t mue_lms_signer_remaining(const struct mue_lms_signer *s)
{
	return s->journal.next < total(s) ? total(s) - s->journal.next : 0;
}

uint64_t mue_lms_signer_next(const struct mue_lms_signer *s)
{
	return s->journal.next;
}

/* --- signing --- */

/* One LMS signature of `msg` with leaf q of `t`, appended; *ret_root gets t's root. */
static int add_level(const struct mue_lms_signer *s, const char *suffix,
		     const struct mue_lms_tree *t, uint32_t q, const void *msg, size_t len,
		     struct mue_buf *ret, uint8_t *ret_root, struct mue_error *e)
{
	uint8_t path[MUE_LMS_N_MAX * 25], *to;
	char file[PATH_LEN];
	int r = side_path(s->path, suffix, file, e);

	if (r == 0)
		r = read_path(file, t, q, path, ret_root, e);
	if (r < 0)
		return r;
	to = mue_buf_room(ret, t->set.bytes);
	if (!to)
		return mue_fail(e, MUE_ESIZE, "the signature is larger than its place");
	mue_lms_tree_sign(t, q, path, msg, len, to);
	mue_buf_added(ret, t->set.bytes);
	return MUE_OK;
}

/* RFC 8554 section 6.2, for one or two levels. */
static int compute(const struct mue_lms_signer *s, uint64_t index, const void *msg, size_t len,
		   struct mue_buf *ret, struct mue_error *e)
{
	uint32_t q = (uint32_t)(index & ((UINT64_C(1) << s->params.h) - 1));
	uint8_t head[4], root[MUE_LMS_N_MAX], pub[MUE_LMS_TREE_PUB_MAX], unused[MUE_LMS_N_MAX * 25];
	struct mue_lms_tree child;
	char file[PATH_LEN];
	size_t pub_len;
	int r;

	put32(head, s->params.levels - 1u);
	if (mue_buf_add(ret, head, sizeof(head)) < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	if (s->params.levels == 1)
		return add_level(s, ".tree", &s->top, q, msg, len, ret, root, e);
	mue_lms_tree_child(&s->top, (uint32_t)(index >> s->params.h), &child);
	r = side_path(s->path, ".tree2", file, e);
	if (r == 0)
		r = read_path(file, &child, q, unused, root, e);
	if (r == 0) {
		pub_len = mue_lms_tree_public(&child, root, pub);
		r = add_level(s, ".tree", &s->top, (uint32_t)(index >> s->params.h), pub, pub_len,
			      ret, root, e);
	}
	if (r == 0 && mue_buf_add(ret, pub, pub_len) < 0)
		r = mue_fail(e, MUE_ENOMEM, "out of memory");
	if (r == 0)
		r = add_level(s, ".tree2", &child, q, msg, len, ret, root, e);
	explicit_bzero(&child, sizeof(child));
	return r;
}

/* A damaged cache gives a signature that does not hold; the trees are then made anew.  The same
 * leaf signs the same message again, to the same bytes: nothing is used twice. */
static int compute_verified(const struct mue_lms_signer *s, uint64_t index, const void *msg,
			    size_t len, struct mue_buf *ret, struct mue_error *e)
{
	char file[PATH_LEN];
	int r = MUE_OK;

	for (int attempt = 0; attempt < 2; attempt++) {
		mue_buf_reset(ret);
		r = compute(s, index, msg, len, ret, e);
		if (r == 0 && mue_pubkey_verify(&s->pub, msg, len, ret->data, ret->len) == 0)
			return MUE_OK;
		if (side_path(s->path, ".tree", file, NULL) == 0)
			mue_file_remove(file, NULL);
		if (side_path(s->path, ".tree2", file, NULL) == 0)
			mue_file_remove(file, NULL);
	}
	return r < 0 ? r : mue_fail(e, MUE_EKEY, "%s: its signature does not hold", s->path);
}

int mue_lms_signer_sign(struct mue_lms_signer *s, const void *msg, size_t len, struct mue_buf *ret,
			struct mue_error *e)
{
	struct mue_buf sig = { .max = MUE_SIG_MAX };
	uint8_t digest[32];
	uint64_t index;
	int r;

	if (s->broken)
		return mue_fail(e, MUE_EIO, "%s: an earlier write failed, open the key anew",
				s->path);
	if (mue_lms_signer_remaining(s) == 0)
		return mue_fail(e, MUE_EEXHAUSTED,
				"%s: all %" PRIu64 " signatures are used; make a new key and have "
				"devices trust it",
				s->path, total(s));
	mue_hash_sha256(msg, len, digest);
	r = mue_lms_journal_reserve(&s->journal, digest, &index, e);
	if (r < 0) {
		s->broken = true;
		return r;
	}
	r = compute_verified(s, index, msg, len, &sig, e);
	if (r == 0 && mue_buf_add(ret, sig.data, sig.len) < 0)
		r = mue_fail(e, MUE_ESIZE, "the signature is larger than its place");
	mue_buf_free(&sig);
	return r;
}
