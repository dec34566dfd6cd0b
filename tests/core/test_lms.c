/* HSS/LMS verification against RFC 8554's appendix F, other people's and our own vectors. */
#include "core/err.h"
#include "core/lms.h"
#include "host/buf.h"
#include "host/file.h"
#include "host/hash.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the above first. */
#include <cmocka.h>

struct bytes {
	uint8_t *data;
	size_t len;
};

struct vector {
	struct bytes pub, msg, sig;
};

static struct bytes unhex(const char *text, size_t digits)
{
	struct bytes b = { calloc(1, digits / 2 + 1), digits / 2 };
	char *copy = strndup(text, digits);

	assert_true(mue_unhex(copy, b.data, b.len));
	free(copy);
	return b;
}

static void drop(struct vector *v)
{
	free(v->pub.data);
	free(v->msg.data);
	free(v->sig.data);
	memset(v, 0, sizeof(*v));
}

static int verify(const struct bytes *pub, const struct bytes *msg, const struct bytes *sig)
{
	const struct mue_lms_source s = { mue_lms_read_memory, sig->data, (uint32_t)sig->len };
	const struct mue_lms_source m = { mue_lms_read_memory, msg->data, (uint32_t)msg->len };

	return mue_lms_verify(pub->data, (uint8_t)pub->len, &s, &m);
}

static bool shared(const char *name, struct mue_buf *ret)
{
	const char *root = getenv("MUE_SHARED");
	char path[512];

	snprintf(path, sizeof(path), "%s/vectors/lms/%s", root ? root : "../shared", name);
	if (mue_file_read(path, ret, NULL) == 0)
		return true;
	print_message("# skipped: no %s\n", path);
	return false;
}

/* Calls back for each PublicKey/Msg/Signature triple of the .vec file. */
static unsigned each_vec(const char *text, void (*use)(const struct vector *v, const char *title))
{
	struct vector v = { 0 };
	char title[128] = "";
	unsigned n = 0;

	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		end = strchr(line, '\n');
		if (!end)
			end = line + strlen(line);
		if (*line == '#')
			snprintf(title, sizeof(title), "%.*s", (int)(end - line), line);
		if (strncmp(line, "PublicKey = ", 12) == 0)
			v.pub = unhex(line + 12, (size_t)(end - line - 12));
		if (strncmp(line, "Msg = ", 6) == 0)
			v.msg = unhex(line + 6, (size_t)(end - line - 6));
		if (strncmp(line, "Signature = ", 12) == 0) {
			v.sig = unhex(line + 12, (size_t)(end - line - 12));
			use(&v, title);
			drop(&v);
			n++;
		}
	}
	return n;
}

static unsigned held, refused;

static void expect_by_title(const struct vector *v, const char *title)
{
	int want = strstr(title, "SHAKE") ? MUE_EPROFILE : 0;
	int r = verify(&v->pub, &v->msg, &v->sig);

	if (r != want)
		fail_msg("%s: got %d, not %d", title, r, want);
	if (want)
		print_message("# not covered: lms/hss_lms_verify.vec: %s: SHAKE is in no profile: "
			      "refused with %d\n",
			      title, r);
	*(want ? &refused : &held) += 1;
}

static void published_vectors_hold(void **state)
{
	struct mue_buf b = { .max = 1 << 20 };

	(void)state;
	if (!shared("hss_lms_verify.vec", &b))
		skip();
	assert_true(each_vec(mue_buf_str(&b), expect_by_title) >= 5);
	/* RFC 8554 F.1 and F.2, SHA-256/192 of the draft; SHAKE is outside our profile. */
	assert_true(held >= 3);
	assert_true(refused >= 2);
	print_message("# held %u, SHAKE refused %u\n", held, refused);
	print_message("# not covered: lms/lmots.vec: one-time keys and signatures without a tree, "
		      "no manifest carries them\n");
	mue_buf_free(&b);
}

static void own_vectors_get_their_verdict(void **state)
{
	struct mue_buf b = { .max = 1 << 20 };
	unsigned good = 0, bad = 0;
	json_t *root, *row;
	size_t i;

	(void)state;
	if (!shared("own_lms_sha256_m24_h5w4-dev.json", &b))
		skip();
	root = json_loadb(mue_buf_str(&b), b.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	json_array_foreach(json_object_get(root, "cases"), i, row)
	{
		const char *pub = json_string_value(json_object_get(row, "public"));
		const char *msg = json_string_value(json_object_get(row, "message"));
		const char *sig = json_string_value(json_object_get(row, "signature"));
		bool valid = json_is_true(json_object_get(row, "valid"));
		struct vector v = { unhex(pub, strlen(pub)), unhex(msg, strlen(msg)),
				    unhex(sig, strlen(sig)) };
		int r = verify(&v.pub, &v.msg, &v.sig);

		if ((r == 0) != valid)
			fail_msg("%zu %s: got %d", i,
				 json_string_value(json_object_get(row, "case")), r);
		*(valid ? &good : &bad) += 1;
		drop(&v);
	}
	assert_true(good >= 3);
	assert_true(bad >= 48);
	print_message("# valid %u, refused %u\n", good, bad);
	json_decref(root);
	mue_buf_free(&b);
}

/* Truncations, additions and bit flips of key, message and signature. */
static void damage(const struct vector *v, const char *title)
{
	struct bytes pub = v->pub, sig = v->sig;
	unsigned flips = 0;
	uint8_t *copy;

	if (strstr(title, "SHAKE"))
		return;
	for (pub.len = 0; pub.len < v->pub.len; pub.len++)
		assert_int_equal(verify(&pub, &v->msg, &v->sig), MUE_ETRUNC);
	for (sig.len = 0; sig.len < v->sig.len; sig.len++)
		assert_int_equal(verify(&v->pub, &v->msg, &sig), MUE_ETRUNC);
	copy = calloc(1, v->sig.len + 1);
	memcpy(copy, v->sig.data, v->sig.len);
	sig.data = copy;
	sig.len = v->sig.len + 1;
	assert_int_equal(verify(&v->pub, &v->msg, &sig), MUE_EFORMAT);
	sig.len = v->sig.len;
	/* A prime step walks over every bit position and every part of the signature. */
	for (size_t bit = 0; bit < 8 * sig.len; bit += 661, flips++) {
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (verify(&v->pub, &v->msg, &sig) >= 0)
			fail_msg("%s: bit %zu of the signature flipped: accepted", title, bit);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(verify(&v->pub, &v->msg, &sig), 0);
	for (size_t bit = 0; bit < 8 * v->pub.len; bit += 7, flips++) {
		v->pub.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (verify(&v->pub, &v->msg, &v->sig) >= 0)
			fail_msg("%s: bit %zu of the key flipped: accepted", title, bit);
		v->pub.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < 8 * v->msg.len; bit += 31, flips++) {
		v->msg.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(verify(&v->pub, &v->msg, &v->sig), MUE_ESIGNATURE);
		v->msg.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(flips > 70);
	print_message("%s: %u bit flips, %zu truncations refused\n", title, flips, v->sig.len);
	free(copy);
}

static void damaged_vectors_are_refused(void **state)
{
	struct mue_buf b = { .max = 1 << 20 };

	(void)state;
	if (!shared("hss_lms_verify.vec", &b))
		skip();
	each_vec(mue_buf_str(&b), damage);
	mue_buf_free(&b);
}

static void parameter_sets_have_the_sizes_of_the_standards(void **state)
{
	/* RFC 8554 tables 1 and 2, SP 800-208 tables 1 to 6; bytes by the formula of section 5.4.
	 */
	static const struct {
		uint32_t lms, ots;
		struct mue_lms_set set;
		int r;
	} rows[] = {
		{ 5, 1, { 32, 5, 1, 7, 265, 12 + 32 * 271 }, 0 },
		{ 6, 2, { 32, 10, 2, 6, 133, 12 + 32 * 144 }, 0 },
		{ 7, 3, { 32, 15, 4, 4, 67, 12 + 32 * 83 }, 0 },
		{ 8, 4, { 32, 20, 8, 0, 34, 12 + 32 * 55 }, 0 },
		{ 9, 4, { 32, 25, 8, 0, 34, 12 + 32 * 60 }, 0 },
		{ 10, 5, { 24, 5, 1, 8, 200, 12 + 24 * 206 }, 0 },
		{ 11, 6, { 24, 10, 2, 6, 101, 12 + 24 * 112 }, 0 },
		{ 12, 7, { 24, 15, 4, 4, 51, 12 + 24 * 67 }, 0 },
		{ 13, 8, { 24, 20, 8, 0, 26, 12 + 24 * 47 }, 0 },
		{ 14, 8, { 24, 25, 8, 0, 26, 12 + 24 * 52 }, 0 },
		{ 5, 5, { 0 }, MUE_EFORMAT },
		{ 10, 4, { 0 }, MUE_EFORMAT },
		{ 4, 1, { 0 }, MUE_EPROFILE },
		{ 15, 8, { 0 }, MUE_EPROFILE },
		{ 5, 0, { 0 }, MUE_EPROFILE },
		{ 10, 9, { 0 }, MUE_EPROFILE },
		{ 0x105, 1, { 0 }, MUE_EPROFILE },
		{ 5, 0x10001, { 0 }, MUE_EPROFILE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mue_lms_set s = { 0 };

		assert_int_equal(mue_lms_set(rows[i].lms, rows[i].ots, &s), rows[i].r);
		if (rows[i].r < 0)
			continue;
		assert_int_equal(s.n, rows[i].set.n);
		assert_int_equal(s.h, rows[i].set.h);
		assert_int_equal(s.w, rows[i].set.w);
		assert_int_equal(s.ls, rows[i].set.ls);
		assert_int_equal(s.p, rows[i].set.p);
		assert_int_equal(s.bytes, rows[i].set.bytes);
	}
}

static unsigned reads_left;

static int failing_read(const struct mue_lms_source *s, uint32_t off, void *buf, uint8_t len)
{
	assert_in_range(len, 1, MUE_LMS_READ_MAX);
	assert_true(off + len <= s->size);
	if (reads_left-- == 0)
		return MUE_EIO;
	return mue_lms_read_memory(s, off, buf, len);
}

static void fail_each_read(const struct vector *v, const char *title)
{
	const struct mue_lms_source s = { failing_read, v->sig.data, (uint32_t)v->sig.len };
	const struct mue_lms_source m = { failing_read, v->msg.data, (uint32_t)v->msg.len };
	unsigned n = 0;
	int r;

	if (strstr(title, "SHAKE"))
		return;
	do {
		reads_left = n++;
		r = mue_lms_verify(v->pub.data, (uint8_t)v->pub.len, &s, &m);
		assert_true(r == MUE_EIO || r == 0);
	} while (r != 0);
	assert_true(n > 30);
	print_message("%s: a failure of each of %u reads was passed on\n", title, n - 1);
}

static void a_failing_read_is_passed_on(void **state)
{
	struct mue_buf b = { .max = 1 << 20 };

	(void)state;
	if (!shared("hss_lms_verify.vec", &b))
		skip();
	each_vec(mue_buf_str(&b), fail_each_read);
	mue_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameter_sets_have_the_sizes_of_the_standards),
		cmocka_unit_test(published_vectors_hold),
		cmocka_unit_test(own_vectors_get_their_verdict),
		cmocka_unit_test(damaged_vectors_are_refused),
		cmocka_unit_test(a_failing_read_is_passed_on),
	};

	return cmocka_run_group_tests_name("lms", tests, NULL, NULL);
}
