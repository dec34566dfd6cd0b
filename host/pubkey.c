/* Public keys: SubjectPublicKeyInfo in and out, and the signatures they verify. */
#include "core/err.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/key.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#define PUB_FILE_MAX 16384

/*
 * The four SPKI encodings that exist of our keys, as DER: what stands before the key's bytes.
 * One key has one encoding, so its kid is one too; anything else is refused.
 */
static const struct {
	enum mue_key_kind kind;
	uint8_t head_len, point_len;
	uint8_t head[28];
} encodings[] = {
	/* RFC 5480: id-ecPublicKey, secp256r1, an uncompressed point. */
	{ MUE_KEY_ES256, 27, 64, { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
				   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
				   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 } },
	/* RFC 8410: id-Ed25519. */
	{ MUE_KEY_ED25519,
	  12,
	  32,
	  { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 } },
	/* RFC 9708: id-alg-hss-lms-hashsig, the HSS key without further wrapping; n = 24. */
	{ MUE_KEY_LMS, 20, 52, { 0x30, 0x46, 0x30, 0x0d, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86,
				 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x11, 0x03, 0x35, 0x00 } },
	/* The same with n = 32. */
	{ MUE_KEY_LMS, 20, 60, { 0x30, 0x4e, 0x30, 0x0d, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86,
				 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x11, 0x03, 0x3d, 0x00 } },
};

/* The y coordinates of Ed25519's points of small order (sign bit cleared): a signature that holds
 * under such a key holds for many messages.  Non-canonical y are refused by another rule. */
static const uint8_t small_order[][32] = {
	{ 0 },
	{ 1 },
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
	  0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
	  0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
	  0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
	  0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
};

const char *mue_key_kind_name(enum mue_key_kind kind)
{
	static const char *const names[] = { "?", "es256", "ed25519", "lms" };

	return names[kind <= MUE_KEY_LMS ? kind : 0];
}

int mue_key_cose_alg(enum mue_key_kind kind)
{
	static const int algs[] = { 0, -7, -8, -46 };

	return algs[kind <= MUE_KEY_LMS ? kind : 0];
}

static int check_ed25519(const uint8_t point[32], struct mue_error *e)
{
	uint8_t y[32];
	unsigned ones = 0;

	memcpy(y, point, sizeof(y));
	y[31] &= 0x7f;
	while (ones < 30 && y[30 - ones] == 0xff)
		ones++;
	if (ones == 30 && y[31] == 0x7f && y[0] >= 0xed)
		return mue_fail(e, MUE_EKEY, "Ed25519 key is not in canonical form");
	for (size_t i = 0; i < sizeof(small_order) / sizeof(small_order[0]); i++)
		if (memcmp(y, small_order[i], sizeof(y)) == 0)
			return mue_fail(e, MUE_EKEY, "Ed25519 key is a point of small order");
	return MUE_OK;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int check_lms(const struct mue_pubkey *k, struct mue_error *e)
{
	uint32_t levels = get32(k->point);
	struct mue_lms_set set;

	if (levels < 1 || levels > MUE_HSS_LEVEL_MAX ||
	    mue_lms_set(get32(k->point + 4), get32(k->point + 8), &set) < 0 ||
	    k->point_len != 28 + set.n)
		return mue_fail(e, MUE_EKEY,
				"HSS/LMS key of an unknown parameter set (SHA-256 M24 and M32, "
				"1 to 8 levels are known)");
	return MUE_OK;
}

static int import(const struct mue_pubkey *k, gnutls_pubkey_t *ret)
{
	uint8_t der[MUE_SPKI_MAX];
	const gnutls_datum_t datum = { der, k->spki_len };

	memcpy(der, k->spki, k->spki_len);
	if (gnutls_pubkey_init(ret) < 0)
		return MUE_ENOMEM;
	if (gnutls_pubkey_import(*ret, &datum, GNUTLS_X509_FMT_DER) < 0) {
		gnutls_pubkey_deinit(*ret);
		return MUE_EKEY;
	}
	return MUE_OK;
}

static int check_es256(const struct mue_pubkey *k, struct mue_error *e)
{
	gnutls_pubkey_t pub;
	int r = import(k, &pub);

	if (r == 0) {
		if (gnutls_pubkey_verify_params(pub) < 0)
			r = MUE_EKEY;
		gnutls_pubkey_deinit(pub);
	}
	return r < 0 ? mue_fail(e, r, "the P-256 key is no point of the curve") : MUE_OK;
}

static int check_point(const struct mue_pubkey *k, struct mue_error *e)
{
	switch (k->kind) {
	case MUE_KEY_ES256:
		return check_es256(k, e);
	case MUE_KEY_ED25519:
		return check_ed25519(k->point, e);
	case MUE_KEY_LMS:
		return check_lms(k, e);
	default:
		return MUE_EKEY;
	}
}

int mue_pubkey_parse_der(const uint8_t *der, size_t len, struct mue_pubkey *ret,
			 struct mue_error *e)
{
	struct mue_pubkey k = { 0 };
	uint8_t digest[32];
	int r;

	if (len < 2 || der[0] != 0x30)
		return mue_fail(e, MUE_EFORMAT, "no SubjectPublicKeyInfo");
	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
		size_t head = encodings[i].head_len;

		if (len != head + encodings[i].point_len ||
		    memcmp(der, encodings[i].head, head) != 0)
			continue;
		k.kind = encodings[i].kind;
		k.point_len = encodings[i].point_len;
		memcpy(k.point, der + head, k.point_len);
	}
	if (!k.kind)
		return mue_fail(e, MUE_EKEY,
				"no P-256 (uncompressed), Ed25519 or HSS/LMS public key");
	memcpy(k.spki, der, len);
	k.spki_len = (uint8_t)len;
	r = check_point(&k, e);
	if (r < 0)
		return r;
	mue_hash_sha256(der, len, digest);
	memcpy(k.kid, digest, MUE_KID_SIZE);
	*ret = k;
	return MUE_OK;
}

int mue_pubkey_from_point(enum mue_key_kind kind, const uint8_t *point, size_t len,
			  struct mue_pubkey *ret, struct mue_error *e)
{
	uint8_t der[MUE_SPKI_MAX];

	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
		if (encodings[i].kind != kind || encodings[i].point_len != len)
			continue;
		memcpy(der, encodings[i].head, encodings[i].head_len);
		memcpy(der + encodings[i].head_len, point, len);
		return mue_pubkey_parse_der(der, encodings[i].head_len + len, ret, e);
	}
	return mue_fail(e, MUE_EKEY, "%zu bytes are no key of that kind", len);
}

int mue_pubkey_parse(const char *pem, size_t len, struct mue_pubkey *ret, struct mue_error *e)
{
	gnutls_datum_t der, text = { NULL, (unsigned)len };
	int r;

	if (len > PUB_FILE_MAX)
		return mue_fail(e, MUE_EFORMAT, "too long for a public key");
	text.data = malloc(len + 1);
	if (!text.data)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	memcpy(text.data, pem, len);
	text.data[len] = 0;
	r = gnutls_pem_base64_decode2("PUBLIC KEY", &text, &der);
	free(text.data);
	if (r < 0)
		return mue_fail(e, MUE_EFORMAT, "no PEM block \"PUBLIC KEY\"");
	r = mue_pubkey_parse_der(der.data, der.size, ret, e);
	gnutls_free(der.data);
	return r;
}

int mue_pubkey_load(const char *path, struct mue_pubkey *ret, struct mue_error *e)
{
	struct mue_buf b = { .max = PUB_FILE_MAX };
	int r = mue_file_read(path, &b, e);

	if (r == 0) {
		r = mue_pubkey_parse(mue_buf_str(&b), b.len, ret, e);
		if (r < 0)
			mue_prefix(e, "%s", path);
	}
	mue_buf_free(&b);
	return r;
}

int mue_pubkey_pem(const struct mue_pubkey *k, struct mue_buf *ret)
{
	uint8_t der[MUE_SPKI_MAX];
	const gnutls_datum_t datum = { der, k->spki_len };
	gnutls_datum_t text;
	int r;

	memcpy(der, k->spki, k->spki_len);
	if (gnutls_pem_base64_encode2("PUBLIC KEY", &datum, &text) < 0)
		return MUE_ENOMEM;
	r = mue_buf_add(ret, text.data, text.size);
	gnutls_free(text.data);
	return r;
}

static int verify_gnutls(const struct mue_pubkey *k, gnutls_sign_algorithm_t algorithm,
			 const gnutls_datum_t *msg, const gnutls_datum_t *sig)
{
	gnutls_pubkey_t pub;
	int r = import(k, &pub);

	if (r < 0)
		return r;
	r = gnutls_pubkey_verify_data2(pub, algorithm, 0, msg, sig);
	gnutls_pubkey_deinit(pub);
	return r < 0 ? MUE_ESIGNATURE : MUE_OK;
}

static int verify_es256(const struct mue_pubkey *k, const gnutls_datum_t *msg, uint8_t *sig)
{
	const gnutls_datum_t r_value = { sig, 32 }, s_value = { sig + 32, 32 };
	gnutls_datum_t der;
	int r;

	if (gnutls_encode_rs_value(&der, &r_value, &s_value) < 0)
		return MUE_ENOMEM;
	r = verify_gnutls(k, GNUTLS_SIGN_ECDSA_SHA256, msg, &der);
	gnutls_free(der.data);
	return r;
}

static int verify_lms(const struct mue_pubkey *k, const void *msg, size_t len, const void *sig,
		      size_t sig_len)
{
	const struct mue_lms_source s = { mue_lms_read_memory, sig, (uint32_t)sig_len };
	const struct mue_lms_source m = { mue_lms_read_memory, msg, (uint32_t)len };

	return mue_lms_verify(k->point, k->point_len, &s, &m);
}

int mue_pubkey_verify(const struct mue_pubkey *k, const void *msg, size_t len, const void *sig,
		      size_t sig_len)
{
	uint8_t copy[64];
	gnutls_datum_t m = { NULL, (unsigned)len }, s = { copy, sizeof(copy) };

	if (len > UINT32_MAX || sig_len > UINT32_MAX)
		return MUE_EINVAL;
	if (k->kind == MUE_KEY_LMS)
		return verify_lms(k, msg, len, sig, sig_len);
	if (sig_len != sizeof(copy))
		return MUE_ESIGNATURE;
	/* GnuTLS takes no const. */
	memcpy(copy, sig, sizeof(copy));
	memcpy(&m.data, &msg, sizeof(msg));
	if (k->kind == MUE_KEY_ES256)
		return verify_es256(k, &m, copy);
	return verify_gnutls(k, GNUTLS_SIGN_EDDSA_ED25519, &m, &s);
}
