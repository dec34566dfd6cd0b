#include "agent/report.h"

#include "host/file.h"
#include "host/log.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPORT_MAX 8192
#define SEND_S     15

/* A file's name: number, kind, action.  "00000012.4.8" */
struct name {
	uint64_t number;
	unsigned kind;
	char action[MUE_IPC_ACTION];
};

static bool parse_name(const char *s, struct name *ret)
{
	unsigned long long number;
	int n = 0;

	if (sscanf(s, "%8llu.%1u.%63s%n", &number, &ret->kind, ret->action, &n) != 3 || s[n])
		return false;
	ret->number = number;
	return ret->kind >= MUE_REPORT_PROCEEDING && ret->kind <= MUE_REPORT_CANCEL_REJECTED;
}

static int is_report(const struct dirent *d)
{
	struct name n;

	return parse_name(d->d_name, &n);
}

/* The files in order.  Returns how many, the caller frees; < 0: none. */
static int list(const struct mue_reports *q, struct dirent ***ret)
{
	return scandir(q->folder, ret, is_report, alphasort);
}

static void free_list(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	if (n >= 0)
		free(names);
}

int mue_reports_open(struct mue_reports *q, const char *spool, const char *base,
		     struct mue_error *e)
{
	struct dirent **names;
	struct name last;
	int r, n;

	snprintf(q->folder, sizeof(q->folder), "%s/reports", spool);
	snprintf(q->base, sizeof(q->base), "%s", base);
	q->next = 1;
	r = mue_file_mkdirs(q->folder, 0700, e);
	if (r < 0)
		return r;
	n = list(q, &names);
	if (n > 0 && parse_name(names[n - 1]->d_name, &last))
		q->next = last.number + 1;
	free_list(names, n);
	return n < 0 ? mue_fail_errno(e, "%s", q->folder) : 0;
}

/* JSON wants UTF-8; a command's output may be anything. */
static void clean(const char *text, char *ret, size_t ret_size)
{
	size_t n = 0;

	for (; text && *text && n + 1 < ret_size; text++)
		ret[n++] = isprint((unsigned char)*text) ? *text : '?';
	ret[n] = 0;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int mue_reports_add(struct mue_reports *q, enum mue_report_kind kind, const char *action, int code,
		    const char *text, struct mue_error *e)
{
	char path[420], plain[MUE_IPC_TEXT];
	struct mue_buf body = { .max = REPORT_MAX };
	struct mue_ddi_report report = { action, kind, code, plain, now_ms() };
	int r;

	if (q->next > 99999999)
		return mue_fail(e, MUE_EEXHAUSTED, "%s: no number is left", q->folder);
	clean(text, plain, sizeof(plain));
	r = mue_ddi_feedback(&report, &body);
	if (r < 0)
		r = mue_fail(e, r, "report of action %s", action);
	snprintf(path, sizeof(path), "%s/%08llu.%d.%s", q->folder, (unsigned long long)q->next,
		 (int)kind, action);
	if (r == 0)
		r = mue_file_write(path, body.data, body.len, 0600, e);
	if (r == 0)
		q->next++;
	mue_buf_free(&body);
	mue_log(r < 0 ? MUE_LOG_ERROR : MUE_LOG_INFO, "report.queued", "action", action, "text",
		plain, NULL);
	return r;
}

/* Acknowledged, or never to be delivered: the action is gone, or the server refuses the words. */
static bool settled(long status)
{
	return (status >= 200 && status <= 299) || status == 400 || status == 404 ||
	       status == 405 || status == 409 || status == 410 || status == 422;
}

static int send_one(const struct mue_reports *q, struct mue_http *h, const char *file,
		    uint32_t *ret_retry_after_s, struct mue_error *e)
{
	char path[600], url[MUE_DDI_URL + 128];
	struct mue_buf body = { .max = REPORT_MAX };
	struct mue_http_request rq = { .url = url, .total_s = SEND_S };
	struct mue_http_answer a;
	struct name n;
	int r;

	snprintf(path, sizeof(path), "%s/%s", q->folder, file);
	if (!parse_name(file, &n))
		return mue_file_remove(path, e);
	r = mue_file_read(path, &body, e);
	if (r < 0)
		return r;
	snprintf(url, sizeof(url), "%s/%s/%s/feedback", q->base,
		 n.kind >= MUE_REPORT_CANCEL_DONE ? "cancelAction" : "deploymentBase", n.action);
	rq.body = body.data;
	rq.body_size = body.len;
	r = mue_http_do(h, &rq, &a, e);
	*ret_retry_after_s = a.retry_after_s;
	if (r == 0)
		r = mue_http_status(&a, url, e);
	if (r < 0 && a.status && settled(a.status))
		mue_log(MUE_LOG_WARN, "report.dropped", "action", n.action, "why", e ? e->text : "",
			NULL);
	if (a.status && settled(a.status))
		r = mue_file_remove(path, e);
	mue_http_answer_free(&a);
	mue_buf_free(&body);
	return r;
}

int mue_reports_flush(struct mue_reports *q, struct mue_http *h, uint32_t *ret_retry_after_s,
		      struct mue_error *e)
{
	struct dirent **names;
	int r = 0, n = list(q, &names);

	*ret_retry_after_s = 0;
	for (int i = 0; r == 0 && i < n; i++)
		r = send_one(q, h, names[i]->d_name, ret_retry_after_s, e);
	free_list(names, n);
	return r;
}

bool mue_reports_closing(const struct mue_reports *q, const char *action)
{
	struct dirent **names;
	bool found = false;
	int n = list(q, &names);

	for (int i = 0; i < n; i++) {
		struct name f;

		if (parse_name(names[i]->d_name, &f) && strcmp(f.action, action) == 0 &&
		    (f.kind == MUE_REPORT_SUCCESS || f.kind == MUE_REPORT_FAILURE))
			found = true;
	}
	free_list(names, n);
	return found;
}
