/* Every member of the port core/flash.h must keep the same promises: one test over the table. */
#include "core/bootstate.h"
#include "core/err.h"
#include "host/flash_file.h"
#include "sim/flash_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A member that is open: its port, and what closing and opening it again gives. */
struct member {
	const char *name;
	void (*open)(struct member *m);
	void (*reopen)(struct member *m);
	void (*close)(struct member *m);
	const struct mue_flash *flash;
	struct mue_flash_sim sim;
	uint8_t memory[8192];
	struct mue_flash_file file;
	char path[64];
};

static void open_sim(struct member *m, uint32_t erase_size, uint16_t write_size, uint8_t erased)
{
	memset(m->memory, 0x5a, sizeof(m->memory));
	mue_flash_sim_init(&m->sim, m->memory, 2, erase_size, write_size, erased);
	m->flash = &m->sim.flash;
}

static void open_byte(struct member *m)
{
	open_sim(m, 4096, 1, 0xff);
}

static void open_word(struct member *m)
{
	open_sim(m, 1024, 4, 0xff);
}

static void open_page(struct member *m)
{
	open_sim(m, 512, 256, 0xff);
}

static void open_zero(struct member *m)
{
	open_sim(m, 128, 4, 0x00);
}

static void nothing(struct member *m)
{
	(void)m;
}

static void open_file(struct member *m)
{
	struct mue_error e = { 0 };
	int fd;

	strcpy(m->path, "/tmp/mue-flash-XXXXXX");
	fd = mkstemp(m->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "short", 5), 5);
	close(fd);
	assert_int_equal(mue_flash_file_open(&m->file, m->path, &e), MUE_OK);
	m->flash = &m->file.flash;
}

static void reopen_file(struct member *m)
{
	struct mue_error e = { 0 };

	mue_flash_file_close(&m->file);
	assert_int_equal(mue_flash_file_open(&m->file, m->path, &e), MUE_OK);
}

static void close_file(struct member *m)
{
	mue_flash_file_close(&m->file);
	unlink(m->path);
}

static struct member members[] = {
	{ .name = "sim, bytes", .open = open_byte, .reopen = nothing, .close = nothing },
	{ .name = "sim, words", .open = open_word, .reopen = nothing, .close = nothing },
	{ .name = "sim, pages", .open = open_page, .reopen = nothing, .close = nothing },
	{ .name = "sim, erased 0", .open = open_zero, .reopen = nothing, .close = nothing },
	{ .name = "file", .open = open_file, .reopen = reopen_file, .close = close_file },
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

static void all_are(const struct member *m, uint32_t off, uint32_t len, uint8_t value)
{
	uint8_t b[4096];

	assert_true(len <= sizeof(b));
	assert_int_equal(m->flash->ops->read(m->flash, off, b, len), MUE_OK);
	for (uint32_t i = 0; i < len; i++)
		if (b[i] != value)
			fail_msg("%s: byte %u is %02x, not %02x", m->name, off + i, b[i], value);
}

static void keeps_the_promises(struct member *m)
{
	const struct mue_flash *f;
	uint8_t data[1024], back[1024];
	uint32_t n;

	m->open(m);
	f = m->flash;
	n = 2u * f->write_size;
	if (f->erase_size == 0 || f->size % f->erase_size || f->erase_size % f->write_size)
		fail_msg("%s: its geometry does not fit itself", m->name);
	for (uint32_t off = 0; off < f->size; off += f->erase_size) {
		assert_int_equal(f->ops->erase(f, off), MUE_OK);
		all_are(m, off, f->erase_size, f->erased);
	}
	for (uint32_t i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 37 + 1);
	/* In the middle of the second block, over no boundary. */
	assert_int_equal(f->ops->write(f, f->erase_size, data, n), MUE_OK);
	m->reopen(m);
	assert_int_equal(f->ops->read(f, f->erase_size, back, n), MUE_OK);
	assert_memory_equal(back, data, n);
	all_are(m, f->erase_size + n, f->erase_size - n, f->erased);
	all_are(m, 0, f->erase_size, f->erased);
	/* Bytes and odd ranges can be read. */
	assert_int_equal(f->ops->read(f, f->erase_size + 1, back, 1), MUE_OK);
	assert_int_equal(back[0], data[1]);
	/* Erasing one block leaves the other. */
	assert_int_equal(f->ops->erase(f, 0), MUE_OK);
	assert_int_equal(f->ops->read(f, f->erase_size, back, n), MUE_OK);
	assert_memory_equal(back, data, n);
	assert_int_equal(f->ops->erase(f, f->erase_size), MUE_OK);
	all_are(m, f->erase_size, f->erase_size, f->erased);
	m->close(m);
}

static void members_keep_the_promises(void **state)
{
	(void)state;
	for (size_t i = 0; i < MEMBERS; i++)
		keeps_the_promises(&members[i]);
}

static void members_carry_the_boot_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < MEMBERS; i++) {
		struct member *m = &members[i];
		struct mue_bootstate s, back;

		m->open(m);
		for (uint32_t b = 0; b < 2; b++)
			m->flash->ops->erase(m->flash, b * m->flash->erase_size);
		assert_int_equal(mue_bootstate_load(m->flash, &s), MUE_ENODATA);
		mue_bootstate_init(&s, MUE_SLOT_A);
		for (uint32_t n = 1; n <= 600; n++) {
			s.counter = n;
			assert_int_equal(mue_bootstate_store(m->flash, &s), MUE_OK);
			if (n % 150 == 0)
				m->reopen(m);
			assert_int_equal(mue_bootstate_load(m->flash, &back), MUE_OK);
			assert_memory_equal(&back, &s, sizeof(s));
		}
		m->close(m);
	}
}

static void file_says_what_is_wrong(void **state)
{
	struct mue_flash_file ff;
	struct mue_error e = { 0 };
	struct stat st;
	uint8_t b;

	(void)state;
	assert_int_equal(mue_flash_file_open(&ff, "/nonexistent/state", &e), MUE_ENOTFOUND);
	assert_non_null(strstr(e.text, "/nonexistent/state"));
	assert_true(mue_flash_file_open(&ff, "/tmp", &e) < 0);

	open_file(&members[4]);
	assert_int_equal(stat(members[4].path, &st), 0);
	assert_int_equal(st.st_size, 2 * MUE_FLASH_FILE_BLOCK);
	/* The bytes that were there stay, the rest is erased. */
	assert_int_equal(members[4].flash->ops->read(members[4].flash, 0, &b, 1), MUE_OK);
	assert_int_equal(b, 's');
	assert_int_equal(members[4].flash->ops->read(members[4].flash, 8192, &b, 1), MUE_EIO);
	assert_int_equal(members[4].flash->ops->write(members[4].flash, 8192, &b, 1), MUE_EIO);
	assert_int_equal(members[4].flash->ops->erase(members[4].flash, 1), MUE_EIO);
	close_file(&members[4]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_keep_the_promises),
		cmocka_unit_test(members_carry_the_boot_state),
		cmocka_unit_test(file_says_what_is_wrong),
	};

	return cmocka_run_group_tests_name("flash_conformance", tests, NULL, NULL);
}
