/*
 * The boot profile: a table of refusals, and an exhaustive one: every byte of an envelope replaced
 * by every other value, the digest put right, a verifier that agrees to all.  What is then still
 * taken may only differ where the form has a value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/suit.h"
#include "core/suit_command.h"
#include "core/suit_p0.h"
#include "vectors.h"

static int agree_verdict;
static size_t asked;

static int agree(const struct mue_verifier *v, const struct mue_cose_id *id,
		 const struct mue_lms_source *tbs, const struct mue_lms_source *sig)
{
	(void)v;
	(void)id;
	(void)tbs;
	(void)sig;
	asked++;
	return agree_verdict;
}

static const struct mue_verifier_ops ops = { agree };

static int open_p0(const uint8_t *env, size_t len, struct mue_suit_p0 *ret)
{
	struct mue_lms_source source = { mue_lms_read_memory, env, (uint32_t)len };
	struct mue_verifier v = { &ops, NULL };

	agree_verdict = 0;
	asked = 0;
	return mue_suit_p0_open(&source, &v, ret);
}

/* The form in pieces; X marks bytes that are values. */
#define Z16 "00000000000000000000000000000000"
#define Z32 Z16 Z16
#define SEQ "1901f4"
#define ID  "82 48 6669726d77617265 43 617070"
#define PAR "14a4 0150" Z16 "0250" Z16 "035824822f5820" Z32 "0e1987d0"
#define SHA "86" PAR "010f020f"

static const char shared[] = SHA;

struct piece {
	const char *says, *seq, *id, *shared, *validate, *invoke, *tail;
	uint8_t pairs;
	int verdict;
};

/* clang-format off */
static const struct piece pieces[] = {
	{ "the plain form", SEQ, ID, shared, "82030f", "821702", "", 5, 0 },
	{ "a security counter", SEQ, ID, shared, "8414a13901001863030f", "821702", "", 5, 0 },
	{ "digests of install and text", SEQ, ID, shared, "82030f", "821702",
	  "14822f5820" Z32 "17822f5820" Z32, 7, 0 },
	{ "the digest of the text alone", SEQ, ID, shared, "82030f", "821702",
	  "17822f5820" Z32, 6, 0 },
	{ "a slot", SEQ, ID, "88 14a5 0150" Z16 "0250" Z16 "035824822f5820" Z32 "0501 0e1987d0"
	  "010f020f050f", "82030f", "821702", "", 5, 0 },
	{ "an empty component id", SEQ, "80", shared, "82030f", "821702", "", 5, 0 },
	{ "text before install", SEQ, ID, shared, "82030f", "821702",
	  "17822f5820" Z32 "14822f5820" Z32, 7, MUE_EPROFILE },
	{ "the text's digest twice", SEQ, ID, shared, "82030f", "821702",
	  "17822f5820" Z32 "17822f5820" Z32, 7, MUE_EPROFILE },
	{ "a digest that is announced but missing", SEQ, ID, shared, "82030f", "821702", "", 6,
	  MUE_ETRUNC },
	{ "a digest that is not announced", SEQ, ID, shared, "82030f", "821702",
	  "17822f5820" Z32, 5, MUE_EFORMAT },
	{ "payload-fetch severed", SEQ, ID, shared, "82030f", "821702", "10822f5820" Z32, 6,
	  MUE_EPROFILE },
	{ "a sequence number in the long form", "1a000001f4", ID, shared, "82030f", "821702", "", 5,
	  MUE_ECANON },
	{ "a sequence number of 64 bits", "1b0000000100000000", ID, shared, "82030f", "821702", "",
	  5, MUE_EPROFILE },
	{ "a negative sequence number", "20", ID, shared, "82030f", "821702", "", 5, MUE_EPROFILE },
	{ "validate without image-match", SEQ, ID, shared, "82010f", "821702", "", 5, MUE_EPROFILE },
	{ "validate with another policy", SEQ, ID, shared, "820302", "821702", "", 5, MUE_EPROFILE },
	{ "one byte after validate", SEQ, ID, shared, "82030f00", "821702", "", 5, MUE_EFORMAT },
	{ "another custom parameter", SEQ, ID, shared, "8414a13901011863030f", "821702", "", 5,
	  MUE_EPROFILE },
	{ "a negative counter", SEQ, ID, shared, "8414a139010020030f", "821702", "", 5,
	  MUE_EPROFILE },
	{ "invoke of something else", SEQ, ID, shared, "82030f", "82160f", "", 5, MUE_EPROFILE },
	{ "the conditions left out", SEQ, ID, "82" PAR, "82030f", "821702", "", 5, MUE_EPROFILE },
	{ "class checked before vendor", SEQ, ID, "86" PAR "020f010f", "82030f", "821702", "", 5,
	  MUE_EPROFILE },
	{ "seven items", SEQ, ID, "87" PAR "010f020f", "82030f", "821702", "", 5, MUE_EPROFILE },
	{ "slot 24", SEQ, ID, "88 14a5 0150" Z16 "0250" Z16 "035824822f5820" Z32 "051818 0e1987d0"
	  "010f020f050f", "82030f", "821702", "", 5, MUE_EPROFILE },
	{ "a slot without its condition", SEQ, ID, "86 14a5 0150" Z16 "0250" Z16 "035824822f5820" Z32
	  "0501 0e1987d0 010f020f", "82030f", "821702", "", 5, MUE_EPROFILE },
	{ "the size before the digest", SEQ, ID, "86 14a4 0150" Z16 "0250" Z16 "0e1987d0"
	  "035824822f5820" Z32 "010f020f", "82030f", "821702", "", 5, MUE_EPROFILE },
	{ "a SHA-384 digest", SEQ, ID, "86 14a4 0150" Z16 "0250" Z16 "0358258238 2a5820" Z32
	  "0e1987d0 010f020f", "82030f", "821702", "", 5, MUE_EPROFILE },
};
/* clang-format on */

static size_t add_hex(uint8_t *to, const char *hex)
{
	return *hex ? vectors_unhex(hex, to, 512) : 0;
}

static size_t add_wrapped(uint8_t *to, const char *hex)
{
	uint8_t bytes[512];
	size_t n = vectors_unhex(hex, bytes, sizeof(bytes));
	struct mue_cbor_writer w;

	mue_cbor_write(&w, to, 512);
	mue_cbor_put_bytes(&w, bytes, n);
	return w.len;
}

static size_t make_manifest(const struct piece *x, uint8_t *to)
{
	uint8_t common[512];
	size_t n = 0, c = 0;
	struct mue_cbor_writer w;

	c += add_hex(common + c, "a20281");
	c += add_hex(common + c, x->id);
	c += add_hex(common + c, "04");
	c += add_wrapped(common + c, x->shared);
	to[n++] = (uint8_t)(0xa0 + x->pairs);
	n += add_hex(to + n, "010102");
	n += add_hex(to + n, x->seq);
	to[n++] = 3;
	mue_cbor_write(&w, to + n, 512);
	mue_cbor_put_bytes(&w, common, c);
	n += w.len;
	to[n++] = 7;
	n += add_wrapped(to + n, x->validate);
	to[n++] = 9;
	n += add_wrapped(to + n, x->invoke);
	n += add_hex(to + n, x->tail);
	return n;
}

/* d8 6b a2 02 << [<< digest >>, ES256 without a kid, HSS/LMS with one] >> 03 << manifest >> */
static size_t make_envelope(const uint8_t *manifest, size_t len, uint8_t *env)
{
	uint8_t digest[32];
	size_t n = 0;
	struct mue_cbor_writer w;

	mue_suit_hash_bstr((struct mue_view){ manifest, len }, digest);
	n += add_hex(env, "d86ba202 584a 83 5824 822f5820");
	memcpy(env + n, digest, 32);
	n += 32;
	n += add_hex(env + n, "4a d28443a10126a0f64107");
	n += add_hex(env + n, "56 d28444a101382d a104480102030405060708 f642 0707");
	env[5] = (uint8_t)(n - 6);
	env[n++] = 3;
	mue_cbor_write(&w, env + n, 1024);
	mue_cbor_put_bytes(&w, manifest, len);
	return n + w.len;
}

static void each_form_gets_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		uint8_t manifest[1024], env[2048];
		size_t n = make_manifest(&pieces[i], manifest);
		struct mue_suit_p0 p0;
		int r;

		n = make_envelope(manifest, n, env);
		r = open_p0(env, n, &p0);
		if (r != pieces[i].verdict)
			fail_msg("%s: got %d, want %d", pieces[i].says, r, pieces[i].verdict);
		assert_int_equal(asked, 2);
	}
}

static void it_says_what_the_form_says(void **state)
{
	uint8_t manifest[1024], env[2048];
	struct mue_suit_p0 p0;
	size_t n;

	(void)state;
	n = make_envelope(manifest, make_manifest(&pieces[1], manifest), env);
	assert_int_equal(open_p0(env, n, &p0), 0);
	assert_int_equal(p0.sequence, 500);
	assert_int_equal(p0.size, 34768);
	assert_int_equal(p0.counter, 99);
	assert_int_equal(p0.slot, MUE_SUIT_P0_ANY);
	n = make_envelope(manifest, make_manifest(&pieces[4], manifest), env);
	assert_int_equal(open_p0(env, n, &p0), 0);
	assert_int_equal(p0.slot, 1);
	assert_int_equal(p0.counter, 0);
}

/* Bytes of a manifest of pieces[2] that are values, by what surrounds them. */
static void mark_values(const struct mue_suit_p0 *p0, uint8_t *mark)
{
	const uint8_t *m = p0->manifest;
	size_t image = (size_t)(p0->image - m);

	memset(mark, 0, p0->manifest_len);
	memset(mark + 4, 1, 3); /* the sequence number with its head */
	memset(mark + (p0->vendor - m), 1, 16);
	memset(mark + (p0->class_id - m), 1, 16);
	memset(mark + image, 1, 32);
	memset(mark + image + 33, 1, 3);             /* the size */
	memset(mark + p0->manifest_len - 32, 1, 32); /* two digests */
	memset(mark + p0->manifest_len - 32 - 5 - 32, 1, 32);
	/* the component id's strings, and the first one's place: one id of two strings may become
	 * one of the same bytes cut otherwise */
	for (size_t i = 0; i < p0->manifest_len; i++)
		if (memcmp(m + i,
			   "\x48"
			   "firmware\x43"
			   "app",
			   13) == 0)
			memset(mark + i, 1, 13);
}

static void no_byte_of_the_form_can_change(void **state)
{
	uint8_t manifest[1024], env[2048], mark[256];
	struct mue_suit_p0 p0, good;
	size_t n = make_manifest(&pieces[2], manifest), tried = 0, taken = 0;

	(void)state;
	assert_int_equal(open_p0(env, make_envelope(manifest, n, env), &good), 0);
	mark_values(&good, mark);
	for (size_t i = 0; i < n; i++) {
		uint8_t old = manifest[i];

		for (unsigned v = 0; v < 256; v++) {
			manifest[i] = (uint8_t)v;
			if (v == old)
				continue;
			tried++;
			if (open_p0(env, make_envelope(manifest, n, env), &p0) != 0)
				continue;
			taken++;
			if (!mark[i])
				fail_msg("byte %zu may be %02x instead of %02x", i, v, old);
		}
		manifest[i] = old;
	}
	print_message("# %zu manifests, %zu of them other values in the same form\n", tried, taken);
	assert_true(taken > 0 && tried > 50000);
}

static void one_good_block_of_two_is_enough_and_none_is_not(void **state)
{
	uint8_t manifest[1024], env[2048];
	size_t n = make_envelope(manifest, make_manifest(&pieces[0], manifest), env);
	struct mue_lms_source source = { mue_lms_read_memory, env, (uint32_t)n };
	struct mue_verifier v = { &ops, NULL };
	struct mue_suit_p0 p0;

	(void)state;
	agree_verdict = MUE_ESIGNATURE;
	assert_int_equal(mue_suit_p0_open(&source, &v, &p0), MUE_ESIGNATURE);
	agree_verdict = MUE_EPROFILE;
	assert_int_equal(mue_suit_p0_open(&source, &v, &p0), MUE_ESIGNATURE);
	agree_verdict = MUE_EIO; /* storage fails: no verdict about the signature */
	assert_int_equal(mue_suit_p0_open(&source, &v, &p0), MUE_EIO);
	env[n - 1] ^= 1;
	agree_verdict = 0;
	assert_int_equal(mue_suit_p0_open(&source, &v, &p0), MUE_EDIGEST);
}

/* Bytes of the wrapper's blocks that may change: algorithm, kid, signature. */
static void no_byte_of_the_envelope_can_change(void **state)
{
	uint8_t manifest[1024], env[2048];
	size_t n = make_envelope(manifest, make_manifest(&pieces[0], manifest), env), taken = 0;
	size_t blocks = 6 + 1 + 2 + 4 + 32, end = 6 + env[5];
	struct mue_suit_p0 p0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		uint8_t old = env[i];

		for (unsigned v = 0; v < 256; v++) {
			bool value;

			env[i] = (uint8_t)v;
			if (v == old || open_p0(env, n, &p0) != 0)
				continue;
			taken++;
			value = i == blocks + 6 || i == blocks + 10 || /* alg, signature */
				i == blocks + 18 ||                    /* alg */
				(i >= blocks + 22 && i < blocks + 30) || i >= end - 2;
			if (!value || i >= end)
				fail_msg("byte %zu may be %02x instead of %02x", i, v, old);
		}
		env[i] = old;
	}
	assert_true(taken > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_gets_its_verdict),
		cmocka_unit_test(it_says_what_the_form_says),
		cmocka_unit_test(no_byte_of_the_form_can_change),
		cmocka_unit_test(no_byte_of_the_envelope_can_change),
		cmocka_unit_test(one_good_block_of_two_is_enough_and_none_is_not),
	};

	return cmocka_run_group_tests_name("suit_p0", tests, NULL, NULL);
}
