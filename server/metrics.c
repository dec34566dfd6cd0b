#include "server/metrics.h"

#include "host/buf.h"
#include "server/http/httpd.h"
#include "server/presence.h"
#include "server/store/store.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024, BOUNDS = 8 };

/* Upper bounds of the histogram, in microseconds. */
static const int64_t bounds_us[BOUNDS] = {
	500, 1000, 5000, 10000, 50000, 100000, 1000000, 10000000
};

enum api { API_DDI, API_MGMT, API_MUE, API_OTHER, APIS };
static const char *const api_names[APIS] = { "ddi", "management", "mue", "other" };

struct mue_metrics {
	atomic_ullong status[APIS][6]; /* by hundreds; 0: broken off */
	atomic_ullong took[APIS][BOUNDS + 1];
	atomic_ullong took_sum_us[APIS];
	atomic_ullong counts[MUE_COUNTS];
};

static const struct {
	const char *name, *help;
} counts[MUE_COUNTS] = {
	[MUE_COUNT_FEEDBACK] = { "mue_feedback_total", "Reports of devices that were stored." },
	[MUE_COUNT_FEEDBACK_REPEATED] = { "mue_feedback_repeated_total",
					  "Reports that a device sent again." },
	[MUE_COUNT_DOWNLOAD] = { "mue_downloads_total", "Artifact downloads begun by devices." },
	[MUE_COUNT_UPLOAD] = { "mue_uploads_total", "Artifacts stored." },
	[MUE_COUNT_UPLOAD_REFUSED] = { "mue_uploads_refused_total", "Artifacts refused." },
};

struct mue_metrics *mue_metrics_new(void)
{
	return calloc(1, sizeof(struct mue_metrics));
}

void mue_metrics_free(struct mue_metrics *m)
{
	free(m);
}

static enum api api_of(const char *pattern)
{
	if (!strncmp(pattern, "/{tenant}/", 10))
		return API_DDI;
	if (!strncmp(pattern, "/rest/", 6))
		return API_MGMT;
	return strncmp(pattern, "/api/", 5) ? API_OTHER : API_MUE;
}

void mue_metrics_request(struct mue_metrics *m, const char *pattern, unsigned status,
			 int64_t took_us, bool whole)
{
	enum api api = api_of(pattern);
	unsigned hundreds = whole && status < 600 ? status / 100 : 0, i = 0;

	atomic_fetch_add(&m->status[api][hundreds], 1);
	while (i < BOUNDS && took_us > bounds_us[i])
		i++;
	atomic_fetch_add(&m->took[api][i], 1);
	atomic_fetch_add(&m->took_sum_us[api], (unsigned long long)(took_us > 0 ? took_us : 0));
}

void mue_metrics_count(struct mue_metrics *m, enum mue_count what)
{
	atomic_fetch_add(&m->counts[what], 1);
}

static void head(struct mue_buf *b, const char *name, const char *type, const char *help)
{
	mue_buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void requests(struct mue_buf *b, struct mue_metrics *m)
{
	head(b, "mue_http_requests_total", "counter",
	     "Requests by interface and class of status; broken: the client went away.");
	for (unsigned a = 0; a < APIS; a++)
		for (unsigned s = 0; s < 6; s++) {
			unsigned long long n = atomic_load(&m->status[a][s]);

			if (n && s)
				mue_buf_printf(b,
					       "mue_http_requests_total{api=\"%s\",status=\"%uxx\"}"
					       " %llu\n",
					       api_names[a], s, n);
			else if (n)
				mue_buf_printf(b,
					       "mue_http_requests_total{api=\"%s\","
					       "status=\"broken\"} %llu\n",
					       api_names[a], n);
		}
}

static void durations(struct mue_buf *b, struct mue_metrics *m)
{
	static const char name[] = "mue_http_request_duration_seconds";

	head(b, name, "histogram", "Time from the first line of a request to its answer's end.");
	for (unsigned a = 0; a < APIS; a++) {
		unsigned long long sum = 0;

		for (unsigned i = 0; i <= BOUNDS; i++) {
			sum += atomic_load(&m->took[a][i]);
			if (i < BOUNDS)
				mue_buf_printf(b, "%s_bucket{api=\"%s\",le=\"%g\"} %llu\n", name,
					       api_names[a], (double)bounds_us[i] / 1e6, sum);
		}
		mue_buf_printf(b, "%s_bucket{api=\"%s\",le=\"+Inf\"} %llu\n", name, api_names[a],
			       sum);
		mue_buf_printf(b, "%s_sum{api=\"%s\"} %g\n", name, api_names[a],
			       (double)atomic_load(&m->took_sum_us[a]) / 1e6);
		mue_buf_printf(b, "%s_count{api=\"%s\"} %llu\n", name, api_names[a], sum);
	}
}

static void one(struct mue_buf *b, const char *name, const char *type, const char *help, uint64_t n)
{
	head(b, name, type, help);
	mue_buf_printf(b, "%s %" PRIu64 "\n", name, n);
}

static void fleet(struct mue_buf *b, const struct mue_server *s)
{
	static const char *const offers[] = { "none", "deploy", "confirm", "cancel" };
	struct mue_presence_counts c;
	struct mue_store_stats st;

	mue_presence_count(s->presence, &c);
	mue_store_stats(s->store, &st);
	one(b, "mue_targets", "gauge", "Targets known.", c.targets);
	one(b, "mue_polls_total", "counter", "Polls of known targets.", c.polls);
	head(b, "mue_targets_by_offer", "gauge", "Targets by what their next poll offers.");
	for (unsigned i = 0; i < 4; i++)
		mue_buf_printf(b, "mue_targets_by_offer{offer=\"%s\"} %" PRIu64 "\n", offers[i],
			       c.offers[i]);
	one(b, "mue_store_writes_total", "counter", "Write transactions.", st.writes);
	one(b, "mue_store_commits_total", "counter", "Commits; each may hold many writes.",
	    st.commits);
	one(b, "mue_store_failed_total", "counter", "Write transactions that were undone.",
	    st.failed);
	one(b, "mue_connections", "gauge", "Open connections.", mue_httpd_connections(s->httpd));
}

const char *mue_metrics_text(struct mue_request *r)
{
	struct mue_metrics *m = r->server->metrics;
	struct mue_buf b = { .max = TEXT_MAX };
	const char *text;

	requests(&b, m);
	durations(&b, m);
	for (unsigned i = 0; i < MUE_COUNTS; i++)
		one(&b, counts[i].name, "counter", counts[i].help, atomic_load(&m->counts[i]));
	fleet(&b, r->server);
	text = mue_arena_copy(&r->arena, mue_buf_str(&b), b.len);
	mue_buf_free(&b);
	return text;
}
