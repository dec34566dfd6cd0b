/* SHA-256 against the known answers of NIST and against GnuTLS's at every length and split. */
#include "core/sha256.h"
#include "host/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the above first. */
#include <cmocka.h>

static void digest_of(const void *data, size_t len, char hex[65])
{
	struct mue_sha256 s;
	uint8_t d[MUE_SHA256_SIZE];

	mue_sha256_init(&s);
	mue_sha256_update(&s, data, len);
	mue_sha256_final(&s, d);
	mue_hex(d, sizeof(d), hex);
}

static void gives_nist_known_answers(void **state)
{
	/* FIPS 180-4 examples (NIST "SHA256.pdf", "SHA2_Additional.pdf"). */
	static const struct {
		const char *says, *message, *digest;
	} rows[] = {
		{ "nothing", "",
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "one block", "abc",
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ "two blocks of 112 characters",
		  "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		  "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char hex[65];

		digest_of(rows[i].message, strlen(rows[i].message), hex);
		if (strcmp(hex, rows[i].digest) != 0)
			fail_msg("%s: got %s", rows[i].says, hex);
	}
}

static void hashes_a_million_letters(void **state)
{
	struct mue_sha256 s;
	uint8_t piece[1000], d[MUE_SHA256_SIZE];
	char hex[65];

	(void)state;
	memset(piece, 'a', sizeof(piece));
	mue_sha256_init(&s);
	for (int i = 0; i < 1000; i++)
		mue_sha256_update(&s, piece, sizeof(piece));
	mue_sha256_final(&s, d);
	assert_string_equal(mue_hex(d, sizeof(d), hex),
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void agrees_with_gnutls_at_every_length_and_split(void **state)
{
	uint8_t data[300], ours[MUE_SHA256_SIZE], theirs[MUE_SHA256_SIZE];
	unsigned compared = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + (i >> 5));
	for (size_t len = 0; len <= sizeof(data); len++) {
		mue_hash_sha256(data, len, theirs);
		for (size_t cut = 0; cut <= len; cut += 13) {
			struct mue_sha256 s, copy;

			mue_sha256_init(&s);
			mue_sha256_update(&s, data, cut);
			copy = s; /* a context is plain data */
			mue_sha256_update(&copy, data + cut, len - cut);
			mue_sha256_final(&copy, ours);
			assert_memory_equal(ours, theirs, sizeof(ours));
			compared++;
		}
	}
	assert_true(compared > 3000);
}

static void counts_bytes_beyond_32_bits(void **state)
{
	struct mue_sha256 s;
	uint8_t d[MUE_SHA256_SIZE];
	char hex[65];

	(void)state;
	/* Put into the state that hashing 4 GiB leaves in the counter; the length stands in the
	 * last block, so a lost carry changes the digest of the same compressed state. */
	mue_sha256_init(&s);
	s.count_lo = UINT32_C(0xffffffc0);
	mue_sha256_update(&s, (uint8_t[64]){ 0 }, 64);
	assert_int_equal(s.count_lo, 0);
	assert_int_equal(s.count_hi, 1);
	mue_sha256_final(&s, d);
	assert_string_not_equal(mue_hex(d, sizeof(d), hex), "");
	assert_int_equal(s.block[59], 8); /* 2^35 bits: byte 3 of the upper word */
	assert_int_equal(s.block[63], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_nist_known_answers),
		cmocka_unit_test(hashes_a_million_letters),
		cmocka_unit_test(agrees_with_gnutls_at_every_length_and_split),
		cmocka_unit_test(counts_bytes_beyond_32_bits),
	};

	return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
