/* Block containers: built, opened, unpacked; flipped bits and cuts are refused. */
#include "core/err.h"
#include "host/blocks.h"
#include "host/file.h"
#include "host/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { BLOCK = 1024, IMAGE = 21 * BLOCK + 100 }; /* 22 blocks, the last one short; 6 groups of 4 */

/* Text that packs, then noise that does not, then zeros, then text again. */
static void make_image(uint8_t *p, unsigned seed)
{
	srand(seed);
	for (int i = 0; i < IMAGE; i++) {
		int block = i / BLOCK;

		p[i] = (uint8_t)(block < 8 ? 'a' + i % 7 + block : block < 16 ? rand() : 0);
	}
	memset(p + 20 * BLOCK, 'z', IMAGE - 20 * BLOCK);
}

static int memory_file(const void *data, size_t len)
{
	int fd = memfd_create("mue-blocks", 0);

	assert_true(fd >= 0);
	assert_int_equal(mue_fd_write(fd, data, len, NULL), 0);
	return fd;
}

struct made {
	uint8_t image[IMAGE], old[IMAGE];
	uint8_t *container;
	struct mue_blocks_result r;
};

static int old_read(void *ctx, uint64_t off, void *buf, size_t len)
{
	const struct made *m = ctx;

	if (off + len > IMAGE)
		return MUE_EIO;
	memcpy(buf, m->old + off, len);
	return 0;
}

static void make(struct made *m, bool with_old, int level)
{
	struct mue_blocks_options o = { .block_log2 = 10, .group_log2 = 2, .level = level };
	struct mue_error e = { 0 };
	int image, out = memfd_create("out", 0);

	make_image(m->image, 1);
	make_image(m->old, 1);
	memset(m->old, 'X', 3 * BLOCK); /* blocks 0..2 differ */
	memcpy(m->old + BLOCK, m->image + 9 * BLOCK, BLOCK);
	memset(m->old + 9 * BLOCK, 'Y', BLOCK); /* block 9 is at 1 in the old image */
	image = memory_file(m->image, IMAGE);
	o.old_fd = with_old ? memory_file(m->old, IMAGE) : -1;
	if (mue_blocks_build(image, out, &o, &m->r, &e))
		fail_msg("%s", e.text);
	m->container = malloc(m->r.size);
	assert_int_equal(lseek(out, 0, SEEK_END), m->r.size);
	assert_int_equal(mue_fd_pread(out, 0, m->container, m->r.size, &e), 0);
	close(image);
	close(out);
	if (with_old)
		close(o.old_fd);
}

/* Opens everything and rebuilds the image; the first verdict that is not 0, or 0. */
static int rebuild(struct made *m, uint8_t *ret, bool with_old)
{
	struct mue_blocks b;
	struct mue_block_group g;
	struct mue_block k;
	uint64_t at;
	uint32_t len;
	int r = mue_blocks_open(m->container, m->r.header_size, m->r.root, &b);

	for (uint32_t i = 0; r == 0 && i < b.group_count; i++) {
		assert_int_equal(mue_blocks_table(&b, i, &at, &len), 0);
		r = mue_block_group_open(&b, i, m->container + at, len, &g);
		if (r < 0)
			return r;
		r = mue_block_at(&g, 0, &k);
		for (; r == 0; r = mue_block_next(&g, &k)) {
			assert_true(k.stored_at + k.stored <= m->r.size);
			r = mue_block_unpack(&k, m->container + k.stored_at,
					     with_old ? old_read : NULL, m, ret + k.offset, NULL);
			if (r < 0)
				return r;
		}
		r = r == MUE_ENODATA ? 0 : r;
	}
	return r;
}

static void every_kind_comes_back(void **state)
{
	(void)state;
	for (int level = 0; level <= 3; level += 3) {
		struct made m;
		uint8_t got[IMAGE];

		make(&m, false, level);
		assert_int_equal(m.r.zero, 4);
		assert_int_equal(m.r.literal, 18);
		assert_int_equal(rebuild(&m, got, false), 0);
		assert_memory_equal(got, m.image, IMAGE);
		if (level)
			assert_true(m.r.size < IMAGE);
		free(m.container);
	}
}

static void equal_blocks_are_copies(void **state)
{
	struct made m;
	uint8_t got[IMAGE];

	(void)state;
	make(&m, true, 3);
	assert_int_equal(m.r.literal, 3 + 1); /* blocks 0..2 and the short last one */
	assert_int_equal(m.r.copy, 22 - 4 - 4);
	assert_int_equal(rebuild(&m, got, true), 0);
	assert_memory_equal(got, m.image, IMAGE);
	assert_int_equal(rebuild(&m, got, false), MUE_EPROFILE);
	m.old[5 * BLOCK]++; /* somebody mounted it read-write */
	assert_int_equal(rebuild(&m, got, true), MUE_EDIGEST);
	free(m.container);
}

static void a_flipped_bit_is_refused(void **state)
{
	struct made m;
	uint8_t got[IMAGE];
	unsigned flips = 0;

	(void)state;
	make(&m, false, 3);
	/* every bit of the header and the first table, every seventh of the rest */
	for (uint64_t bit = 0; bit < m.r.size * 8; bit += bit < 4096 ? 1 : 7, flips++) {
		m.container[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (rebuild(&m, got, false) >= 0)
			/* a zstd frame has bits that do not change its content; then it holds */
			assert_memory_equal(got, m.image, IMAGE);
		m.container[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	print_message("FIGURE blocks: %u flipped bits, none wrote a wrong byte\n", flips);
	free(m.container);
}

static void bad_headers_have_verdicts(void **state)
{
	/* clang-format off */
	static const struct { const char *says; uint32_t at; uint8_t value; int verdict; } rows[] = {
		{ "another magic",               0, 'X', MUE_EFORMAT },
		{ "a later version",             4, 2,   MUE_EFORMAT },
		{ "blocks of 512 bytes",         5, 9,   MUE_EFORMAT },
		{ "blocks of 8 MiB",             5, 23,  MUE_EFORMAT },
		{ "a group of 2048 blocks",      6, 11,  MUE_EFORMAT },
		{ "a reserved byte used",        7, 1,   MUE_EFORMAT },
		{ "an image of half all bytes",  8, 0x80, MUE_ESIZE },
		{ "one block more than fits",   51, 23,  MUE_EFORMAT },
		{ "a group inside the header",  63, 8,   MUE_EFORMAT },
	};
	/* clang-format on */
	struct made m;
	struct mue_blocks b;
	uint8_t root[MUE_BLOCKS_DIGEST];

	(void)state;
	make(&m, false, 0);
	assert_int_equal(mue_blocks_open(m.container, m.r.header_size, m.r.root, &b), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t was = m.container[rows[i].at];
		int r;

		m.container[rows[i].at] = rows[i].value;
		mue_hash_sha256(m.container, m.r.header_size, root); /* even if it were signed */
		r = mue_blocks_open(m.container, m.r.header_size, root, &b);
		if (r != rows[i].verdict)
			fail_msg("%s: got %s", rows[i].says, mue_err_name(r));
		m.container[rows[i].at] = was;
	}
	for (uint32_t len = 0; len < m.r.header_size; len++)
		assert_int_equal(mue_blocks_open(m.container, len, m.r.root, &b), MUE_ETRUNC);
	free(m.container);
}

static void bad_options_are_named(void **state)
{
	struct mue_blocks_options o = { .block_log2 = 9, .old_fd = -1 };
	struct mue_blocks_result r;
	struct mue_error e;
	int in = memory_file("x", 1), empty = memory_file("", 0), out = memory_file("", 0);

	(void)state;
	assert_int_equal(mue_blocks_build(in, out, &o, &r, &e), MUE_EINVAL);
	assert_non_null(strstr(e.text, "2^9"));
	o.block_log2 = 0;
	assert_int_equal(mue_blocks_build(empty, out, &o, &r, &e), MUE_ESIZE);
	o.level = 40;
	assert_int_equal(mue_blocks_build(in, out, &o, &r, &e), MUE_EINVAL);
	close(in);
	close(empty);
	close(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_comes_back),
		cmocka_unit_test(equal_blocks_are_copies),
		cmocka_unit_test(a_flipped_bit_is_refused),
		cmocka_unit_test(bad_headers_have_verdicts),
		cmocka_unit_test(bad_options_are_named),
	};

	return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
