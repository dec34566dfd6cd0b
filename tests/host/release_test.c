/*
 * Releases: what is built opens under its profile and says what it was given, signatures by the
 * real keys hold, and each wrong field is refused by name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "core/suit_p0.h"
#include "host/release.h"

static const uint8_t some32[32] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

static struct mue_release_component firmware(void)
{
	struct mue_release_component c = {
		.kind = "firmware", .name = "app", .uri = "app-2.0.bin", .size = 34768, .slot = -1
	};

	memset(c.digest, 0xaa, 32);
	return c;
}

static struct mue_release release(const struct mue_release_component *c, size_t n)
{
	struct mue_release r = { .name = "pump",
				 .version = "2.0",
				 .notes = "Fixes the valve.",
				 .sequence = 17,
				 .counter = 3,
				 .kind = MUE_SUIT_KIND_SECURITY,
				 .components = c,
				 .count = n };

	assert_int_equal(mue_release_vendor_id("example.com", r.vendor, NULL), 0);
	assert_int_equal(mue_release_class_id(r.vendor, "pump-1", r.class_id, NULL), 0);
	return r;
}

static void build(const struct mue_release *r, struct mue_buf *ret)
{
	struct mue_error e = { 0, "" };

	*ret = (struct mue_buf){ .max = MUE_RELEASE_MAX };
	if (mue_release_build(r, ret, &e) < 0)
		fail_msg("build: %s", e.text);
}

static struct mue_view view(const struct mue_buf *b)
{
	return (struct mue_view){ b->data, b->len };
}

static void assert_view(struct mue_view v, const char *want)
{
	assert_int_equal(v.len, strlen(want));
	assert_memory_equal(v.data, want, v.len);
}

static void uuids_are_those_of_the_draft(void **state)
{
	uint8_t vendor[16], id[16], back[16];
	char text[37];

	(void)state;
	/* the vendor id of the examples, draft-ietf-suit-manifest, appendix B */
	assert_int_equal(mue_release_vendor_id("arm.com", vendor, NULL), 0);
	mue_uuid_text(vendor, text);
	assert_string_equal(text, "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe");
	assert_int_equal(mue_uuid_parse("FA6B4A53-D5AD-5FDF-BE9D-E663E4D41FFE", back), 0);
	assert_memory_equal(back, vendor, 16);
	assert_int_equal(mue_release_class_id(vendor, "x", id, NULL), 0);
	assert_int_equal(id[6] >> 4, 5);
	assert_int_equal(id[8] >> 6, 2);
	assert_int_equal(mue_uuid_parse("fa6b4a53-d5ad-5fdf-be9d-e663e4d41ff", back), MUE_EFORMAT);
	assert_int_equal(mue_uuid_parse("fa6b4a53d-5ad-5fdf-be9d-e663e4d41ffe", back), MUE_EFORMAT);
	assert_int_equal(mue_uuid_parse("fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffg", back), MUE_EFORMAT);
	assert_int_equal(mue_release_vendor_id("", id, NULL), MUE_EINVAL);
}

static void a_firmware_release_is_described_as_it_was_given(void **state)
{
	struct mue_release_component c = firmware();
	struct mue_release r = release(&c, 1);
	static struct mue_suit_info info;
	enum mue_suit_profile profile;
	struct mue_buf env;
	struct mue_suit s;

	(void)state;
	c.precursor = some32;
	c.slot = 1;
	r.sbom = some32;
	r.mcu = true;
	r.battery = 30;
	r.priority = -4;
	build(&r, &env);
	assert_int_equal(mue_suit_profile_of(view(&env), &profile), 0);
	assert_int_equal(profile, MUE_SUIT_P0);
	assert_int_equal(mue_suit_open(view(&env), MUE_SUIT_P2, &s), 0);
	assert_int_equal(mue_suit_describe(&s, &info), 0);
	assert_view(info.name, "pump");
	assert_view(info.version, "2.0");
	assert_view(info.notes, "Fixes the valve.");
	assert_int_equal(info.sequence_number, 17);
	assert_int_equal(info.counter, 3);
	assert_int_equal(info.kind, MUE_SUIT_KIND_SECURITY);
	assert_int_equal(info.signature_count, 0);
	assert_memory_equal(info.sbom.data, some32, 32);
	assert_memory_equal(info.precursor.data, some32, 32);
	assert_memory_equal(info.vendor.data, r.vendor, 16);
	assert_memory_equal(info.class_id.data, r.class_id, 16);
	assert_int_equal(info.component_count, 1);
	assert_view(info.component[0].kind, "firmware");
	assert_view(info.component[0].name, "app");
	assert_view(info.component[0].version, "2.0");
	assert_view(info.component[0].params.uri, "app-2.0.bin");
	assert_int_equal(info.component[0].params.size, 34768);
	assert_int_equal(info.component[0].params.slot, 1);
	assert_int_equal(info.component[0].params.battery, 30);
	assert_int_equal(info.component[0].params.priority, -4);
	assert_memory_equal(info.component[0].params.digest.data, c.digest, 32);
	mue_buf_free(&env);
}

static void six_components_keep_their_order_and_payloads(void **state)
{
	static const char *const kinds[] = { "os",     "firmware", "application",
					     "config", "library",  "driver" };
	struct mue_release_component c[6] = { firmware() };
	struct mue_release r = release(c, 6);
	static struct mue_suit_info info;
	enum mue_suit_profile profile;
	char names[6][8], uris[6][8];
	struct mue_buf env, again;
	struct mue_suit s;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		c[i] = firmware();
		snprintf(names[i], sizeof(names[i]), "c%zu", 6 - i);
		snprintf(uris[i], sizeof(uris[i]), i % 2 ? "#p%zu" : "f%zu", 6 - i);
		c[i].kind = kinds[i];
		c[i].name = names[i];
		c[i].uri = uris[i];
		c[i].size = i;
		c[i].version = i == 3 ? "7.7" : NULL;
		if (i % 2) {
			c[i].payload = some32;
			c[i].payload_len = i;
		}
	}
	build(&r, &env);
	build(&r, &again);
	assert_int_equal(env.len, again.len);
	assert_memory_equal(env.data, again.data, env.len);
	assert_int_equal(mue_suit_profile_of(view(&env), &profile), 0);
	assert_int_equal(profile, MUE_SUIT_P2); /* six are too many for a microcontroller */
	assert_int_equal(mue_suit_open(view(&env), MUE_SUIT_P2, &s), 0);
	assert_int_equal(mue_suit_describe(&s, &info), 0);
	for (size_t i = 0; i < 6; i++) {
		assert_view(info.component[i].kind, kinds[i]);
		assert_view(info.component[i].name, names[i]);
		assert_view(info.component[i].params.uri, uris[i]);
		assert_int_equal(info.component[i].params.size, i);
		assert_view(info.component[i].version, i == 3 ? "7.7" : "2.0");
		assert_int_equal(info.component[i].payload.len, i % 2 ? i : 0);
	}
	mue_buf_free(&env);
	mue_buf_free(&again);
}

/* A key made for this run, in a folder of its own. */
struct made_key {
	char dir[64], path[128], pub[160];
	struct mue_key *key;
};

static void make_key(enum mue_key_kind kind, struct made_key *ret)
{
	struct mue_pass_source pass = { NULL, NULL };
	struct mue_key_params params;
	struct mue_error e = { 0, "" };

	snprintf(ret->dir, sizeof(ret->dir), "/tmp/mue-release-XXXXXX");
	assert_non_null(mkdtemp(ret->dir));
	snprintf(ret->path, sizeof(ret->path), "%s/key", ret->dir);
	snprintf(ret->pub, sizeof(ret->pub), "%s.pub", ret->path);
	setenv("MUE_PASSPHRASE", "secret", 1);
	mue_key_params_default(&params, kind);
	if (kind == MUE_KEY_LMS)
		params.lms.h = 5;
	if (mue_key_new(ret->path, &params, &pass, NULL, NULL, &e) < 0 ||
	    mue_key_open(ret->path, &pass, &ret->key, &e) < 0)
		fail_msg("key: %s", e.text);
}

static void drop_key(struct made_key *k)
{
	char command[128];

	mue_key_close(k->key);
	snprintf(command, sizeof(command), "rm -rf %s", k->dir);
	assert_int_equal(system(command), 0);
}

static void sign(struct mue_buf *env, struct mue_key *key)
{
	struct mue_release_signer s = mue_release_key_signer(key);
	struct mue_buf out = { .max = MUE_RELEASE_MAX };
	struct mue_error e = { 0, "" };

	if (mue_release_sign(view(env), &s, &out, &e) < 0)
		fail_msg("sign: %s", e.text);
	mue_buf_free(env);
	*env = out;
}

/* P0 over the trust store, as a bootloader would; with the LMS verifier of core when it is LMS. */
static int boot(const struct mue_buf *env, struct mue_trust *trust, struct mue_suit_p0 *p0)
{
	struct mue_lms_source source = { mue_lms_read_memory, env->data, (uint32_t)env->len };
	const struct mue_pubkey *pub = &trust->entries[0].key;
	struct mue_cose_lms lms = { pub->point, pub->point_len, MUE_KID_SIZE, pub->kid };
	struct mue_verifier core = { &mue_cose_lms_ops, &lms };
	struct mue_trust_verifier tv;

	mue_trust_verifier_init(&tv, trust);
	return mue_suit_p0_open(&source, pub->kind == MUE_KEY_LMS ? &core : &tv.port, p0);
}

static void signatures_of_every_key_kind_hold(void **state)
{
	static const enum mue_key_kind kinds[] = { MUE_KEY_ES256, MUE_KEY_ED25519, MUE_KEY_LMS };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct mue_release_component c = firmware();
		struct mue_release r = release(&c, 1);
		struct mue_trust trust = { NULL, 0 }, nobody = { NULL, 0 };
		const struct mue_trust_entry *by = NULL;
		struct mue_buf env, stripped = { .max = 65536 };
		struct mue_suit_p0 p0;
		struct mue_error e = { 0, "" };
		struct made_key k;
		struct mue_suit s;

		make_key(kinds[i], &k);
		r.mcu = true;
		build(&r, &env);
		assert_int_equal(mue_release_verify(view(&env), &nobody, &s, NULL, &e),
				 MUE_ESIGNATURE);
		sign(&env, k.key);
		assert_int_equal(mue_trust_load(k.dir, &trust, &e), 0);
		assert_int_equal(mue_release_verify(view(&env), &trust, &s, &by, &e), 0);
		assert_string_equal(by->name, "key");
		assert_int_equal(mue_release_verify(view(&env), &nobody, &s, NULL, &e),
				 MUE_ESIGNATURE);
		assert_int_equal(boot(&env, &trust, &p0), 0);
		assert_int_equal(p0.counter, 3);
		assert_int_equal(mue_release_strip(view(&env), &stripped, &e), 0);
		assert_true(stripped.len < env.len);
		assert_int_equal(boot(&stripped, &trust, &p0), 0);
		assert_int_equal(mue_release_verify(view(&stripped), &trust, &s, NULL, &e), 0);
		assert_int_equal(s.severed, 1 << MUE_SUIT_INSTALL);
		assert_true(s.text_severed);
		print_message("# %s: envelope %zu bytes, stripped %zu\n",
			      mue_key_kind_name(kinds[i]), env.len, stripped.len);
		mue_trust_free(&trust);
		mue_buf_free(&env);
		mue_buf_free(&stripped);
		drop_key(&k);
	}
}

static void two_signatures_stand_in_one_envelope_and_a_third_by_the_same_key_does_not(void **state)
{
	struct mue_release_component c = firmware();
	struct mue_release r = release(&c, 1);
	struct mue_buf env, out = { .max = 65536 };
	struct mue_error e = { 0, "" };
	struct made_key a, b;
	struct mue_release_signer again;
	struct mue_trust trust;
	struct mue_suit_p0 p0;
	struct mue_suit s;

	(void)state;
	make_key(MUE_KEY_ES256, &a);
	make_key(MUE_KEY_LMS, &b);
	r.mcu = true;
	build(&r, &env);
	sign(&env, a.key);
	sign(&env, b.key);
	assert_int_equal(mue_trust_load(a.dir, &trust, &e), 0);
	assert_int_equal(mue_release_verify(view(&env), &trust, &s, NULL, &e), 0);
	assert_int_equal(s.block_count, 2);
	mue_trust_free(&trust);
	assert_int_equal(mue_trust_load(b.dir, &trust, &e), 0);
	assert_int_equal(mue_release_verify(view(&env), &trust, &s, NULL, &e), 0);
	assert_int_equal(boot(&env, &trust, &p0), 0);
	again = mue_release_key_signer(a.key);
	assert_int_equal(mue_release_sign(view(&env), &again, &out, &e), MUE_EEXIST);
	mue_trust_free(&trust);
	mue_buf_free(&env);
	mue_buf_free(&out);
	drop_key(&a);
	drop_key(&b);
}

/* Each row spoils one field of a good release. */
static void wrong_fields_are_refused_by_name(void **state)
{
	static const char *const says[] = { "no name",
					    "no version",
					    "no component",
					    "17 components",
					    "101 per cent",
					    "an unknown kind",
					    "an empty component name",
					    "no URI",
					    "a missing payload",
					    "a payload under a file's name",
					    "slot 255",
					    "two equal components",
					    "a text that is not UTF-8" };

	(void)state;
	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		struct mue_release_component c[2] = { firmware(), firmware() };
		struct mue_release r = release(c, 1);
		struct mue_buf env = { .max = 65536 };
		struct mue_error e = { 0, "" };
		int want = i == 12 ? MUE_EFORMAT : MUE_EINVAL, got;

		r.name = i == 0 ? "" : r.name;
		r.version = i == 1 ? NULL : r.version;
		r.count = i == 2 ? 0 : i == 3 ? 17 : i == 11 ? 2 : 1;
		r.battery = i == 4 ? 101 : 0;
		c[0].kind = i == 5 ? "toaster" : c[0].kind;
		c[0].name = i == 6 ? "" : c[0].name;
		c[0].uri = i == 7 ? NULL : i == 8 ? "#app" : c[0].uri;
		c[0].payload = i == 9 ? some32 : NULL;
		c[0].slot = i == 10 ? 255 : -1;
		r.notes = i == 12 ? "\xff" : NULL;
		got = mue_release_build(&r, &env, &e);
		if (got != want || !*e.text)
			fail_msg("%s: got %d (%s), want %d", says[i], got, e.text, want);
		assert_int_equal(env.len, 0);
		mue_buf_free(&env);
	}
}

static void a_component_name_too_long_for_a_bootloader_is_refused(void **state)
{
	struct mue_release_component c = firmware();
	struct mue_release r = release(&c, 1);
	struct mue_buf env = { .max = 65536 };
	struct mue_error e = { 0, "" };

	(void)state;
	c.name = "a-name-that-goes-on-and-on-and-on-and-on-and-on-and-on-and-on";
	assert_int_equal(mue_release_build(&r, &env, &e), 0);
	mue_buf_reset(&env);
	r.mcu = true;
	assert_int_equal(mue_release_build(&r, &env, &e), MUE_EPROFILE);
	assert_non_null(strstr(e.text, "P0"));
	mue_buf_free(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuids_are_those_of_the_draft),
		cmocka_unit_test(a_firmware_release_is_described_as_it_was_given),
		cmocka_unit_test(six_components_keep_their_order_and_payloads),
		cmocka_unit_test(signatures_of_every_key_kind_hold),
		cmocka_unit_test(
			two_signatures_stand_in_one_envelope_and_a_third_by_the_same_key_does_not),
		cmocka_unit_test(wrong_fields_are_refused_by_name),
		cmocka_unit_test(a_component_name_too_long_for_a_bootloader_is_refused),
	};

	return cmocka_run_group_tests_name("release", tests, NULL, NULL);
}
