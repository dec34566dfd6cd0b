/*
 * trust.h - the keys a program believes: a folder of `.pub` files (SPKI PEM).
 *
 * Loaded once; a file that cannot be read as a key fails the load with its name, because a trust
 * folder that is half understood is worse than an error.  Read-only after loading, so threads
 * may share it.
 */
#ifndef MUE_HOST_TRUST_H
#define MUE_HOST_TRUST_H

#include "host/key.h"

#define MUE_TRUST_MAX 64 /* keys in a folder */

struct mue_trust_entry {
	char name[64]; /* the file's name without ".pub" */
	struct mue_pubkey key;
};

struct mue_trust {
	struct mue_trust_entry *entries; /* sorted by name */
	size_t count;
};

/* An empty folder gives an empty store.  MUE_ENOTFOUND: no such folder; MUE_EFORMAT/MUE_EKEY: a
 * file in it is no usable key; MUE_ENOSPC: too many. */
int mue_trust_load(const char *folder, struct mue_trust *ret, struct mue_error *e);
void mue_trust_free(struct mue_trust *t);

/* Adds one key from a PEM text; `name` is a file name without a slash or a leading dot.
 * MUE_EEXIST when this key is there already. */
int mue_trust_add(struct mue_trust *t, const char *name, const char *pem, size_t len,
		  struct mue_error *e);

/* The entry with this kid, NULL when there is none. */
const struct mue_trust_entry *mue_trust_find(const struct mue_trust *t, const uint8_t *kid,
					     size_t kid_len);

/*
 * Verifies a raw COSE signature of `msg` with COSE algorithm `alg` (-7, -9: ES256; -8, -19:
 * Ed25519; -46: HSS/LMS) by the key `kid`, or, when kid_len is 0, by any trusted key of that
 * algorithm.  0: holds, *ret_by (may be NULL) says by which entry.  MUE_ESIGNATURE: no trusted key,
 * or it does not hold.  MUE_EPROFILE: unknown algorithm.
 */
int mue_trust_check(const struct mue_trust *t, int32_t alg, const uint8_t *kid, size_t kid_len,
		    const void *msg, size_t len, const void *sig, size_t sig_len,
		    const struct mue_trust_entry **ret_by);

#endif
