#include "links/https.h"

#include "links/backoff.h"

#include <string.h>

struct flow {
	const struct mue_https_get *g;
	uint64_t at; /* bytes the sink has, from 0 */
	int verdict; /* of a callback: ends it all */
	bool too_long;
};

static int on_bytes(void *ctx, const void *data, size_t len)
{
	struct flow *f = ctx;
	int r;

	if (len > f->g->size - f->at) {
		f->too_long = true;
		return MUE_ESIZE;
	}
	r = f->g->sink(f->g->ctx, data, len);
	if (r == 0)
		f->at += len;
	else
		f->verdict = r;
	return r;
}

static int on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct flow *f = ctx;
	int r = f->g->progress ? f->g->progress(f->g->ctx, done, total) : 0;

	if (r)
		f->verdict = r;
	return r;
}

/* One request; 0 when it ended well, even if bytes are still missing. */
static int attempt(struct mue_http *h, struct flow *f, uint32_t *ret_retry_after_s,
		   struct mue_error *e)
{
	struct mue_http_request q = { .url = f->g->url, .sink = on_bytes, .ctx = f };
	struct mue_http_answer a;
	uint64_t from = f->at;
	int r;

	q.range_from = from;
	q.progress = on_progress;
	r = mue_http_do(h, &q, &a, e);
	*ret_retry_after_s = a.retry_after_s;
	if (f->too_long)
		r = mue_fail(e, MUE_ESIZE, "%s: longer than the manifest's %llu bytes", f->g->url,
			     (unsigned long long)f->g->size);
	else if (r == 0)
		r = mue_http_status(&a, f->g->url, e);
	if (r == 0 && f->at < f->g->size)
		r = mue_fail(e, MUE_ESIZE, "%s: has %llu bytes, the manifest says %llu", f->g->url,
			     (unsigned long long)f->at, (unsigned long long)f->g->size);
	mue_http_answer_free(&a);
	return r;
}

/* Verdicts that no second attempt changes. */
static bool final(int verdict)
{
	return verdict == MUE_ESIZE || verdict == MUE_EINVAL || verdict == MUE_EKEY ||
	       verdict == MUE_ENOMEM;
}

int mue_https_get(struct mue_http *h, const struct mue_https_get *g,
		  const struct mue_https_limits *limits, struct mue_error *e)
{
	struct flow f = { .g = g, .at = g->from };
	struct mue_backoff b;
	uint32_t retry_after_s;

	mue_backoff_init(&b, limits->retry_s, limits->max_s);
	while (f.at < g->size) {
		uint64_t before = f.at, ms;
		int r = attempt(h, &f, &retry_after_s, e);

		if (r == 0)
			break;
		if (f.verdict || final(r))
			return f.verdict ? f.verdict : r;
		ms = mue_backoff_next(&b, f.at > before, retry_after_s, mue_backoff_random());
		if (b.fruitless >= limits->retries || b.attempts >= limits->attempts)
			return mue_prefix(e, "given up after %u attempts", b.attempts);
		r = g->wait(g->ctx, ms, e);
		if (r < 0)
			return r;
	}
	return 0;
}
