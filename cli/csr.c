#include "cli/csr.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/pkcs11.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

/* Which verdict a GnuTLS error is, with its text. */
static int fail_tls(struct mue_error *e, const char *what, int err)
{
	int code = MUE_EKEY;

	if (err == GNUTLS_E_PKCS11_PIN_ERROR || err == GNUTLS_E_PKCS11_PIN_LOCKED ||
	    err == GNUTLS_E_PKCS11_PIN_EXPIRED)
		code = MUE_EAUTH;
	if (err == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return mue_fail(e, MUE_EKEY,
				"%s: no such key in the token, or the PIN is missing "
				"(pin-value=, pin-source= or MUE_PIN)",
				what);
	return mue_fail(e, code, "%s: %s", what, gnutls_strerror(err));
}

int mue_csr_new_key(struct mue_buf *ret_key, struct mue_error *e)
{
	gnutls_datum_t pem = { NULL, 0 };
	gnutls_x509_privkey_t key = NULL;
	int r = gnutls_x509_privkey_init(&key);

	if (r == 0)
		r = gnutls_x509_privkey_generate(
			key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (r == 0)
		r = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
						      GNUTLS_PKCS_PLAIN, &pem);
	gnutls_x509_privkey_deinit(key);
	if (r < 0)
		return fail_tls(e, "cannot make the device's key", r);
	r = mue_buf_add(ret_key, pem.data, pem.size);
	gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	return r < 0 ? mue_fail(e, r, "out of memory") : MUE_OK;
}

static int pin_of_environment(void *user, int attempt, const char *url, const char *label,
			      unsigned flags, char *pin, size_t pin_max)
{
	const char *value = getenv("MUE_PIN");

	(void)user, (void)url, (void)label, (void)flags;
	/* The same PIN a second time would only lock the token. */
	if (!value || attempt > 0 || strlen(value) >= pin_max)
		return -1;
	memcpy(pin, value, strlen(value) + 1);
	return 0;
}

static int load_key(const char *key, gnutls_privkey_t priv)
{
	gnutls_datum_t pem = { (unsigned char *)(uintptr_t)key, (unsigned)strlen(key) };

	if (strncmp(key, "pkcs11:", 7) != 0)
		return gnutls_privkey_import_x509_raw(priv, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (!strstr(key, "pin-value=") && !strstr(key, "pin-source="))
		gnutls_privkey_set_pin_function(priv, pin_of_environment, NULL);
	return gnutls_privkey_import_url(priv, key, 0);
}

static int fill(gnutls_x509_crq_t crq, gnutls_privkey_t priv, gnutls_pubkey_t pub, const char *id,
		gnutls_datum_t *ret)
{
	int r = gnutls_pubkey_import_privkey(pub, priv, 0, 0);

	if (r == 0)
		r = gnutls_x509_crq_set_version(crq, 1);
	if (r == 0)
		r = gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, id,
						  (unsigned)strlen(id));
	if (r == 0)
		r = gnutls_x509_crq_set_pubkey(crq, pub);
	if (r == 0)
		r = gnutls_x509_crq_privkey_sign(crq, priv, GNUTLS_DIG_SHA256, 0);
	return r < 0 ? r : gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_PEM, ret);
}

int mue_csr_make(const char *key, const char *id, struct mue_buf *ret_csr, struct mue_error *e)
{
	gnutls_datum_t pem = { NULL, 0 };
	gnutls_x509_crq_t crq = NULL;
	gnutls_privkey_t priv = NULL;
	gnutls_pubkey_t pub = NULL;
	int r = gnutls_privkey_init(&priv);

	if (r == 0)
		r = gnutls_pubkey_init(&pub);
	if (r == 0)
		r = gnutls_x509_crq_init(&crq);
	if (r == 0)
		r = load_key(key, priv);
	if (r == 0)
		r = fill(crq, priv, pub, id, &pem);
	if (crq)
		gnutls_x509_crq_deinit(crq);
	if (pub)
		gnutls_pubkey_deinit(pub);
	if (priv)
		gnutls_privkey_deinit(priv);
	if (r < 0)
		return fail_tls(e, "cannot make the certificate request", r);
	r = mue_buf_add(ret_csr, pem.data, pem.size);
	gnutls_free(pem.data);
	return r < 0 ? mue_fail(e, r, "out of memory") : MUE_OK;
}
