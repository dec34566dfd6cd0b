/*
 * lms_signer.h - a stateful HSS/LMS private key that never uses a leaf twice.
 *
 * Beside the key file PATH (encrypted seed) stand PATH.journal (append-only, every record chained
 * to the one before by SHA-256: index and message digest of each signature), PATH.state (how far
 * the journal is known to reach), and PATH.tree, PATH.tree2 (public nodes, made anew when lost).
 * Before a signature is even computed its index stands in the journal and in the state, both
 * fsynced; a process that dies in between has burnt the index.  Journal and state check each
 * other, so that an old copy of one of them put back is refused.  Formats: docs/FORMATS.md,
 * "LMS key".
 *
 * What this cannot see: key, state and journal all put back together from one backup, or used in
 * two copies.  Never back up or copy an LMS key; make a second key instead.
 */
#ifndef MUE_HOST_LMS_SIGNER_H
#define MUE_HOST_LMS_SIGNER_H

#include "host/key.h"

#include <stdbool.h>

#define MUE_LMS_KEY_MAGIC "MUELMSK1"

/* PBKDF2 rounds of a new key file. */
#define MUE_LMS_KDF_ROUNDS 600000

struct mue_lms_signer; /* opaque */

/* Makes a key; files as above, mode 0600.  MUE_EEXIST: one of them is there.  `rounds` is 1000 to
 * 10 million. */
int mue_lms_signer_create(const char *path, const struct mue_lms_params *p, const char *pass,
			  uint32_t rounds, void (*progress)(void *ctx, unsigned permille),
			  void *ctx, struct mue_pubkey *ret_pub, struct mue_error *e);

/* Is there an LMS key file (by its magic)? */
bool mue_lms_signer_is(const char *path);

/*
 * Opens, locks and checks.  MUE_EAUTH: wrong passphrase.  MUE_EBUSY: another process has it.
 * MUE_EKEY: damaged, or journal and state do not belong together.
 */
int mue_lms_signer_open(const char *path, const char *pass, struct mue_lms_signer **ret,
			struct mue_error *e);

const struct mue_pubkey *mue_lms_signer_public(const struct mue_lms_signer *s);
uint64_t mue_lms_signer_remaining(const struct mue_lms_signer *s);
/* The index that the next signature will use: 0, 1, ... */
uint64_t mue_lms_signer_next(const struct mue_lms_signer *s);

/* Appends the HSS signature; it has been verified once with core/lms.  MUE_EEXHAUSTED: no index is
 * left.  After any other failure the index is burnt all the same; open the key anew. */
int mue_lms_signer_sign(struct mue_lms_signer *s, const void *msg, size_t len, struct mue_buf *ret,
			struct mue_error *e);

void mue_lms_signer_close(struct mue_lms_signer *s);

#endif
