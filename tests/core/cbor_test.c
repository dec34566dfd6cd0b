/* CBOR reader and writer against RFC 8949, appendix A, and a table of refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/cbor.h"

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		out[n++] = (uint8_t)byte;
	return n;
}

static const struct {
	const char *says, *hex;
	int verdict; /* of skip and end over the whole */
} rows[] = {
	{ "zero", "00", 0 },
	{ "23 in the head", "17", 0 },
	{ "24 in one byte", "1818", 0 },
	{ "a million", "1a000f4240", 0 },
	{ "the largest integer", "1bffffffffffffffff", 0 },
	{ "the least integer", "3bffffffffffffffff", 0 },
	{ "minus one thousand", "3903e7", 0 },
	{ "false, true, null", "83f4f5f6", 0 },
	{ "an empty byte string", "40", 0 },
	{ "a text with a two-byte character", "62c3bc", 0 },
	{ "a text with a four-byte character", "64f0908591", 0 },
	{ "nested arrays", "8301820203820405", 0 },
	{ "25 elements", "98190102030405060708090a0b0c0d0e0f101112131415161718181819", 0 },
	{ "a map", "a26161016162820203", 0 },
	{ "a map with arrays as keys", "a201028100 03", 0 },
	{ "tag 1 on an integer", "c11a514b67b0", 0 },
	{ "an empty map in an array", "81a0", 0 },
	{ "23 in a byte of its own", "1817", MUE_ECANON },
	{ "255 in two bytes", "1900ff", MUE_ECANON },
	{ "65535 in four bytes", "1a0000ffff", MUE_ECANON },
	{ "2^32-1 in eight bytes", "1b00000000ffffffff", MUE_ECANON },
	{ "a long head on a string", "580141", MUE_ECANON },
	{ "an indefinite byte string", "5f42010243030405ff", MUE_ECANON },
	{ "an indefinite array", "9fff", MUE_ECANON },
	{ "an indefinite map", "bfff", MUE_ECANON },
	{ "keys that fall", "a202000100", MUE_ECANON },
	{ "a key twice", "a201000100", MUE_ECANON },
	{ "keys of a map in an array that fall", "81a202000100", MUE_ECANON },
	{ "keys of a map in a map that fall", "a100a202000100", MUE_ECANON },
	{ "text key before byte key", "a2610000 410000", MUE_ECANON },
	{ "a break alone", "ff", MUE_EFORMAT },
	{ "a reserved head", "1c", MUE_EFORMAT },
	{ "an indefinite tag", "df", MUE_EFORMAT },
	{ "false in two bytes", "f814", MUE_EFORMAT },
	{ "an overlong character", "62c080", MUE_EFORMAT },
	{ "a surrogate", "63eda080", MUE_EFORMAT },
	{ "a character above U+10FFFF", "64f4908080", MUE_EFORMAT },
	{ "a character cut short", "61c3", MUE_EFORMAT },
	{ "a lone continuation byte", "6180", MUE_EFORMAT },
	{ "trailing bytes", "0000", MUE_EFORMAT },
	{ "undefined", "f7", MUE_EPROFILE },
	{ "simple value 16", "f0", MUE_EPROFILE },
	{ "simple value 255", "f8ff", MUE_EPROFILE },
	{ "a half float", "f93c00", MUE_EPROFILE },
	{ "a double", "fb3ff199999999999a", MUE_EPROFILE },
	{ "nothing", "", MUE_ETRUNC },
	{ "a head without its argument", "19", MUE_ETRUNC },
	{ "half an argument", "1a0000", MUE_ETRUNC },
	{ "a string that ends early", "4401", MUE_ETRUNC },
	{ "an array that ends early", "8201", MUE_ETRUNC },
	{ "a map without its last value", "a101", MUE_ETRUNC },
	{ "a tag without content", "c1", MUE_ETRUNC },
	{ "a string of 2^63 bytes", "5b8000000000000000", MUE_ETRUNC },
	{ "an array of 2^64-1", "9bffffffffffffffff", MUE_ETRUNC },
	{ "16 arrays inside each other", "8181818181818181818181818181818100", 0 },
	{ "17 arrays inside each other", "818181818181818181818181818181818100", MUE_EPROFILE },
};

static size_t unhex_spaced(const char *hex, uint8_t *out)
{
	char flat[200];
	size_t n = 0;

	for (; *hex; hex++)
		if (*hex != ' ')
			flat[n++] = *hex;
	flat[n] = 0;
	return unhex(flat, out);
}

static void each_item_gets_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[100];
		size_t n = unhex_spaced(rows[i].hex, bytes);
		struct mue_cbor c = mue_cbor_read((struct mue_view){ bytes, n });
		int r = mue_cbor_skip(&c, NULL);

		if (r == 0)
			r = mue_cbor_end(&c);
		if (r != rows[i].verdict)
			fail_msg("%s (%s): got %d, want %d", rows[i].says, rows[i].hex, r,
				 rows[i].verdict);
	}
}

/* Every proper prefix of a valid item is truncated, whatever is in it. */
static void every_truncation_is_refused(void **state)
{
	size_t cuts = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[100];
		size_t n = unhex_spaced(rows[i].hex, bytes);

		if (rows[i].verdict != 0)
			continue;
		for (size_t cut = 0; cut < n; cut++, cuts++) {
			struct mue_cbor c = mue_cbor_read((struct mue_view){ bytes, cut });

			if (mue_cbor_skip(&c, NULL) != MUE_ETRUNC)
				fail_msg("%s: cut at %zu is taken", rows[i].says, cut);
			assert_ptr_equal(c.at, bytes);
		}
	}
	assert_true(cuts > 80);
	print_message("# %zu truncations\n", cuts);
}

static void typed_reads_refuse_other_types_and_stay(void **state)
{
	static const uint8_t bytes[] = { 0x20 };
	struct mue_cbor c = mue_cbor_read((struct mue_view){ bytes, 1 });
	struct mue_view v;
	uint64_t u;
	int64_t s;
	size_t n;
	bool b;

	(void)state;
	assert_int_equal(mue_cbor_uint(&c, &u), MUE_EFORMAT);
	assert_int_equal(mue_cbor_bytes(&c, &v), MUE_EFORMAT);
	assert_int_equal(mue_cbor_text(&c, &v), MUE_EFORMAT);
	assert_int_equal(mue_cbor_array(&c, &n), MUE_EFORMAT);
	assert_int_equal(mue_cbor_map(&c, &n), MUE_EFORMAT);
	assert_int_equal(mue_cbor_bool(&c, &b), MUE_EFORMAT);
	assert_int_equal(mue_cbor_null(&c), MUE_EFORMAT);
	assert_int_equal(mue_cbor_tag(&c, 107), MUE_EFORMAT);
	assert_ptr_equal(c.at, bytes);
	assert_int_equal(mue_cbor_int(&c, &s), 0);
	assert_int_equal(s, -1);
	assert_int_equal(mue_cbor_end(&c), 0);
}

static void integers_reach_both_ends_of_int64(void **state)
{
	uint8_t bytes[18];
	struct mue_cbor_writer w;
	struct mue_cbor c;
	int64_t s;
	size_t n;

	(void)state;
	mue_cbor_write(&w, bytes, sizeof(bytes));
	mue_cbor_put_int(&w, INT64_MIN);
	mue_cbor_put_int(&w, INT64_MAX);
	assert_int_equal(mue_cbor_finish(&w, &n), 0);
	c = mue_cbor_read((struct mue_view){ bytes, n });
	assert_int_equal(mue_cbor_int(&c, &s), 0);
	assert_true(s == INT64_MIN);
	assert_int_equal(mue_cbor_int(&c, &s), 0);
	assert_true(s == INT64_MAX);
	memcpy(bytes, "\x3b\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	c = mue_cbor_read((struct mue_view){ bytes, 9 });
	assert_int_equal(mue_cbor_int(&c, &s), MUE_EFORMAT);
}

static void map_keys_come_in_order(void **state)
{
	/* {1: 0, -1: 0, h'00': 0, "a": 0, [0]: 0} and then 7 */
	static const uint8_t good[] = {
		0xa5, 1, 0, 0x20, 0, 0x41, 0, 0, 0x61, 'a', 0, 0x81, 0, 0, 7
	};
	static const uint8_t types[] = { MUE_CBOR_UINT, MUE_CBOR_NINT, MUE_CBOR_BYTES,
					 MUE_CBOR_TEXT, MUE_CBOR_ARRAY };
	struct mue_cbor c = mue_cbor_read((struct mue_view){ good, sizeof(good) });
	struct mue_cbor_item key;
	struct mue_cbor_map m;
	uint64_t u;
	size_t n = 0;
	int r;

	(void)state;
	assert_int_equal(mue_cbor_map_open(&c, &m), 0);
	while ((r = mue_cbor_map_key(&c, &m, &key)) > 0) {
		assert_int_equal(key.type, types[n++]);
		assert_int_equal(mue_cbor_uint(&c, &u), 0);
	}
	assert_int_equal(r, 0);
	assert_int_equal(n, 5);
	assert_int_equal(key.view.len, 2); /* the array's own encoding */
	assert_int_equal(mue_cbor_uint(&c, &u), 0);
	assert_int_equal(u, 7);
}

static void written_items_are_the_deterministic_ones(void **state)
{
	static const struct {
		uint64_t value;
		const char *hex;
	} ints[] = { { 23, "17" },
		     { 24, "1818" },
		     { 255, "18ff" },
		     { 256, "190100" },
		     { 65535, "19ffff" },
		     { 65536, "1a00010000" },
		     { 0xffffffff, "1affffffff" },
		     { 0x100000000, "1b0000000100000000" } };
	uint8_t bytes[64], want[64];
	struct mue_cbor_writer w;
	size_t n, want_n;

	(void)state;
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		mue_cbor_write(&w, bytes, sizeof(bytes));
		mue_cbor_put_uint(&w, ints[i].value);
		assert_int_equal(mue_cbor_finish(&w, &n), 0);
		assert_int_equal(n, unhex(ints[i].hex, want));
		assert_memory_equal(bytes, want, n);
	}
	mue_cbor_write(&w, bytes, sizeof(bytes));
	mue_cbor_put_tag(&w, 107);
	mue_cbor_put_map(&w, 2);
	mue_cbor_put_int(&w, -1000);
	mue_cbor_put_array(&w, 3);
	mue_cbor_put_bool(&w, true);
	mue_cbor_put_null(&w);
	mue_cbor_put_bool(&w, false);
	mue_cbor_put_text(&w, "a", 1);
	mue_cbor_put_bytes_head(&w, 2);
	mue_cbor_put_raw(&w, "\1\2", 2);
	assert_int_equal(mue_cbor_finish(&w, &n), 0);
	want_n = unhex("d86ba23903e783f5f6f46161420102", want);
	assert_int_equal(n, want_n);
	assert_memory_equal(bytes, want, n);
}

static void a_small_buffer_measures_and_is_not_overrun(void **state)
{
	uint8_t bytes[5] = { 9, 9, 9, 9, 9 };
	struct mue_cbor_writer w;
	size_t n = 77;

	(void)state;
	mue_cbor_write(&w, bytes, 4);
	mue_cbor_put_bytes(&w, "abcd", 4);
	assert_int_equal(w.len, 5);
	assert_int_equal(mue_cbor_finish(&w, &n), MUE_ENOSPC);
	assert_int_equal(n, 77);
	assert_int_equal(bytes[4], 9);
	mue_cbor_write(&w, NULL, 0);
	mue_cbor_put_bytes(&w, "abcd", 4);
	assert_int_equal(w.len, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_item_gets_its_verdict),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(typed_reads_refuse_other_types_and_stay),
		cmocka_unit_test(integers_reach_both_ends_of_int64),
		cmocka_unit_test(map_keys_come_in_order),
		cmocka_unit_test(written_items_are_the_deterministic_ones),
		cmocka_unit_test(a_small_buffer_measures_and_is_not_overrun),
	};

	return cmocka_run_group_tests_name("cbor", tests, NULL, NULL);
}
