/*
 * vectors.h - what the COSE and SUIT tests share: files of the shared vectors, hex, and a verifier
 * over one public key that is done by GnuTLS.
 */
#ifndef MUE_TESTS_CORE_VECTORS_H
#define MUE_TESTS_CORE_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "core/cose.h"

/* Decodes hex, passing over blanks and line ends; returns the number of bytes, 0 when not hex. */
size_t vectors_unhex(const char *hex, uint8_t *ret, size_t size);

/* Reads $MUE_SHARED/vectors/<path>; a 0 follows the bytes.  NULL when it is not there; the caller
 * frees it. */
uint8_t *vectors_load(const char *path, size_t *ret_len);

/* One public key: ES256 when xlen is 32 and y is given, else Ed25519. */
struct vectors_key {
	uint8_t x[32], y[32];
	int ed25519;
	int calls; /* verifications asked for */
};

/* The verifier port over that key; .ctx is the key. */
extern const struct mue_verifier_ops vectors_verifier_ops;

/* The P-256 key of a PEM file below vectors/; 0, or -1 when it cannot be read. */
int vectors_key_from_pem(const char *path, struct vectors_key *ret);

#endif
