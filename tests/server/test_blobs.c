/* A blob is whole or absent, stored once, found by its digest. */
#include "server/blobs/blobs.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* FIPS 180-4 and RFC 1321 of "abc". */
#define SHA256_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA1_ABC   "a9993e364706816aba3e25717850c26c9cd0d89d"
#define MD5_ABC    "900150983cd24fb0d6963f7d28e17f72"

struct fixture {
	char folder[64];
	struct mue_blobs *blobs;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct mue_error e;

	strcpy(f->folder, "/tmp/mue-blobs-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_int_equal(mue_blobs_open(f->folder, &f->blobs, &e), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	mue_blobs_close(f->blobs);
	snprintf(command, sizeof command, "rm -r '%s'", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static unsigned files_in_tmp(const struct fixture *f)
{
	struct dirent *entry;
	unsigned n = 0;
	char path[96];
	DIR *dir;

	snprintf(path, sizeof path, "%s/tmp", f->folder);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static struct mue_blob_writer *write_abc(struct fixture *f, struct mue_blob_info *info)
{
	struct mue_blob_writer *w;
	struct mue_error e;

	assert_int_equal(mue_blob_begin(f->blobs, &w, &e), 0);
	assert_int_equal(mue_blob_write(w, "a", 1, &e), 0);
	assert_int_equal(mue_blob_write(w, "bc", 2, &e), 0);
	assert_int_equal(mue_blob_finish(w, info, &e), 0);
	return w;
}

static int open_abc(struct fixture *f)
{
	struct mue_error e;
	uint64_t size = 0;
	int fd = -1, r = mue_blob_open(f->blobs, SHA256_ABC, &fd, &size, &e);

	if (r < 0)
		return r;
	assert_int_equal(size, 3);
	close(fd);
	return 0;
}

static void digests_are_known_at_the_end_and_the_blob_shows_after_commit(void **state)
{
	struct mue_blob_info info;
	struct mue_blob_writer *w = write_abc(*state, &info);
	struct mue_error e;

	assert_string_equal(info.sha256, SHA256_ABC);
	assert_string_equal(info.sha1, SHA1_ABC);
	assert_string_equal(info.md5, MD5_ABC);
	assert_int_equal(info.size, 3);
	assert_int_equal(open_abc(*state), MUE_ENOTFOUND);
	assert_int_equal(mue_blob_commit(w, &e), 0);
	assert_int_equal(open_abc(*state), 0);
	assert_int_equal(files_in_tmp(*state), 0);
}

static void what_is_aborted_leaves_nothing(void **state)
{
	struct mue_blob_info info;

	mue_blob_abort(write_abc(*state, &info));
	assert_int_equal(open_abc(*state), MUE_ENOTFOUND);
	assert_int_equal(files_in_tmp(*state), 0);
}

static void equal_content_twice_is_fine(void **state)
{
	struct mue_blob_info info;
	struct mue_error e;

	assert_int_equal(mue_blob_commit(write_abc(*state, &info), &e), 0);
	assert_int_equal(mue_blob_commit(write_abc(*state, &info), &e), 0);
	assert_int_equal(open_abc(*state), 0);
}

static void removing_twice_succeeds(void **state)
{
	struct fixture *f = *state;
	struct mue_blob_info info;
	struct mue_error e;

	assert_int_equal(mue_blob_commit(write_abc(f, &info), &e), 0);
	assert_int_equal(mue_blob_remove(f->blobs, SHA256_ABC, &e), 0);
	assert_int_equal(mue_blob_remove(f->blobs, SHA256_ABC, &e), 0);
	assert_int_equal(open_abc(f), MUE_ENOTFOUND);
}

static void what_a_killed_server_left_is_swept(void **state)
{
	struct fixture *f = *state;
	struct mue_error e;
	char path[96];
	int fd;

	snprintf(path, sizeof path, "%s/tmp/123.4", f->folder);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	mue_blobs_close(f->blobs);
	assert_int_equal(mue_blobs_open(f->folder, &f->blobs, &e), 0);
	assert_int_equal(files_in_tmp(f), 0);
}

static void a_name_that_is_no_digest_is_refused(void **state)
{
	struct fixture *f = *state;
	struct mue_error e;
	uint64_t size;
	int fd;

	assert_int_equal(mue_blob_open(f->blobs, "../../etc/passwd", &fd, &size, &e), MUE_EINVAL);
	assert_int_equal(mue_blob_remove(f->blobs, "", &e), MUE_EINVAL);
}

static void an_unfinished_blob_cannot_be_committed(void **state)
{
	struct fixture *f = *state;
	struct mue_blob_writer *w;
	struct mue_error e;

	assert_int_equal(mue_blob_begin(f->blobs, &w, &e), 0);
	assert_int_equal(mue_blob_write(w, "abc", 3, &e), 0);
	assert_int_equal(mue_blob_commit(w, &e), MUE_EINVAL);
	assert_int_equal(files_in_tmp(f), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(digests_are_known_at_the_end_and_the_blob_shows_after_commit),
		CASE(what_is_aborted_leaves_nothing),
		CASE(equal_content_twice_is_fine),
		CASE(removing_twice_succeeds),
		CASE(what_a_killed_server_left_is_swept),
		CASE(a_name_that_is_no_digest_is_refused),
		CASE(an_unfinished_blob_cannot_be_committed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
