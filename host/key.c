/* Private keys: files, tokens, LMS; one way to sign. */
#include "host/key.h"

#include "host/file.h"
#include "host/lms_signer.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_FILE_MAX 65536
#define PATH_LEN     4096

struct mue_key {
	struct mue_pubkey pub;
	gnutls_privkey_t priv;      /* file and token; NULL for LMS */
	struct mue_lms_signer *lms; /* LMS */
};

static bool is_token(const char *spec)
{
	return strncmp(spec, "pkcs11:", 7) == 0;
}

/* A passphrase by mue_pass_source's rules. */
static int passphrase(const struct mue_pass_source *src, const char *spec, bool confirm,
		      char ret[MUE_PASS_MAX], struct mue_error *e)
{
	char prompt[256];

	snprintf(prompt, sizeof(prompt), "Passphrase of %.200s: ", spec);
	return mue_pass_get(src ? src->file : NULL, src && src->prompt ? src->prompt : prompt,
			    confirm, ret, e);
}

/* --- tokens --- */

static int pin(void *userdata, int attempt, const char *url, const char *label, unsigned flags,
	       char *ret, size_t size)
{
	const char *value = getenv("MUE_PIN");
	char prompt[256], typed[MUE_PASS_MAX];
	int r;

	(void)userdata;
	(void)url;
	/* A second try with the same wrong PIN would lock the token. */
	if (attempt > 0 || (flags & GNUTLS_PIN_WRONG))
		return GNUTLS_E_PKCS11_PIN_ERROR;
	if (!value)
		value = getenv("GNUTLS_PIN");
	if (value) {
		if (strlen(value) >= size)
			return GNUTLS_E_PKCS11_PIN_ERROR;
		strcpy(ret, value);
		return 0;
	}
	snprintf(prompt, sizeof(prompt), "PIN of token %.200s: ", label ? label : "");
	r = mue_pass_terminal(prompt, 0, typed, NULL);
	if (r < 0 || strlen(typed) >= size)
		return GNUTLS_E_PKCS11_PIN_ERROR;
	strcpy(ret, typed);
	mue_pass_wipe(typed);
	return 0;
}

static int token_failed(const char *uri, int err, struct mue_error *e)
{
	int code = MUE_EKEY;

	if (err == GNUTLS_E_PKCS11_PIN_ERROR || err == GNUTLS_E_PKCS11_PIN_LOCKED ||
	    err == GNUTLS_E_PKCS11_PIN_EXPIRED || err == GNUTLS_E_PKCS11_USER_ERROR)
		code = MUE_EAUTH;
	else if (err == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		code = MUE_ENOTFOUND;
	return mue_fail(e, code, "token key %.*s: %s", (int)strcspn(uri, "?"), uri,
			gnutls_strerror(err));
}

/* RFC 7512 writes pin-source=file:PATH (or file:///PATH); p11-kit takes the bare path only. */
static char *bare_pin_source(const char *uri)
{
	static const char name[] = "pin-source=", scheme[] = "file:";
	char *copy = strdup(uri), *at = copy ? strstr(copy, name) : NULL;

	if (!at)
		return copy;
	at += sizeof(name) - 1;
	if (strncmp(at, scheme, sizeof(scheme) - 1) == 0) {
		const char *path = at + sizeof(scheme) - 1;

		if (strncmp(path, "///", 3) == 0)
			path += 2;
		memmove(at, path, strlen(path) + 1);
	}
	return copy;
}

static int open_token(struct mue_key *k, const char *uri, struct mue_error *e)
{
	char *bare = bare_pin_source(uri);
	int r = gnutls_privkey_init(&k->priv);

	if (r < 0 || !bare) {
		free(bare);
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	}
	gnutls_privkey_set_pin_function(k->priv, pin, NULL);
	r = gnutls_privkey_import_url(k->priv, bare, 0);
	explicit_bzero(bare, strlen(bare)); /* a PIN may stand in it */
	free(bare);
	return r < 0 ? token_failed(uri, r, e) : MUE_OK;
}

/* The public key that belongs to k->priv. */
static int public_of(struct mue_key *k, const char *spec, struct mue_error *e)
{
	gnutls_datum_t der = { NULL, 0 };
	gnutls_pubkey_t pub;
	int r = gnutls_pubkey_init(&pub);

	if (r < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	gnutls_pubkey_set_pin_function(pub, pin, NULL);
	r = gnutls_pubkey_import_privkey(pub, k->priv, 0, 0);
	if (r == 0)
		r = gnutls_pubkey_export2(pub, GNUTLS_X509_FMT_DER, &der);
	gnutls_pubkey_deinit(pub);
	if (r < 0 && is_token(spec))
		return token_failed(spec, r, e);
	if (r < 0)
		return mue_fail(e, MUE_EKEY, "%s: no public key: %s", spec, gnutls_strerror(r));
	r = mue_pubkey_parse_der(der.data, der.size, &k->pub, e);
	gnutls_free(der.data);
	if (r < 0)
		mue_prefix(e, "%.*s", (int)strcspn(spec, "?"), spec);
	return r;
}

/* --- key files --- */

static int import_pem(struct mue_key *k, const char *path, const gnutls_datum_t *pem,
		      const char *pass, unsigned flags, struct mue_error *e)
{
	int r = gnutls_privkey_init(&k->priv);

	if (r < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	r = gnutls_privkey_import_x509_raw(k->priv, pem, GNUTLS_X509_FMT_PEM, pass, flags);
	if (r < 0 && pass)
		return mue_fail(e, MUE_EAUTH, "%s: wrong passphrase, or the file is damaged", path);
	if (r < 0)
		return mue_fail(e, MUE_EKEY, "%s: no private key in PEM: %s", path,
				gnutls_strerror(r));
	return MUE_OK;
}

static int open_pem(struct mue_key *k, const char *path, const struct mue_pass_source *src,
		    struct mue_error *e)
{
	struct mue_buf b = { .max = KEY_FILE_MAX };
	char pass[MUE_PASS_MAX];
	gnutls_datum_t pem;
	int r = mue_file_read(path, &b, e);

	if (r < 0)
		goto out;
	pem = (gnutls_datum_t){ b.data, (unsigned)b.len };
	if (strstr(mue_buf_str(&b), "BEGIN ENCRYPTED PRIVATE KEY")) {
		r = passphrase(src, path, false, pass, e);
		if (r == 0)
			r = import_pem(k, path, &pem, pass, 0, e);
		mue_pass_wipe(pass);
	} else {
		/* A key that lies open was made elsewhere, e.g. a device's; its file mode guards
		 * it. */
		r = import_pem(k, path, &pem, NULL, GNUTLS_PKCS_PLAIN, e);
	}
out:
	mue_buf_free(&b);
	return r;
}

static int open_lms(struct mue_key *k, const char *path, const struct mue_pass_source *src,
		    struct mue_error *e)
{
	char pass[MUE_PASS_MAX];
	int r = passphrase(src, path, false, pass, e);

	if (r < 0)
		return r;
	r = mue_lms_signer_open(path, pass, &k->lms, e);
	mue_pass_wipe(pass);
	if (r == 0)
		k->pub = *mue_lms_signer_public(k->lms);
	return r;
}

int mue_key_open(const char *spec, const struct mue_pass_source *pass, struct mue_key **ret,
		 struct mue_error *e)
{
	struct mue_key *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	if (is_token(spec))
		r = open_token(k, spec, e);
	else if (mue_lms_signer_is(spec))
		r = open_lms(k, spec, pass, e);
	else
		r = open_pem(k, spec, pass, e);
	if (r == 0 && !k->lms)
		r = public_of(k, spec, e);
	if (r < 0) {
		mue_key_close(k);
		return r;
	}
	*ret = k;
	return MUE_OK;
}

void mue_key_close(struct mue_key *k)
{
	if (!k)
		return;
	if (k->priv)
		gnutls_privkey_deinit(k->priv);
	mue_lms_signer_close(k->lms);
	free(k);
}

const struct mue_pubkey *mue_key_public(const struct mue_key *k)
{
	return &k->pub;
}

uint64_t mue_key_remaining(const struct mue_key *k)
{
	return k->lms ? mue_lms_signer_remaining(k->lms) : UINT64_MAX;
}

/* --- signing --- */

/* r or s as exactly 32 bytes. */
static bool fit32(const gnutls_datum_t *v, uint8_t ret[32])
{
	unsigned size = v->size;
	const uint8_t *p = v->data;

	while (size > 32 && *p == 0)
		p++, size--;
	if (size > 32)
		return false;
	memset(ret, 0, 32 - size);
	memcpy(ret + 32 - size, p, size);
	return true;
}

static int raw_ecdsa(const gnutls_datum_t *der, uint8_t ret[64])
{
	gnutls_datum_t r_value, s_value;
	bool fits;

	if (gnutls_decode_rs_value(der, &r_value, &s_value) < 0)
		return MUE_EKEY;
	fits = fit32(&r_value, ret) && fit32(&s_value, ret + 32);
	gnutls_free(r_value.data);
	gnutls_free(s_value.data);
	return fits ? MUE_OK : MUE_EKEY;
}

static int sign_gnutls(struct mue_key *k, const void *msg, size_t len, uint8_t ret[64],
		       struct mue_error *e)
{
	bool ecdsa = k->pub.kind == MUE_KEY_ES256;
	gnutls_datum_t m = { NULL, (unsigned)len }, sig;
	int r;

	memcpy(&m.data, &msg, sizeof(msg)); /* GnuTLS takes no const */
	r = gnutls_privkey_sign_data2(
		k->priv, ecdsa ? GNUTLS_SIGN_ECDSA_SHA256 : GNUTLS_SIGN_EDDSA_ED25519, 0, &m, &sig);
	if (r < 0)
		return mue_fail(e, MUE_EKEY, "cannot sign: %s", gnutls_strerror(r));
	if (ecdsa)
		r = raw_ecdsa(&sig, ret);
	else if (sig.size == 64)
		memcpy(ret, sig.data, 64);
	else
		r = MUE_EKEY;
	gnutls_free(sig.data);
	if (r < 0)
		return mue_fail(e, MUE_EKEY, "the key gave a signature of an unknown form");
	/* A token or a fault may lie; what leaves us holds. */
	if (mue_pubkey_verify(&k->pub, msg, len, ret, 64) != 0)
		return mue_fail(e, MUE_EKEY, "the key gave a signature that does not hold");
	return MUE_OK;
}

int mue_key_sign(struct mue_key *k, const void *msg, size_t len, struct mue_buf *ret,
		 struct mue_error *e)
{
	uint8_t sig[64];
	int r;

	if (len > UINT32_MAX)
		return mue_fail(e, MUE_EINVAL, "message too long");
	if (k->lms)
		return mue_lms_signer_sign(k->lms, msg, len, ret, e);
	r = sign_gnutls(k, msg, len, sig, e);
	if (r == 0 && mue_buf_add(ret, sig, sizeof(sig)) < 0)
		r = mue_fail(e, MUE_ESIZE, "the signature is larger than its place");
	return r;
}

/* --- making keys --- */

void mue_key_params_default(struct mue_key_params *p, enum mue_key_kind kind)
{
	*p = (struct mue_key_params){ kind, { .levels = 1, .n = 24, .h = 10, .w = 4 } };
}

static int write_public(const char *file, const struct mue_pubkey *pub, struct mue_error *e)
{
	struct mue_buf pem = { .max = 4096 };
	int r = mue_pubkey_pem(pub, &pem);

	if (r == 0)
		r = mue_file_write(file, pem.data, pem.len, 0644, e);
	else
		mue_fail(e, r, "%s: out of memory", file);
	mue_buf_free(&pem);
	return r;
}

/* Generates, encrypts, writes; *ret is the open key. */
static int new_pem(const char *path, enum mue_key_kind kind, const char *pass, struct mue_key *ret,
		   struct mue_error *e)
{
	bool ecdsa = kind == MUE_KEY_ES256;
	gnutls_x509_privkey_t x;
	gnutls_datum_t pem;
	int r = gnutls_x509_privkey_init(&x);

	if (r < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	r = gnutls_x509_privkey_generate(
		x, ecdsa ? GNUTLS_PK_ECDSA : GNUTLS_PK_EDDSA_ED25519,
		ecdsa ? GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1) : 256, 0);
	if (r == 0)
		r = gnutls_x509_privkey_export2_pkcs8(x, GNUTLS_X509_FMT_PEM, pass,
						      GNUTLS_PKCS_PBES2_AES_256, &pem);
	if (r < 0) {
		gnutls_x509_privkey_deinit(x);
		return mue_fail(e, MUE_EKEY, "cannot make a key: %s", gnutls_strerror(r));
	}
	r = gnutls_privkey_init(&ret->priv);
	if (r == 0)
		r = gnutls_privkey_import_x509(ret->priv, x, GNUTLS_PRIVKEY_IMPORT_COPY);
	gnutls_x509_privkey_deinit(x);
	if (r < 0)
		r = mue_fail(e, MUE_EKEY, "cannot make a key: %s", gnutls_strerror(r));
	else
		r = public_of(ret, path, e);
	if (r == 0)
		r = mue_file_create(path, pem.data, pem.size, 0600, e);
	explicit_bzero(pem.data, pem.size);
	gnutls_free(pem.data);
	return r;
}

int mue_key_new(const char *path, const struct mue_key_params *p,
		const struct mue_pass_source *pass, void (*progress)(void *ctx, unsigned permille),
		void *ctx, struct mue_error *e)
{
	char text[MUE_PASS_MAX], pub[PATH_LEN];
	struct mue_key k = { 0 };
	int r, n = snprintf(pub, sizeof(pub), "%s.pub", path);

	if (n < 0 || (size_t)n >= sizeof(pub))
		return mue_fail(e, MUE_EINVAL, "%.80s...: path too long", path);
	if (mue_file_exists(path) || mue_file_exists(pub))
		return mue_fail(e, MUE_EEXIST, "%s: is there already; keys are never overwritten",
				mue_file_exists(path) ? path : pub);
	r = passphrase(pass, path, true, text, e);
	if (r < 0)
		return r;
	if (p->kind == MUE_KEY_LMS)
		r = mue_lms_signer_create(path, &p->lms, text, MUE_LMS_KDF_ROUNDS, progress, ctx,
					  &k.pub, e);
	else
		r = new_pem(path, p->kind, text, &k, e);
	mue_pass_wipe(text);
	if (k.priv)
		gnutls_privkey_deinit(k.priv);
	return r < 0 ? r : write_public(pub, &k.pub, e);
}
