/*
 * Patterns are cut into segments once.  A request is compared segment by segment with every
 * pattern of as many segments: a hundred routes cost a microsecond, and the table stays readable.
 */
#include "server/http/router.h"

#include <stdlib.h>
#include <string.h>

enum { SEGMENTS = 16 };

struct pattern {
	const struct mue_route *route;
	unsigned count;
	const char *part[SEGMENTS]; /* into the route's pattern */
	size_t len[SEGMENTS];
};

struct mue_router {
	struct pattern *patterns;
	unsigned count;
};

/* Segments between slashes; the count, or -1 when there are too many. */
static int cut(const char *path, const char **part, size_t *len)
{
	int n = 0;

	while (*path == '/') {
		if (n == SEGMENTS)
			return -1;
		part[n] = ++path;
		len[n] = strcspn(path, "/");
		path += len[n++];
	}
	return *path ? -1 : n;
}

int mue_router_new(const struct mue_route *const *tables, unsigned count, struct mue_router **ret,
		   struct mue_error *e)
{
	struct mue_router *router = calloc(1, sizeof *router);
	unsigned total = 0;

	for (unsigned t = 0; t < count; t++)
		for (const struct mue_route *route = tables[t]; route->method; route++)
			total++;
	if (router)
		router->patterns = calloc(total + 1, sizeof *router->patterns);
	if (!router || !router->patterns) {
		mue_router_free(router);
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	}
	for (unsigned t = 0; t < count; t++)
		for (const struct mue_route *route = tables[t]; route->method; route++) {
			struct pattern *p = &router->patterns[router->count++];
			int n = cut(route->pattern, p->part, p->len);

			if (n < 0) {
				mue_router_free(router);
				return mue_fail(e, MUE_EINVAL, "route %s", route->pattern);
			}
			p->route = route;
			p->count = (unsigned)n;
		}
	*ret = router;
	return 0;
}

void mue_router_free(struct mue_router *router)
{
	if (router)
		free(router->patterns);
	free(router);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Percent-decoding of one segment; NULL for a bad escape, a NUL, or no memory. */
static char *decode(struct mue_arena *a, const char *text, size_t len)
{
	char *out = mue_arena_alloc(a, len + 1), *to = out;

	for (size_t i = 0; out && i < len; i++) {
		if (text[i] != '%') {
			*to++ = text[i];
		} else {
			int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

			if (low < 0 || (high == 0 && low == 0))
				return NULL;
			*to++ = (char)(high * 16 + low);
			i += 2;
		}
	}
	return out;
}

/* Where a literal tail follows: "{fileName}.MD5SUM". */
static bool segment_matches(const char *pattern, size_t pattern_len, const char *text, size_t len)
{
	const char *close;
	size_t tail;

	if (*pattern != '{')
		return len == pattern_len && !memcmp(pattern, text, len);
	close = memchr(pattern, '}', pattern_len);
	tail = pattern_len - (size_t)(close + 1 - pattern);
	return len > tail && !memcmp(text + len - tail, close + 1, tail);
}

static bool matches(const struct pattern *p, const char *const *part, const size_t *len)
{
	for (unsigned i = 0; i < p->count; i++)
		if (!segment_matches(p->part[i], p->len[i], part[i], len[i]))
			return false;
	return true;
}

static int fill(struct mue_request *r, const struct pattern *p, const char *const *part,
		const size_t *len)
{
	r->params = 0;
	for (unsigned i = 0; i < p->count && r->params < MUE_ROUTE_PARAMS; i++) {
		const char *open = p->part[i], *close;
		size_t tail;

		if (*open != '{')
			continue;
		close = memchr(open, '}', p->len[i]);
		tail = p->len[i] - (size_t)(close + 1 - open);
		r->param_name[r->params] = mue_arena_copy(&r->arena, open + 1,
							  (size_t)(close - open - 1));
		r->param_value[r->params] = decode(&r->arena, part[i], len[i] - tail);
		if (!r->param_name[r->params] || !r->param_value[r->params])
			return MUE_ENOTFOUND;
		r->params++;
	}
	r->route = p->route;
	return 0;
}

int mue_router_match(const struct mue_router *router, struct mue_request *r)
{
	const char *method = strcmp(r->method, "HEAD") ? r->method : "GET";
	const char *part[SEGMENTS];
	int verdict = MUE_ENOTFOUND;
	size_t len[SEGMENTS];
	int n = cut(r->path, part, len);

	for (unsigned i = 0; n >= 0 && i < router->count; i++) {
		const struct pattern *p = &router->patterns[i];

		if (p->count != (unsigned)n || !matches(p, part, len))
			continue;
		if (!strcmp(p->route->method, method) || !strcmp(p->route->method, r->method))
			return fill(r, p, part, len);
		verdict = MUE_EPROTOCOL;
	}
	return verdict;
}
