/*
 * SUIT envelopes of the draft and of libcsuit: each gets its verdict through the real reader and a
 * GnuTLS verifier.  What the profiles do not cover is printed with the reason; nothing is passed
 * over silently.  Then every truncation and every single-bit flip of the signed part.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <glob.h>

#include "core/suit.h"
#include "core/suit_p0.h"
#include "vectors.h"

static struct vectors_key draft_key, csuit_key; /* the same one, as it happens */

/* Nobody's key: the base point of P-256 (SEC 2, section 2.4.2). */
static struct vectors_key other_key = {
	.x = { 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6,
	       0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb,
	       0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96 },
	.y = { 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb,
	       0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31,
	       0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5 },
};

struct vector {
	const char *path;
	int open; /* verdict of mue_suit_open as P2 */
	int verify;
	int profile;     /* the least one */
	const char *why; /* not covered because */
};

#define SPEC  "suit/manifest-spec/"
#define CSUIT "suit/libcsuit/suit_manifest_"
#define FWENC "suit/firmware-encryption/suit-manifest-"

/* clang-format off */
static const struct vector vectors[] = {
	{ SPEC "example0.txt", 0, 0, MUE_SUIT_P0, NULL },
	{ SPEC "example1.txt", 0, 0, MUE_SUIT_P1, NULL },
	{ SPEC "example3.txt", 0, 0, MUE_SUIT_P2, NULL },
	{ CSUIT "exp0.suit",   0, 0, MUE_SUIT_P0, NULL },
	{ CSUIT "exp1.suit",   0, 0, MUE_SUIT_P1, NULL },
	{ CSUIT "exp2A.suit",  0, 0, MUE_SUIT_P1, NULL },
	{ CSUIT "exp2B.suit",  0, 0, MUE_SUIT_P1, NULL },
	{ CSUIT "exp3.suit",   0, 0, MUE_SUIT_P2, NULL },
	{ CSUIT "expI.suit",   0, 0, MUE_SUIT_P2, NULL },
	{ CSUIT "expU.suit",   0, 0, MUE_SUIT_P2, NULL },
	{ CSUIT "expU0.suit",  0, 0, MUE_SUIT_P2, NULL },
	{ CSUIT "expU2.suit",  0, 0, MUE_SUIT_P2, NULL },
	{ CSUIT "expEW.suit",  0, 0, MUE_SUIT_P2, NULL },
	{ CSUIT "expAW.suit",  0, MUE_EPROFILE, MUE_SUIT_P2,
	  "authenticated by COSE_Mac0: a shared key on every device is no signature" },
	{ CSUIT "expED.suit",  0, 0, MUE_SUIT_P2, NULL },
	{ CSUIT "expS2.suit",  0, 0, MUE_SUIT_P1, NULL },
	{ FWENC "aes-kw-content.hex.signed", 0, MUE_EPROFILE, MUE_SUIT_P2,
	  "authenticated by COSE_Mac0" },
	{ FWENC "aes-kw-slot.hex.signed", 0, MUE_EPROFILE, MUE_SUIT_P2,
	  "authenticated by COSE_Mac0" },
};
/* clang-format on */
#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

/* The hex of the draft's text is behind the last "Envelope with COSE authentication object:". */
static size_t from_text(char *text, uint8_t *ret, size_t size)
{
	char *at = strstr(text, "Envelope with COSE authentication object:\n"), *end;

	assert_non_null(at);
	at = strstr(at, "~~~");
	assert_non_null(at);
	end = strstr(at + 3, "~~~");
	assert_non_null(end);
	*end = 0;
	return vectors_unhex(at + 3, ret, size);
}

/* The bytes of a vector; the caller frees.  NULL: the shared data is not there. */
static uint8_t *load(const char *path, size_t *ret_len)
{
	size_t len = 0;
	uint8_t *file = vectors_load(path, &len), *bytes;

	*ret_len = len;
	if (!file || strstr(path, ".suit"))
		return file;
	bytes = malloc(len);
	*ret_len = strstr(path, ".txt") ? from_text((char *)file, bytes, len)
					: vectors_unhex((char *)file, bytes, len);
	free(file);
	assert_true(*ret_len > 0);
	return bytes;
}

static struct mue_verifier verifier_of(const char *path)
{
	struct mue_verifier v = { &vectors_verifier_ops, &csuit_key };

	if (strncmp(path, SPEC, strlen(SPEC)) == 0)
		v.ctx = &draft_key;
	return v;
}

static int setup(void **state)
{
	(void)state;
	if (vectors_key_from_pem("suit/libcsuit/key/trust_anchor_secp256r1_pub.pem", &csuit_key) <
		    0 ||
	    vectors_key_from_pem("suit/manifest-spec/private_key.pem", &draft_key) < 0)
		print_message("# no keys below MUE_SHARED/vectors/suit\n");
	return 0;
}

static void check_vector(const struct vector *x, struct mue_view env)
{
	struct mue_verifier v = verifier_of(x->path);
	enum mue_suit_profile profile = MUE_SUIT_P0;
	struct mue_suit s;
	uint8_t mask = 0;
	int r = mue_suit_open(env, MUE_SUIT_P2, &s);

	if (r != x->open)
		fail_msg("%s: open gives %d, want %d", x->path, r, x->open);
	if (x->why)
		print_message("# not covered: %s: %s: refused with %d\n", x->path, x->why,
			      x->open ? x->open : x->verify);
	if (r < 0)
		return;
	r = mue_suit_verify(&s, &v, &mask);
	if (r != x->verify || (r == 0 && mask != 1))
		fail_msg("%s: verify gives %d (mask %u), want %d", x->path, r, mask, x->verify);
	assert_int_equal(mue_suit_profile_of(env, &profile), 0);
	if ((int)profile != x->profile)
		fail_msg("%s: profile P%d, want P%d", x->path, profile, x->profile);
	v.ctx = &other_key;
	assert_int_equal(mue_suit_verify(&s, &v, NULL), x->verify ? x->verify : MUE_ESIGNATURE);
}

static void every_vector_gets_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		size_t len;
		uint8_t *bytes = load(vectors[i].path, &len);

		if (!bytes) {
			print_message("# skipped: %s is not there\n", vectors[i].path);
			skip();
		}
		check_vector(&vectors[i], (struct mue_view){ bytes, len });
		free(bytes);
	}
}

/* A file that the table does not name would be untested: say so and fail. */
static void the_table_names_every_suit_file(void **state)
{
	const char *shared = getenv("MUE_SHARED");
	char pattern[512];
	glob_t g;

	(void)state;
	snprintf(pattern, sizeof(pattern), "%s/vectors/suit/*/*.suit", shared ? shared : "");
	if (glob(pattern, 0, NULL, &g) != 0) {
		print_message("# skipped: no files match %s\n", pattern);
		skip();
	}
	for (size_t i = 0; i < g.gl_pathc; i++) {
		size_t n = 0;

		for (size_t j = 0; j < VECTORS; j++)
			n += strstr(g.gl_pathv[i], vectors[j].path) != NULL;
		if (n == 0)
			fail_msg("%s is not in the table", g.gl_pathv[i]);
	}
	globfree(&g);
	print_message(
		"# not covered: firmware-encryption/*.diag.signed: diagnostic notation, whose "
		"binary form is not in the folder (es-ecdh) or is covered as .hex.signed\n");
}

/* 0 when the whole chain takes it. */
static int verdict(struct mue_view env, const struct mue_verifier *v)
{
	struct mue_suit s;
	int r = mue_suit_open(env, MUE_SUIT_P2, &s);

	return r < 0 ? r : mue_suit_verify(&s, v, NULL);
}

static int verdict_p0(const uint8_t *env, size_t len, const struct mue_verifier *v)
{
	struct mue_lms_source source = { mue_lms_read_memory, env, (uint32_t)len };
	struct mue_suit_p0 p0;

	return mue_suit_p0_open(&source, v, &p0);
}

static void every_truncation_is_refused(void **state)
{
	size_t cuts = 0;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		struct mue_verifier v = verifier_of(vectors[i].path);
		size_t len;
		uint8_t *bytes = load(vectors[i].path, &len);

		if (!bytes)
			skip();
		for (size_t cut = 0; cut < len; cut++, cuts++) {
			if (verdict((struct mue_view){ bytes, cut }, &v) == 0)
				fail_msg("%s: cut at %zu is taken", vectors[i].path, cut);
			if (verdict_p0(bytes, cut, &v) == 0)
				fail_msg("%s: P0 takes a cut at %zu", vectors[i].path, cut);
		}
		free(bytes);
	}
	print_message("# %zu truncations refused\n", cuts);
	assert_true(cuts > 3000);
}

/* Integrated payloads are not signed: the image digest of their component answers for them. */
static bool is_payload(const struct mue_suit *s, const uint8_t *at)
{
	return s->integrated.data && at >= s->integrated.data &&
	       at < s->integrated.data + s->integrated.len;
}

static void every_bit_flip_is_refused(void **state)
{
	size_t flips = 0;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		struct mue_verifier v = verifier_of(vectors[i].path);
		size_t len;
		uint8_t *bytes = load(vectors[i].path, &len);
		struct mue_suit s;

		if (!bytes)
			skip();
		if (!vectors[i].why)
			assert_int_equal(
				mue_suit_open((struct mue_view){ bytes, len }, MUE_SUIT_P2, &s), 0);
		for (size_t bit = 0; !vectors[i].why && bit < len * 8; bit++) {
			uint8_t mask = (uint8_t)(1 << bit % 8);

			if (is_payload(&s, bytes + bit / 8))
				continue;
			flips++;
			bytes[bit / 8] ^= mask;
			if (verdict((struct mue_view){ bytes, len }, &v) == 0)
				fail_msg("%s: bit %zu of byte %zu may flip", vectors[i].path,
					 bit % 8, bit / 8);
			if (vectors[i].profile == MUE_SUIT_P0 && verdict_p0(bytes, len, &v) == 0)
				fail_msg("%s: P0: bit %zu of byte %zu may flip", vectors[i].path,
					 bit % 8, bit / 8);
			bytes[bit / 8] ^= mask;
		}
		free(bytes);
	}
	print_message("# %zu flips refused\n", flips);
	assert_true(flips > 20000);
}

static void p0_reads_the_boot_example(void **state)
{
	static const uint8_t vendor[] = { 0xfa, 0x6b, 0x4a, 0x53, 0xd5, 0xad, 0x5f, 0xdf,
					  0xbe, 0x9d, 0xe6, 0x63, 0xe4, 0xd4, 0x1f, 0xfe };
	struct mue_verifier v = { &vectors_verifier_ops, &draft_key };
	struct mue_lms_source source = { mue_lms_read_memory, NULL, 0 };
	struct mue_suit_p0 p0;
	size_t len;
	uint8_t *bytes = load(SPEC "example0.txt", &len);

	(void)state;
	if (!bytes)
		skip();
	assert_int_equal(len, 237);
	source.ctx = bytes;
	source.size = (uint32_t)len;
	assert_int_equal(mue_suit_p0_open(&source, &v, &p0), 0);
	assert_int_equal(p0.sequence, 0);
	assert_int_equal(p0.size, 34768);
	assert_int_equal(p0.counter, 0);
	assert_int_equal(p0.slot, MUE_SUIT_P0_ANY);
	assert_int_equal(p0.length, 237);
	assert_memory_equal(p0.vendor, vendor, 16);
	assert_int_equal(p0.image[0], 0x00);
	assert_int_equal(p0.image[31], 0x10);
	assert_int_equal(p0.digest[0], 0x66);
	v.ctx = &other_key;
	assert_int_equal(mue_suit_p0_open(&source, &v, &p0), MUE_ESIGNATURE);
	free(bytes);
}

static void describe_shows_texts_components_and_signatures(void **state)
{
	static struct mue_suit_info info;
	struct mue_suit s;
	size_t len;
	uint8_t *bytes = load(CSUIT "exp2B.suit", &len);
	struct mue_suit_component *c = &info.component[0];

	(void)state;
	if (!bytes)
		skip();
	assert_int_equal(mue_suit_open((struct mue_view){ bytes, len }, MUE_SUIT_P2, &s), 0);
	assert_int_equal(mue_suit_describe(&s, &info), 0);
	assert_int_equal(info.sequence_number, 2);
	assert_int_equal(info.component_count, 1);
	assert_int_equal(info.signature_count, 1);
	assert_int_equal(info.signature[0].id.alg, MUE_COSE_ESP256);
	assert_memory_equal(info.notes.data, "## Example 2", 12);
	assert_memory_equal(c->description.data, "This component", 14);
	assert_true(c->params.has_size);
	assert_int_equal(c->params.size, 34768);
	assert_int_equal(c->params.uri.len,
			 strlen("http://example.com/very/long/path/to/file/file.bin"));
	assert_null(c->payload.data);
	assert_null(c->kind.data);
	assert_int_equal(c->name.len, 3);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_vector_gets_its_verdict),
		cmocka_unit_test(the_table_names_every_suit_file),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(every_bit_flip_is_refused),
		cmocka_unit_test(p0_reads_the_boot_example),
		cmocka_unit_test(describe_shows_texts_components_and_signatures),
	};

	return cmocka_run_group_tests_name("suit_vectors", tests, setup, NULL);
}
