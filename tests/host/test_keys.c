/* Key files, public keys and trust folders. */
#include "host/file.h"
#include "host/hash.h"
#include "host/key.h"
#include "host/trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* cmocka wants the above first. */
#include <cmocka.h>

#include "tests/host/folder.h"

static const enum mue_key_kind kinds[] = { MUE_KEY_ES256, MUE_KEY_ED25519, MUE_KEY_LMS };
static const char message[] = "bytes to be signed";

static char *path_of(enum mue_key_kind kind)
{
	return in_folder(mue_key_kind_name(kind));
}

static int make_keys(void **state)
{
	struct mue_key_params p;
	struct mue_error e;

	if (make_folder(state) < 0)
		return -1;
	setenv("MUE_PASSPHRASE", "correct horse", 1);
	for (size_t i = 0; i < 3; i++) {
		mue_key_params_default(&p, kinds[i]);
		p.lms.h = 5;
		if (mue_key_new(path_of(kinds[i]), &p, NULL, NULL, NULL, &e) < 0) {
			print_error("# %s\n", e.text);
			return -1;
		}
	}
	return 0;
}

static void sign_with(enum mue_key_kind kind, struct mue_pubkey *pub, struct mue_buf *sig)
{
	struct mue_error e = { 0 };
	struct mue_key *k;

	if (mue_key_open(path_of(kind), NULL, &k, &e) < 0)
		fail_msg("%s", e.text);
	*pub = *mue_key_public(k);
	mue_buf_reset(sig);
	if (mue_key_sign(k, message, sizeof(message), sig, &e) < 0)
		fail_msg("%s", e.text);
	mue_key_close(k);
}

static void a_signature_holds_only_for_its_message_and_key(void **state)
{
	struct mue_buf sig = { .max = MUE_SIG_MAX };
	struct mue_pubkey pub, other;
	char wrong[sizeof(message)];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		sign_with(kinds[i], &pub, &sig);
		assert_int_equal(pub.kind, kinds[i]);
		assert_int_equal(
			mue_pubkey_verify(&pub, message, sizeof(message), sig.data, sig.len), 0);
		memcpy(wrong, message, sizeof(wrong));
		wrong[3] ^= 1;
		assert_int_equal(mue_pubkey_verify(&pub, wrong, sizeof(wrong), sig.data, sig.len),
				 MUE_ESIGNATURE);
		assert_int_equal(
			mue_pubkey_load(in_folder(i ? "es256.pub" : "ed25519.pub"), &other, NULL),
			0);
		assert_int_equal(
			mue_pubkey_verify(&other, message, sizeof(message), sig.data, sig.len),
			MUE_ESIGNATURE);
		for (size_t len = 0; len < sig.len; len++)
			assert_true(mue_pubkey_verify(&pub, message, sizeof(message), sig.data,
						      len) < 0);
		for (size_t bit = 0; bit < 512; bit++) {
			sig.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_true(mue_pubkey_verify(&pub, message, sizeof(message), sig.data,
						      sig.len) < 0);
			sig.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	mue_buf_free(&sig);
}

static void the_public_file_is_the_key_s_own(void **state)
{
	struct mue_buf sig = { .max = MUE_SIG_MAX }, pem = { .max = 4096 }, file = { .max = 4096 };
	struct mue_pubkey pub, loaded;
	uint8_t digest[32];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char *path = path_of(kinds[i]);

		sign_with(kinds[i], &pub, &sig);
		strcat(path, ".pub");
		assert_int_equal(mue_pubkey_load(path, &loaded, NULL), 0);
		assert_memory_equal(&loaded, &pub, sizeof(pub));
		mue_buf_reset(&pem);
		mue_buf_reset(&file);
		assert_int_equal(mue_pubkey_pem(&pub, &pem), 0);
		assert_int_equal(mue_file_read(path, &file, NULL), 0);
		assert_string_equal(mue_buf_str(&pem), mue_buf_str(&file));
		mue_hash_sha256(pub.spki, pub.spki_len, digest);
		assert_memory_equal(digest, pub.kid, MUE_KID_SIZE);
	}
	mue_buf_free(&sig);
	mue_buf_free(&pem);
	mue_buf_free(&file);
}

static void key_files_are_private_encrypted_and_never_overwritten(void **state)
{
	struct mue_key_params p;
	struct mue_error e = { 0 };
	struct mue_key *k;
	struct stat st;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		mue_key_params_default(&p, kinds[i]);
		assert_int_equal(stat(path_of(kinds[i]), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_int_equal(mue_key_new(path_of(kinds[i]), &p, NULL, NULL, NULL, &e),
				 MUE_EEXIST);
		setenv("MUE_PASSPHRASE", "wrong", 1);
		assert_int_equal(mue_key_open(path_of(kinds[i]), NULL, &k, &e), MUE_EAUTH);
		assert_non_null(strstr(e.text, path_of(kinds[i])));
		setenv("MUE_PASSPHRASE", "correct horse", 1);
	}
	assert_int_equal(mue_key_open(in_folder("none"), NULL, &k, &e), MUE_ENOTFOUND);
	assert_int_equal(mue_file_write(in_folder("junk"), "junk", 4, 0600, NULL), 0);
	assert_int_equal(mue_key_open(in_folder("junk"), NULL, &k, &e), MUE_EKEY);
}

static void a_passphrase_comes_from_the_file_first(void **state)
{
	struct mue_pass_source src = { .file = in_folder("pass") };
	char pass[MUE_PASS_MAX];
	struct mue_error e = { 0 };

	(void)state;
	assert_int_equal(mue_pass_get(src.file, "", 0, pass, &e), MUE_ENOTFOUND);
	assert_int_equal(mue_file_write(src.file, "first\nsecond\n", 13, 0600, NULL), 0);
	assert_int_equal(mue_pass_get(src.file, "", 0, pass, &e), 0);
	assert_string_equal(pass, "first");
	assert_int_equal(mue_pass_get(NULL, "", 0, pass, &e), 0);
	assert_string_equal(pass, "correct horse");
	assert_int_equal(mue_file_write(src.file, "\nx", 2, 0600, NULL), 0);
	assert_int_equal(mue_pass_get(src.file, "", 0, pass, &e), MUE_EINVAL);
	setenv("MUE_PASSPHRASE", "", 1);
	assert_int_equal(mue_pass_get(NULL, "", 0, pass, &e), MUE_EINVAL);
	setenv("MUE_PASSPHRASE", "correct horse", 1);
}

static void only_one_process_signs_with_an_lms_key(void **state)
{
	struct mue_error e = { 0 };
	struct mue_key *one, *two;

	(void)state;
	assert_int_equal(mue_key_open(path_of(MUE_KEY_LMS), NULL, &one, &e), 0);
	assert_int_equal(mue_key_open(path_of(MUE_KEY_LMS), NULL, &two, &e), MUE_EBUSY);
	mue_key_close(one);
	assert_int_equal(mue_key_open(path_of(MUE_KEY_LMS), NULL, &two, &e), 0);
	mue_key_close(two);
}

/* --- what is no public key of ours --- */

static void other_public_keys_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char *says, *der;
		int r;
	} rows[] = {
		{ "nothing", "", MUE_EFORMAT },
		{ "not a sequence", "0441", MUE_EFORMAT },
		{ "an empty sequence", "3000", MUE_EKEY },
		{ "an Ed448 key", "3043300506032b6571033a00"
		  "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180", MUE_EKEY },
		{ "an Ed25519 key", "302a300506032b6570032100"
		  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", 0 },
		{ "one byte more", "302a300506032b6570032100"
		  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a00", MUE_EKEY },
		{ "the neutral element", "302a300506032b6570032100"
		  "0100000000000000000000000000000000000000000000000000000000000000", MUE_EKEY },
		{ "the neutral element with a sign", "302a300506032b6570032100"
		  "0100000000000000000000000000000000000000000000000000000000000080", MUE_EKEY },
		{ "y = 2^255 - 19, another way to write 0", "302a300506032b6570032100"
		  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", MUE_EKEY },
		{ "the P-256 key of RFC 6979", "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
		  "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
		  "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299", 0 },
		{ "a point beside the curve", "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
		  "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
		  "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462298", MUE_EKEY },
		{ "the point 0, 0", "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
		  "0000000000000000000000000000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000", MUE_EKEY },
		{ "an HSS key of nine levels", "3046300d060b2a864886f70d0109100311033500"
		  "000000090000000a00000008202122232425262728292a2b2c2d2e2f"
		  "2c571450aed99cfb4f4ac285da14882796618314508b12d2", MUE_EKEY },
		{ "an HSS key with SHAKE", "3046300d060b2a864886f70d0109100311033500"
		  "000000010000001400000010202122232425262728292a2b2c2d2e2f"
		  "2c571450aed99cfb4f4ac285da14882796618314508b12d2", MUE_EKEY },
		{ "an HSS key of one M24 level", "3046300d060b2a864886f70d0109100311033500"
		  "000000010000000a00000008202122232425262728292a2b2c2d2e2f"
		  "2c571450aed99cfb4f4ac285da14882796618314508b12d2", 0 },
		{ "types of M32 with the bytes of M24", "3046300d060b2a864886f70d0109100311033500"
		  "000000010000000500000004202122232425262728292a2b2c2d2e2f"
		  "2c571450aed99cfb4f4ac285da14882796618314508b12d2", MUE_EKEY },
	};
	/* clang-format on */
	struct mue_pubkey k;
	uint8_t der[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].der) / 2;
		int r;

		assert_true(len <= sizeof(der) && mue_unhex(rows[i].der, der, len));
		r = mue_pubkey_parse_der(der, len, &k, NULL);
		if (r != rows[i].r)
			fail_msg("%s: got %d", rows[i].says, r);
		for (size_t cut = 0; r == 0 && cut < len; cut++)
			assert_true(mue_pubkey_parse_der(der, cut, &k, NULL) < 0);
	}
	assert_int_equal(mue_pubkey_parse("", 0, &k, NULL), MUE_EFORMAT);
	assert_int_equal(mue_pubkey_parse("-----BEGIN PUBLIC KEY-----\n", 27, &k, NULL),
			 MUE_EFORMAT);
}

/* --- trust folders --- */

static void copy_pub(const char *from, const char *to)
{
	struct mue_buf b = { .max = 4096 };

	assert_int_equal(mue_file_read(in_folder(from), &b, NULL), 0);
	assert_int_equal(mue_file_write(in_folder(to), b.data, b.len, 0644, NULL), 0);
	mue_buf_free(&b);
}

static void a_trust_folder_checks_by_algorithm_and_kid(void **state)
{
	static const struct {
		const char *says;
		int alg;
		enum mue_key_kind by;
		int r;
	} rows[] = {
		{ "ES256", -7, MUE_KEY_ES256, 0 },
		{ "ESP256 is the same", -9, MUE_KEY_ES256, 0 },
		{ "EdDSA", -8, MUE_KEY_ED25519, 0 },
		{ "Ed25519 is the same", -19, MUE_KEY_ED25519, 0 },
		{ "HSS-LMS", -46, MUE_KEY_LMS, 0 },
		{ "an algorithm of another key", -7, MUE_KEY_ED25519, MUE_ESIGNATURE },
		{ "an algorithm that nobody knows", -35, MUE_KEY_ES256, MUE_EPROFILE },
	};
	struct mue_buf sig = { .max = MUE_SIG_MAX };
	const struct mue_trust_entry *by;
	struct mue_error e = { 0 };
	struct mue_pubkey pub;
	struct mue_trust t;

	(void)state;
	assert_int_equal(mue_file_mkdirs(in_folder("trust"), 0700, NULL), 0);
	assert_int_equal(mue_trust_load(in_folder("trust"), &t, &e), 0);
	assert_int_equal(t.count, 0);
	copy_pub("es256.pub", "trust/b.pub");
	copy_pub("es256.pub", "trust/c.pub"); /* twice the same */
	copy_pub("ed25519.pub", "trust/a.pub");
	copy_pub("lms.pub", "trust/l.pub");
	assert_int_equal(mue_file_write(in_folder("trust/readme"), "x", 1, 0644, NULL), 0);
	assert_int_equal(mue_trust_load(in_folder("trust"), &t, &e), 0);
	assert_int_equal(t.count, 3);
	assert_string_equal(t.entries[0].name, "a");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r;

		sign_with(rows[i].by, &pub, &sig);
		by = NULL;
		r = mue_trust_check(&t, rows[i].alg, pub.kid, MUE_KID_SIZE, message,
				    sizeof(message), sig.data, sig.len, &by);
		if (r != rows[i].r)
			fail_msg("%s: got %d", rows[i].says, r);
		assert_int_equal(mue_trust_check(&t, rows[i].alg, NULL, 0, message, sizeof(message),
						 sig.data, sig.len, &by),
				 rows[i].r);
		if (r == 0)
			assert_memory_equal(by->key.kid, pub.kid, MUE_KID_SIZE);
		pub.kid[0] ^= 1;
		assert_true(mue_trust_check(&t, rows[i].alg, pub.kid, MUE_KID_SIZE, message,
					    sizeof(message), sig.data, sig.len, &by) < 0);
	}
	mue_trust_free(&t);
	mue_buf_free(&sig);
}

static void a_trust_folder_with_junk_is_an_error_with_its_name(void **state)
{
	struct mue_error e = { 0 };
	struct mue_trust t;

	(void)state;
	assert_int_equal(mue_file_mkdirs(in_folder("bad"), 0700, NULL), 0);
	copy_pub("es256.pub", "bad/a.pub");
	assert_int_equal(mue_file_write(in_folder("bad/x.pub"), "junk", 4, 0644, NULL), 0);
	assert_int_equal(mue_trust_load(in_folder("bad"), &t, &e), MUE_EFORMAT);
	assert_non_null(strstr(e.text, "bad/x.pub"));
	assert_int_equal(mue_trust_load(in_folder("nowhere"), &t, &e), MUE_ENOTFOUND);
}

static void a_trusted_key_has_a_tame_name(void **state)
{
	static const char *const bad[] = { "",
					   ".pub",
					   ".hidden.pub",
					   "a/b.pub",
					   "../x",
					   "0123456789012345678901234567890123456789"
					   "0123456789012345678901234567890123456789" };
	struct mue_buf pem = { .max = 4096 };
	struct mue_trust t = { 0 };

	(void)state;
	assert_int_equal(mue_file_read(in_folder("es256.pub"), &pem, NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mue_trust_add(&t, bad[i], mue_buf_str(&pem), pem.len, NULL),
				 MUE_EINVAL);
	assert_int_equal(mue_trust_add(&t, "good.pub", mue_buf_str(&pem), pem.len, NULL), 0);
	assert_string_equal(t.entries[0].name, "good");
	assert_int_equal(mue_trust_add(&t, "again", mue_buf_str(&pem), pem.len, NULL), MUE_EEXIST);
	assert_ptr_equal(mue_trust_find(&t, t.entries[0].key.kid, MUE_KID_SIZE), &t.entries[0]);
	assert_null(mue_trust_find(&t, t.entries[0].key.kid, 4));
	mue_trust_free(&t);
	mue_buf_free(&pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_holds_only_for_its_message_and_key),
		cmocka_unit_test(the_public_file_is_the_key_s_own),
		cmocka_unit_test(key_files_are_private_encrypted_and_never_overwritten),
		cmocka_unit_test(a_passphrase_comes_from_the_file_first),
		cmocka_unit_test(only_one_process_signs_with_an_lms_key),
		cmocka_unit_test(other_public_keys_are_refused),
		cmocka_unit_test(a_trust_folder_checks_by_algorithm_and_kid),
		cmocka_unit_test(a_trust_folder_with_junk_is_an_error_with_its_name),
		cmocka_unit_test(a_trusted_key_has_a_tame_name),
	};

	return cmocka_run_group_tests_name("keys", tests, make_keys, remove_folder);
}
