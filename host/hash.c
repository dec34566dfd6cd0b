#include "host/hash.h"

#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <unistd.h>

static gnutls_digest_algorithm_t algorithm(enum mue_hash_kind kind)
{
	switch (kind) {
	case MUE_HASH_SHA1:
		return GNUTLS_DIG_SHA1;
	case MUE_HASH_MD5:
		return GNUTLS_DIG_MD5;
	case MUE_HASH_SHA256:
	default:
		return GNUTLS_DIG_SHA256;
	}
}

size_t mue_hash_size(enum mue_hash_kind kind)
{
	return gnutls_hash_get_len(algorithm(kind));
}

int mue_hash_init(struct mue_hash *h, enum mue_hash_kind kind)
{
	gnutls_hash_hd_t hd;

	h->handle = NULL;
	h->kind = kind;
	if (gnutls_hash_init(&hd, algorithm(kind)) < 0)
		return MUE_ENOMEM;
	h->handle = hd;
	return MUE_OK;
}

void mue_hash_update(struct mue_hash *h, const void *data, size_t len)
{
	gnutls_hash(h->handle, data, len);
}

void mue_hash_final(struct mue_hash *h, uint8_t *ret_digest)
{
	gnutls_hash_deinit(h->handle, ret_digest);
	h->handle = NULL;
}

void mue_hash_drop(struct mue_hash *h)
{
	if (h->handle)
		gnutls_hash_deinit(h->handle, NULL);
	h->handle = NULL;
}

int mue_hash_peek(const struct mue_hash *h, uint8_t *ret_digest)
{
	gnutls_hash_hd_t copy = gnutls_hash_copy(h->handle);

	if (!copy)
		return MUE_ENOMEM;
	gnutls_hash_deinit(copy, ret_digest);
	return MUE_OK;
}

void mue_hash_sha256(const void *data, size_t len, uint8_t ret_digest[32])
{
	/* Fails only for an unknown algorithm; a digest that was never computed must not be used.
	 */
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, ret_digest) < 0)
		abort();
}

int mue_hash_file(const char *path, enum mue_hash_kind kind, uint8_t *ret_digest,
		  uint64_t *ret_size, struct mue_error *e)
{
	enum { CHUNK = 256 * 1024 };
	__attribute__((cleanup(mue_fd_close))) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct mue_hash h;
	uint64_t size = 0;
	uint8_t *chunk;
	ssize_t n;

	if (fd < 0)
		return mue_fail_errno(e, "%s", path);
	chunk = malloc(CHUNK);
	if (!chunk || mue_hash_init(&h, kind) < 0) {
		free(chunk);
		return mue_fail(e, MUE_ENOMEM, "%s: out of memory", path);
	}
	while ((n = TEMP_FAILURE_RETRY(read(fd, chunk, CHUNK))) > 0) {
		mue_hash_update(&h, chunk, (size_t)n);
		size += (uint64_t)n;
	}
	if (n < 0) {
		mue_fail_errno(e, "%s", path);
		mue_hash_drop(&h);
		free(chunk);
		return e ? e->code : MUE_EIO;
	}
	free(chunk);
	mue_hash_final(&h, ret_digest);
	if (ret_size)
		*ret_size = size;
	return MUE_OK;
}

char *mue_hex(const void *data, size_t len, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		ret[2 * i] = digits[p[i] >> 4];
		ret[2 * i + 1] = digits[p[i] & 15];
	}
	ret[2 * len] = 0;
	return ret;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool mue_unhex(const char *text, void *ret, size_t len)
{
	uint8_t *out = ret;

	for (size_t i = 0; i < len; i++) {
		int hi = nibble(text[2 * i]);
		int lo = hi < 0 ? -1 : nibble(text[2 * i + 1]);

		if (lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return text[2 * len] == 0;
}
