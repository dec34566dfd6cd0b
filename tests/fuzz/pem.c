/*
 * Fuzzes what reads keys: public keys in PEM and DER, trusted keys, the LMS key file's plain part.
 * What parses must write itself back as the same key.
 *
 * FUZZ_SOURCES: core/lms.c core/sha256.c host/buf.c host/err.c host/file.c host/hash.c
 * FUZZ_SOURCES: host/pubkey.c host/trust.c host/lms_keyfile.c host/lms_tree.c
 * FUZZ_LIBS: -lgnutls
 */
#include "host/lms_keyfile.h"
#include "host/trust.h"

#include <stdlib.h>
#include <string.h>

static void same_again(const struct mue_pubkey *k)
{
	struct mue_buf pem = { .max = 4096 };
	struct mue_pubkey again;

	if (mue_pubkey_pem(k, &pem) < 0 ||
	    mue_pubkey_parse(mue_buf_str(&pem), pem.len, &again, NULL) < 0 ||
	    memcmp(&again, k, sizeof(again)) != 0)
		abort();
	mue_buf_free(&pem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mue_lms_keyfile file;
	struct mue_trust t = { 0 };
	struct mue_pubkey k;
	struct mue_error e;
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = 0;
	if (mue_pubkey_parse_der(data, size, &k, &e) == 0)
		same_again(&k);
	if (mue_pubkey_parse(text, size, &k, &e) == 0)
		same_again(&k);
	mue_trust_add(&t, "name.pub", text, size, &e);
	mue_trust_add(&t, text, text, size, &e);
	mue_trust_free(&t);
	/* Rounds in the file decide the time it takes: keep them out of the fuzzer's hands. */
	if (size > 16 && data[12] == 0 && data[13] == 0)
		mue_lms_keyfile_open(data, size, "pass", &file, &e);
	free(text);
	return 0;
}
