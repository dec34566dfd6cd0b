#include "host/lms_keyfile.h"

#include "host/lms_signer.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

enum {
	OFF_SHAPE = 8, /* levels, n, h, w */
	OFF_ROUNDS = 12,
	OFF_SALT = 16,
	OFF_NONCE = 32,
	OFF_PUB = 44,
	SALT = 16,
	NONCE = 12,
	TAG = 16,
	FILE_MAX = OFF_PUB + MUE_LMS_PUB_MAX + MUE_LMS_N_MAX + TAG
};
enum { ROUNDS_MIN = 1000, ROUNDS_MAX = 10000000 };

static gnutls_datum_t datum(void *data, size_t len)
{
	return (gnutls_datum_t){ data, (unsigned)len };
}

/* AES-256-GCM keyed from the passphrase and the file's salt. */
static int cipher(const char *pass, const uint8_t *file, uint32_t rounds,
		  gnutls_aead_cipher_hd_t *ret)
{
	uint8_t key[32], salt[SALT];
	char secret[MUE_PASS_MAX];
	gnutls_datum_t k = datum(key, sizeof(key)), s = datum(salt, sizeof(salt));
	gnutls_datum_t p = datum(secret, strnlen(pass, sizeof(secret)));
	int r;

	memcpy(secret, pass, p.size);
	memcpy(salt, file + OFF_SALT, SALT);
	r = gnutls_pbkdf2(GNUTLS_MAC_SHA256, &p, &s, rounds, key, sizeof(key));
	if (r == 0)
		r = gnutls_aead_cipher_init(ret, GNUTLS_CIPHER_AES_256_GCM, &k);
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(key, sizeof(key));
	return r < 0 ? MUE_EKEY : MUE_OK;
}

int mue_lms_keyfile_seal(const struct mue_lms_keyfile *k, const char *pass, struct mue_buf *ret,
			 struct mue_error *e)
{
	uint8_t n = k->params.n, file[FILE_MAX] = { 0 };
	size_t head = OFF_PUB + 28u + n, out = (size_t)n + TAG;
	gnutls_aead_cipher_hd_t hd;
	int r;

	if (k->rounds < ROUNDS_MIN || k->rounds > ROUNDS_MAX)
		return mue_fail(e, MUE_EINVAL, "PBKDF2 rounds out of range");
	memcpy(file, MUE_LMS_KEY_MAGIC, 8);
	memcpy(file + OFF_SHAPE, (uint8_t[4]){ k->params.levels, n, k->params.h, k->params.w }, 4);
	for (int i = 0; i < 4; i++)
		file[OFF_ROUNDS + i] = (uint8_t)(k->rounds >> (24 - 8 * i));
	memcpy(file + OFF_PUB, k->pub, 28u + n);
	if (gnutls_rnd(GNUTLS_RND_KEY, file + OFF_SALT, SALT + NONCE) < 0)
		return mue_fail(e, MUE_EKEY, "no random numbers");
	r = cipher(pass, file, k->rounds, &hd);
	if (r < 0)
		return mue_fail(e, r, "cannot derive the file's key");
	r = gnutls_aead_cipher_encrypt(hd, file + OFF_NONCE, NONCE, file, head, TAG, k->seed, n,
				       file + head, &out);
	gnutls_aead_cipher_deinit(hd);
	if (r < 0)
		return mue_fail(e, MUE_EKEY, "cannot encrypt the key: %s", gnutls_strerror(r));
	r = mue_buf_add(ret, file, head + out);
	return r < 0 ? mue_fail(e, r, "out of memory") : MUE_OK;
}

/* The plain part; its sizes are what the rest stands on. */
static int parse_head(const uint8_t *data, size_t len, struct mue_lms_keyfile *k,
		      struct mue_error *e)
{
	uint32_t lms, ots;

	if (len < OFF_PUB || memcmp(data, MUE_LMS_KEY_MAGIC, 8) != 0)
		return mue_fail(e, MUE_EKEY, "no LMS key file");
	k->params = (struct mue_lms_params){ data[OFF_SHAPE], data[OFF_SHAPE + 1],
					     data[OFF_SHAPE + 2], data[OFF_SHAPE + 3] };
	for (int i = 0; i < 4; i++)
		k->rounds = k->rounds << 8 | data[OFF_ROUNDS + i];
	if (k->params.levels < 1 || k->params.levels > 2 || k->params.h > 20 ||
	    mue_lms_tree_types(k->params.n, k->params.h, k->params.w, &lms, &ots) < 0 ||
	    k->rounds < ROUNDS_MIN || k->rounds > ROUNDS_MAX ||
	    len != OFF_PUB + 28u + 2u * k->params.n + TAG)
		return mue_fail(e, MUE_EKEY, "damaged, or made by a newer program");
	memcpy(k->pub, data + OFF_PUB, 28u + k->params.n);
	return MUE_OK;
}

int mue_lms_keyfile_open(const uint8_t *data, size_t len, const char *pass,
			 struct mue_lms_keyfile *ret, struct mue_error *e)
{
	struct mue_lms_keyfile k = { 0 };
	gnutls_aead_cipher_hd_t hd;
	size_t head, out;
	int r = parse_head(data, len, &k, e);

	if (r < 0)
		return r;
	head = OFF_PUB + 28u + k.params.n;
	out = k.params.n;
	r = cipher(pass, data, k.rounds, &hd);
	if (r < 0)
		return mue_fail(e, r, "cannot derive the file's key");
	r = gnutls_aead_cipher_decrypt(hd, data + OFF_NONCE, NONCE, data, head, TAG, data + head,
				       len - head, k.seed, &out);
	gnutls_aead_cipher_deinit(hd);
	if (r < 0)
		return mue_fail(e, MUE_EAUTH, "wrong passphrase, or the file is damaged");
	*ret = k;
	explicit_bzero(&k, sizeof(k));
	return MUE_OK;
}
