#include "vectors.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

size_t vectors_unhex(const char *hex, uint8_t *ret, size_t size)
{
	size_t n = 0;
	int half = -1;

	for (; *hex; hex++) {
		int v;

		if (isspace((unsigned char)*hex))
			continue;
		if (!isxdigit((unsigned char)*hex) || n == size)
			return 0;
		v = isdigit((unsigned char)*hex) ? *hex - '0'
						 : tolower((unsigned char)*hex) - 'a' + 10;
		if (half < 0) {
			half = v;
			continue;
		}
		ret[n++] = (uint8_t)(half << 4 | v);
		half = -1;
	}
	return half < 0 ? n : 0;
}

uint8_t *vectors_load(const char *path, size_t *ret_len)
{
	const char *shared = getenv("MUE_SHARED");
	char full[512];
	uint8_t *data = NULL;
	long size;
	FILE *f;

	snprintf(full, sizeof(full), "%s/vectors/%s", shared ? shared : "../shared", path);
	f = fopen(full, "rb");
	if (!f)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0) {
		data = malloc((size_t)size + 1);
		if (data && fread(data, 1, (size_t)size, f) != (size_t)size) {
			free(data);
			data = NULL;
		}
		if (data) {
			data[size] = 0;
			*ret_len = (size_t)size;
		}
	}
	fclose(f);
	return data;
}

static gnutls_datum_t datum(uint8_t *data, size_t len)
{
	gnutls_datum_t d = { data, (unsigned)len };

	return d;
}

static int import_key(struct vectors_key *k, gnutls_pubkey_t *ret)
{
	gnutls_datum_t x = datum(k->x, 32), y = datum(k->y, 32);
	int r;

	if (gnutls_pubkey_init(ret) < 0)
		return -1;
	r = gnutls_pubkey_import_ecc_raw(
		*ret, k->ed25519 ? GNUTLS_ECC_CURVE_ED25519 : GNUTLS_ECC_CURVE_SECP256R1, &x,
		k->ed25519 ? NULL : &y);
	if (r < 0)
		gnutls_pubkey_deinit(*ret);
	return r;
}

static int check(struct vectors_key *k, uint8_t *msg, size_t len, uint8_t *sig, size_t sig_len)
{
	gnutls_datum_t m = datum(msg, len), s = datum(sig, sig_len), der = { NULL, 0 };
	gnutls_datum_t half[2] = { datum(sig, 32), datum(sig + 32, 32) };
	gnutls_pubkey_t key;
	int r;

	if (sig_len != 64)
		return MUE_ESIGNATURE;
	if (import_key(k, &key) < 0)
		return MUE_EKEY;
	if (!k->ed25519) {
		r = gnutls_encode_rs_value(&der, &half[0], &half[1]);
		if (r == 0)
			r = gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_ECDSA_SHA256, 0, &m, &der);
		gnutls_free(der.data);
	} else {
		r = gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_EDDSA_ED25519, 0, &m, &s);
	}
	gnutls_pubkey_deinit(key);
	return r < 0 ? MUE_ESIGNATURE : 0;
}

static int verify(const struct mue_verifier *v, const struct mue_cose_id *id,
		  const struct mue_lms_source *tbs, const struct mue_lms_source *sig)
{
	struct vectors_key *k = v->ctx;
	int es256 = id->alg == MUE_COSE_ES256 || id->alg == MUE_COSE_ESP256;
	int eddsa = id->alg == MUE_COSE_EDDSA || id->alg == MUE_COSE_ED25519;
	uint8_t *msg, *s;
	int r;

	k->calls++;
	if (!es256 && !eddsa)
		return MUE_EPROFILE;
	if (eddsa != k->ed25519)
		return MUE_ESIGNATURE;
	msg = malloc(tbs->size + 1);
	s = malloc(sig->size + 1);
	r = mue_cose_source_copy(tbs, 0, msg, tbs->size);
	if (r == 0)
		r = mue_cose_source_copy(sig, 0, s, sig->size);
	if (r == 0)
		r = check(k, msg, tbs->size, s, sig->size);
	free(msg);
	free(s);
	return r;
}

const struct mue_verifier_ops vectors_verifier_ops = { verify };

int vectors_key_from_pem(const char *path, struct vectors_key *ret)
{
	size_t len;
	uint8_t *pem = vectors_load(path, &len);
	gnutls_datum_t d, x = { NULL, 0 }, y = { NULL, 0 };
	gnutls_ecc_curve_t curve;
	gnutls_privkey_t priv;
	gnutls_pubkey_t pub;
	int r;

	if (!pem)
		return -1;
	d = datum(pem, len);
	gnutls_privkey_init(&priv);
	gnutls_pubkey_init(&pub);
	r = gnutls_pubkey_import(pub, &d, GNUTLS_X509_FMT_PEM);
	if (r < 0) {
		r = gnutls_privkey_import_x509_raw(priv, &d, GNUTLS_X509_FMT_PEM, NULL, 0);
		if (r == 0)
			r = gnutls_pubkey_import_privkey(pub, priv, 0, 0);
	}
	if (r == 0)
		r = gnutls_pubkey_export_ecc_raw2(pub, &curve, &x, &y, GNUTLS_EXPORT_FLAG_NO_LZ);
	memset(ret, 0, sizeof(*ret));
	if (r == 0 && x.size <= 32 && y.size <= 32) {
		memcpy(ret->x + 32 - x.size, x.data, x.size);
		memcpy(ret->y + 32 - y.size, y.data, y.size);
	}
	gnutls_free(x.data);
	gnutls_free(y.data);
	gnutls_pubkey_deinit(pub);
	gnutls_privkey_deinit(priv);
	free(pem);
	return r < 0 ? -1 : 0;
}
