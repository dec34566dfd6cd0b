/*
 * lms_keyfile.h - an LMS key at rest: parameters, public key, the seed under a passphrase.
 *
 * PBKDF2-HMAC-SHA256 and AES-256-GCM; byte for byte in docs/FORMATS.md, "LMS key".
 */
#ifndef MUE_HOST_LMS_KEYFILE_H
#define MUE_HOST_LMS_KEYFILE_H

#include "host/err.h"
#include "host/key.h"
#include "host/lms_tree.h"

struct mue_lms_keyfile {
	struct mue_lms_params params;
	uint32_t rounds;
	uint8_t pub[MUE_LMS_PUB_MAX]; /* HSS public key, 28 + n bytes */
	uint8_t seed[MUE_LMS_N_MAX];
};

/* Appends the encrypted file to `ret`. */
int mue_lms_keyfile_seal(const struct mue_lms_keyfile *k, const char *pass, struct mue_buf *ret,
			 struct mue_error *e);

/* MUE_EAUTH: wrong passphrase (or damaged: the two cannot be told apart).  MUE_EKEY: no LMS key
 * file.  The caller wipes ret->seed. */
int mue_lms_keyfile_open(const uint8_t *data, size_t len, const char *pass,
			 struct mue_lms_keyfile *ret, struct mue_error *e);

#endif
