/* core/pieces.h: any order, any size, resumed, contradicted. */
#include "core/err.h"
#include "core/pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 1000u

/* A medium that counts how often each byte is written, and can fail. */
struct medium {
	uint8_t bytes[SIZE];
	uint8_t times[SIZE];
	int fail_at; /* nth write fails; 0: none */
	int writes;
};

static int medium_write(void *ctx, uint32_t off, const void *data, uint32_t len)
{
	struct medium *m = ctx;

	if (++m->writes == m->fail_at)
		return MUE_EIO;
	assert_true(off + len <= SIZE);
	memcpy(m->bytes + off, data, len);
	for (uint32_t i = 0; i < len; i++)
		m->times[off + i]++;
	return MUE_OK;
}

static int medium_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
	struct medium *m = ctx;

	assert_true(off + len <= SIZE);
	memcpy(buf, m->bytes + off, len);
	return MUE_OK;
}

static const struct mue_pieces_sink sink = { medium_write, medium_read };
static const struct mue_pieces_sink blind = { medium_write, NULL };
static const uint8_t key[MUE_PIECES_KEY] = { 1, 2, 3 };
static const uint8_t other_key[MUE_PIECES_KEY] = { 1, 2, 4 };

static void fill(uint8_t *payload)
{
	for (uint32_t i = 0; i < SIZE; i++)
		payload[i] = (uint8_t)(i * 7 + i / 256);
}

static void every_byte_once(const struct medium *m, const uint8_t *payload)
{
	assert_memory_equal(m->bytes, payload, SIZE);
	for (uint32_t i = 0; i < SIZE; i++)
		assert_int_equal(m->times[i], 1);
}

/* Random pieces, then whatever is still missing; every byte must reach the medium exactly once. */
static void session(unsigned seed, uint8_t grain_log2, uint8_t nparts, uint32_t max_piece)
{
	uint8_t payload[SIZE], bitmap[SIZE / 8 + 1];
	struct mue_pieces_part parts[4];
	struct medium m = { .fail_at = 0 };
	struct mue_pieces p;
	uint32_t off, len, news = 0, asks = 0;

	srand(seed);
	fill(payload);
	assert_int_equal(mue_pieces_begin(&p, &sink, &m, key, SIZE, grain_log2, bitmap,
					  sizeof(bitmap), nparts ? parts : NULL, nparts),
			 MUE_OK);
	for (int i = 0; i < 60; i++) {
		int32_t r;

		off = (uint32_t)rand() % SIZE;
		len = (uint32_t)rand() % (max_piece + 1);
		len = len < SIZE - off ? len : SIZE - off;
		r = mue_pieces_put(&p, key, off, payload + off, len);
		assert_true(r >= 0);
		news += (uint32_t)r;
		r = mue_pieces_put(&p, key, off, payload + off, len);
		assert_true(r >= 0 && (nparts < 4 || r <= (int32_t)len));
		news += (uint32_t)r;
		assert_int_equal(p.have, news);
	}
	while (mue_pieces_missing(&p, 0, 50, &off, &len)) {
		assert_true(len > 0 && off + len <= SIZE && ++asks <= SIZE + 1);
		assert_true(mue_pieces_put(&p, key, off, payload + off, len) > 0);
	}
	assert_true(mue_pieces_complete(&p));
	every_byte_once(&m, payload);
}

static void takes_any_order_and_size(void **state)
{
	static const uint8_t grains[] = { 0, 3, 4, 6, 7, 10 };
	unsigned runs = 0;

	(void)state;
	for (unsigned g = 0; g < sizeof(grains); g++)
		for (uint8_t nparts = 0; nparts <= 4; nparts++)
			for (unsigned seed = 1; seed <= 20; seed++, runs++)
				session(seed * 31 + g, grains[g], nparts, seed % 2 ? 37 : 300);
	assert_int_equal(runs, 6 * 5 * 20);
}

static void refuses(void **state)
{
	uint8_t payload[SIZE], bitmap[8], bad[4];
	struct medium m = { .fail_at = 0 };
	struct mue_pieces p;
	int writes;

	(void)state;
	fill(payload);
	assert_int_equal(mue_pieces_begin(&p, &sink, &m, key, SIZE, 4, bitmap, 7, NULL, 0),
			 MUE_ENOSPC);
	assert_int_equal(mue_pieces_begin(&p, &sink, &m, key, 0, 4, bitmap, 8, NULL, 0),
			 MUE_EINVAL);
	assert_int_equal(mue_pieces_begin(&p, &sink, &m, key, SIZE, 21, bitmap, 8, NULL, 0),
			 MUE_EINVAL);
	assert_int_equal(mue_pieces_begin(&p, &sink, &m, key, SIZE, 4, bitmap, 8, NULL, 0), MUE_OK);
	assert_int_equal(mue_pieces_put(&p, other_key, 0, payload, 16), MUE_ENOTFOUND);
	assert_int_equal(mue_pieces_put(&p, key, 0, payload, SIZE + 1), MUE_ESIZE);
	assert_int_equal(mue_pieces_put(&p, key, SIZE, payload, 1), MUE_ESIZE);
	assert_int_equal(mue_pieces_put(&p, key, 0xffffffff, payload, 2), MUE_ESIZE);
	assert_int_equal(mue_pieces_put(&p, key, 2, payload, 0x80000000), MUE_EINVAL);
	assert_int_equal(mue_pieces_put(&p, key, SIZE, payload, 0), 0);
	assert_int_equal(m.writes, 0);

	assert_int_equal(mue_pieces_put(&p, key, 16, payload + 16, 16), 16);
	assert_int_equal(mue_pieces_put(&p, key, 16, payload + 16, 16), 0);
	writes = m.writes;
	/* Contradicts in its middle, and has new bytes on both sides: none of it is written. */
	memcpy(bad, payload + 20, 4);
	bad[3] ^= 1;
	payload[23] ^= 1;
	assert_int_equal(mue_pieces_put(&p, key, 0, payload, 48), MUE_ECONFLICT);
	assert_int_equal(mue_pieces_put(&p, key, 20, bad, 4), MUE_ECONFLICT);
	assert_int_equal(m.writes, writes);
	assert_int_equal(p.have, 16);
	p.sink = &blind;
	assert_int_equal(mue_pieces_put(&p, key, 20, bad, 4), 0);
}

static void counts_nothing_that_was_not_written(void **state)
{
	uint8_t payload[SIZE], bitmap[8];
	struct mue_pieces_part parts[1];
	struct medium m = { .fail_at = 2 };
	struct mue_pieces p;
	uint32_t off, len;

	(void)state;
	fill(payload);
	mue_pieces_begin(&p, &sink, &m, key, SIZE, 4, bitmap, 8, parts, 1);
	assert_int_equal(mue_pieces_put(&p, key, 0, payload, 40), MUE_EIO);
	assert_int_equal(p.have, 16);
	assert_true(mue_pieces_missing(&p, 0, 0, &off, &len));
	assert_int_equal(off, 16);
	assert_int_equal(len, SIZE - 16);
	assert_int_equal(mue_pieces_put(&p, key, 0, payload, 40), 24);
	assert_true(mue_pieces_missing(&p, 0, 0, &off, &len));
	assert_int_equal(off, 40);
}

static void says_what_is_missing(void **state)
{
	/* clang-format off */
	static const struct {
		const char *says;
		uint32_t from, max, off, len;
		bool parts, any;
	} rows[] = {
		{ "the hole behind the first grain", 0, 0, 16, 48, false, true },
		{ "rounded out to whole grains without parts", 37, 0, 32, 32, false, true },
		{ "no longer than asked, in whole grains", 0, 40, 16, 32, false, true },
		{ "but never less than one grain", 0, 3, 16, 16, false, true },
		{ "nothing beyond the end", SIZE, 0, 0, 0, false, false },
		{ "the short last grain", 990, 0, 976, 24, false, true },
		{ "byte for byte with parts", 37, 0, 37, 27, true, true },
		{ "no longer than asked, to the byte", 37, 3, 37, 3, true, true },
		{ "behind the part of a grain that is there", 80, 0, 85, 915, true, true },
	};
	/* clang-format on */
	uint8_t payload[SIZE], bitmap[8];
	struct mue_pieces_part parts[2];
	uint32_t off = 0, len = 0;

	(void)state;
	fill(payload);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct medium m = { .fail_at = 0 };
		struct mue_pieces p;

		mue_pieces_begin(&p, &sink, &m, key, SIZE, 4, bitmap, 8, parts,
				 rows[i].parts ? 2 : 0);
		mue_pieces_put(&p, key, 0, payload, 16);
		mue_pieces_put(&p, key, 64, payload + 64, 21);
		if (mue_pieces_missing(&p, rows[i].from, rows[i].max, &off, &len) != rows[i].any)
			fail_msg("%s: wrong answer", rows[i].says);
		if (rows[i].any && (off != rows[i].off || len != rows[i].len))
			fail_msg("%s: got %u+%u", rows[i].says, off, len);
	}
}

static void resumes(void **state)
{
	uint8_t payload[SIZE], bitmap[16], stored[16], head[MUE_PIECES_HEAD], torn[MUE_PIECES_HEAD];
	struct mue_pieces_part parts[2];
	struct medium m = { .fail_at = 0 };
	struct mue_pieces p, q;
	uint32_t off, len, refused = 0;

	(void)state;
	fill(payload);
	mue_pieces_begin(&p, &sink, &m, key, SIZE, 3, bitmap, 16, parts, 2);
	mue_pieces_put(&p, key, 500, payload + 500, 500);
	mue_pieces_head(&p, head);
	memcpy(stored, bitmap, 16);

	assert_int_equal(
		mue_pieces_resume(&q, &sink, &m, other_key, SIZE, head, stored, 16, parts, 2),
		MUE_ENOTFOUND);
	assert_int_equal(
		mue_pieces_resume(&q, &sink, &m, key, SIZE - 1, head, stored, 16, parts, 2),
		MUE_ENOTFOUND);
	assert_int_equal(mue_pieces_resume(&q, &sink, &m, key, SIZE, head, stored, 15, parts, 2),
			 MUE_ENOSPC);
	for (unsigned bit = 0; bit < 8 * MUE_PIECES_HEAD; bit++) {
		memcpy(torn, head, sizeof(torn));
		torn[bit / 8] ^= (uint8_t)(1u << bit % 8);
		refused += mue_pieces_resume(&q, &sink, &m, key, SIZE, torn, stored, 16, parts, 2) <
			   0;
	}
	assert_int_equal(refused, 8 * MUE_PIECES_HEAD);
	stored[3] ^= 1;
	assert_int_equal(mue_pieces_resume(&q, &sink, &m, key, SIZE, head, stored, 16, parts, 2),
			 MUE_EFORMAT);
	stored[3] ^= 1;

	assert_int_equal(mue_pieces_resume(&q, &sink, &m, key, SIZE, head, stored, 16, parts, 2),
			 MUE_OK);
	/* The 4 bytes of a grain begun at 500 were a part: wanted again, the rest is not. */
	assert_int_equal(q.have, 496);
	while (mue_pieces_missing(&q, 0, 64, &off, &len))
		assert_true(mue_pieces_put(&q, key, off, payload + off, len) > 0);
	assert_memory_equal(m.bytes, payload, SIZE);
	assert_int_equal(m.times[700], 1);
}

static void drops_what_failed_its_digest(void **state)
{
	uint8_t payload[SIZE], bitmap[16];
	struct medium m = { .fail_at = 0 };
	struct mue_pieces p;
	uint32_t off, len;

	(void)state;
	fill(payload);
	mue_pieces_begin(&p, &sink, &m, key, SIZE, 4, bitmap, 16, NULL, 0);
	assert_int_equal(mue_pieces_put(&p, key, 0, payload, SIZE), SIZE);
	assert_true(mue_pieces_complete(&p));
	mue_pieces_drop(&p, 100, 50);
	assert_int_equal(p.have, SIZE - 64);
	assert_true(mue_pieces_missing(&p, 0, 0, &off, &len));
	assert_int_equal(off, 96);
	assert_int_equal(len, 64);
	mue_pieces_drop(&p, 990, 0xffffffff);
	assert_int_equal(p.have, SIZE - 64 - 24);
	mue_pieces_drop(&p, 0xfffffff0, 1);
	assert_int_equal(p.have, SIZE - 64 - 24);
}

static void picks_a_grain_for_the_bitmap(void **state)
{
	(void)state;
	assert_int_equal(mue_pieces_bitmap_size(1, 0), 1);
	assert_int_equal(mue_pieces_bitmap_size(8 * 256 + 1, 8), 2);
	assert_int_equal(mue_pieces_bitmap_size(0xffffffff, 20), 512);
	assert_int_equal(mue_pieces_grain(61440, 30, 6), 8);
	assert_int_equal(mue_pieces_grain(61440, 4096, 6), 6);
	assert_int_equal(mue_pieces_grain(0xffffffff, 511, 0), MUE_ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_any_order_and_size),
		cmocka_unit_test(refuses),
		cmocka_unit_test(counts_nothing_that_was_not_written),
		cmocka_unit_test(says_what_is_missing),
		cmocka_unit_test(resumes),
		cmocka_unit_test(drops_what_failed_its_digest),
		cmocka_unit_test(picks_a_grain_for_the_bitmap),
	};

	return cmocka_run_group_tests_name("pieces", tests, NULL, NULL);
}
