/* Bodies as CBOR: every row is one body and the JSON that handlers see, or the verdict. */
#include "server/http/cbor.h"

#include "core/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/hash.h"

/* clang-format off */
static const struct row {
	const char *says, *hex, *json;
	int verdict;
} rows[] = {
	{ "a map of definite length",         "a2616101616202",             "{\"a\":1,\"b\":2}", 0 },
	{ "keys in any order",                "a2616201616102",             "{\"b\":1,\"a\":2}", 0 },
	{ "a map of indefinite length",       "bf616101616202ff",           "{\"a\":1,\"b\":2}", 0 },
	{ "lists inside each other",          "9f01820203ff",               "[1,[2,3]]", 0 },
	{ "empty things",                     "84a080bfff9fff",             "[{},[],{},[]]", 0 },
	{ "texts, false, true and null",      "8463c3bc62f4f5f6",           "[\"\\u00fcb\",false,true,null]", 0 },
	{ "the largest and least number",     "821b7fffffffffffffff3b7fffffffffffffff",
	  "[9223372036854775807,-9223372036854775808]", 0 },
	{ "a number of 64 bits",              "811bffffffffffffffff",       NULL, MUE_EFORMAT },
	{ "nothing",                          "",                           NULL, MUE_ETRUNC },
	{ "a map that ends too early",        "a26161016162",               NULL, MUE_ETRUNC },
	{ "an indefinite map without an end", "bf616101",                   NULL, MUE_ETRUNC },
	{ "an indefinite map ends by a key",  "bf6161ff",                   NULL, MUE_EFORMAT },
	{ "bytes behind it",                  "a000",                       NULL, MUE_EFORMAT },
	{ "a name twice",                     "a2616101616102",             NULL, MUE_EFORMAT },
	{ "a name that is a number",          "a10102",                     NULL, MUE_EFORMAT },
	{ "a name with a zero in it",         "a162610001",                 NULL, MUE_EFORMAT },
	{ "a text with a zero in it",         "81626100",                   NULL, MUE_EFORMAT },
	{ "a byte string",                    "8141ff",                     NULL, MUE_EFORMAT },
	{ "a tag",                            "81c101",                     NULL, MUE_EFORMAT },
	{ "a list of 2^64 - 1",               "9bffffffffffffffff",         NULL, MUE_ETRUNC },
	{ "sixteen levels",                   "8181818181818181818181818181818100",
	  "[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]", 0 },
	{ "seventeen levels",                 "818181818181818181818181818181818100", NULL, MUE_EFORMAT },
	{ "half a text",                      "8162c3",                     NULL, MUE_ETRUNC },
	{ "JSON",                             "7b7d",                       NULL, MUE_ETRUNC },
};
/* clang-format on */

static void every_row(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *x = &rows[i];
		size_t len = strlen(x->hex) / 2;
		uint8_t bytes[64];
		struct mue_error e = { 0 };
		json_t *json = NULL, *want = NULL;
		int r;

		assert_true(mue_unhex(x->hex, bytes, len));
		r = mue_json_from_cbor(bytes, len, &json, &e);
		if (x->json)
			want = json_loads(x->json, 0, NULL);
		if (r != x->verdict || (r == 0 && !json_equal(json, want)) ||
		    (r < 0 && !e.text[0])) {
			printf("# %s: %d %s\n", x->says, r, e.text);
			wrong++;
		}
		json_decref(json);
		json_decref(want);
	}
	assert_int_equal(wrong, 0);
}

static void what_is_written_is_read_again(void **state)
{
	json_t *want = json_loads("{\"a\":[1,-2,\"\\u00e9\",true,false,null,{}],\"b\":{\"c\":300}}",
				  0, NULL);
	json_t *got = NULL;
	struct mue_error e = { 0 };
	char *bytes;
	size_t len;

	(void)state;
	assert_int_equal(mue_json_to_cbor(want, &bytes, &len), 0);
	assert_int_equal(mue_json_from_cbor(bytes, len, &got, &e), 0);
	assert_true(json_equal(want, got));
	for (size_t cut = 0; cut < len; cut++) {
		json_t *part = NULL;

		assert_true(mue_json_from_cbor(bytes, cut, &part, &e) < 0);
		assert_null(part);
	}
	free(bytes);
	json_decref(want);
	json_decref(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests_name("bodies as CBOR", tests, NULL, NULL);
}
