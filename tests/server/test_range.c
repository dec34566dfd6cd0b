/* Which part of a file is sent: every row is one request for a file of 1000 bytes with the tag "t".
 */
#include "server/http/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct row {
	const char *says, *range, *if_range, *if_match, *if_none_match;
	unsigned status;
	unsigned long offset, len;
};

/* clang-format off */
static const struct row rows[] = {
	{ "no header gives all",                   NULL, NULL, NULL, NULL, 200, 0, 1000 },
	{ "first and last are inclusive",          "bytes=0-0", NULL, NULL, NULL, 206, 0, 1 },
	{ "a part in the middle",                  "bytes=100-199", NULL, NULL, NULL, 206, 100, 100 },
	{ "an open end runs to the end",           "bytes=999-", NULL, NULL, NULL, 206, 999, 1 },
	{ "an end behind the file is cut",         "bytes=900-5000", NULL, NULL, NULL, 206, 900, 100 },
	{ "the last n bytes",                      "bytes=-10", NULL, NULL, NULL, 206, 990, 10 },
	{ "more than there is from the end",       "bytes=-5000", NULL, NULL, NULL, 206, 0, 1000 },
	{ "the whole as a range",                  "bytes=0-", NULL, NULL, NULL, 206, 0, 1000 },
	{ "the unit in capitals",                  "Bytes=0-9", NULL, NULL, NULL, 206, 0, 10 },
	{ "blanks behind the unit and the end",    "bytes= 5-6 ", NULL, NULL, NULL, 206, 5, 2 },
	{ "what is whole already",                 "bytes=1000-", NULL, NULL, NULL, 416, 0, 0 },
	{ "far behind the end",                    "bytes=99999999999999999999-", NULL, NULL, NULL, 416, 0, 0 },
	{ "zero bytes from the end",               "bytes=-0", NULL, NULL, NULL, 416, 0, 0 },
	{ "an end of 2^64 and more is the end",    "bytes=0-99999999999999999999", NULL, NULL, NULL, 206, 0, 1000 },
	{ "last before first is no range",         "bytes=5-4", NULL, NULL, NULL, 200, 0, 1000 },
	{ "no numbers are no range",               "bytes=-", NULL, NULL, NULL, 200, 0, 1000 },
	{ "letters are no range",                  "bytes=a-b", NULL, NULL, NULL, 200, 0, 1000 },
	{ "two ranges are answered whole",         "bytes=0-1,5-6", NULL, NULL, NULL, 200, 0, 1000 },
	{ "another unit is passed over",           "lines=0-1", NULL, NULL, NULL, 200, 0, 1000 },
	{ "nothing behind the unit",               "bytes=", NULL, NULL, NULL, 200, 0, 1000 },
	{ "If-Range with our tag keeps the range", "bytes=10-", "\"t\"", NULL, NULL, 206, 10, 990 },
	{ "If-Range with another tag sends all",   "bytes=10-", "\"u\"", NULL, NULL, 200, 0, 1000 },
	{ "If-Range compares strongly",            "bytes=10-", "W/\"t\"", NULL, NULL, 200, 0, 1000 },
	{ "If-Range with a date sends all",        "bytes=10-", "Sun, 06 Nov 1994 08:49:37 GMT", NULL, NULL, 200, 0, 1000 },
	{ "If-Match with our tag",                 "bytes=0-1", NULL, "\"a\", \"t\"", NULL, 206, 0, 2 },
	{ "If-Match with another tag",             "bytes=0-1", NULL, "\"a\"", NULL, 412, 0, 0 },
	{ "If-Match star",                         NULL, NULL, "*", NULL, 200, 0, 1000 },
	{ "If-None-Match with our tag",            NULL, NULL, NULL, "\"t\"", 304, 0, 0 },
	{ "If-None-Match compares weakly",         NULL, NULL, NULL, "W/\"t\"", 304, 0, 0 },
	{ "If-None-Match with another tag",        NULL, NULL, NULL, "\"x\"", 200, 0, 1000 },
	{ "an unclosed tag matches nothing",       NULL, NULL, "\"t", NULL, 412, 0, 0 },
};
/* clang-format on */

static void every_row(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *x = &rows[i];
		struct mue_range_request q = { x->range,         x->if_range, x->if_match,
					       x->if_none_match, "t",         1000 };
		struct mue_range got = mue_range_decide(&q);

		if (got.status == x->status && got.offset == x->offset && got.len == x->len)
			continue;
		wrong++;
		print_error("%s: got %u %lu+%lu, want %u %lu+%lu\n", x->says, got.status,
			    (unsigned long)got.offset, (unsigned long)got.len, x->status, x->offset,
			    x->len);
	}
	assert_int_equal(wrong, 0);
}

static void an_empty_file_has_no_ranges(void **state)
{
	struct mue_range_request q = { .range = "bytes=0-", .etag = "t" };

	(void)state;
	assert_int_equal(mue_range_decide(&q).status, 416);
	q.range = "bytes=-5";
	assert_int_equal(mue_range_decide(&q).status, 416);
	q.range = NULL;
	assert_int_equal(mue_range_decide(&q).status, 200);
	assert_int_equal(mue_range_decide(&q).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(an_empty_file_has_no_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
