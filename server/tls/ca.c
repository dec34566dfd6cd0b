#include "server/tls/ca.h"

#include "host/file.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	DAY = 24 * 3600,
	CA_DAYS = 20 * 365,
	DEVICE_DAYS = 10 * 365, /* a device in a drawer must still be able to update itself */
	SERVER_DAYS = 825,
	RENEW_DAYS = 30,
	PEM_MAX = 64 * 1024,
	PATH_ROOM = 32,
};

struct mue_ca {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	gnutls_x509_trust_list_t trust;
	pthread_mutex_t lock; /* around signing */
	char *ca_pem, *server_pem, *server_key;
};

static int tls_fail(struct mue_error *e, int code, const char *what, int gnutls)
{
	return mue_fail(e, code, "%s: %s", what, gnutls_strerror(gnutls));
}

static int new_serial(gnutls_x509_crt_t crt, char *ret_hex)
{
	unsigned char serial[MUE_SERIAL_SIZE];
	int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);

	serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, always 20 bytes */
	if (r == 0)
		r = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
	for (size_t i = 0; ret_hex && i < sizeof serial; i++)
		sprintf(ret_hex + 2 * i, "%02x", serial[i]);
	return r;
}

static int new_key(gnutls_x509_privkey_t *ret)
{
	gnutls_x509_privkey_t key;
	int r = gnutls_x509_privkey_init(&key);

	if (r < 0)
		return r;
	r = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (r < 0)
		gnutls_x509_privkey_deinit(key);
	else
		*ret = key;
	return r;
}

/* What all our certificates have in common. */
static int fill_common(gnutls_x509_crt_t crt, const char *cn, int days, char *ret_serial)
{
	time_t now = time(NULL);
	int r = gnutls_x509_crt_set_version(crt, 3);

	if (r == 0)
		r = new_serial(crt, ret_serial);
	/* Devices' clocks may lag behind. */
	if (r == 0)
		r = gnutls_x509_crt_set_activation_time(crt, now - DAY);
	if (r == 0)
		r = gnutls_x509_crt_set_expiration_time(crt, now + (time_t)days * DAY);
	if (r == 0)
		r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
						  (unsigned)strlen(cn));
	return r;
}

static int add_key_id(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer)
{
	unsigned char id[64];
	size_t len = sizeof id;
	int r = gnutls_x509_crt_get_key_id(crt, 0, id, &len);

	if (r == 0)
		r = gnutls_x509_crt_set_subject_key_id(crt, id, len);
	len = sizeof id;
	if (r == 0)
		r = gnutls_x509_crt_get_key_id(issuer, 0, id, &len);
	if (r == 0)
		r = gnutls_x509_crt_set_authority_key_id(crt, id, len);
	return r;
}

static char *exported(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	gnutls_datum_t out = { 0 };
	char *text = NULL;
	int r = crt ? gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &out)
		    : gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
							GNUTLS_PKCS_PLAIN, &out);

	if (r == 0)
		text = strndup((const char *)out.data, out.size);
	gnutls_free(out.data);
	return text;
}

static int read_text(const char *path, char **ret, struct mue_error *e)
{
	struct mue_buf b = { .max = PEM_MAX };
	int r = mue_file_read(path, &b, e);

	if (r == 0 && !(*ret = strdup(mue_buf_str(&b))))
		r = mue_fail(e, MUE_ENOMEM, "out of memory");
	mue_buf_free(&b);
	return r;
}

static gnutls_datum_t datum(const char *text)
{
	union {
		const char *in;
		unsigned char *out;
	} u = { text };

	return (gnutls_datum_t){ u.out, (unsigned)strlen(text) };
}

/* The key is written first: a certificate without its key would be a dead end. */
static int save_pair(const char *key_path, const char *key, const char *crt_path, const char *crt,
		     struct mue_error *e)
{
	int r = key && crt ? 0 : mue_fail(e, MUE_ENOMEM, "out of memory");

	if (r == 0)
		r = mue_file_write(key_path, key, strlen(key), 0600, e);
	if (r == 0)
		r = mue_file_write(crt_path, crt, strlen(crt), 0644, e);
	return r;
}

static int make_ca(struct mue_ca *ca)
{
	char cn[64];
	unsigned char tail[4];
	int r = new_key(&ca->key);

	if (r == 0)
		r = gnutls_x509_crt_init(&ca->crt);
	if (r == 0)
		r = gnutls_rnd(GNUTLS_RND_NONCE, tail, sizeof tail);
	if (r < 0)
		return r;
	snprintf(cn, sizeof cn, "Mue device CA %02x%02x%02x%02x", tail[0], tail[1], tail[2],
		 tail[3]);
	r = fill_common(ca->crt, cn, CA_DAYS, NULL);
	if (r == 0)
		r = gnutls_x509_crt_set_key(ca->crt, ca->key);
	if (r == 0)
		r = gnutls_x509_crt_set_basic_constraints(ca->crt, 1, 0);
	if (r == 0)
		r = gnutls_x509_crt_set_key_usage(ca->crt,
						  GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
	if (r == 0)
		r = add_key_id(ca->crt, ca->crt);
	if (r == 0)
		r = gnutls_x509_crt_sign2(ca->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0);
	return r;
}

static int load_ca(struct mue_ca *ca, const char *key_path, struct mue_error *e)
{
	gnutls_datum_t crt = datum(ca->ca_pem), key;
	char *key_pem = NULL;
	int r = read_text(key_path, &key_pem, e);

	if (r < 0)
		return r;
	key = datum(key_pem);
	r = gnutls_x509_crt_init(&ca->crt);
	if (r == 0)
		r = gnutls_x509_crt_import(ca->crt, &crt, GNUTLS_X509_FMT_PEM);
	if (r == 0)
		r = gnutls_x509_privkey_init(&ca->key);
	if (r == 0)
		r = gnutls_x509_privkey_import2(ca->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_memset(key_pem, 0, strlen(key_pem));
	free(key_pem);
	return r < 0 ? tls_fail(e, MUE_EKEY, key_path, r) : 0;
}

static int open_ca(struct mue_ca *ca, const char *crt_path, const char *key_path,
		   struct mue_error *e)
{
	char *key;
	int r;

	if (mue_file_exists(crt_path)) {
		r = read_text(crt_path, &ca->ca_pem, e);
		return r < 0 ? r : load_ca(ca, key_path, e);
	}
	r = make_ca(ca);
	if (r < 0)
		return tls_fail(e, MUE_EKEY, "cannot make the device CA", r);
	key = exported(NULL, ca->key);
	ca->ca_pem = exported(ca->crt, NULL);
	r = save_pair(key_path, key, crt_path, ca->ca_pem, e);
	free(key);
	if (r < 0)
		return r;
	/* Read back: a certificate that was just made lacks the raw names that verifying needs. */
	gnutls_x509_crt_deinit(ca->crt);
	gnutls_x509_privkey_deinit(ca->key);
	ca->crt = NULL;
	ca->key = NULL;
	return load_ca(ca, key_path, e);
}

/* ---- the server's certificate ---- */

static int add_name(gnutls_x509_crt_t crt, const char *name)
{
	unsigned char address[16];

	if (inet_pton(AF_INET, name, address) == 1)
		return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, 4,
							    GNUTLS_FSAN_APPEND);
	if (inet_pton(AF_INET6, name, address) == 1)
		return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, 16,
							    GNUTLS_FSAN_APPEND);
	return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name,
						    (unsigned)strlen(name), GNUTLS_FSAN_APPEND);
}

static int fill_server(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const struct mue_ca *ca,
		       const struct mue_server_config *config)
{
	static const char *const always[] = { "localhost", "127.0.0.1", "::1" };
	int r = fill_common(crt, config->name_count ? config->names[0] : "localhost", SERVER_DAYS,
			    NULL);

	for (unsigned i = 0; i < 3 && r == 0; i++)
		r = add_name(crt, always[i]);
	for (unsigned i = 0; i < config->name_count && r == 0; i++)
		r = add_name(crt, config->names[i]);
	if (r == 0)
		r = gnutls_x509_crt_set_key(crt, key);
	if (r == 0)
		r = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	if (r == 0)
		r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (r == 0)
		r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (r == 0)
		r = add_key_id(crt, ca->crt);
	if (r == 0)
		r = gnutls_x509_crt_sign2(crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0);
	return r;
}

static int make_server(struct mue_ca *ca, const struct mue_server_config *config,
		       const char *crt_path, const char *key_path, struct mue_error *e)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	char *leaf = NULL;
	int r = new_key(&key);

	if (r == 0)
		r = gnutls_x509_crt_init(&crt);
	if (r == 0)
		r = fill_server(crt, key, ca, config);
	if (r < 0) {
		r = tls_fail(e, MUE_EKEY, "cannot make the server's certificate", r);
		goto out;
	}
	free(ca->server_key);
	free(ca->server_pem);
	ca->server_pem = NULL;
	ca->server_key = exported(NULL, key);
	leaf = exported(crt, NULL);
	if (leaf && asprintf(&ca->server_pem, "%s%s", leaf, ca->ca_pem) < 0)
		ca->server_pem = NULL;
	r = save_pair(key_path, ca->server_key, crt_path, ca->server_pem, e);
out:
	free(leaf);
	if (crt)
		gnutls_x509_crt_deinit(crt);
	if (key)
		gnutls_x509_privkey_deinit(key);
	return r;
}

/* Is the certificate on disk one of ours that must be replaced? One that somebody else put there is
 * theirs to care for. */
static bool needs_renewal(const struct mue_ca *ca, const struct mue_server_config *config)
{
	gnutls_datum_t pem = datum(ca->server_pem);
	gnutls_x509_crt_t crt;
	bool renew = false;

	if (gnutls_x509_crt_init(&crt) < 0)
		return false;
	if (gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM) == 0 &&
	    gnutls_x509_crt_check_issuer(crt, ca->crt)) {
		renew = gnutls_x509_crt_get_expiration_time(crt) <
			time(NULL) + (time_t)RENEW_DAYS * DAY;
		for (unsigned i = 0; i < config->name_count; i++)
			renew = renew || !gnutls_x509_crt_check_hostname(crt, config->names[i]);
	}
	gnutls_x509_crt_deinit(crt);
	return renew;
}

static int open_server(struct mue_ca *ca, const struct mue_server_config *config,
		       const char *crt_path, const char *key_path, struct mue_error *e)
{
	int r;

	if (!mue_file_exists(crt_path))
		return make_server(ca, config, crt_path, key_path, e);
	r = read_text(crt_path, &ca->server_pem, e);
	if (r == 0)
		r = read_text(key_path, &ca->server_key, e);
	if (r == 0 && needs_renewal(ca, config))
		r = make_server(ca, config, crt_path, key_path, e);
	return r;
}

static int open_trust(struct mue_ca *ca, struct mue_error *e)
{
	int r = gnutls_x509_trust_list_init(&ca->trust, 0);

	if (r == 0 && gnutls_x509_trust_list_add_cas(ca->trust, &ca->crt, 1, 0) != 1)
		r = GNUTLS_E_INTERNAL_ERROR;
	return r < 0 ? tls_fail(e, MUE_EKEY, "device CA", r) : 0;
}

int mue_ca_open(const struct mue_server_config *config, struct mue_ca **ret, struct mue_error *e)
{
	static const char *const names[] = {
		"ca", "tls", "ca/ca.crt", "ca/ca.key", "tls/server.crt", "tls/server.key"
	};
	struct mue_ca *ca = calloc(1, sizeof *ca);
	char *path[6] = { 0 };
	int r = ca ? 0 : mue_fail(e, MUE_ENOMEM, "out of memory");

	for (unsigned i = 0; i < 6 && r == 0; i++)
		if (asprintf(&path[i], "%s/%s", config->data, names[i]) < 0)
			path[i] = NULL, r = mue_fail(e, MUE_ENOMEM, "out of memory");
	if (r == 0)
		pthread_mutex_init(&ca->lock, NULL);
	for (unsigned i = 0; i < 2 && r == 0; i++)
		r = mue_file_mkdirs(path[i], 0700, e);
	if (r == 0)
		r = open_ca(ca, path[2], path[3], e);
	if (r == 0)
		r = open_server(ca, config, path[4], path[5], e);
	if (r == 0)
		r = open_trust(ca, e);
	for (unsigned i = 0; i < 6; i++)
		free(path[i]);
	if (r < 0)
		mue_ca_close(ca);
	else
		*ret = ca;
	return r;
}

void mue_ca_close(struct mue_ca *ca)
{
	if (!ca)
		return;
	if (ca->trust)
		gnutls_x509_trust_list_deinit(ca->trust, 0);
	if (ca->crt)
		gnutls_x509_crt_deinit(ca->crt);
	if (ca->key)
		gnutls_x509_privkey_deinit(ca->key);
	pthread_mutex_destroy(&ca->lock);
	free(ca->ca_pem);
	free(ca->server_pem);
	free(ca->server_key);
	free(ca);
}

const char *mue_ca_certificate(const struct mue_ca *ca)
{
	return ca->ca_pem;
}

const char *mue_ca_server_certificate(const struct mue_ca *ca)
{
	return ca->server_pem;
}

const char *mue_ca_server_key(const struct mue_ca *ca)
{
	return ca->server_key;
}

/* ---- devices ---- */

static int fill_device(struct mue_ca *ca, gnutls_x509_crt_t crt, gnutls_x509_crq_t csr,
		       const char *id, struct mue_issued *ret)
{
	gnutls_pubkey_t key = NULL;
	int r = gnutls_pubkey_init(&key);

	/* Of the request only the key is taken: the subject is ours to say. */
	if (r == 0)
		r = gnutls_pubkey_import_x509_crq(key, csr, 0);
	if (r == 0)
		r = gnutls_x509_crt_set_pubkey(crt, key);
	gnutls_pubkey_deinit(key);
	if (r == 0)
		r = fill_common(crt, id, DEVICE_DAYS, ret->serial);
	if (r == 0)
		r = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	if (r == 0)
		r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (r == 0)
		r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
	if (r == 0)
		r = add_key_id(crt, ca->crt);
	if (r == 0) {
		pthread_mutex_lock(&ca->lock);
		r = gnutls_x509_crt_sign2(crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0);
		pthread_mutex_unlock(&ca->lock);
	}
	return r;
}

int mue_ca_issue(struct mue_ca *ca, const char *csr_pem, const char *id, struct mue_issued *ret,
		 struct mue_error *e)
{
	gnutls_datum_t pem = datum(csr_pem);
	gnutls_x509_crq_t csr = NULL;
	gnutls_x509_crt_t crt = NULL;
	int r = gnutls_x509_crq_init(&csr);

	ret->pem = NULL;
	if (r == 0)
		r = gnutls_x509_crq_import(csr, &pem, GNUTLS_X509_FMT_PEM);
	if (r < 0) {
		r = tls_fail(e, MUE_EFORMAT, "the certificate request cannot be read", r);
		goto out;
	}
	r = gnutls_x509_crq_verify(csr, 0);
	if (r < 0) {
		r = tls_fail(e, MUE_ESIGNATURE, "the certificate request's own signature", r);
		goto out;
	}
	r = gnutls_x509_crt_init(&crt);
	if (r == 0)
		r = fill_device(ca, crt, csr, id, ret);
	if (r < 0) {
		r = tls_fail(e, MUE_EKEY, "cannot issue the certificate", r);
		goto out;
	}
	ret->expires_ms = (int64_t)gnutls_x509_crt_get_expiration_time(crt) * 1000;
	ret->pem = exported(crt, NULL);
	if (!ret->pem)
		r = mue_fail(e, MUE_ENOMEM, "out of memory");
out:
	if (crt)
		gnutls_x509_crt_deinit(crt);
	if (csr)
		gnutls_x509_crq_deinit(csr);
	return r;
}

static int peer_fields(gnutls_x509_crt_t crt, struct mue_peer *ret)
{
	unsigned char serial[64];
	size_t len = sizeof serial, id_len = sizeof ret->id;
	int r = gnutls_x509_crt_get_serial(crt, serial, &len);

	if (r < 0 || len > MUE_SERIAL_SIZE)
		return MUE_EAUTH;
	for (size_t i = 0; i < len; i++)
		sprintf(ret->serial + 2 * i, "%02x", serial[i]);
	r = gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, ret->id, &id_len);
	if (r < 0 || id_len == 0 || strlen(ret->id) != id_len)
		return MUE_EAUTH;
	ret->expires_ms = (int64_t)gnutls_x509_crt_get_expiration_time(crt) * 1000;
	return 0;
}

int mue_ca_check_peer(struct mue_ca *ca, const void *der, size_t len, struct mue_peer *ret,
		      struct mue_error *e)
{
	char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st want = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
				       .data = (unsigned char *)purpose };
	gnutls_datum_t in = { .size = (unsigned)len };
	gnutls_x509_crt_t crt;
	unsigned status = 0;
	int r = gnutls_x509_crt_init(&crt);

	if (r < 0)
		return tls_fail(e, MUE_ENOMEM, "certificate", r);
	memcpy(&in.data, &der, sizeof der);
	r = gnutls_x509_crt_import(crt, &in, GNUTLS_X509_FMT_DER);
	if (r == 0)
		r = gnutls_x509_trust_list_verify_crt2(ca->trust, &crt, 1, &want, 1, 0, &status,
						       NULL);
	/* A CA is no device: the trust list accepts its own certificates whatever they are for. */
	if (r < 0 || status || gnutls_x509_crt_get_ca_status(crt, NULL) > 0)
		r = mue_fail(e, MUE_EAUTH, "the client certificate is not one of this server's%s",
			     status & GNUTLS_CERT_EXPIRED ? ": it has expired" : "");
	else if (peer_fields(crt, ret) < 0)
		r = mue_fail(e, MUE_EAUTH, "the client certificate names no device");
	gnutls_x509_crt_deinit(crt);
	return r;
}
