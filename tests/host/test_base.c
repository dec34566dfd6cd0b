/* Buffers, logs, durable files, hashes: what the rest of the hosted code leans on. */
#include "host/buf.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants the above first. */
#include <cmocka.h>

#include "tests/host/folder.h"

static void a_buffer_grows_to_its_ceiling_and_no_further(void **state)
{
	struct mue_buf b = { .max = 1000 };
	char seven[7] = "abcdefg";

	(void)state;
	assert_string_equal(mue_buf_str(&b), "");
	for (int i = 0; i < 142; i++)
		assert_int_equal(mue_buf_add(&b, seven, 7), 0);
	assert_int_equal(mue_buf_add(&b, seven, 7), MUE_ESIZE);
	assert_int_equal(b.len, 994);
	assert_int_equal(mue_buf_printf(&b, "%06d", 42), 0);
	assert_int_equal(mue_buf_printf(&b, "%d", 1), MUE_ESIZE);
	assert_null(mue_buf_room(&b, 1));
	assert_int_equal(mue_buf_add(&b, "", SIZE_MAX), MUE_ESIZE);
	assert_string_equal(mue_buf_str(&b) + 994, "000042");
	assert_true(b.cap <= 1001);
	mue_buf_free(&b);
	assert_null(mue_buf_detach(&b));
}

static void a_log_value_stays_on_one_line(void **state)
{
	static const struct {
		const char *says, *in, *out;
	} rows[] = {
		{ "a word is plain", "abc-1.2:/x", "abc-1.2:/x" },
		{ "nothing is quoted", "", "\"\"" },
		{ "no value at all is a dash", NULL, "-" },
		{ "a space is quoted", "a b", "\"a b\"" },
		{ "an equals sign is quoted", "a=b", "\"a=b\"" },
		{ "a line end is escaped", "a\nlevel", "\"a\\nlevel\"" },
		{ "quotes and backslashes are escaped", "\"\\", "\"\\\"\\\\\"" },
		{ "control characters are hex", "\x1b[2J\x7f", "\"\\x1b[2J\\x7f\"" },
		{ "UTF-8 passes", "\xc3\xa4", "\xc3\xa4" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mue_buf b = { .max = 100 };

		assert_int_equal(mue_log_value(&b, rows[i].in), 0);
		if (strcmp(mue_buf_str(&b), rows[i].out) != 0)
			fail_msg("%s: got %s", rows[i].says, mue_buf_str(&b));
		mue_buf_free(&b);
	}
}

/* Runs mue_log in a child whose stderr is a file; returns the file's text. */
static void logged(const char *level, const char *value, struct mue_buf *ret)
{
	char *path = in_folder("log");
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDERR_FILENO);
		setenv("MUE_LOG", level, 1);
		mue_log(MUE_LOG_INFO, "test.event", "n", MUE_LOG_NUM(-5), "v", value, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(mue_file_read(path, ret, NULL), 0);
}

static void a_log_line_has_level_event_and_pairs(void **state)
{
	struct mue_buf b = { .max = 5000 };
	char *big = calloc(1, 4000);

	(void)state;
	logged("info", "x y", &b);
	assert_string_equal(mue_buf_str(&b), "info test.event n=-5 v=\"x y\"\n");
	mue_buf_reset(&b);
	logged("warn", "x", &b);
	assert_int_equal(b.len, 0);
	memset(big, 'z', 3999);
	logged("debug", big, &b);
	assert_true(b.len <= MUE_LOG_LINE);
	assert_string_equal(mue_buf_str(&b) + b.len - 5, " ...\n");
	free(big);
	mue_buf_free(&b);
}

static void a_file_is_replaced_whole(void **state)
{
	struct mue_buf b = { .max = 10 };
	struct mue_error e = { 0 };
	char *path = in_folder("f");
	struct stat st;

	(void)state;
	assert_int_equal(mue_file_read(path, &b, &e), MUE_ENOTFOUND);
	assert_non_null(strstr(e.text, path));
	assert_int_equal(mue_file_write(path, "one", 3, 0600, &e), 0);
	assert_int_equal(mue_file_write(path, "second", 6, 0600, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(mue_file_read(path, &b, &e), 0);
	assert_string_equal(mue_buf_str(&b), "second");
	/* The ceiling counts what is in the buffer already. */
	assert_int_equal(mue_file_read(path, &b, &e), MUE_ESIZE);
	assert_int_equal(mue_file_create(path, "x", 1, 0600, &e), MUE_EEXIST);
	assert_int_equal(mue_file_write(in_folder("no/f"), "x", 1, 0600, &e), MUE_ENOTFOUND);
	assert_int_equal(mue_file_remove(path, &e), 0);
	assert_int_equal(mue_file_remove(path, &e), 0);
	assert_int_equal(mue_file_create(path, "x", 1, 0600, &e), 0);
	assert_int_equal(mue_file_rename(path, in_folder("g"), &e), 0);
	assert_false(mue_file_exists(path));
	assert_true(mue_file_exists(in_folder("g")));
	mue_buf_free(&b);
}

static void folders_are_made_with_their_parents(void **state)
{
	struct mue_error e = { 0 };

	(void)state;
	assert_int_equal(mue_file_mkdirs(in_folder("a/b//c/"), 0700, &e), 0);
	assert_int_equal(mue_file_mkdirs(in_folder("a/b/c"), 0700, &e), 0);
	assert_int_equal(mue_file_write(in_folder("a/b/c/f"), "", 0, 0600, &e), 0);
	assert_int_equal(mue_file_mkdirs(in_folder("a/b/c/f"), 0700, &e), MUE_EEXIST);
	assert_true(mue_file_mkdirs(in_folder("a/b/c/f/g"), 0700, &e) < 0);
	assert_int_equal(mue_file_mkdirs("", 0700, &e), MUE_EINVAL);
}

static void an_appended_file_keeps_its_order_and_its_lock(void **state)
{
	struct mue_buf b = { .max = 100 };
	struct mue_error e = { 0 };
	char *path = in_folder("j");
	int a = mue_file_append_open(path, 0600, &e), other;
	uint8_t two[2];

	(void)state;
	assert_true(a >= 0);
	assert_int_equal(mue_file_lock(a, &e), 0);
	other = mue_file_append_open(path, 0600, &e);
	assert_int_equal(mue_file_lock(other, &e), MUE_EBUSY);
	assert_int_equal(mue_file_append(a, "12", 2, &e), 0);
	assert_int_equal(mue_file_append(other, "34", 2, &e), 0);
	assert_int_equal(mue_file_append(a, "56", 2, &e), 0);
	assert_int_equal(mue_fd_pread(a, 3, two, 2, &e), 0);
	assert_memory_equal(two, "45", 2);
	assert_int_equal(mue_fd_pread(a, 5, two, 2, &e), MUE_ETRUNC);
	mue_fd_close(&a);
	assert_int_equal(a, -1);
	assert_int_equal(mue_file_lock(other, &e), 0);
	mue_fd_close(&other);
	assert_int_equal(mue_file_read(path, &b, &e), 0);
	assert_string_equal(mue_buf_str(&b), "123456");
	mue_buf_free(&b);
}

static void hashes_give_the_published_digests_of_abc(void **state)
{
	static const struct {
		enum mue_hash_kind kind;
		const char *digest; /* FIPS 180-4 examples; RFC 1321 appendix A.5 */
	} rows[] = {
		{ MUE_HASH_SHA256,
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ MUE_HASH_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ MUE_HASH_MD5, "900150983cd24fb0d6963f7d28e17f72" },
	};
	uint8_t d[MUE_HASH_MAX], peek[MUE_HASH_MAX];
	char hex[2 * MUE_HASH_MAX + 1];
	uint64_t size = 0;

	(void)state;
	assert_int_equal(mue_file_write(in_folder("abc"), "abc", 3, 0600, NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = mue_hash_size(rows[i].kind);
		struct mue_hash h;

		assert_int_equal(mue_hash_init(&h, rows[i].kind), 0);
		mue_hash_update(&h, "a", 1);
		assert_int_equal(mue_hash_peek(&h, peek), 0);
		mue_hash_update(&h, "bc", 2);
		mue_hash_final(&h, d);
		mue_hash_drop(&h);
		assert_string_equal(mue_hex(d, n, hex), rows[i].digest);
		assert_memory_not_equal(peek, d, n);
		assert_int_equal(mue_hash_file(in_folder("abc"), rows[i].kind, d, &size, NULL), 0);
		assert_string_equal(mue_hex(d, n, hex), rows[i].digest);
		assert_int_equal(size, 3);
	}
	assert_int_equal(mue_hash_file(in_folder("none"), MUE_HASH_MD5, d, NULL, NULL),
			 MUE_ENOTFOUND);
}

static void hex_is_exact(void **state)
{
	uint8_t b[2] = { 0 };
	char text[5];

	(void)state;
	assert_true(mue_unhex("aBf0", b, 2));
	assert_string_equal(mue_hex(b, 2, text), "abf0");
	assert_false(mue_unhex("abf", b, 2));
	assert_false(mue_unhex("abf01", b, 2));
	assert_false(mue_unhex("ag", b, 1));
	assert_false(mue_unhex("g0", b, 1));
	assert_true(mue_unhex("", b, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_grows_to_its_ceiling_and_no_further),
		cmocka_unit_test(a_log_value_stays_on_one_line),
		cmocka_unit_test(a_log_line_has_level_event_and_pairs),
		cmocka_unit_test(a_file_is_replaced_whole),
		cmocka_unit_test(folders_are_made_with_their_parents),
		cmocka_unit_test(an_appended_file_keeps_its_order_and_its_lock),
		cmocka_unit_test(hashes_give_the_published_digests_of_abc),
		cmocka_unit_test(hex_is_exact),
	};

	return cmocka_run_group_tests_name("host base", tests, make_folder, remove_folder);
}
