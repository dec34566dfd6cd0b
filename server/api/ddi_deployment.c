/* What a device is asked to install, to confirm, to stop, and what it has installed. */
#include "server/api/ddi.h"
#include "server/fleet/window.h"
#include "server/store/mgmt_action.h"

#include <string.h>

struct deployment {
	int64_t target_id, action_id, history; /* history: messages wanted; 0 none, -1 all */
	const char *links;
	struct mue_action_row action;
	json_t *chunks, *messages;
};

static int read_action(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct deployment *d = arg;

	return mue_action_of(db, d->target_id, d->action_id, &d->action, e);
}

static int read_deployment(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct deployment *d = arg;
	int r = read_action(db, d, e);

	if (r == 0)
		r = mue_chunks(db, d->action.set_id, d->links, &d->chunks, e);
	if (r == 0 && d->history)
		r = mue_action_messages(db, d->action_id, d->history, &d->messages, e);
	return r;
}

static int begin(struct mue_request *r, struct deployment *d, struct mue_error *e)
{
	struct mue_seen seen;
	int v = mue_ddi_begin(r, &seen, e);

	memset(d, 0, sizeof *d);
	d->target_id = seen.target_id;
	if (v == 0)
		v = mue_request_id(r, "actionId", &d->action_id, e);
	if (v == 0)
		v = mue_request_query_int(r, "actionHistory", -1, 10000, 0, &d->history, e);
	d->links = mue_arena_printf(&r->arena, "%s/softwaremodules", mue_ddi_self(r));
	return v == 0 && !d->links ? MUE_ENOMEM : v;
}

/* Outside its maintenance window a device may fetch and must not install. */
static const char *window_of(const struct mue_action_row *a)
{
	struct mue_window w;

	if (!*a->schedule)
		return NULL;
	if (mue_window_parse(a->schedule, a->duration, a->timezone, &w, NULL) < 0)
		return "unavailable";
	return mue_window_open(&w, mue_now_ms(), NULL) ? "available" : "unavailable";
}

static json_t *deployment_json(const struct deployment *d)
{
	const struct mue_action_row *a = &d->action;
	const char *how = "forced", *window = window_of(a);
	json_t *json;

	if (a->type == MUE_FORCE_SOFT ||
	    (a->type == MUE_FORCE_TIMEFORCED && mue_now_ms() < a->force_time))
		how = "attempt";
	json = json_pack("{s:s, s:s, s:O}", "download", how, "update", how, "chunks", d->chunks);
	if (a->type == MUE_FORCE_DOWNLOADONLY || (window && !strcmp(window, "unavailable")))
		json_object_set_new(json, "update", json_string("skip"));
	if (window)
		json_object_set_new(json, "maintenanceWindow", json_string(window));
	return json;
}

static int respond(struct mue_request *r, struct deployment *d, const char *key)
{
	json_t *json = json_pack("{s:o, s:o}", "id", json_sprintf("%lld", (long long)d->action_id),
				 key, deployment_json(d));

	if (d->messages) {
		char status[32];

		/* hawkBit writes states in capitals. */
		strcpy(status, mue_action_name(d->action.state));
		for (char *p = status; *p; p++)
			if (*p >= 'a' && *p <= 'z')
				*p = (char)(*p - 'a' + 'A');
		json_object_set_new(
			json, "actionHistory",
			json_pack("{s:s, s:O}", "status", status, "messages", d->messages));
	}
	return mue_respond_json(r, 200, json);
}

static void release(struct deployment *d)
{
	json_decref(d->chunks);
	json_decref(d->messages);
}

struct retrieved {
	int64_t action_id;
	const char *who;
};

static int write_retrieved(struct mue_db *db, void *arg, struct mue_error *e)
{
	const struct retrieved *t = arg;

	return mue_action_say(db, t->action_id, MUE_EVENT_RETRIEVE,
			      "The device has read what it is to install", t->who, e);
}

static bool offered(const struct mue_action_row *a)
{
	return mue_action_active(a->state, a->type) && a->state != MUE_ACTION_CANCELING &&
	       a->state != MUE_ACTION_WAIT_FOR_CONFIRMATION;
}

int mue_ddi_deployment(struct mue_request *r, struct mue_error *e)
{
	struct mue_error ignored;
	struct deployment d;
	struct retrieved t;
	int v = begin(r, &d, e);

	if (v == 0)
		v = mue_store_read(r->server->store, read_deployment, &d, e);
	if (v == 0 && !offered(&d.action))
		v = mue_fail(e, MUE_ENOTFOUND, "action %lld is %s", (long long)d.action_id,
			     mue_action_name(d.action.state));
	if (v == 0 && d.action.state == MUE_ACTION_RUNNING) {
		t = (struct retrieved){ d.action_id, mue_ddi_who(r) };
		/* It may have ended or moved on in between: no matter. */
		mue_store_write(r->server->store, write_retrieved, &t, &ignored);
	}
	if (v == 0)
		v = respond(r, &d, "deployment");
	release(&d);
	return v;
}

static int read_in_state(struct mue_request *r, enum mue_action_state state, const char *key,
			 struct mue_error *e)
{
	struct deployment d;
	int v = begin(r, &d, e);

	if (v == 0)
		v = mue_store_read(r->server->store, read_deployment, &d, e);
	if (v == 0 && d.action.state != state)
		v = mue_fail(e, MUE_ENOTFOUND, "action %lld is %s", (long long)d.action_id,
			     mue_action_name(d.action.state));
	if (v == 0)
		v = respond(r, &d, key);
	release(&d);
	return v;
}

int mue_ddi_installed(struct mue_request *r, struct mue_error *e)
{
	return read_in_state(r, MUE_ACTION_FINISHED, "deployment", e);
}

int mue_ddi_confirmation_action(struct mue_request *r, struct mue_error *e)
{
	return read_in_state(r, MUE_ACTION_WAIT_FOR_CONFIRMATION, "confirmation", e);
}

int mue_ddi_cancel(struct mue_request *r, struct mue_error *e)
{
	struct deployment d;
	const char *id;
	int v = begin(r, &d, e);

	if (v == 0)
		v = mue_store_read(r->server->store, read_action, &d, e);
	if (v < 0)
		return v;
	if (d.action.state != MUE_ACTION_CANCELING)
		return mue_fail(e, MUE_ENOTFOUND, "action %lld is not being cancelled",
				(long long)d.action_id);
	id = mue_arena_printf(&r->arena, "%lld", (long long)d.action_id);
	return mue_respond_json(
		r, 200, json_pack("{s:s, s:{s:s}}", "id", id, "cancelAction", "stopId", id));
}
