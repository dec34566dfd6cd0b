/* Streams are found, come back bit for bit, and patches between unpacked images apply. */
#include "delta/unpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

enum { IMAGE_MAX = 100000, TEXT = 6000, STREAMS = 3 };

struct image {
	uint8_t data[IMAGE_MAX];
	size_t len;
};

static void add_noise(struct image *m, size_t n, unsigned seed)
{
	srand(seed);
	for (size_t i = 0; i < n; i++)
		m->data[m->len++] = (uint8_t)(rand() >> 9);
}

/* A stream of numbered lines from `first` on, packed at `level`. */
static void add_stream(struct image *m, unsigned first, int level)
{
	char text[TEXT + 64];
	size_t n = 0;
	uLongf len = IMAGE_MAX - m->len;

	for (unsigned i = first; n < TEXT; i++)
		n += (size_t)snprintf(text + n, 64, "line %u of the unpacked text\n", i * i);
	assert_int_equal(compress2(m->data + m->len, &len, (const Bytef *)text, (uLong)n, level),
			 Z_OK);
	m->len += len;
}

static struct image *make(unsigned change, int level)
{
	struct image *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	add_noise(m, 100, 1);
	add_stream(m, 1, level);
	add_stream(m, 500 + change, level);
	add_noise(m, 1000, 2 + change);
	add_stream(m, 9000, level);
	add_noise(m, 10, 3);
	return m;
}

static struct mue_span span(const struct image *m)
{
	struct mue_span s = { m->data, m->len };

	return s;
}

static void test_round_trip(void **state)
{
	static const int levels[] = { 9, 6, 1 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct image *m = make(0, levels[i]);
		struct mue_unpacked u;
		struct mue_error e = { 0 };
		uint8_t *back;
		size_t len;

		assert_int_equal(mue_unpack(span(m), true, &u, &e), MUE_OK);
		assert_int_equal(u.n, STREAMS);
		assert_int_equal(u.streams[0].gap, 100);
		assert_true(u.len > STREAMS * TEXT + 1110);
		assert_true(mue_unpack_pays(&u, m->len));
		assert_int_equal(mue_repack(&u, &back, &len, &e), MUE_OK);
		assert_int_equal(len, m->len);
		assert_memory_equal(back, m->data, len);
		u.streams[1].len = 1 << 20;
		assert_int_equal(mue_repack(&u, &(uint8_t *){ NULL }, &len, &e), MUE_EFORMAT);
		free(back);
		mue_unpacked_free(&u);
		free(m);
	}
}

/* A level that is not tried: the stream stays packed, nothing is lost. */
static void test_unproved(void **state)
{
	struct image *m = make(0, 3);
	struct mue_unpacked u;
	struct mue_error e = { 0 };
	uint8_t *back;
	size_t len;

	(void)state;
	assert_int_equal(mue_unpack(span(m), true, &u, &e), MUE_OK);
	assert_true(u.n < STREAMS);
	assert_int_equal(mue_repack(&u, &back, &len, &e), MUE_OK);
	assert_int_equal(len, m->len);
	assert_memory_equal(back, m->data, len);
	free(back);
	mue_unpacked_free(&u);
	free(m);
}

static void test_patch(void **state)
{
	struct image *old = make(0, 9), *new = make(3, 9);
	struct mue_diff_options o = { .isa = MUE_DELTA_PLAIN };
	struct mue_diff_result inner, direct;
	struct mue_unpacked a, b;
	struct mue_error e = { 0 };
	struct mue_span patch, from, to;
	uint8_t *data, *back;
	size_t len, refused = 0;

	(void)state;
	assert_int_equal(mue_unpack(span(old), false, &a, &e), MUE_OK);
	assert_int_equal(mue_unpack(span(new), true, &b, &e), MUE_OK);
	from.data = a.data;
	from.len = a.len;
	to.data = b.data;
	to.len = b.len;
	assert_int_equal(mue_diff(from, to, &o, &inner, &e), MUE_OK);
	assert_int_equal(mue_diff(span(old), span(new), &o, &direct, &e), MUE_OK);
	from.data = inner.patch;
	from.len = inner.len;
	assert_int_equal(mue_wrap(span(old), span(new), &b, from, &data, &len, &e), MUE_OK);
	print_message("# unpacked %zu bytes, packed %zu\n", len, direct.len);
	assert_true(len < direct.len);
	patch.data = data;
	patch.len = len;
	assert_int_equal(mue_patch(span(old), patch, &back, &len, &e), MUE_OK);
	assert_int_equal(len, new->len);
	assert_memory_equal(back, new->data, len);
	free(back);
	assert_int_equal(mue_patch(span(new), patch, &back, &len, &e), MUE_EPRECURSOR);
	for (size_t i = 0; i < patch.len; i += 7) { /* damage is refused, or changes nothing */
		data[i] ^= 0x20;
		if (mue_patch(span(old), patch, &back, &len, &e) == MUE_OK) {
			assert_int_equal(len, new->len);
			assert_memory_equal(back, new->data, len);
			free(back);
		} else {
			refused++;
		}
		data[i] ^= 0x20;
	}
	assert_true(refused > patch.len / 7 - 8);
	free(data);
	free(inner.patch);
	free(direct.patch);
	mue_unpacked_free(&a);
	mue_unpacked_free(&b);
	free(old);
	free(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_unproved),
		cmocka_unit_test(test_patch),
	};

	return cmocka_run_group_tests_name("unpack", tests, NULL, NULL);
}
