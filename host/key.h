/*
 * key.h - private keys that sign releases, public keys that verify them.
 *
 * A private key is named by a spec: the path of an encrypted PKCS#8 PEM (ES256, Ed25519), the path
 * of our own encrypted LMS key (docs/FORMATS.md, "LMS key file"; its journal stands beside it), or
 * a `pkcs11:` URI (RFC 7512) of a P-256 or Ed25519 key in a token.  A token's PIN comes from
 * the URI's pin-value/pin-source, else MUE_PIN, else GNUTLS_PIN, else the terminal.
 * A PEM that is not encrypted is read too (a key made elsewhere), but never written.
 * Signatures are raw COSE ones (RFC 9053, RFC 8778): ES256 r||s (64 bytes), Ed25519 (64 bytes),
 * HSS as RFC 8554 writes it.
 */
#ifndef MUE_HOST_KEY_H
#define MUE_HOST_KEY_H

#include "core/lms.h"
#include "host/buf.h"
#include "host/err.h"

#include <stddef.h>
#include <stdint.h>

#define MUE_KID_SIZE 8 /* first bytes of SHA-256 over the SPKI DER */
#define MUE_SPKI_MAX 128
#define MUE_PASS_MAX 256
/* Ceiling of any signature: an HSS of two M32/H25/W1 levels is below it. */
#define MUE_SIG_MAX 32768

enum mue_key_kind { MUE_KEY_ES256 = 1, MUE_KEY_ED25519, MUE_KEY_LMS };

/* A public key; plain data, may be copied. */
struct mue_pubkey {
	enum mue_key_kind kind;
	uint8_t kid[MUE_KID_SIZE];
	uint8_t point[MUE_LMS_PUB_MAX +
		      8]; /* P-256: x||y (64); Ed25519: 32; LMS: HSS key, 52 or 60 */
	uint8_t point_len;
	uint8_t spki[MUE_SPKI_MAX]; /* SubjectPublicKeyInfo DER */
	uint8_t spki_len;
};

/* "es256", "ed25519", "lms". */
const char *mue_key_kind_name(enum mue_key_kind kind);
/* The COSE algorithm it signs with: -7, -8, -46. */
int mue_key_cose_alg(enum mue_key_kind kind);

/* --- public keys --- */

/* Reads the first PUBLIC KEY block of a PEM text.  MUE_EFORMAT: not a PEM or not one SPKI;
 * MUE_EKEY: of a kind or curve that we do not take. */
int mue_pubkey_parse(const char *pem, size_t len, struct mue_pubkey *ret, struct mue_error *e);
int mue_pubkey_parse_der(const uint8_t *der, size_t len, struct mue_pubkey *ret,
			 struct mue_error *e);
/* From the key's own bytes (as in `point`). */
int mue_pubkey_from_point(enum mue_key_kind kind, const uint8_t *point, size_t len,
			  struct mue_pubkey *ret, struct mue_error *e);
int mue_pubkey_load(const char *path, struct mue_pubkey *ret, struct mue_error *e);

/* Appends the SPKI PEM. */
int mue_pubkey_pem(const struct mue_pubkey *k, struct mue_buf *ret);

/* Does `sig` sign `msg`?  0, MUE_ESIGNATURE, or what mue_lms_verify says of a malformed one.
 * ES256 takes both low and high s, but r and s must be in 1..n-1. */
int mue_pubkey_verify(const struct mue_pubkey *k, const void *msg, size_t len, const void *sig,
		      size_t sig_len);

/* --- private keys --- */

struct mue_key; /* opaque */

/*
 * Where the passphrase comes from: the first line of `file` when not NULL, else the variable
 * MUE_PASSPHRASE, else asked on the terminal with `prompt` (twice when `confirm`).
 * MUE_EPERM: no source at all.  The caller wipes ret (mue_pass_wipe).
 */
int mue_pass_get(const char *file, const char *prompt, int confirm, char ret[MUE_PASS_MAX],
		 struct mue_error *e);
/* From the terminal only.  MUE_EPERM: there is none. */
int mue_pass_terminal(const char *prompt, int confirm, char ret[MUE_PASS_MAX], struct mue_error *e);
void mue_pass_wipe(char pass[MUE_PASS_MAX]);

/* How mue_key_open and mue_key_new ask: called only when a passphrase is needed. */
struct mue_pass_source {
	const char *file;   /* NULL: variable, then terminal */
	const char *prompt; /* NULL: "Passphrase of <spec>: " */
};

/*
 * Opens a private key for signing.  An LMS key is locked for this process until mue_key_close:
 * MUE_EBUSY when another signer has it.  MUE_EAUTH: wrong passphrase or PIN.  MUE_EKEY: damaged,
 * of another kind, or an LMS state that is older than its journal.
 */
int mue_key_open(const char *spec, const struct mue_pass_source *pass, struct mue_key **ret,
		 struct mue_error *e);

/* The shape of an LMS key. */
struct mue_lms_params {
	uint8_t levels; /* 1 or 2 */
	uint8_t n;      /* 24 or 32 */
	uint8_t h;      /* 5, 10, 15, 20: height of each level */
	uint8_t w;      /* 1, 2, 4, 8 */
};

/* What a new key is; lms is only read for MUE_KEY_LMS. */
struct mue_key_params {
	enum mue_key_kind kind;
	struct mue_lms_params lms;
};

/* The defaults: one level, M24, H10, W4. */
void mue_key_params_default(struct mue_key_params *p, enum mue_key_kind kind);

/*
 * Makes a key file with mode 0600 and, beside it, PATH.pub (SPKI PEM, 0644).  MUE_EEXIST: one of
 * them is there.  An LMS tree of H15 takes some seconds, of H20 minutes: `progress` (may be NULL)
 * is called with 0..1000.
 */
int mue_key_new(const char *path, const struct mue_key_params *p,
		const struct mue_pass_source *pass, void (*progress)(void *ctx, unsigned permille),
		void *ctx, struct mue_error *e);

/* Lives as long as the key. */
const struct mue_pubkey *mue_key_public(const struct mue_key *k);

/* Signatures still possible; UINT64_MAX when unlimited (all but LMS). */
uint64_t mue_key_remaining(const struct mue_key *k);

/* Signs `msg` and appends the raw COSE signature.  LMS: the index is used up and durable before a
 * byte is returned; MUE_EEXHAUSTED when none is left. */
int mue_key_sign(struct mue_key *k, const void *msg, size_t len, struct mue_buf *ret,
		 struct mue_error *e);

void mue_key_close(struct mue_key *k);

#endif
