/* Hands the page out: compressed where the client takes it, kept by browsers until it changes. */
#include "server/ui/ui.h"

#include "server/http/range.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* No script, style or picture but the server's own files, no inline code, no frame around it: a
 * text that a device reports cannot become code, whatever mistake the page makes (CSP level 3). */
static const char policy[] = "default-src 'self'; base-uri 'none'; form-action 'none'; "
			     "frame-ancestors 'none'; object-src 'none'";

static const struct mue_ui_file *find(const char *name)
{
	const struct mue_ui_file *f = mue_ui_files;

	while (f->name && strcmp(f->name, name) != 0)
		f++;
	return f->name ? f : NULL;
}

/* Does `list` (Accept-Encoding, RFC 9110 section 12.5.3) take gzip?  A weight of zero refuses. */
static bool takes_gzip(const char *list)
{
	const char *at = list ? strcasestr(list, "gzip") : NULL;
	const char *weight;
	size_t len;

	if (!at)
		return false;
	len = strcspn(at, ",");
	weight = memchr(at, '=', len);
	return !weight || strtod(weight + 1, NULL) > 0;
}

static int answer(struct mue_request *r, const struct mue_ui_file *f, const char *cache)
{
	bool gzip = takes_gzip(mue_request_header(r, "Accept-Encoding"));
	/* The two forms are two representations: each has its tag (section 8.8.3.3). */
	const char *etag = mue_arena_printf(&r->arena, "%s%s", f->etag, gzip ? "-gz" : "");
	struct mue_range_request q = { .if_none_match = mue_request_header(r, "If-None-Match"),
				       .etag = etag };

	if (!etag)
		return MUE_ENOMEM;
	mue_respond_empty(r, 200);
	if (mue_range_decide(&q).status == 304) {
		r->response.status = 304;
	} else {
		r->response.type = f->type;
		r->response.body = (const char *)(gzip ? f->gzip : f->plain);
		r->response.len = gzip ? f->gzip_len : f->plain_len;
		if (gzip)
			mue_respond_header(r, "Content-Encoding", "gzip");
	}
	mue_respond_header(r, "ETag", mue_arena_printf(&r->arena, "\"%s\"", etag));
	mue_respond_header(r, "Vary", "Accept-Encoding");
	mue_respond_header(r, "Cache-Control", cache);
	mue_respond_header(r, "Content-Security-Policy", policy);
	mue_respond_header(r, "X-Content-Type-Options", "nosniff");
	mue_respond_header(r, "Referrer-Policy", "no-referrer");
	return 0;
}

static int get_page(struct mue_request *r, struct mue_error *e)
{
	(void)e;
	return answer(r, find("index.html"), "no-cache");
}

/* Vite puts the digest of a file's content into its name, so scripts and styles never change. */
static int get_file(struct mue_request *r, struct mue_error *e)
{
	const char *name = mue_request_param(r, "file");
	const struct mue_ui_file *f = find(name);
	bool hashed = strchr(name, '-') != NULL;

	if (!f)
		return mue_fail(e, MUE_ENOTFOUND, "the page has no file %.80s", name);
	return answer(r, f, hashed ? "public, max-age=31536000, immutable" : "no-cache");
}

/* clang-format off */
const struct mue_route mue_routes_ui[] = {
	{ "GET", "/", get_page, MUE_ACCESS_PUBLIC, 0, NULL },
	{ "GET", "/ui/{file}", get_file, MUE_ACCESS_PUBLIC, 0, NULL },
	{ 0 },
};
/* clang-format on */
