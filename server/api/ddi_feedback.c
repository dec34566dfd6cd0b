/*
 * What devices report.  A report is on the disk before it is answered; the same report again is
 * answered the same and stored once.
 */
#include "server/api/ddi.h"

#include "host/hash.h"
#include "host/log.h"
#include "server/metrics.h"
#include "server/store/mgmt_action.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	HISTORY_MAX = 1000, /* rows an action: then only what changes its state is recorded */
	DETAILS_MAX = 200,  /* messages a report; the newest are kept */
	DETAIL_MAX = 1000,  /* bytes a message */
};

struct feedback {
	int64_t target_id, action_id;
	enum mue_action_event event;
	struct mue_action_note note;
	bool repeated, changed;
};

/* A copy, cut where it is too long, not inside a UTF-8 sequence. */
static const char *clipped(struct mue_request *r, const char *text)
{
	size_t len = strlen(text);

	if (len > DETAIL_MAX) {
		len = DETAIL_MAX;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	return mue_arena_copy(&r->arena, text, len);
}

static int take_details(struct mue_request *r, json_t *details, struct mue_action_note *note,
			struct mue_error *e)
{
	size_t count = json_array_size(details),
	       from = count > DETAILS_MAX ? count - DETAILS_MAX : 0;
	const char **list;

	if (details && !json_is_array(details) && !json_is_null(details))
		return mue_fail(e, MUE_EINVAL, "status.details must be a list of texts");
	list = mue_arena_alloc(&r->arena, (count - from + 1) * sizeof *list);
	if (!list)
		return MUE_ENOMEM;
	for (size_t i = from; i < count; i++) {
		const char *text = json_string_value(json_array_get(details, i));

		if (!text)
			return mue_fail(e, MUE_EINVAL, "status.details must be a list of texts");
		list[i - from] = clipped(r, text);
		if (!list[i - from])
			return MUE_ENOMEM;
	}
	note->messages = list;
	note->message_count = count - from;
	return 0;
}

static int take_code(json_t *code, int64_t *ret, struct mue_error *e)
{
	*ret = -1;
	if (!code || json_is_null(code))
		return 0;
	if (!json_is_integer(code))
		return mue_fail(e, MUE_EINVAL, "status.code must be a number");
	*ret = json_integer_value(code);
	return 0;
}

/* What tells one report from another: everything but its time and id. */
static const char *mark_of(struct mue_request *r, const char *kind, json_t *status)
{
	char *text = json_dumps(status, JSON_COMPACT | JSON_SORT_KEYS);
	uint8_t digest[32];
	struct mue_hash h;
	char hex[65];

	if (!text || mue_hash_init(&h, MUE_HASH_SHA256) < 0) {
		free(text);
		return NULL;
	}
	mue_hash_update(&h, kind, strlen(kind) + 1);
	mue_hash_update(&h, text, strlen(text));
	mue_hash_final(&h, digest);
	free(text);
	return mue_arena_str(&r->arena, mue_hex(digest, 16, hex));
}

static int take_common(struct mue_request *r, const char *kind, json_t *status, struct feedback *f,
		       struct mue_error *e)
{
	int v = take_details(r, json_object_get(status, "details"), &f->note, e);

	if (v == 0)
		v = take_code(json_object_get(status, "code"), &f->note.code, e);
	if (v < 0)
		return v;
	f->note.who = mue_ddi_who(r);
	f->note.mark = mark_of(r, kind, status);
	return f->note.mark ? 0 : MUE_ENOMEM;
}

typedef int translate(const char *execution, const char *finished, enum mue_action_event *ret);

/* The body of deploymentBase's and cancelAction's feedback.  Clients differ in `id` (number, text
 * or none) and `time`: neither is looked at. */
static int parse(struct mue_request *r, const char *kind, translate *to_event, struct feedback *f,
		 struct mue_error *e)
{
	json_t *body, *status, *when;
	const char *execution, *finished;
	int v = mue_request_json(r, &body, e);

	if (v < 0)
		return v;
	status = json_object_get(body, "status");
	execution = json_string_value(json_object_get(status, "execution"));
	finished = json_string_value(
		json_object_get(json_object_get(status, "result"), "finished"));
	if (!execution || !finished)
		return mue_fail(e, MUE_EINVAL,
				"status.execution and status.result.finished are needed");
	v = to_event(execution, finished, &f->event);
	if (v < 0)
		return mue_fail(e, MUE_EINVAL, "unknown status %.40s/%.40s", execution, finished);
	f->note.event = f->event;
	when = json_object_get(body, "timestamp");
	if (json_is_integer(when) && json_integer_value(when) > 0)
		f->note.occurred_at = json_integer_value(when);
	return take_common(r, kind, status, f, e);
}

static int store_feedback(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct mue_action_row a;
	struct feedback *f = arg;
	enum mue_action_state next;
	int64_t rows = 0;
	int r = mue_action_of(db, f->target_id, f->action_id, &a, e);

	if (r == 0)
		r = mue_action_repeated(db, &a, f->note.mark, e);
	if (r != 0) {
		f->repeated = r > 0;
		return r < 0 ? r : 0;
	}
	if (mue_action_step(a.state, a.type, f->event, &next) == 0) {
		r = mue_action_history_size(db, a.id, &rows, e);
		if (r < 0 || rows >= HISTORY_MAX)
			return r;
	}
	r = mue_action_apply(db, f->action_id, &f->note, e);
	f->changed = r > 0;
	/* To a device: what has ended is gone, what does not apply does not exist. */
	if (r == MUE_ECONFLICT)
		return mue_fail(e, MUE_ECANCELLED, "action %lld is %s already",
				(long long)f->action_id, mue_action_name(a.state));
	if (r == MUE_EPERM)
		return mue_fail(e, MUE_ENOTFOUND, "action %lld is %s", (long long)f->action_id,
				mue_action_name(a.state));
	return r < 0 ? r : 0;
}

static void log_change(const struct mue_request *r, const struct feedback *f)
{
	mue_log(MUE_LOG_INFO, "device.report", "target", mue_request_param(r, "controllerId"),
		"action", MUE_LOG_NUM(f->action_id), "said",
		f->note.message_count ? f->note.messages[f->note.message_count - 1] : "", NULL);
}

static int begin(struct mue_request *r, struct feedback *f, struct mue_error *e)
{
	struct mue_seen seen;
	int v = mue_ddi_begin(r, &seen, e);

	memset(f, 0, sizeof *f);
	f->target_id = seen.target_id;
	return v < 0 ? v : mue_request_id(r, "actionId", &f->action_id, e);
}

static int finish(struct mue_request *r, struct feedback *f, struct mue_error *e)
{
	int v = mue_store_write(r->server->store, store_feedback, f, e);

	if (v < 0)
		return v;
	mue_metrics_count(r->server->metrics,
			  f->repeated ? MUE_COUNT_FEEDBACK_REPEATED : MUE_COUNT_FEEDBACK);
	if (f->changed) {
		log_change(r, f);
		mue_jobs_kick(r->server);
	}
	return mue_respond_empty(r, 200);
}

int mue_ddi_deployment_feedback(struct mue_request *r, struct mue_error *e)
{
	struct feedback f;
	int v = begin(r, &f, e);

	if (v == 0)
		v = parse(r, "deployment", mue_action_feedback, &f, e);
	return v < 0 ? v : finish(r, &f, e);
}

int mue_ddi_cancel_feedback(struct mue_request *r, struct mue_error *e)
{
	struct feedback f;
	int v = begin(r, &f, e);

	if (v == 0)
		v = parse(r, "cancel", mue_action_cancel_feedback, &f, e);
	return v < 0 ? v : finish(r, &f, e);
}

int mue_ddi_confirmation_feedback(struct mue_request *r, struct mue_error *e)
{
	const char *word;
	struct feedback f;
	json_t *body;
	int v = begin(r, &f, e);

	if (v == 0)
		v = mue_request_json(r, &body, e);
	if (v < 0)
		return v;
	word = json_string_value(json_object_get(body, "confirmation"));
	if (!word || (strcmp(word, "confirmed") && strcmp(word, "denied")))
		return mue_fail(e, MUE_EINVAL, "confirmation must be confirmed or denied");
	f.event = strcmp(word, "denied") ? MUE_EVENT_CONFIRM : MUE_EVENT_DENY;
	f.note.event = f.event;
	v = take_common(r, "confirmation", body, &f, e);
	return v < 0 ? v : finish(r, &f, e);
}
