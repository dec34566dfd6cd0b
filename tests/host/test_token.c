/* Keys in a PKCS#11 token: SoftHSM2 with a token made here, found through p11-kit. */
#include "host/file.h"
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

#define ES256_URI   "pkcs11:token=mue-test;object=release;type=private"
#define ED25519_URI "pkcs11:token=mue-test;object=edwards;type=private"

/* SoftHSM 2.6.1 leaks 37 bytes in OpenSSL with each Ed25519 signature; not ours to mend. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libcrypto\nleak:libsofthsm2\n";
}

static char folder[64];
static bool token;

static int generate(const char *type, const char *label, const char *id)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --login --pin 5678 "
		 "--token-label mue-test --keypairgen --key-type %s --label %s --id %s >/dev/null "
		 "2>&1",
		 type, label, id);
	return system(command);
}

static int make_token(void **state)
{
	char conf[128], text[256];

	(void)state;
	strcpy(folder, "/tmp/mue-token-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(conf, sizeof(conf), "%s/conf", folder);
	snprintf(text, sizeof(text), "directories.tokendir = %s\nobjectstore.backend = file\n",
		 folder);
	if (mue_file_write(conf, text, strlen(text), 0600, NULL) < 0)
		return -1;
	setenv("SOFTHSM2_CONF", conf, 1);
	if (system("softhsm2-util --init-token --free --label mue-test --so-pin 1234 --pin 5678 "
		   ">/dev/null 2>&1") != 0) {
		print_message("# no softhsm2-util, so no token: its tests are skipped\n");
		return 0;
	}
	if (generate("EC:prime256v1", "release", "01") != 0 ||
	    generate("EC:edwards25519", "edwards", "02") != 0) {
		print_error("# the token made no keys\n");
		return -1;
	}
	token = true;
	return 0;
}

static int remove_token(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void sign_and_verify(const char *uri, enum mue_key_kind kind)
{
	struct mue_buf sig = { .max = MUE_SIG_MAX };
	struct mue_error e = { 0 };
	struct mue_key *k;

	if (mue_key_open(uri, NULL, &k, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(mue_key_public(k)->kind, kind);
	assert_int_equal(mue_key_remaining(k), UINT64_MAX);
	for (int i = 0; i < 8; i++) { /* r and s of every length */
		mue_buf_reset(&sig);
		if (mue_key_sign(k, "abc", 3, &sig, &e) < 0)
			fail_msg("%s", e.text);
		assert_int_equal(sig.len, 64);
		assert_int_equal(mue_pubkey_verify(mue_key_public(k), "abc", 3, sig.data, sig.len),
				 0);
		assert_int_equal(mue_pubkey_verify(mue_key_public(k), "abd", 3, sig.data, sig.len),
				 MUE_ESIGNATURE);
	}
	mue_key_close(k);
	mue_buf_free(&sig);
}

static void a_token_key_signs_with_the_pin_from_the_variable(void **state)
{
	(void)state;
	if (!token)
		skip();
	setenv("MUE_PIN", "5678", 1);
	sign_and_verify(ES256_URI, MUE_KEY_ES256);
	sign_and_verify(ED25519_URI, MUE_KEY_ED25519);
	unsetenv("MUE_PIN");
	setenv("GNUTLS_PIN", "5678", 1);
	sign_and_verify(ES256_URI, MUE_KEY_ES256);
	unsetenv("GNUTLS_PIN");
}

static void a_token_key_signs_with_the_pin_from_the_uri(void **state)
{
	char pin[128], uri[256];

	(void)state;
	if (!token)
		skip();
	sign_and_verify(ES256_URI "?pin-value=5678", MUE_KEY_ES256);
	snprintf(pin, sizeof(pin), "%s/pin", folder);
	assert_int_equal(mue_file_write(pin, "5678", 4, 0600, NULL), 0);
	snprintf(uri, sizeof(uri), "%s?pin-source=file:%s", ES256_URI, pin);
	sign_and_verify(uri, MUE_KEY_ES256);
}

static void what_is_wrong_is_said(void **state)
{
	struct mue_error e = { 0 };
	struct mue_key *k;

	(void)state;
	if (!token)
		skip();
	setenv("MUE_PIN", "9999", 1);
	assert_int_equal(mue_key_open(ES256_URI, NULL, &k, &e), MUE_EAUTH);
	assert_non_null(strstr(e.text, "release"));
	setenv("MUE_PIN", "5678", 1);
	sign_and_verify(ES256_URI, MUE_KEY_ES256); /* one wrong PIN has not locked it */
	assert_int_equal(
		mue_key_open("pkcs11:token=mue-test;object=none;type=private", NULL, &k, &e),
		MUE_ENOTFOUND);
	assert_non_null(strstr(e.text, "object=none"));
	/* A PIN in the URI never reaches a message. */
	assert_true(mue_key_open("pkcs11:token=none;object=x;type=private?pin-value=4321", NULL, &k,
				 &e) < 0);
	assert_null(strstr(e.text, "4321"));
	unsetenv("MUE_PIN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_key_signs_with_the_pin_from_the_variable),
		cmocka_unit_test(a_token_key_signs_with_the_pin_from_the_uri),
		cmocka_unit_test(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests_name("token", tests, make_token, remove_token);
}
