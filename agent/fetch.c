#include "agent/fetch.h"

#include "host/log.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_S      30
#define POLL_MOST_S 3600

int64_t mue_fetch_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The resource that a link means, on the server of the configuration: our identity is for it alone,
 * and a proxy that writes its own name into links does not keep a device from its updates. */
static int our_url(const struct mue_fetch *f, const char *link, char ret[MUE_DDI_URL],
		   struct mue_error *e)
{
	const char *resource = strstr(link, "/controller/v1/");
	int n = resource ? snprintf(ret, MUE_DDI_URL, "%s/%.128s%s", f->c->server, f->c->tenant,
				    resource)
			 : -1;

	if (n < 0 || n >= MUE_DDI_URL)
		return mue_fail(e, MUE_EPROTOCOL, "%.160s: no link to a DDI resource", link);
	return 0;
}

int mue_fetch_get(struct mue_fetch *f, struct mue_http *h, const char *link,
		  struct mue_http_answer *ret, struct mue_error *e)
{
	char url[MUE_DDI_URL];
	struct mue_http_request q = { .url = url, .total_s = POLL_S };
	int r;

	memset(ret, 0, sizeof(*ret));
	r = our_url(f, link, url, e);
	if (r < 0)
		return r;
	r = mue_http_do(h, &q, ret, e);
	if (r == 0)
		r = mue_http_status(ret, url, e);
	if (ret->retry_after_s)
		f->retry_after_s = ret->retry_after_s;
	return r;
}

int mue_fetch_poll(struct mue_fetch *f, struct mue_http *h, struct mue_ddi_base *ret,
		   struct mue_error *e)
{
	struct mue_http_answer a;
	int r = mue_fetch_get(f, h, f->base, &a, e);

	if (r == 0)
		r = mue_ddi_parse_base(a.body ? a.body : "", a.body_size, f->c->server, ret, e);
	if (r == 0)
		f->sleep_s = ret->sleep_s ? ret->sleep_s : (uint32_t)f->c->poll_s;
	mue_http_answer_free(&a);
	return r;
}

int mue_fetch_store(struct mue_fetch *f, const struct mue_ipc_msg *m, struct mue_error *e)
{
	struct mue_ipc_msg ok;
	int r = mue_reports_add(&f->reports, (enum mue_report_kind)m->kind, m->action, m->verdict,
				m->text, e);

	if (r == 0 && m->kind == MUE_REPORT_SUCCESS)
		snprintf(f->done, sizeof(f->done), "%s", m->action);
	mue_ipc_make(&ok, MUE_IPC_STORED, m->action);
	ok.verdict = r;
	return mue_ipc_send(f->sock, &ok, NULL, 0, e);
}

static int send_attributes(struct mue_fetch *f, struct mue_error *e)
{
	const char *pairs[MUE_FETCH_ATTRIBUTES][2];
	struct mue_buf body = { .max = 16384 };
	char url[MUE_DDI_URL + 16];
	struct mue_http_request q = { .method = "PUT", .url = url, .total_s = POLL_S };
	struct mue_http_answer a;
	int r;

	for (size_t i = 0; i < f->attributes; i++) {
		pairs[i][0] = f->attribute[i][0];
		pairs[i][1] = f->attribute[i][1];
	}
	r = mue_ddi_config_data((const char *const(*)[2])pairs, f->attributes, &body);
	snprintf(url, sizeof(url), "%s/configData", f->base);
	q.body = body.data;
	q.body_size = body.len;
	if (r == 0) {
		r = mue_http_do(f->api, &q, &a, e);
		if (r == 0)
			r = mue_http_status(&a, url, e);
		mue_http_answer_free(&a);
	}
	mue_buf_free(&body);
	if (r == 0)
		f->attributes_sent = true;
	return r;
}

/* Says so when the first request works; tried until the limit of a health check. */
static int prove(struct mue_fetch *f, struct mue_error *e)
{
	int64_t end = mue_fetch_now_ms() + (int64_t)f->c->health_timeout_s * 1000;
	struct mue_ddi_base base;
	struct mue_backoff b;
	struct mue_ipc_msg m;
	int r;

	mue_backoff_init(&b, 1, 15);
	while ((r = mue_fetch_poll(f, f->api, &base, e)) < 0) {
		uint64_t ms = mue_backoff_next(&b, 0, 0, mue_backoff_random());
		struct timespec t = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

		if (mue_fetch_now_ms() + (int64_t)ms >= end)
			break;
		nanosleep(&t, NULL);
	}
	mue_ipc_make(&m, MUE_IPC_REACHED, NULL);
	m.verdict = r;
	if (r < 0)
		snprintf(m.text, sizeof(m.text), "%s", e->text);
	return mue_ipc_send(f->sock, &m, NULL, 0, e);
}

/* What install says before polling begins: who we are, what became of the last update. */
static int start_up(struct mue_fetch *f, struct mue_error *e)
{
	struct mue_ipc_msg m;
	uint32_t ignored;
	int r;

	while ((r = mue_ipc_recv(f->sock, &m, NULL, NULL, -1, e)) == 0) {
		if (m.type == MUE_IPC_IDLE)
			return 0;
		if (m.type == MUE_IPC_ATTRIBUTE && f->attributes < MUE_FETCH_ATTRIBUTES) {
			snprintf(f->attribute[f->attributes][0], MUE_IPC_NAME, "%s", m.name);
			snprintf(f->attribute[f->attributes++][1], MUE_IPC_NAME, "%.255s", m.text);
		} else if (m.type == MUE_IPC_REPORT) {
			r = mue_fetch_store(f, &m, e);
		} else if (m.type == MUE_IPC_PROVE) {
			r = prove(f, e);
		} else if (m.type == MUE_IPC_REBOOT) {
			(void)mue_reports_flush(&f->reports, f->api, &ignored, e);
			f->stop = true;
			return 0;
		}
		if (r < 0)
			return r;
	}
	return r;
}

/* One round: tell, ask, do.  A verdict: the server could not be asked. */
static int round_trip(struct mue_fetch *f, struct mue_error *e)
{
	struct mue_ddi_base base;
	uint32_t wait_s = 0;
	int r;

	f->retry_after_s = 0;
	r = mue_reports_flush(&f->reports, f->api, &wait_s, e);
	if (r == 0)
		r = mue_fetch_poll(f, f->api, &base, e);
	if (wait_s > f->retry_after_s)
		f->retry_after_s = wait_s;
	if (r < 0)
		return r;
	if (*base.cancel)
		r = mue_fetch_cancel(f, base.cancel, e);
	else if (*base.deployment)
		r = mue_fetch_deployment(f, base.deployment, e);
	else if (*base.confirmation)
		r = mue_fetch_confirmation(f, base.confirmation, e);
	if (r == 0 && !f->stop && (*base.config || !f->attributes_sent))
		r = send_attributes(f, e);
	if (mue_reports_flush(&f->reports, f->api, &wait_s, f->stop ? NULL : e) < 0 && r == 0)
		r = MUE_ELINK;
	if (wait_s > f->retry_after_s)
		f->retry_after_s = wait_s;
	return r;
}

/* Sleeps, but hears when install ends. */
static int rest(struct mue_fetch *f, uint64_t ms, struct mue_error *e)
{
	struct mue_ipc_msg m;
	int r = mue_ipc_recv(f->sock, &m, NULL, NULL, (int)(ms > 86400000 ? 86400000 : ms), e);

	return r == MUE_ETIMEOUT ? 0 : r == 0 ? MUE_EPROTOCOL : r;
}

static int poll_loop(struct mue_fetch *f, struct mue_error *e)
{
	int r = 0;

	mue_backoff_init(&f->trouble, (uint32_t)f->c->retry_s, POLL_MOST_S);
	while (!f->stop) {
		uint64_t ms;

		r = round_trip(f, e);
		if (r < 0)
			mue_log(MUE_LOG_WARN, "poll.failed", "verdict", mue_err_name(r), "why",
				e->text, NULL);
		if (f->stop || f->once)
			return r;
		if (r < 0) {
			ms = mue_backoff_next(&f->trouble, 0, f->retry_after_s,
					      mue_backoff_random());
		} else {
			f->trouble.fruitless = 0;
			ms = mue_backoff_jitter(f->sleep_s > f->retry_after_s ? f->sleep_s
									      : f->retry_after_s,
						mue_backoff_random());
		}
		r = rest(f, ms, e);
		if (r < 0)
			return r;
	}
	return r;
}

static int open_links(struct mue_fetch *f, struct mue_error *e)
{
	const struct mue_config *c = f->c;
	char authorization[MUE_CONFIG_TEXT + 16] = "";
	struct mue_http_config h = { .user_agent = "mue-agent" };
	int r;

	h.ca = *c->ca ? c->ca : NULL;
	r = mue_http_open(&h, &f->foreign, e);
	if (*c->token)
		snprintf(authorization, sizeof(authorization), "TargetToken %s", c->token);
	else if (*c->gateway)
		snprintf(authorization, sizeof(authorization), "GatewayToken %s", c->gateway);
	h.authorization = *authorization ? authorization : NULL;
	h.cert = *c->cert ? c->cert : NULL;
	h.key = *c->key ? c->key : NULL;
	if (r == 0)
		r = mue_http_open(&h, &f->api, e);
	if (r == 0)
		r = mue_http_open(&h, &f->side, e);
	explicit_bzero(authorization, sizeof(authorization));
	return r;
}

int mue_fetch_main(const struct mue_config *c, int sock, bool once)
{
	struct mue_fetch *f = calloc(1, sizeof(*f));
	struct mue_error e = { 0 };
	int r;

	if (!f)
		return 1;
	f->c = c;
	f->sock = sock;
	f->once = once;
	f->sleep_s = (uint32_t)c->poll_s;
	snprintf(f->base, sizeof(f->base), "%s/%.128s/controller/v1/%.128s", c->server, c->tenant,
		 c->id);
	mue_ipc_widen(sock);
	f->packet = malloc(MUE_IPC_DATA);
	r = f->packet ? mue_reports_open(&f->reports, c->spool, f->base, &e) : MUE_ENOMEM;
	if (r == 0)
		r = open_links(f, &e);
	if (r == 0)
		r = start_up(f, &e);
	if (r == 0)
		r = poll_loop(f, &e);
	if (r < 0)
		mue_log(MUE_LOG_ERROR, "fetch.ends", "verdict", mue_err_name(r), "why", e.text,
			NULL);
	mue_http_close(f->api);
	mue_http_close(f->side);
	mue_http_close(f->foreign);
	free(f->packet);
	free(f);
	return r < 0;
}
