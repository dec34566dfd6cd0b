/*
 * hash.h - digests on hosts, through GnuTLS (which uses the processor's instructions), and hex.
 */
#ifndef MUE_HOST_HASH_H
#define MUE_HOST_HASH_H

#include "host/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mue_hash_kind { MUE_HASH_SHA256, MUE_HASH_SHA1, MUE_HASH_MD5 };

#define MUE_HASH_MAX       32
#define MUE_HASH_SHA1_SIZE 20
#define MUE_HASH_MD5_SIZE  16

struct mue_hash {
	void *handle; /* NULL: not started */
	enum mue_hash_kind kind;
};

/* Bytes of a digest: 32, 20, 16. */
size_t mue_hash_size(enum mue_hash_kind kind);

/* Starts a digest; the caller ends it with mue_hash_final or mue_hash_drop.  0 or MUE_ENOMEM. */
int mue_hash_init(struct mue_hash *h, enum mue_hash_kind kind);
void mue_hash_update(struct mue_hash *h, const void *data, size_t len);
/* Writes mue_hash_size() bytes and releases it. */
void mue_hash_final(struct mue_hash *h, uint8_t *ret_digest);
/* Releases it without a result; harmless when it was not started or is ended. */
void mue_hash_drop(struct mue_hash *h);
/* The digest of what was added so far; the hash goes on.  0 or MUE_ENOMEM. */
int mue_hash_peek(const struct mue_hash *h, uint8_t *ret_digest);

void mue_hash_sha256(const void *data, size_t len, uint8_t ret_digest[32]);

/* Digest and size of a file, read in large pieces.  ret_size may be NULL. */
int mue_hash_file(const char *path, enum mue_hash_kind kind, uint8_t *ret_digest,
		  uint64_t *ret_size, struct mue_error *e);

/* Lower-case hex with a closing 0: ret holds 2 * len + 1 bytes.  Returns ret. */
char *mue_hex(const void *data, size_t len, char *ret);

/* Exactly 2 * len hex digits (either case) and then the end of `text`; false otherwise. */
bool mue_unhex(const char *text, void *ret, size_t len);

#endif
