/* Paths find their routes: every row is a request line. */
#include "server/http/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int nothing(struct mue_request *r, struct mue_error *e)
{
	(void)r;
	(void)e;
	return 0;
}

static const struct mue_route first[] = {
	{ "GET", "/{tenant}/controller/v1/{id}", nothing, MUE_ACCESS_DEVICE, 0, NULL },
	{ "POST", "/{tenant}/controller/v1/{id}/on/activate", nothing, MUE_ACCESS_DEVICE, 0, NULL },
	{ "GET", "/{tenant}/controller/v1/{id}/on/{n}", nothing, MUE_ACCESS_DEVICE, 0, NULL },
	{ 0 },
};
static const struct mue_route second[] = {
	{ "GET", "/files/{name}.MD5SUM", nothing, MUE_ACCESS_PUBLIC, 0, NULL },
	{ "GET", "/files/{name}", nothing, MUE_ACCESS_PUBLIC, 0, NULL },
	{ "DELETE", "/files/{name}", nothing, MUE_ACCESS_PUBLIC, 0, NULL },
	{ 0 },
};

struct row {
	const char *says, *method, *path;
	int verdict;
	const char *pattern, *param, *value;
};

/* clang-format off */
static const struct row rows[] = {
	{ "two parameters", "GET", "/DEFAULT/controller/v1/dev1", 0, "/{tenant}/controller/v1/{id}", "id", "dev1" },
	{ "HEAD finds GET", "HEAD", "/files/x", 0, "/files/{name}", "name", "x" },
	{ "a tail behind a parameter", "GET", "/files/a.bin.MD5SUM", 0, "/files/{name}.MD5SUM", "name", "a.bin" },
	{ "the tail alone is a name", "GET", "/files/.MD5SUM", 0, "/files/{name}", "name", ".MD5SUM" },
	{ "escapes are decoded after the cut", "GET", "/files/a%2Fb%20c", 0, "/files/{name}", "name", "a/b c" },
	{ "another method on the same path", "DELETE", "/files/x", 0, "/files/{name}", "name", "x" },
	{ "a fixed word and a parameter side by side", "POST", "/T/controller/v1/d/on/activate", 0, "/{tenant}/controller/v1/{id}/on/activate", "id", "d" },
	{ "a method that is not there", "PUT", "/files/x", MUE_EPROTOCOL, NULL, NULL, NULL },
	{ "an unknown path", "GET", "/nothing", MUE_ENOTFOUND, NULL, NULL, NULL },
	{ "an empty segment is no parameter", "GET", "/files/", MUE_ENOTFOUND, NULL, NULL, NULL },
	{ "one segment too many", "GET", "/files/x/y", MUE_ENOTFOUND, NULL, NULL, NULL },
	{ "no leading slash", "GET", "files/x", MUE_ENOTFOUND, NULL, NULL, NULL },
	{ "an escape that ends early", "GET", "/files/a%2", MUE_ENOTFOUND, NULL, NULL, NULL },
	{ "an escape at the very end", "GET", "/files/%41", 0, "/files/{name}", "name", "A" },
	{ "a NUL", "GET", "/files/a%00b", MUE_ENOTFOUND, NULL, NULL, NULL },
	{ "twenty segments", "GET", "/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0", MUE_ENOTFOUND, NULL, NULL, NULL },
};
/* clang-format on */

static void every_row(void **state)
{
	const struct mue_route *const tables[] = { first, second };
	struct mue_router *router;
	struct mue_error e;
	unsigned wrong = 0;

	(void)state;
	assert_int_equal(mue_router_new(tables, 2, &router, &e), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *x = &rows[i];
		struct mue_request r = { .method = x->method, .path = x->path };
		int v;

		mue_arena_init(&r.arena, 4096);
		v = mue_router_match(router, &r);
		if (v != x->verdict ||
		    (v == 0 && (strcmp(r.route->pattern, x->pattern) ||
				strcmp(mue_request_param(&r, x->param), x->value)))) {
			wrong++;
			print_error("%s: got %d %s, %s=%s\n", x->says, v,
				    v == 0 ? r.route->pattern : "", x->param ? x->param : "",
				    v == 0 ? mue_request_param(&r, x->param) : "");
		}
		mue_arena_reset(&r.arena);
	}
	mue_router_free(router);
	assert_int_equal(wrong, 0);
}

static void ids_are_positive_numbers(void **state)
{
	static const struct {
		const char *text;
		int verdict;
	} ids[] = { { "1", 0 },
		    { "9223372036854775807", 0 },
		    { "0", MUE_ENOTFOUND },
		    { "-1", MUE_ENOTFOUND },
		    { "", MUE_ENOTFOUND },
		    { "1x", MUE_ENOTFOUND },
		    { " 1", MUE_ENOTFOUND },
		    { "9223372036854775808", MUE_ENOTFOUND } };

	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		struct mue_request r = { .params = 1,
					 .param_name = { "id" },
					 .param_value = { ids[i].text } };
		struct mue_error e;
		int64_t id = 0;

		assert_int_equal(mue_request_id(&r, "id", &id, &e), ids[i].verdict);
	}
}

static void an_arena_stops_at_its_ceiling(void **state)
{
	struct mue_arena a;

	(void)state;
	mue_arena_init(&a, 100 * 1024);
	assert_non_null(mue_arena_alloc(&a, 60 * 1024));
	assert_null(mue_arena_alloc(&a, 60 * 1024));
	assert_non_null(mue_arena_alloc(&a, 10));
	assert_null(mue_arena_alloc(&a, (size_t)-1));
	assert_string_equal(mue_arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	mue_arena_reset(&a);
	assert_non_null(mue_arena_alloc(&a, 60 * 1024));
	mue_arena_reset(&a);
}

static void verdicts_have_their_status(void **state)
{
	(void)state;
	assert_int_equal(mue_verdict_status(MUE_ENOTFOUND), 404);
	assert_int_equal(mue_verdict_status(MUE_EAUTH), 401);
	assert_int_equal(mue_verdict_status(MUE_EPERM), 403);
	assert_int_equal(mue_verdict_status(MUE_EEXIST), 409);
	assert_int_equal(mue_verdict_status(MUE_ECANCELLED), 410);
	assert_int_equal(mue_verdict_status(MUE_ESIZE), 413);
	assert_int_equal(mue_verdict_status(MUE_ESIGNATURE), 400);
	assert_int_equal(mue_verdict_status(MUE_EOLD), 400);
	assert_int_equal(mue_verdict_status(MUE_EIO), 500);
	assert_int_equal(mue_verdict_status(MUE_ENOSPC), 507);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(ids_are_positive_numbers),
		cmocka_unit_test(an_arena_stops_at_its_ceiling),
		cmocka_unit_test(verdicts_have_their_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
