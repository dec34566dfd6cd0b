/* What fetch does about an action: deploymentBase, cancelAction, confirmationBase. */
#include "agent/fetch.h"

#include "host/file.h"
#include "host/log.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_LEAST_S 5 /* a download looks for a cancel at most so often */

static int report(struct mue_fetch *f, enum mue_report_kind kind, int code, const char *text,
		  struct mue_error *e)
{
	return mue_reports_add(&f->reports, kind, f->deployment.id, code, text, e);
}

/* Reports "verdict name: sentence" as the end of the action. */
static int report_failure(struct mue_fetch *f, int code, const char *why, struct mue_error *e)
{
	char text[MUE_IPC_TEXT];

	snprintf(text, sizeof(text), "%s: %.440s", mue_err_name(code), why);
	return report(f, MUE_REPORT_FAILURE, code, text, e);
}

/* --- looking for a cancel while a download runs --- */

static int look(struct mue_fetch *f)
{
	struct mue_error e = { 0 };
	struct mue_ddi_cancel cancel;
	struct mue_http_answer a;
	struct mue_ddi_base base;
	int r;

	if (mue_fetch_now_ms() < f->next_look_ms)
		return 0;
	f->next_look_ms = mue_fetch_now_ms() +
			  1000 * (int64_t)(f->sleep_s > LOOK_LEAST_S ? f->sleep_s : LOOK_LEAST_S);
	if (mue_fetch_poll(f, f->side, &base, &e) < 0)
		return 0; /* the download itself will notice */
	if (!*base.cancel)
		return *base.deployment ? 0 : MUE_ECANCELLED; /* withdrawn without a word */
	r = mue_fetch_get(f, f->side, base.cancel, &a, &e);
	if (r == 0)
		r = mue_ddi_parse_cancel(a.body ? a.body : "", a.body_size, &cancel, &e);
	mue_http_answer_free(&a);
	if (r < 0 || strcmp(cancel.stop, f->deployment.id) != 0)
		return 0;
	snprintf(f->cancel, sizeof(f->cancel), "%s", cancel.id);
	return MUE_ECANCELLED;
}

static int on_progress(void *ctx, uint64_t done, uint64_t total)
{
	(void)done;
	(void)total;
	return look(ctx);
}

/* A pause between attempts, in which a cancel is heard too. */
static int on_wait(void *ctx, uint64_t ms, const struct mue_error *why)
{
	struct mue_fetch *f = ctx;
	int64_t end = mue_fetch_now_ms() + (int64_t)ms;
	struct mue_log_num n;

	mue_log(MUE_LOG_WARN, "download.pause", "ms", mue_log_num(&n, (int64_t)ms), "why",
		why->text, NULL);
	for (;;) {
		int64_t left = end - mue_fetch_now_ms();
		struct pollfd p = { .fd = f->sock, .events = POLLIN };
		int r;

		if (left <= 0)
			return 0;
		if (poll(&p, 1, left > 1000 ? 1000 : (int)left) > 0)
			return MUE_ELINK; /* install has something to say, or is gone */
		r = look(f);
		if (r < 0)
			return r;
	}
}

/* --- the payload's bytes to install --- */

static int send_packet(struct mue_fetch *f)
{
	struct pollfd p = { .fd = f->sock, .events = POLLIN };
	struct mue_ipc_msg m;
	int r;

	if (poll(&p, 1, 0) > 0)
		return MUE_EIO; /* install has given up: its verdict waits to be read */
	mue_ipc_make(&m, MUE_IPC_DATA_, NULL);
	r = mue_ipc_send(f->sock, &m, f->packet, f->packet_len, NULL);
	f->packet_len = 0;
	return r;
}

static int on_payload(void *ctx, const void *data, size_t len)
{
	struct mue_fetch *f = ctx;
	const uint8_t *p = data;
	int r = 0;

	while (r == 0 && len > 0) {
		size_t room = MUE_IPC_DATA - f->packet_len, n = len < room ? len : room;

		memcpy(f->packet + f->packet_len, p, n);
		f->packet_len += n;
		p += n;
		len -= n;
		if (f->packet_len == MUE_IPC_DATA)
			r = send_packet(f);
	}
	return r;
}

static struct mue_https_limits limits(const struct mue_fetch *f)
{
	struct mue_https_limits l = { (uint32_t)f->c->retries, (uint32_t)f->c->attempts_max,
				      (uint32_t)f->c->retry_s, 900 };

	return l;
}

/* The handle for an artifact's URL: our identity goes to our own server only. */
static struct mue_http *link_for(const struct mue_fetch *f, const char *url)
{
	return mue_ddi_same_origin(url, f->c->server) ? f->api : f->foreign;
}

/* Answers a WANT: the bytes, then END with how it went. */
static int send_file(struct mue_fetch *f, const struct mue_ipc_msg *want, struct mue_error *e)
{
	struct mue_https_limits l = limits(f);
	struct mue_https_get g = { .from = want->offset,
				   .size = want->size,
				   .sink = on_payload,
				   .wait = on_wait,
				   .progress = on_progress,
				   .ctx = f };
	const struct mue_ddi_file *file;
	struct mue_error why = { 0 };
	struct mue_ipc_msg end;
	char text[MUE_IPC_TEXT];
	int r, verdict = mue_ddi_find_file(&f->deployment, want->name, &file, &why);

	f->packet_len = 0;
	if (verdict == 0) {
		snprintf(text, sizeof(text), "downloading %.200s: %llu bytes from %llu on",
			 want->name, (unsigned long long)(want->size - want->offset),
			 (unsigned long long)want->offset);
		r = report(f, MUE_REPORT_PROCEEDING, 0, text, e);
		if (r < 0)
			return r;
		(void)mue_reports_flush(&f->reports, f->api, &f->retry_after_s, NULL);
		f->next_look_ms = mue_fetch_now_ms() + 1000 * (int64_t)LOOK_LEAST_S;
		g.url = file->url;
		verdict = mue_https_get(link_for(f, file->url), &g, &l, &why);
	}
	/* What has arrived is kept, also of a download that failed. */
	if (f->packet_len > 0 && verdict != MUE_EIO && send_packet(f) < 0 && verdict == 0)
		verdict = MUE_EIO;
	mue_ipc_make(&end, MUE_IPC_END, f->deployment.id);
	end.verdict = verdict;
	snprintf(end.text, sizeof(end.text), "%s", verdict < 0 ? why.text : "");
	return mue_ipc_send(f->sock, &end, NULL, 0, e);
}

/* --- a deployment --- */

/* The cancel that stopped a download is obeyed. */
static int cancelled(struct mue_fetch *f, struct mue_error *e)
{
	int r = mue_reports_add(&f->reports, MUE_REPORT_CANCEL_DONE, f->cancel, 0,
				"given up before the install", e);

	*f->cancel = 0;
	return r;
}

struct envelope {
	struct mue_buf b;
	struct mue_fetch *f;
};

static int on_envelope(void *ctx, const void *data, size_t len)
{
	struct envelope *v = ctx;

	return mue_buf_add(&v->b, data, len);
}

static int on_envelope_wait(void *ctx, uint64_t ms, const struct mue_error *why)
{
	struct envelope *v = ctx;

	return on_wait(v->f, ms, why);
}

/* The envelope, whole, in memory. */
static int get_envelope(struct mue_fetch *f, struct envelope *v, struct mue_error *e)
{
	struct mue_https_limits l = limits(f);
	struct mue_https_get g = { .sink = on_envelope, .wait = on_envelope_wait, .ctx = v };
	const struct mue_ddi_file *file;
	int r = mue_ddi_find_envelope(&f->deployment, &file, e);

	if (r < 0)
		return r;
	if (file->size == 0 || file->size > MUE_IPC_ENVELOPE)
		return mue_fail(e, MUE_ESIZE,
				"%.100s: an envelope has 1 to %d bytes, the server says %llu",
				file->name, MUE_IPC_ENVELOPE, (unsigned long long)file->size);
	g.url = file->url;
	g.size = file->size;
	f->next_look_ms = mue_fetch_now_ms() + 1000 * (int64_t)LOOK_LEAST_S;
	return mue_https_get(link_for(f, file->url), &g, &l, e);
}

/* Conditions that may hold later: the action stays open, the reason is told once. */
static bool passing(int verdict)
{
	return verdict == MUE_EBATTERY || verdict == MUE_ELINK || verdict == MUE_EBUSY;
}

/* A line that breaks is no failure of the release: the next poll continues the download.  But it
 * may not go on for ever without an end that the operator sees. */
static bool line_broke(struct mue_fetch *f, int verdict)
{
	if (verdict != MUE_ELINK && verdict != MUE_ETIMEOUT)
		return false;
	if (strcmp(f->broken, f->deployment.id) != 0) {
		snprintf(f->broken, sizeof(f->broken), "%s", f->deployment.id);
		f->broken_count = 0;
	}
	return ++f->broken_count <= f->c->retries;
}

static int wait_for_condition(struct mue_fetch *f, const struct mue_ipc_msg *m, struct mue_error *e)
{
	char text[MUE_IPC_TEXT];

	if (strcmp(f->told, f->deployment.id) == 0 && f->told_verdict == m->verdict)
		return 0;
	snprintf(f->told, sizeof(f->told), "%s", f->deployment.id);
	f->told_verdict = m->verdict;
	snprintf(text, sizeof(text), "waiting: %s: %.440s", mue_err_name(m->verdict), m->text);
	return report(f, MUE_REPORT_PROCEEDING, m->verdict, text, e);
}

/* Asks install for the trial boot, or says why not yet. */
static int activate(struct mue_fetch *f, struct mue_error *e)
{
	const struct mue_ddi_deployment *d = &f->deployment;
	struct mue_ipc_msg m;
	uint32_t ignored;
	int r;

	if (d->update == MUE_DDI_SKIP || d->closed_window) {
		snprintf(f->held, sizeof(f->held), "%s", d->id);
		return report(f, MUE_REPORT_DOWNLOADED, 0,
			      d->closed_window ? "in the slot; waits for the maintenance window"
					       : "in the slot; the server asks not to update yet",
			      e);
	}
	*f->held = 0;
	mue_ipc_make(&m, MUE_IPC_ACTIVATE, d->id);
	r = mue_ipc_send(f->sock, &m, NULL, 0, e);
	while (r == 0) {
		r = mue_ipc_recv(f->sock, &m, NULL, NULL, -1, e);
		if (r < 0 || m.type == MUE_IPC_VERDICT)
			break;
		if (m.type == MUE_IPC_REPORT) {
			r = mue_fetch_store(f, &m, e);
		} else if (m.type == MUE_IPC_REBOOT) {
			f->stop = true;
			(void)mue_reports_flush(&f->reports, f->api, &ignored, e);
			return 0;
		} else {
			r = mue_fail(e, MUE_EPROTOCOL, "install answers ACTIVATE with %u", m.type);
		}
	}
	return r < 0 ? r : report_failure(f, m.verdict, m.text, e);
}

/* Install's last word on an offer. */
static int conclude(struct mue_fetch *f, const struct mue_ipc_msg *m, struct mue_error *e)
{
	if (m->verdict == 0 && m->flags & MUE_IPC_INSTALLED)
		return report(f, MUE_REPORT_SUCCESS, 0, m->text, e);
	if (m->verdict == 0)
		return activate(f, e);
	if (m->verdict == MUE_ECANCELLED)
		return *f->cancel ? cancelled(f, e) : 0;
	if (m->flags & MUE_IPC_BEGUN ? line_broke(f, m->verdict) : passing(m->verdict))
		return wait_for_condition(f, m, e);
	return report_failure(f, m->verdict, m->text, e);
}

static int offer(struct mue_fetch *f, const struct mue_buf *envelope, struct mue_error *e)
{
	struct mue_ipc_msg m;
	int r;

	mue_ipc_make(&m, MUE_IPC_OFFER, f->deployment.id);
	r = mue_ipc_send(f->sock, &m, envelope->data, envelope->len, e);
	while (r == 0) {
		r = mue_ipc_recv(f->sock, &m, NULL, NULL, -1, e);
		if (r < 0)
			break;
		if (m.type == MUE_IPC_VERDICT)
			return conclude(f, &m, e);
		r = m.type == MUE_IPC_WANT
			    ? send_file(f, &m, e)
			    : mue_fail(e, MUE_EPROTOCOL, "install answers OFFER with %u", m.type);
	}
	if (r < 0)
		f->stop = true; /* the other process is gone: nothing works any more */
	return r;
}

int mue_fetch_deployment(struct mue_fetch *f, const char *url, struct mue_error *e)
{
	struct envelope v = { .b = { .max = MUE_IPC_ENVELOPE }, .f = f };
	struct mue_http_answer a;
	struct mue_error why = { 0 };
	int r = mue_fetch_get(f, f->api, url, &a, e);

	if (r == 0)
		r = mue_ddi_parse_deployment(a.body ? a.body : "", a.body_size, f->c->server,
					     &f->deployment, e);
	mue_http_answer_free(&a);
	if (r < 0)
		return r;
	/* Its end is known and only waits for the line: do not do it twice. */
	if (mue_reports_closing(&f->reports, f->deployment.id))
		return 0;
	if (f->deployment.download == MUE_DDI_SKIP)
		return 0;
	if (strcmp(f->held, f->deployment.id) == 0) {
		bool may = f->deployment.update != MUE_DDI_SKIP && !f->deployment.closed_window;

		return may ? activate(f, e) : 0;
	}
	r = get_envelope(f, &v, &why);
	if (r == 0)
		r = offer(f, &v.b, e);
	else if (r == MUE_ECANCELLED && *f->cancel)
		r = cancelled(f, e);
	else if (r != MUE_ECANCELLED && !line_broke(f, r))
		r = report_failure(f, r, why.text, e);
	mue_buf_free(&v.b);
	return r == MUE_ECANCELLED ? 0 : r;
}

/* --- a cancel, when no download runs --- */

int mue_fetch_cancel(struct mue_fetch *f, const char *url, struct mue_error *e)
{
	struct mue_ddi_cancel cancel;
	struct mue_http_answer a;
	struct mue_ipc_msg m;
	int r = mue_fetch_get(f, f->api, url, &a, e);

	if (r == 0)
		r = mue_ddi_parse_cancel(a.body ? a.body : "", a.body_size, &cancel, e);
	mue_http_answer_free(&a);
	if (r < 0)
		return r;
	/* It crossed the report on its way: what runs already is not given up. */
	if (strcmp(f->done, cancel.stop) == 0)
		return mue_reports_add(&f->reports, MUE_REPORT_CANCEL_REJECTED, cancel.id,
				       MUE_EREBOOT, "too late: it runs already", e);
	mue_ipc_make(&m, MUE_IPC_CANCEL, cancel.stop);
	r = mue_ipc_send(f->sock, &m, NULL, 0, e);
	if (r == 0)
		r = mue_ipc_recv(f->sock, &m, NULL, NULL, -1, e);
	if (r < 0)
		return r;
	if (m.verdict == 0 && strcmp(f->held, cancel.stop) == 0)
		*f->held = 0;
	return mue_reports_add(&f->reports,
			       m.verdict == 0 ? MUE_REPORT_CANCEL_DONE : MUE_REPORT_CANCEL_REJECTED,
			       cancel.id, m.verdict, m.text, e);
}

/* --- an action that asks for the device's consent --- */

static bool agrees(const struct mue_config *c, const char **ret_text)
{
	if (strcmp(c->confirm, "yes") == 0) {
		*ret_text = "confirmed by configuration";
		return true;
	}
	*ret_text = "denied by configuration";
	return false;
}

int mue_fetch_confirmation(struct mue_fetch *f, const char *url, struct mue_error *e)
{
	struct mue_buf body = { .max = 4096 };
	char target[MUE_DDI_URL + 160];
	struct mue_http_request q = { .url = target, .total_s = 30 };
	struct mue_http_answer a;
	const char *text;
	bool yes;
	int r = mue_fetch_get(f, f->api, url, &a, e);

	if (r == 0)
		r = mue_ddi_parse_deployment(a.body ? a.body : "", a.body_size, f->c->server,
					     &f->deployment, e);
	mue_http_answer_free(&a);
	if (r < 0)
		return r;
	yes = agrees(f->c, &text);
	if (!yes && strcmp(f->c->confirm, "no") != 0) {
		if (!mue_file_exists(f->c->confirm))
			return 0; /* nobody has answered yet */
		yes = true;
		text = "confirmed at the device";
	}
	r = mue_ddi_confirmation(yes, text, &body);
	snprintf(target, sizeof(target), "%s/confirmationBase/%s/feedback", f->base,
		 f->deployment.id);
	q.body = body.data;
	q.body_size = body.len;
	if (r == 0) {
		r = mue_http_do(f->api, &q, &a, e);
		if (r == 0)
			r = mue_http_status(&a, target, e);
		mue_http_answer_free(&a);
	}
	mue_buf_free(&body);
	return r;
}
