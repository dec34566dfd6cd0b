/*
 * COSE_Sign1 against the examples of the COSE working group, found by walking the shared folder,
 * and a table of refusals.  What the profiles do not cover is printed with the reason.
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
#include <gnutls/gnutls.h>
#include <jansson.h>

#include "vectors.h"

static const struct mue_view absent = { NULL, 0 };

struct example {
	const char *name;
	uint8_t cbor[4096], tbs[4096], aad[256];
	struct mue_view message, to_be_signed, external;
	struct vectors_key key;
	int fail;
	const char *skip; /* why it is not covered, NULL: it is */
};

static const char *text_of(json_t *o, const char *a, const char *b)
{
	return json_string_value(json_object_get(json_object_get(o, a), b));
}

static int coordinate(json_t *key, const char *name, uint8_t ret[32])
{
	char hex_name[16];
	const char *text = json_string_value(json_object_get(key, name));
	gnutls_datum_t in, out;
	char padded[64];
	int r;

	snprintf(hex_name, sizeof(hex_name), "%s_hex", name);
	if (!text) {
		text = json_string_value(json_object_get(key, hex_name));
		return text && vectors_unhex(text, ret, 32) == 32 ? 0 : -1;
	}
	snprintf(padded, sizeof(padded), "%s=", text);
	for (char *p = padded; *p; p++)
		*p = (char)(*p == '-' ? '+' : *p == '_' ? '/' : *p);
	in.data = (unsigned char *)padded;
	in.size = (unsigned)strlen(padded);
	if (gnutls_base64_decode2(&in, &out) < 0)
		return -1;
	r = out.size == 32 ? 0 : -1;
	if (r == 0)
		memcpy(ret, out.data, 32);
	gnutls_free(out.data);
	return r;
}

static const char *read_key(json_t *key, struct vectors_key *ret)
{
	const char *crv = json_string_value(json_object_get(key, "crv"));

	memset(ret, 0, sizeof(*ret));
	if (!crv)
		return "no EC or OKP key (HSS/LMS: tests of the signer cover it)";
	ret->ed25519 = strcmp(crv, "Ed25519") == 0;
	if (!ret->ed25519 && strcmp(crv, "P-256") != 0)
		return "curve outside the profiles (P-256 and Ed25519 only)";
	if (coordinate(key, "x", ret->x) < 0)
		return "key not understood";
	if (!ret->ed25519 && coordinate(key, "y", ret->y) < 0)
		return "key not understood";
	return NULL;
}

static void read_example(json_t *root, struct example *ret)
{
	json_t *in = json_object_get(root, "input"), *sign = json_object_get(in, "sign0");
	const char *hex = text_of(root, "output", "cbor");
	const char *tbs = text_of(root, "intermediates", "ToBeSign_hex");
	const char *aad = json_string_value(json_object_get(sign, "external"));
	const char *alg = json_string_value(json_object_get(sign, "alg"));

	ret->fail = json_is_true(json_object_get(root, "fail"));
	ret->skip = NULL;
	ret->external = absent;
	ret->message = (struct mue_view){ ret->cbor, vectors_unhex(hex, ret->cbor, 4096) };
	if (!sign) {
		struct mue_cose_sign1 s;

		ret->skip = "not COSE_Sign1 (Sign, MAC or encryption): refused as such";
		assert_true(mue_cose_sign1_decode(ret->message, &s) < 0);
		return;
	}
	ret->to_be_signed = (struct mue_view){ ret->tbs, vectors_unhex(tbs, ret->tbs, 4096) };
	if (aad)
		ret->external = (struct mue_view){ ret->aad, vectors_unhex(aad, ret->aad, 256) };
	ret->skip = read_key(json_object_get(sign, "key"), &ret->key);
	if (!ret->skip && !json_object_get(json_object_get(sign, "protected"), "alg"))
		ret->skip = "algorithm not protected: refused, RFC 9052 section 3.1 asks for it";
	if (!ret->skip && alg && strcmp(alg, "ES256") != 0 && strcmp(alg, "EdDSA") != 0)
		ret->skip = "algorithm outside the profiles";
}

static int verdict_of(struct example *x, struct mue_view message)
{
	struct mue_verifier v = { &vectors_verifier_ops, &x->key };
	struct mue_cose_sign1 s;
	int r = mue_cose_sign1_decode(message, &s);

	return r < 0 ? r : mue_cose_sign1_verify(&s, x->external, absent, &v);
}

/* The vector's own verdict, and then refusals of what must not matter to it. */
static void check_example(struct example *x, size_t *flips)
{
	int r = verdict_of(x, x->message);
	struct mue_cose_sign1 s;
	struct mue_cose_tbs tbs;
	uint8_t copy[4096];

	if (x->fail ? r >= 0 : r != 0)
		fail_msg("%s: got %d, want %s", x->name, r, x->fail ? "a refusal" : "0");
	if (x->fail)
		return;
	assert_int_equal(mue_cose_sign1_decode(x->message, &s), 0);
	mue_cose_tbs_init(&tbs, s.protected_, x->external, s.payload);
	assert_int_equal(tbs.source.size, x->to_be_signed.len);
	assert_int_equal(mue_cose_source_copy(&tbs.source, 0, copy, tbs.source.size), 0);
	assert_memory_equal(copy, x->to_be_signed.data, x->to_be_signed.len);
	for (size_t bit = 0; bit < s.payload.len * 8; bit += 11, (*flips)++) {
		size_t at = (size_t)(s.payload.data - x->cbor) + bit / 8;

		x->cbor[at] ^= (uint8_t)(1 << bit % 8);
		if (verdict_of(x, x->message) >= 0)
			fail_msg("%s: payload bit %zu may flip", x->name, bit);
		x->cbor[at] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < x->message.len; cut++)
		if (verdict_of(x, (struct mue_view){ x->cbor, cut }) >= 0)
			fail_msg("%s: cut at %zu is taken", x->name, cut);
}

static void every_covered_example_gets_its_verdict(void **state)
{
	const char *shared = getenv("MUE_SHARED");
	static struct example x;
	size_t covered = 0, flips = 0;
	char pattern[512];
	glob_t g;

	(void)state;
	snprintf(pattern, sizeof(pattern), "%s/vectors/cose/examples/*/*.json",
		 shared ? shared : "../shared");
	if (glob(pattern, 0, NULL, &g) != 0) {
		print_message("# skipped: no files match %s\n", pattern);
		skip();
	}
	for (size_t i = 0; i < g.gl_pathc; i++) {
		json_t *root = json_load_file(g.gl_pathv[i], 0, NULL);

		assert_non_null(root);
		x.name = strstr(g.gl_pathv[i], "examples/") + 9;
		read_example(root, &x);
		if (x.skip)
			print_message("# not covered: %s: %s\n", x.name, x.skip);
		else
			check_example(&x, &flips);
		covered += !x.skip;
		json_decref(root);
	}
	print_message("# %zu examples covered of %zu, %zu flips refused\n", covered,
		      (size_t)g.gl_pathc, flips);
	globfree(&g);
	assert_true(covered >= 7);
}

static void each_refusal_has_its_verdict(void **state)
{
	static const struct {
		const char *says, *hex;
		int verdict;
	} rows[] = {
		{ "a detached ES256 signature decodes", "d28443a10126a0f64101", 0 },
		{ "a kid in the unprotected header", "d28443a10126a104420102f64101", 0 },
		{ "an unknown unprotected label is passed over", "d28443a10126a11863f5f64101", 0 },
		{ "COSE_Mac0", "d18443a10105a0f64101", MUE_EPROFILE },
		{ "COSE_Mac", "d8618543a10105a0f6410180", MUE_EPROFILE },
		{ "COSE_Sign", "d8628440a0f680", MUE_EPROFILE },
		{ "another tag", "d903e68443a10126a0f64101", MUE_EFORMAT },
		{ "no algorithm", "d28440a0f64101", MUE_EPROFILE },
		{ "an algorithm that is not protected", "d28441a0a10126f64101", MUE_EPROFILE },
		{ "an algorithm in both headers", "d28443a10126a10126f64101", MUE_EPROFILE },
		{ "an algorithm named by text", "d28447a1016545533235", MUE_ETRUNC },
		{ "an algorithm named by a whole text", "d28448a1016545533235 36a0f64101",
		  MUE_EPROFILE },
		{ "crit", "d28446a2012602810 1a0f64101", MUE_EPROFILE },
		{ "a kid in both headers", "d28446a201260441 01a1044101f64101", MUE_EFORMAT },
		{ "a duplicate label", "d28445a201260126a0f64101", MUE_ECANON },
		{ "labels out of order", "d28446a204410101 26a0f64101", MUE_ECANON },
		{ "three elements", "d28343a10126a0f6", MUE_EFORMAT },
		{ "five elements", "d28543a10126a0f6410100", MUE_EFORMAT },
		{ "trailing bytes", "d28443a10126a0f6410100", MUE_EFORMAT },
		{ "trailing bytes in the protected header", "d28444a1012600a0f64101", MUE_EFORMAT },
		{ "a payload that is text", "d28443a10126a061614101", MUE_EFORMAT },
		{ "an indefinite array", "d29f43a10126a0f64101ff", MUE_ECANON },
		{ "nothing", "", MUE_ETRUNC },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mue_cose_sign1 s;
		uint8_t bytes[64];
		size_t n = vectors_unhex(rows[i].hex, bytes, sizeof(bytes));
		int r = mue_cose_sign1_decode((struct mue_view){ bytes, n }, &s);

		if (r != rows[i].verdict)
			fail_msg("%s: got %d, want %d", rows[i].says, r, rows[i].verdict);
	}
}

static void a_payload_must_be_either_attached_or_detached(void **state)
{
	static const uint8_t detached[] = { 0xd2, 0x84, 0x43, 0xa1, 1, 0x26, 0xa0, 0xf6, 0x41, 1 };
	static const uint8_t attached[] = { 0xd2, 0x84, 0x43, 0xa1, 1,   0x26,
					    0xa0, 0x41, 7,    0x41, 0x01 };
	struct vectors_key key = { .ed25519 = 0 };
	struct mue_verifier v = { &vectors_verifier_ops, &key };
	struct mue_view payload = { detached, 1 };
	struct mue_cose_sign1 s;

	(void)state;
	assert_int_equal(mue_cose_sign1_decode((struct mue_view){ detached, 10 }, &s), 0);
	assert_int_equal(mue_cose_sign1_verify(&s, absent, absent, &v), MUE_EFORMAT);
	assert_int_equal(mue_cose_sign1_decode((struct mue_view){ attached, 11 }, &s), 0);
	assert_int_equal(mue_cose_sign1_verify(&s, absent, payload, &v), MUE_EFORMAT);
	assert_int_equal(key.calls, 0);
}

static void pieces_read_the_same_at_every_offset_and_length(void **state)
{
	static const uint8_t prot[] = { 0xa1, 1, 0x26 };
	uint8_t payload[70], whole[200], part[MUE_LMS_READ_MAX];
	struct mue_cose_tbs tbs;
	uint32_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	mue_cose_tbs_init(&tbs, (struct mue_view){ prot, 3 }, absent,
			  (struct mue_view){ payload, 70 });
	size = tbs.source.size;
	assert_int_equal(size, 12 + 1 + 3 + 1 + 2 + 70);
	assert_int_equal(mue_cose_source_copy(&tbs.source, 0, whole, size), 0);
	assert_memory_equal(whole, "\x84\x6aSignature1\x43\xa1\x01\x26\x40\x58\x46", 19);
	assert_memory_equal(whole + 19, payload, 70);
	for (uint32_t off = 0; off < size; off++)
		for (uint8_t n = 1; n <= MUE_LMS_READ_MAX && off + n <= size; n++) {
			assert_int_equal(tbs.source.read(&tbs.source, off, part, n), 0);
			assert_memory_equal(part, whole + off, n);
		}
	assert_int_equal(mue_cose_source_copy(&tbs.source, 1, whole, size), MUE_ETRUNC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_covered_example_gets_its_verdict),
		cmocka_unit_test(each_refusal_has_its_verdict),
		cmocka_unit_test(a_payload_must_be_either_attached_or_detached),
		cmocka_unit_test(pieces_read_the_same_at_every_offset_and_length),
	};

	return cmocka_run_group_tests_name("cose", tests, NULL, NULL);
}
