/* ES256 and Ed25519 verification against published vectors. */
#include "host/file.h"
#include "host/hash.h"
#include "host/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the above first. */
#include <cmocka.h>

static bool shared(const char *name, struct mue_buf *ret)
{
	const char *root = getenv("MUE_SHARED");
	char path[512];

	snprintf(path, sizeof(path), "%s/vectors/ecc-wycheproof/%s", root ? root : "../shared",
		 name);
	if (mue_file_read(path, ret, NULL) == 0)
		return true;
	print_message("# skipped: no %s\n", path);
	return false;
}

/* "NAME = VALUE" lines; a value stays until it is given anew. */
struct row {
	char group[32], hash[32], msg[4096], sig[256], pub[128];
	int valid;
};

static void take(struct row *row, const char *line)
{
	static const struct {
		const char *name;
		size_t at, size;
	} fields[] = {
		{ "Group = ", offsetof(struct row, group), 32 },
		{ "Hash = ", offsetof(struct row, hash), 32 },
		{ "Msg = ", offsetof(struct row, msg), 4096 },
		{ "Signature = ", offsetof(struct row, sig), 256 },
		{ "Pubkey = ", offsetof(struct row, pub), 128 },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strncmp(line, fields[i].name, strlen(fields[i].name)) == 0)
			snprintf((char *)row + fields[i].at, fields[i].size, "%s",
				 line + strlen(fields[i].name));
	if (strncmp(line, "Valid = ", 8) == 0)
		row->valid = line[8] == '1';
}

static void each_row(char *text, void (*use)(const struct row *row))
{
	struct row row = { .valid = 1 };
	char *save;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		take(&row, line);
		if (strncmp(line, "Signature = ", 12) == 0)
			use(&row);
	}
}

static struct mue_pubkey rfc6979_key;
static unsigned held, refused, passed_over;

static size_t bytes(const char *hex, uint8_t *ret)
{
	assert_true(mue_unhex(hex, ret, strlen(hex) / 2));
	return strlen(hex) / 2;
}

static void check_ecdsa(const struct row *row)
{
	uint8_t msg[2048], sig[128];
	size_t msg_len, sig_len;

	/* The known public key is that of appendix A.2.5, so its messages only. */
	if (strcmp(row->group, "secp256r1") != 0 || strcmp(row->hash, "SHA-256") != 0 ||
	    (strcmp(row->msg, "73616D706C65") != 0 && strcmp(row->msg, "74657374") != 0)) {
		passed_over++;
		return;
	}
	msg_len = bytes(row->msg, msg);
	sig_len = bytes(row->sig, sig);
	assert_int_equal(mue_pubkey_verify(&rfc6979_key, msg, msg_len, sig, sig_len), 0);
	sig[5] ^= 0x10;
	assert_int_equal(mue_pubkey_verify(&rfc6979_key, msg, msg_len, sig, sig_len),
			 MUE_ESIGNATURE);
	held++;
}

static void es256_holds_for_rfc_6979(void **state)
{
	struct mue_buf b = { .max = 1 << 20 };
	uint8_t point[64];

	(void)state;
	if (!shared("ecdsa_rfc6979.vec", &b))
		skip();
	bytes("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
	      "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
	      point);
	assert_int_equal(mue_pubkey_from_point(MUE_KEY_ES256, point, 64, &rfc6979_key, NULL), 0);
	held = passed_over = 0;
	each_row((char *)b.data, check_ecdsa);
	assert_int_equal(held, 2);
	print_message("# held %u; passed over %u (other curves, hashes and keys)\n", held,
		      passed_over);
	print_message("# not covered: ecc-wycheproof/ecdsa_verify.vec: it signs raw digests, ES256 "
		      "hashes itself\n");
	mue_buf_free(&b);
}

static void es256_refuses_values_out_of_range(void **state)
{
	/* The group's order n; r and s must be in 1..n-1. */
	static const char order[] =
		"FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
	static const char good_r[] =
		"EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716";
	static const char good_s[] =
		"F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
	/* n - good_s: the mirror image that holds as well. */
	static const char mirror_s[] =
		"0834E36AD29A83BF2BC9385E491D6099C8FDF9D1ED67AA7EA5F51F93782857A9";
	static const char zero[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	static const struct {
		const char *says, *r, *s;
		int want;
	} rows[] = {
		{ "the signature of \"sample\"", good_r, good_s, 0 },
		{ "its mirror image", good_r, mirror_s, 0 },
		{ "r = 0", zero, good_s, MUE_ESIGNATURE },
		{ "s = 0", good_r, zero, MUE_ESIGNATURE },
		{ "both 0", zero, zero, MUE_ESIGNATURE },
		{ "r = n", order, good_s, MUE_ESIGNATURE },
		{ "s = n", good_r, order, MUE_ESIGNATURE },
		{ "both n", order, order, MUE_ESIGNATURE },
		{ "r and s swapped", good_s, good_r, MUE_ESIGNATURE },
	};
	uint8_t point[64], sig[64];

	(void)state;
	bytes("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
	      "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
	      point);
	assert_int_equal(mue_pubkey_from_point(MUE_KEY_ES256, point, 64, &rfc6979_key, NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r;

		bytes(rows[i].r, sig);
		bytes(rows[i].s, sig + 32);
		r = mue_pubkey_verify(&rfc6979_key, "sample", 6, sig, 64);
		if (r != rows[i].want)
			fail_msg("%s: got %d", rows[i].says, r);
	}
}

static void check_ed25519(const struct row *row)
{
	uint8_t point[64], msg[2048], sig[128];
	size_t point_len = bytes(row->pub, point), msg_len = bytes(row->msg, msg);
	size_t sig_len = bytes(row->sig, sig);
	struct mue_pubkey k;
	int r = mue_pubkey_from_point(MUE_KEY_ED25519, point, point_len, &k, NULL);

	if (r == 0)
		r = mue_pubkey_verify(&k, msg, msg_len, sig, sig_len);
	if ((r == 0) != row->valid)
		fail_msg("key %s signature %s: got %d", row->pub, row->sig, r);
	refused++;
}

static void ed25519_refuses_every_bad_signature(void **state)
{
	struct mue_buf b = { .max = 1 << 20 };

	(void)state;
	if (!shared("ed25519_verify.vec", &b))
		skip();
	refused = 0;
	each_row((char *)b.data, check_ed25519);
	assert_int_equal(refused, 62);
	print_message("# refused %u\n", refused);
	mue_buf_free(&b);
}

static void ed25519_holds_for_rfc_8032(void **state)
{
	/* RFC 8032 section 7.1, TEST 1 and TEST 3. */
	static const struct {
		const char *pub, *msg, *sig;
	} rows[] = {
		{ "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
		  "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
		{ "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
		  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
		  "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
	};
	uint8_t point[32], msg[8], sig[64];
	struct mue_pubkey k;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bytes(rows[i].pub, point);
		bytes(rows[i].sig, sig);
		assert_int_equal(mue_pubkey_from_point(MUE_KEY_ED25519, point, 32, &k, NULL), 0);
		assert_int_equal(mue_pubkey_verify(&k, msg, bytes(rows[i].msg, msg), sig, 64), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(es256_holds_for_rfc_6979),
		cmocka_unit_test(es256_refuses_values_out_of_range),
		cmocka_unit_test(ed25519_holds_for_rfc_8032),
		cmocka_unit_test(ed25519_refuses_every_bad_signature),
	};

	return cmocka_run_group_tests_name("ecc vectors", tests, NULL, NULL);
}
