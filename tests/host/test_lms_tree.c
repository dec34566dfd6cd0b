/* LMS signing against known answers of other implementations. */
#include "core/err.h"
#include "host/buf.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/lms_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the above first. */
#include <cmocka.h>

struct row {
	char seed[128], msg[1024], pub[256], digest[128];
	uint32_t q;
};

static void take(struct row *row, const char *line)
{
	static const struct {
		const char *name;
		size_t at, size;
	} fields[] = {
		{ "Seed = ", offsetof(struct row, seed), 128 },
		{ "Msg = ", offsetof(struct row, msg), 1024 },
		{ "PublicKey = ", offsetof(struct row, pub), 256 },
		{ "HashSig = ", offsetof(struct row, digest), 128 },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strncmp(line, fields[i].name, strlen(fields[i].name)) == 0)
			snprintf((char *)row + fields[i].at, fields[i].size, "%s",
				 line + strlen(fields[i].name));
	if (strncmp(line, "q = ", 4) == 0)
		row->q = (uint32_t)strtoul(line + 4, NULL, 10);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Builds the row's tree; its root must be the public key's, its signature's digest the row's. */
static void check(const struct row *row)
{
	uint8_t pub[56], ours[MUE_LMS_TREE_PUB_MAX], msg[512], path[25 * 32], digest[32], want[32];
	size_t pub_len = strlen(row->pub) / 2, msg_len = strlen(row->msg) / 2;
	struct mue_lms_tree t = { 0 };
	uint8_t *nodes, *sig;
	uint32_t r;

	assert_true(mue_unhex(row->pub, pub, pub_len) && mue_unhex(row->msg, msg, msg_len));
	t.lms_type = get32(pub);
	t.ots_type = get32(pub + 4);
	assert_int_equal(mue_lms_set(t.lms_type, t.ots_type, &t.set), 0);
	memcpy(t.id, pub + 8, 16);
	assert_true(mue_unhex(row->seed, t.seed, t.set.n));
	nodes = malloc(mue_lms_tree_size(&t));
	sig = malloc(t.set.bytes);
	assert_int_equal(mue_lms_tree_build(&t, nodes, NULL, NULL), 0);
	assert_int_equal(mue_lms_tree_public(&t, nodes + t.set.n, ours), pub_len);
	assert_memory_equal(ours, pub, pub_len);
	r = ((uint32_t)1 << t.set.h) + row->q;
	for (unsigned i = 0; i < t.set.h; i++, r >>= 1)
		memcpy(path + (size_t)i * t.set.n, nodes + (size_t)(r ^ 1) * t.set.n, t.set.n);
	mue_lms_tree_sign(&t, row->q, path, msg, msg_len, sig);
	mue_hash_sha256(sig, t.set.bytes, digest);
	assert_true(mue_unhex(row->digest, want, 32));
	assert_memory_equal(digest, want, 32);
	free(nodes);
	free(sig);
}

static void trees_and_signatures_are_those_of_others(void **state)
{
	const char *root = getenv("MUE_SHARED");
	struct mue_buf b = { .max = 1 << 20 };
	struct row row = { .q = 0 };
	unsigned checked = 0;
	char path[512], *save;

	(void)state;
	snprintf(path, sizeof(path), "%s/vectors/lms/lms.vec", root ? root : "../shared");
	if (mue_file_read(path, &b, NULL) < 0) {
		print_message("# skipped: no %s\n", path);
		skip();
	}
	for (char *line = strtok_r((char *)b.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		take(&row, line);
		if (strncmp(line, "HashSig = ", 10) == 0) {
			check(&row);
			checked++;
		}
	}
	assert_true(checked >= 3);
	print_message("# %u trees\n", checked);
	mue_buf_free(&b);
}

/* Every leaf of every small set verifies with core/lms; a child tree differs from its parent. */
static void every_leaf_verifies(void **state)
{
	static const uint8_t ns[] = { 24, 32 }, ws[] = { 1, 2, 4, 8 };
	unsigned checked = 0;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		struct mue_lms_tree parent = { .seed = { 1, 2, 3 }, .id = { 4, 5 } }, t;
		uint8_t pub[60] = { 0, 0, 0, 1 }, path[25 * 32], *nodes, *sig;

		assert_int_equal(mue_lms_tree_types(ns[i / 4], 5, ws[i % 4], &parent.lms_type,
						    &parent.ots_type),
				 0);
		assert_int_equal(mue_lms_set(parent.lms_type, parent.ots_type, &parent.set), 0);
		mue_lms_tree_child(&parent, (uint32_t)i, &t);
		assert_memory_not_equal(t.id, parent.id, 16);
		assert_memory_not_equal(t.seed, parent.seed, t.set.n);
		nodes = malloc(mue_lms_tree_size(&t));
		sig = calloc(1, 4u + t.set.bytes);
		assert_int_equal(mue_lms_tree_build(&t, nodes, NULL, NULL), 0);
		mue_lms_tree_public(&t, nodes + t.set.n, pub + 4);
		for (uint32_t q = 0; q < 32; q += ws[i % 4] == 8 ? 5 : 1) {
			const struct mue_lms_source s = { mue_lms_read_memory, sig,
							  4u + t.set.bytes };
			const struct mue_lms_source m = { mue_lms_read_memory, "msg", 3 };
			uint32_t r = 32 + q;

			for (unsigned k = 0; k < 5; k++, r >>= 1)
				memcpy(path + (size_t)k * t.set.n,
				       nodes + (size_t)(r ^ 1) * t.set.n, t.set.n);
			mue_lms_tree_sign(&t, q, path, "msg", 3, sig + 4);
			assert_int_equal(mue_lms_verify(pub, (uint8_t)(28 + t.set.n), &s, &m), 0);
			checked++;
		}
		free(nodes);
		free(sig);
	}
	assert_int_equal(checked, 6 * 32 + 2 * 7);
}

static void there_are_no_other_sets(void **state)
{
	uint32_t lms, ots;

	(void)state;
	assert_int_equal(mue_lms_tree_types(16, 5, 4, &lms, &ots), MUE_EPROFILE);
	assert_int_equal(mue_lms_tree_types(24, 7, 4, &lms, &ots), MUE_EPROFILE);
	assert_int_equal(mue_lms_tree_types(24, 30, 4, &lms, &ots), MUE_EPROFILE);
	assert_int_equal(mue_lms_tree_types(24, 0, 4, &lms, &ots), MUE_EPROFILE);
	assert_int_equal(mue_lms_tree_types(24, 5, 3, &lms, &ots), MUE_EPROFILE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_and_signatures_are_those_of_others),
		cmocka_unit_test(every_leaf_verifies),
		cmocka_unit_test(there_are_no_other_sets),
	};

	return cmocka_run_group_tests_name("lms tree", tests, NULL, NULL);
}
