/*
 * What stands in the first lines of a request: the path through the routers' patterns, and the
 * range headers. A matched parameter never holds a slash from outside an escape or a NUL; a range
 * always lies in the file.
 *
 * FUZZ_SOURCES: server/http/router.c server/http/range.c server/http/arena.c
 * FUZZ_SOURCES: server/http/cbor.c server/http/request.c host/err.c core/cbor_read.c
 * FUZZ_SOURCES: core/cbor_write.c
 * FUZZ_LIBS: -ljansson -lmicrohttpd
 */
#include "server/http/range.h"
#include "server/http/router.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int nothing(struct mue_request *r, struct mue_error *e)
{
	(void)r;
	(void)e;
	return 0;
}

static const struct mue_route routes[] = {
	{ "GET", "/{tenant}/controller/v1/{id}", nothing, MUE_ACCESS_DEVICE, 0, NULL },
	{ "GET", "/a/{name}.MD5SUM", nothing, MUE_ACCESS_PUBLIC, 0, NULL },
	{ "GET", "/a/{name}", nothing, MUE_ACCESS_PUBLIC, 0, NULL },
	{ 0 },
};

static void path(const char *text)
{
	static const struct mue_route *const tables[] = { routes };
	static struct mue_router *router;
	struct mue_request r = { .method = "GET", .path = text };
	struct mue_error e;
	int64_t id;

	if (!router && mue_router_new(tables, 1, &router, &e) < 0)
		abort();
	mue_arena_init(&r.arena, 1 << 20);
	if (mue_router_match(router, &r) == 0) {
		assert(r.params > 0 && text[0] == '/');
		for (unsigned i = 0; i < r.params; i++) {
			assert(strlen(r.param_value[i]) <= strlen(text));
			assert(strchr(text, '%') || !strchr(r.param_value[i], '/'));
		}
		if (mue_request_id(&r, "id", &id, &e) == 0)
			assert(id > 0);
	}
	mue_arena_reset(&r.arena);
}

static void range(char *text, uint64_t size)
{
	char *second = strchr(text, '\n');
	struct mue_range_request q = { .range = text, .etag = "tag", .size = size };
	struct mue_range got;

	if (second) {
		*second++ = '\0';
		q.if_range = *second == 'i' ? second + 1 : NULL;
		q.if_match = *second == 'm' ? second + 1 : NULL;
		q.if_none_match = *second == 'n' ? second + 1 : NULL;
	}
	got = mue_range_decide(&q);
	if (got.status == 206)
		assert(got.len > 0 && got.offset < size && got.len <= size - got.offset);
	else if (got.status == 200)
		assert(got.offset == 0 && got.len == size);
	else
		assert(got.status == 304 || got.status == 412 || got.status == 416);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 2 || !(text = malloc(size)))
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] & 1)
		path(text);
	else
		range(text, (uint64_t)data[0] * 7);
	free(text);
	return 0;
}
