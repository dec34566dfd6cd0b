/* The LMS signer's promises: indices, exhaustion, old copies, damage, lost caches, full disks. */
#include "host/buf.h"
#include "host/file.h"
#include "host/lms_signer.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* cmocka wants the above first. */
#include <cmocka.h>

#include "tests/host/folder.h"

#define ROUNDS 1000

static char key[96];
static unsigned turn;

static const char *side(const char *suffix)
{
	static char path[4][128];
	static unsigned n;
	char *p = path[n++ % 4];

	snprintf(p, sizeof(path[0]), "%s%s", key, suffix);
	return p;
}

static void fresh(uint8_t levels, uint8_t h, uint8_t w)
{
	const struct mue_lms_params p = { levels, 24, h, w };
	struct mue_error e = { 0 };
	struct mue_pubkey pub;

	snprintf(key, sizeof(key), "%s/k%u", folder, turn++);
	if (mue_lms_signer_create(key, &p, "pass", ROUNDS, NULL, NULL, &pub, &e) < 0)
		fail_msg("%s", e.text);
}

static struct mue_lms_signer *opened(void)
{
	struct mue_error e = { 0 };
	struct mue_lms_signer *s;

	if (mue_lms_signer_open(key, "pass", &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

/* Signs `times` messages; each signature must hold. */
static void sign(struct mue_lms_signer *s, unsigned times)
{
	struct mue_buf sig = { .max = MUE_SIG_MAX };
	struct mue_error e = { 0 };

	while (times-- > 0) {
		char msg[32];
		int len = snprintf(msg, sizeof(msg), "message %llu",
				   (unsigned long long)mue_lms_signer_next(s));

		mue_buf_reset(&sig);
		if (mue_lms_signer_sign(s, msg, (size_t)len, &sig, &e) < 0)
			fail_msg("%s", e.text);
		assert_int_equal(mue_pubkey_verify(mue_lms_signer_public(s), msg, (size_t)len,
						   sig.data, sig.len),
				 0);
	}
	mue_buf_free(&sig);
}

static void sign_once(void)
{
	struct mue_lms_signer *s = opened();

	sign(s, 1);
	mue_lms_signer_close(s);
}

static void a_key_signs_to_its_last_index_and_then_refuses(void **state)
{
	struct mue_buf sig = { .max = MUE_SIG_MAX };
	struct mue_error e = { 0 };
	struct mue_lms_signer *s;

	(void)state;
	fresh(1, 5, 4);
	s = opened();
	assert_int_equal(mue_lms_signer_remaining(s), 32);
	sign(s, 20);
	mue_lms_signer_close(s);
	s = opened();
	assert_int_equal(mue_lms_signer_next(s), 20);
	sign(s, 12);
	assert_int_equal(mue_lms_signer_remaining(s), 0);
	assert_int_equal(mue_lms_signer_sign(s, "x", 1, &sig, &e), MUE_EEXHAUSTED);
	assert_non_null(strstr(e.text, "make a new key"));
	assert_int_equal(sig.len, 0);
	mue_lms_signer_close(s);
	s = opened();
	assert_int_equal(mue_lms_signer_sign(s, "x", 1, &sig, &e), MUE_EEXHAUSTED);
	mue_lms_signer_close(s);
}

static void two_levels_walk_over_into_the_next_tree(void **state)
{
	struct mue_lms_signer *s;

	(void)state;
	fresh(2, 5, 4);
	s = opened();
	assert_int_equal(mue_lms_signer_remaining(s), 1024);
	sign(s, 70);
	mue_lms_signer_close(s);
	s = opened();
	assert_int_equal(mue_lms_signer_next(s), 70);
	sign(s, 1);
	mue_lms_signer_close(s);
}

static void put_back(const char *suffix, const struct mue_buf *old)
{
	assert_int_equal(mue_file_write(side(suffix), old->data, old->len, 0600, NULL), 0);
}

static void expect_refused(const char *says, int want)
{
	struct mue_error e = { 0 };
	struct mue_lms_signer *s;
	int r = mue_lms_signer_open(key, "pass", &s, &e);

	if (r != want)
		fail_msg("%s: got %d (%s)", says, r, e.text);
	assert_true(strlen(e.text) > 10);
}

static void old_copies_are_refused(void **state)
{
	struct mue_buf journal = { .max = 1 << 16 }, now = { .max = 1 << 16 };
	struct mue_buf state_old = { .max = 1 << 16 }, state_now = { .max = 1 << 16 };

	(void)state;
	fresh(1, 5, 4);
	sign_once();
	assert_int_equal(mue_file_read(side(".journal"), &journal, NULL), 0);
	assert_int_equal(mue_file_read(side(".state"), &state_old, NULL), 0);
	sign_once();
	sign_once();
	assert_int_equal(mue_file_read(side(".journal"), &now, NULL), 0);
	assert_int_equal(mue_file_read(side(".state"), &state_now, NULL), 0);

	put_back(".journal", &journal);
	expect_refused("an old journal", MUE_EKEY);
	put_back(".journal", &now);
	put_back(".state", &state_old);
	expect_refused("an old state", MUE_EKEY);
	put_back(".state", &state_now);
	sign_once();

	assert_int_equal(mue_file_remove(side(".state"), NULL), 0);
	expect_refused("no state", MUE_EKEY);
	put_back(".state", &state_now); /* one signature behind: as after a cut */
	sign_once();
	assert_int_equal(rename(side(".journal"), side(".away")), 0);
	expect_refused("no journal", MUE_EKEY);
	mue_buf_free(&journal);
	mue_buf_free(&now);
	mue_buf_free(&state_old);
	mue_buf_free(&state_now);
}

static void every_damaged_byte_is_refused(void **state)
{
	static const char *const suffixes[] = { ".journal", ".state", "" };
	unsigned flips = 0;

	(void)state;
	fresh(1, 5, 8);
	sign_once();
	sign_once();
	for (size_t i = 0; i < 3; i++) {
		struct mue_buf b = { .max = 1 << 16 };
		struct mue_error e = { 0 };
		struct mue_lms_signer *s;

		assert_int_equal(mue_file_read(side(suffixes[i]), &b, NULL), 0);
		for (size_t at = 0; at < b.len; at += 3, flips++) {
			b.data[at] ^= 1;
			put_back(suffixes[i], &b);
			if (mue_lms_signer_open(key, "pass", &s, &e) >= 0)
				fail_msg("byte %zu of %s", at, side(suffixes[i]));
			b.data[at] ^= 1;
		}
		put_back(suffixes[i], &b);
		mue_buf_free(&b);
	}
	sign_once();
	assert_true(flips > 200);
	print_message("# %u damaged bytes refused\n", flips);
}

static void a_torn_last_record_burns_one_index(void **state)
{
	struct mue_lms_signer *s;
	uint64_t next;
	struct stat st;
	int fd;

	(void)state;
	fresh(1, 5, 8);
	sign_once();
	for (size_t torn = 1; torn < 12; torn++) {
		s = opened();
		next = mue_lms_signer_next(s);
		mue_lms_signer_close(s);
		assert_int_equal(stat(side(".journal"), &st), 0);
		fd = mue_file_append_open(side(".journal"), 0600, NULL);
		assert_int_equal(mue_file_append(fd, "sign 000000000", torn, NULL), 0);
		mue_fd_close(&fd);
		s = opened();
		assert_int_equal(mue_lms_signer_next(s), next + 1);
		mue_lms_signer_close(s);
		s = opened(); /* once only */
		assert_int_equal(mue_lms_signer_next(s), next + 1);
		sign(s, 1);
		mue_lms_signer_close(s);
	}
}

static void lost_or_damaged_caches_are_made_anew(void **state)
{
	static const char *const suffixes[] = { ".tree", ".tree2" };

	(void)state;
	fresh(2, 5, 4);
	sign_once();
	for (size_t i = 0; i < 2; i++) {
		struct mue_buf b = { .max = 1 << 16 };

		assert_int_equal(mue_file_remove(side(suffixes[i]), NULL), 0);
		sign_once();
		assert_int_equal(mue_file_read(side(suffixes[i]), &b, NULL), 0);
		memset(b.data + 32, 0x55, b.len - 32);
		put_back(suffixes[i], &b);
		sign_once();
		put_back(suffixes[i], &(struct mue_buf){ .data = b.data, .len = 50 });
		sign_once();
		mue_buf_free(&b);
	}
}

static void a_key_is_not_made_over_another(void **state)
{
	static const char *const suffixes[] = { "", ".journal", ".state" };
	const struct mue_lms_params p = { 1, 24, 5, 4 }, bad[] = {
		{ 0, 24, 5, 4 },  { 3, 24, 5, 4 }, { 1, 16, 5, 4 },
		{ 1, 24, 25, 4 }, { 1, 24, 5, 3 },
	};
	struct mue_error e = { 0 };
	struct mue_pubkey pub;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(key, sizeof(key), "%s/k%u", folder, turn++);
		assert_int_equal(mue_file_write(side(suffixes[i]), "x", 1, 0600, NULL), 0);
		assert_int_equal(
			mue_lms_signer_create(key, &p, "pass", ROUNDS, NULL, NULL, &pub, &e),
			MUE_EEXIST);
		assert_non_null(strstr(e.text, side(suffixes[i])));
	}
	snprintf(key, sizeof(key), "%s/k%u", folder, turn++);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			mue_lms_signer_create(key, &bad[i], "pass", ROUNDS, NULL, NULL, &pub, &e),
			MUE_EINVAL);
	assert_int_equal(mue_lms_signer_create(key, &p, "pass", 999, NULL, NULL, &pub, &e),
			 MUE_EINVAL);
	fresh(1, 5, 4);
	assert_int_equal(mue_lms_signer_open(key, "Pass", &(struct mue_lms_signer *){ NULL }, &e),
			 MUE_EAUTH);
}

static void a_full_disk_burns_an_index_and_is_survived(void **state)
{
	struct rlimit old, limit;
	struct stat st;

	(void)state;
	fresh(1, 5, 8);
	sign_once();
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	for (rlim_t more = 0; more < 149; more += 37) {
		struct mue_buf sig = { .max = MUE_SIG_MAX };
		struct mue_lms_signer *s = opened();
		uint64_t next = mue_lms_signer_next(s);
		struct mue_error e = { 0 };

		assert_int_equal(stat(side(".journal"), &st), 0);
		limit = (struct rlimit){ (rlim_t)st.st_size + more, old.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		assert_true(mue_lms_signer_sign(s, "x", 1, &sig, &e) < 0);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_int_equal(sig.len, 0);
		/* Even with space again: what is on the disk is not known, so nothing is signed. */
		assert_true(mue_lms_signer_sign(s, "x", 1, &sig, &e) < 0);
		mue_lms_signer_close(s);
		s = opened();
		assert_int_equal(mue_lms_signer_next(s), next + (more ? 1 : 0));
		sign(s, 1);
		mue_lms_signer_close(s);
	}
	signal(SIGXFSZ, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_signs_to_its_last_index_and_then_refuses),
		cmocka_unit_test(two_levels_walk_over_into_the_next_tree),
		cmocka_unit_test(old_copies_are_refused),
		cmocka_unit_test(every_damaged_byte_is_refused),
		cmocka_unit_test(a_torn_last_record_burns_one_index),
		cmocka_unit_test(lost_or_damaged_caches_are_made_anew),
		cmocka_unit_test(a_key_is_not_made_over_another),
		cmocka_unit_test(a_full_disk_burns_an_index_and_is_survived),
	};

	return cmocka_run_group_tests_name("lms signer", tests, make_folder, remove_folder);
}
