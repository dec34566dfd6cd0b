#include "cli/api.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The token opens the whole fleet: it travels in the clear on this machine only. */
static bool is_safe(const char *url)
{
	static const char *const safe[] = { "https://", "http://localhost:", "http://127.0.0.1:",
					    "http://[::1]:" };

	for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++)
		if (strncasecmp(url, safe[i], strlen(safe[i])) == 0)
			return true;
	return false;
}

int mue_api_open(struct mue_cli *cli, struct mue_api *ret, struct mue_error *e)
{
	const struct mue_common *c = &cli->common;
	struct mue_http_config config = { .ca = c->ca, .user_agent = "mue" };
	struct mue_api api = { .cli = cli };
	char authorization[600];
	size_t n;
	int r;

	if (!c->server)
		return mue_fail(e, MUE_EINVAL,
				"which server? give --server https://HOST:PORT or set MUE_SERVER");
	if (!c->token)
		return mue_fail(e, MUE_EINVAL,
				"whose token? give --token or set MUE_TOKEN; the "
				"server prints the first one when it first starts");
	if (!is_safe(c->server))
		return mue_fail(
			e, MUE_EINVAL,
			"--server %.100s: wants https://HOST[:PORT]; over http the token could "
			"be read by others",
			c->server);
	n = strlen(c->server);
	while (n > 0 && c->server[n - 1] == '/')
		n--;
	if (n >= sizeof(api.base) || strlen(c->token) > 512)
		return mue_fail(e, MUE_EINVAL, "--server or --token is too long");
	memcpy(api.base, c->server, n);
	snprintf(authorization, sizeof(authorization), "Bearer %s", c->token);
	config.authorization = authorization;
	r = mue_http_open(&config, &api.http, e);
	if (r < 0)
		return r;
	*ret = api;
	return MUE_OK;
}

void mue_api_close(struct mue_api *api)
{
	mue_http_close(api->http);
	api->http = NULL;
}

/* The verdict for a status that is no success, with what the operator can do about it. */
static int refused(struct mue_api *api, const struct mue_http_answer *a, const char *what,
		   struct mue_error *e)
{
	int r = mue_http_status(a, what, e);

	if (r == MUE_OK)
		r = mue_fail(e, MUE_EPROTOCOL, "%s: unexpected answer %ld", what, a->status);
	api->cli->exit = MUE_EXIT_SERVER;
	if (a->status == 401)
		return mue_fail(e, r, "%s does not know this token; check --token or MUE_TOKEN",
				api->base);
	return r;
}

static int parse(struct mue_api *api, const struct mue_http_answer *a, const char *what,
		 json_t **ret, struct mue_error *e)
{
	json_error_t je;
	json_t *j;

	if (a->body_size == 0) {
		*ret = NULL;
		return MUE_OK;
	}
	j = json_loadb(a->body, a->body_size, JSON_REJECT_DUPLICATES, &je);
	if (!j) {
		api->cli->exit = MUE_EXIT_SERVER;
		return mue_fail(e, MUE_EPROTOCOL,
				"%s: the answer is no JSON (%.80s); is %s a Mue "
				"server?",
				what, je.text, api->base);
	}
	*ret = j;
	return MUE_OK;
}

/* Sends it; `none_ok`: a 404 is an empty answer. */
static int exchange(struct mue_api *api, struct mue_http_request *q, const char *path, bool none_ok,
		    json_t **ret, struct mue_error *e)
{
	struct mue_http_answer a;
	json_t *j = NULL;
	char what[300];
	int r;

	snprintf(what, sizeof(what), "%s %.200s", q->method, path);
	r = mue_http_do(api->http, q, &a, e);
	if (r < 0) {
		api->cli->exit = MUE_EXIT_IO;
		mue_prefix(e, "%s", api->base);
	} else if (none_ok && a.status == 404) {
		a.body_size = 0;
	} else if (a.status < 200 || a.status > 299) {
		r = refused(api, &a, what, e);
	}
	if (r == MUE_OK)
		r = parse(api, &a, what, &j, e);
	mue_http_answer_free(&a);
	if (r == MUE_OK && ret)
		*ret = j;
	else
		json_decref(j);
	return r;
}

static int call(struct mue_api *api, const char *method, const char *path, const json_t *body,
		bool none_ok, json_t **ret, struct mue_error *e)
{
	struct mue_http_request q = { .method = method, .limit = 16 << 20 };
	char url[4096], *text = NULL;
	int r;

	if (snprintf(url, sizeof(url), "%s%s", api->base, path) >= (int)sizeof(url))
		return mue_fail(e, MUE_EINVAL, "the request is too long");
	q.url = url;
	if (body) {
		text = json_dumps(body, JSON_COMPACT);
		if (!text)
			return mue_fail(e, MUE_ENOMEM, "out of memory");
		q.body = text;
		q.body_size = strlen(text);
	}
	r = exchange(api, &q, path, none_ok, ret, e);
	free(text);
	return r;
}

int mue_api_call(struct mue_api *api, const char *method, const char *path, const json_t *body,
		 json_t **ret, struct mue_error *e)
{
	return call(api, method, path, body, false, ret, e);
}

int mue_api_get(struct mue_api *api, json_t **ret, struct mue_error *e, const char *fmt, ...)
{
	char path[3500];
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	r = call(api, "GET", path, NULL, false, ret, e);
	if (r == MUE_OK && !*ret) {
		api->cli->exit = MUE_EXIT_SERVER;
		return mue_fail(e, MUE_EPROTOCOL, "GET %s: empty answer", path);
	}
	return r;
}

int mue_api_get_maybe(struct mue_api *api, json_t **ret, struct mue_error *e, const char *fmt, ...)
{
	char path[3500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return call(api, "GET", path, NULL, true, ret, e);
}

/* One page: {"content": [...], "total": n}. */
static int page(struct mue_api *api, const char *path, const char *query, size_t offset,
		size_t limit, json_t **ret, struct mue_error *e)
{
	char q[3000] = "";
	int r;

	if (query && mue_http_escape(query, q, sizeof(q)) < 0)
		return mue_fail(e, MUE_EINVAL, "the filter is too long");
	r = mue_api_get(api, ret, e, "%s?offset=%zu&limit=%zu%s%s", path, offset, limit,
			query ? "&q=" : "", q);
	if (r == MUE_OK && !json_is_array(json_object_get(*ret, "content"))) {
		json_decref(*ret);
		api->cli->exit = MUE_EXIT_SERVER;
		return mue_fail(e, MUE_EPROTOCOL, "GET %s: no list came", path);
	}
	return r;
}

int mue_api_list(struct mue_api *api, const char *path, const char *query, json_t **ret,
		 struct mue_error *e)
{
	enum { LIMIT = 500 };
	json_t *all = json_array();

	for (;;) {
		json_t *p = NULL, *content;
		size_t n;
		int r = page(api, path, query, json_array_size(all), LIMIT, &p, e);

		if (r < 0) {
			json_decref(all);
			return r;
		}
		content = json_object_get(p, "content");
		n = json_array_size(content);
		json_array_extend(all, content);
		if (n == 0 || (int64_t)json_array_size(all) >= mue_json_int(p, "total", 0)) {
			json_decref(p);
			break;
		}
		json_decref(p);
	}
	*ret = all;
	return MUE_OK;
}

int mue_api_count(struct mue_api *api, const char *path, const char *query, uint64_t *ret,
		  struct mue_error *e)
{
	json_t *p = NULL;
	int r = page(api, path, query, 0, 1, &p, e);

	if (r < 0)
		return r;
	*ret = (uint64_t)mue_json_int(p, "total", 0);
	json_decref(p);
	return MUE_OK;
}

int mue_api_find(struct mue_api *api, const char *path, const char *query, json_t **ret,
		 struct mue_error *e)
{
	json_t *p = NULL, *first;
	int r = page(api, path, query, 0, 1, &p, e);

	if (r < 0)
		return r;
	first = json_incref(json_array_get(json_object_get(p, "content"), 0));
	json_decref(p);
	if (!first)
		return MUE_ENOTFOUND;
	*ret = first;
	return MUE_OK;
}

int mue_api_create(struct mue_api *api, const char *path, json_t *entity, json_t **ret,
		   struct mue_error *e)
{
	json_t *list = json_array(), *answer = NULL, *first;
	int r;

	json_array_append(list, entity);
	r = call(api, "POST", path, list, false, &answer, e);
	json_decref(list);
	if (r < 0)
		return r;
	first = json_is_array(answer) ? json_array_get(answer, 0) : NULL;
	if (!json_is_object(first)) {
		json_decref(answer);
		api->cli->exit = MUE_EXIT_SERVER;
		return mue_fail(e, MUE_EPROTOCOL, "POST %s: the server does not say what it made",
				path);
	}
	*ret = json_incref(first);
	json_decref(answer);
	return MUE_OK;
}

int mue_api_upload(struct mue_api *api, const char *path, const char *file, const char *name,
		   mue_http_progress progress, void *ctx, json_t **ret, struct mue_error *e)
{
	struct mue_http_request q = {
		.method = "POST",
		.form_file = file,
		.form_name = "file",
		.form_filename = name,
		.progress = progress,
		.ctx = ctx,
		.total_s = UINT32_MAX / 1000, /* a stalled one is ended by stall_s */
	};
	char url[1024];

	snprintf(url, sizeof(url), "%s%s", api->base, path);
	q.url = url;
	return exchange(api, &q, path, false, ret, e);
}

int mue_api_find_set(struct mue_api *api, const char *spec, int64_t *ret, struct mue_error *e)
{
	const char *colon = strrchr(spec, ':');
	char query[400];
	json_t *set = NULL;
	int r;

	if (!colon || colon == spec || !colon[1] || strlen(spec) > 200 || strpbrk(spec, "\"\\"))
		return mue_fail(e, MUE_EINVAL, "--ds wants NAME:VERSION, not \"%.60s\"", spec);
	snprintf(query, sizeof(query), "name==\"%.*s\";version==\"%s\"", (int)(colon - spec), spec,
		 colon + 1);
	r = mue_api_find(api, "/rest/v1/distributionsets", query, &set, e);
	if (r == MUE_ENOTFOUND) {
		api->cli->exit = MUE_EXIT_SERVER;
		return mue_fail(e, r, "the server has no release %s; see: mue publish --help",
				spec);
	}
	if (r < 0)
		return r;
	*ret = mue_json_int(set, "id", 0);
	json_decref(set);
	return MUE_OK;
}

const char *mue_json_str(const json_t *o, const char *key, const char *unset)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : unset;
}

int64_t mue_json_int(const json_t *o, const char *key, int64_t unset)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_integer(v))
		return json_integer_value(v);
	return json_is_real(v) ? (int64_t)json_real_value(v) : unset;
}
