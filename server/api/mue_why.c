/*
 * Why is this device not on that version?  The road from "known" to "proved" as a list of
 * conditions in their order.  The first that does not hold is the answer; what stands behind it is
 * not yet asked.
 */
#include "server/api/mue.h"

#include "server/api/upload.h"
#include "server/fleet/window.h"
#include "server/presence.h"
#include "server/store/ddi.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct why {
	struct mue_request *r;
	const char *controller_id;
	int64_t set_id; /* asked for; 0: what is assigned, else the newest action's */
	json_t *conditions;
	const char *because; /* the failing condition's detail */
	json_t *answer;

	/* Filled on the way. */
	int64_t target_id, installed_set, created_at;
	char update_status[24];
	uint32_t poll_s;
	struct mue_action_row action; /* id 0: none for this set */
	int64_t rollout_id, group_id;
};

/* Notes one condition; false when it does not hold, which ends the list. */
static bool holds(struct why *w, bool yes, const char *name, const char *detail)
{
	detail = detail ? detail : "";
	json_array_append_new(w->conditions, json_pack("{s:s, s:b, s:s}", "condition", name,
						       "holds", yes, "detail", detail));
	if (!yes)
		w->because = detail;
	return yes;
}

static const char *when(struct why *w, int64_t ms)
{
	char text[40];
	time_t s = (time_t)(ms / 1000);
	struct tm t;

	gmtime_r(&s, &t);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &t);
	return mue_arena_str(&w->r->arena, text);
}

#define SAY(w, ...) mue_arena_printf(&(w)->r->arena, __VA_ARGS__)

/* ---- reading ---- */

static int read_target(struct mue_db *db, struct why *w, struct mue_error *e)
{
	struct mue_rows rows;
	int64_t wanted = 0;
	int r = mue_db_query(db, &rows, e,
			     "SELECT id, coalesce(assigned_set, (SELECT set_id FROM action WHERE"
			     " target_id = target.id ORDER BY id DESC LIMIT 1), installed_set),"
			     " installed_set, created_at, poll_s, update_status FROM target"
			     " WHERE controller_id = ?1",
			     "t", w->controller_id);

	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r > 0) {
		w->target_id = mue_rows_int(&rows, 0);
		wanted = mue_rows_int(&rows, 1);
		w->installed_set = mue_rows_int(&rows, 2);
		w->created_at = mue_rows_int(&rows, 3);
		w->poll_s = (uint32_t)mue_rows_int(&rows, 4);
		snprintf(w->update_status, sizeof w->update_status, "%s", mue_rows_text(&rows, 5));
		if (!w->set_id)
			w->set_id = wanted;
	} else if (r == 0) {
		r = mue_fail(e, MUE_ENOTFOUND, "target %.80s does not exist", w->controller_id);
	}
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

static int read_action(struct mue_db *db, struct why *w, struct mue_error *e)
{
	struct mue_rows rows;
	int64_t id = 0;
	int r = mue_db_query(db, &rows, e,
			     "SELECT id, rollout_id, group_id FROM action WHERE target_id = ?1"
			     " AND set_id = ?2 ORDER BY id DESC LIMIT 1",
			     "ii", w->target_id, w->set_id);

	if (r == 0 && (r = mue_rows_next(&rows, e)) > 0) {
		id = mue_rows_int(&rows, 0);
		w->rollout_id = mue_rows_int(&rows, 1);
		w->group_id = mue_rows_int(&rows, 2);
	}
	mue_rows_end(&rows);
	if (r < 0 || !id)
		return r < 0 ? r : 0;
	return mue_action_of(db, w->target_id, id, &w->action, e);
}

static json_t *set_json(struct mue_db *db, int64_t id)
{
	struct mue_error ignored;
	struct mue_rows rows;
	json_t *json = NULL;

	if (mue_db_query(db, &rows, &ignored, "SELECT name, version FROM dist_set WHERE id = ?1",
			 "i", id) == 0 &&
	    mue_rows_next(&rows, &ignored) > 0)
		json = json_pack("{s:I, s:s, s:s}", "id", (json_int_t)id, "name",
				 mue_rows_text(&rows, 0), "version", mue_rows_text(&rows, 1));
	mue_rows_end(&rows);
	return json ? json : json_null();
}

/* ---- conditions ---- */

static bool seen(struct why *w)
{
	struct mue_seen s = { 0 };
	uint32_t poll_s;
	int64_t late;

	mue_presence_get(w->r->server->presence, w->controller_id, &s);
	if (!s.last_seen)
		return holds(w, false, "seen",
			     SAY(w,
				 "the device has never asked this server for work (known since %s)",
				 when(w, w->created_at)));
	poll_s = w->poll_s ? w->poll_s : mue_presence_poll_s(w->r->server->presence);
	poll_s = poll_s ? poll_s : w->r->server->config.poll_s;
	late = mue_now_ms() - s.last_seen;
	return holds(
		w, late < 3000 * (int64_t)poll_s + 60000, "seen",
		SAY(w, "last seen %s, asked to come every %u s", when(w, s.last_seen), poll_s));
}

static int fits(struct mue_db *db, struct why *w, bool *ret)
{
	struct mue_error e = { 0 };
	int r = mue_assign_check(db, w->target_id, w->set_id, &e);

	if (r == MUE_EIO || r == MUE_ENOMEM)
		return r;
	*ret = holds(w, r == 0, "fits",
		     r == 0 ? "vendor, class and order of versions allow it"
			    : SAY(w, "%s", e.text));
	return 0;
}

static bool assigned(struct why *w)
{
	if (w->action.id)
		return holds(w, true, "assigned", SAY(w, "by action %" PRId64, w->action.id));
	return holds(w, false, "assigned",
		     w->set_id ? "this version was never assigned to the device"
			       : "no version was ever assigned to the device");
}

/* In a rollout: is the rollout running and this device's group open? */
static int gate(struct mue_db *db, struct why *w, bool *ret, struct mue_error *e)
{
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e,
			     "SELECT r.name, r.status, r.stop_reason, g.name, g.position FROM"
			     " rollout r LEFT JOIN rollout_group g ON g.id = ?2 WHERE r.id = ?1",
			     "ii", w->rollout_id, w->group_id);

	*ret = true;
	if (r == 0 && (r = mue_rows_next(&rows, e)) > 0) {
		const char *name = mue_rows_text(&rows, 0), *status = mue_rows_text(&rows, 1);
		const char *reason = mue_rows_text(&rows, 2), *group = mue_rows_text(&rows, 3);
		bool waits = w->action.state == MUE_ACTION_SCHEDULED;

		*ret = holds(
			w, !waits, "released",
			waits ? SAY(w,
				    "rollout %s is %s%s%s; group %s (stage %" PRId64
				    ") is not open yet",
				    name, status, *reason ? ": " : "", reason, group,
				    mue_rows_int(&rows, 4) + 1)
			      : SAY(w, "rollout %s is %s, group %s is open", name, status, group));
	}
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

static bool not_cancelled(struct why *w)
{
	if (w->action.state == MUE_ACTION_CANCELED)
		return holds(w, false, "not cancelled", "the update was cancelled");
	if (w->action.state == MUE_ACTION_CANCELING)
		return holds(w, false, "not cancelled",
			     "the update is being cancelled, the device has not yet answered");
	return holds(w, true, "not cancelled", "");
}

static bool confirmed(struct why *w)
{
	bool waits = w->action.state == MUE_ACTION_WAIT_FOR_CONFIRMATION;

	return holds(w, !waits, "confirmed",
		     waits ? "a person at the device must confirm the update first" : "");
}

static bool window_open(struct why *w)
{
	struct mue_window window;
	int64_t at;

	if (!*w->action.schedule)
		return true;
	if (mue_window_parse(w->action.schedule, w->action.duration, w->action.timezone, &window,
			     NULL) < 0)
		return holds(w, false, "maintenance window", "the window cannot be understood");
	if (mue_window_open(&window, mue_now_ms(), &at))
		return holds(w, true, "maintenance window", "is open");
	return holds(w, false, "maintenance window",
		     at < 0 ? "no window will open any more" : SAY(w, "opens %s", when(w, at)));
}

/* What the device said last, with its newest messages first. */
static const char *last_words(struct mue_db *db, struct why *w)
{
	struct mue_error ignored;
	json_t *list = NULL;
	const char *text = NULL;

	if (mue_action_messages(db, w->action.id, 1, &list, &ignored) == 0)
		text = mue_arena_str(&w->r->arena, json_string_value(json_array_get(list, 0)));
	json_decref(list);
	return text ? text : "nothing";
}

static bool progressed(struct mue_db *db, struct why *w)
{
	const char *words = last_words(db, w);
	enum mue_action_state s = w->action.state;
	struct mue_error ignored;
	int64_t answered = 0;

	/* The state alone does not tell: it is `running` before and after. */
	mue_db_int(db, &answered, &ignored,
		   "SELECT count(*) FROM action_status WHERE action_id = ?1"
		   " AND (mark IS NOT NULL OR status = 'retrieved')",
		   "i", w->action.id);
	if (!holds(w, s != MUE_ACTION_RUNNING || answered, "read by the device",
		   s == MUE_ACTION_RUNNING && !answered
			   ? "the device has not yet read what it is to install"
			   : ""))
		return false;
	if (!holds(w, s != MUE_ACTION_ERROR, "no failure",
		   s == MUE_ACTION_ERROR ? SAY(w, "the device reported a failure: %s", words) : ""))
		return false;
	if (w->action.type == MUE_FORCE_DOWNLOADONLY && s == MUE_ACTION_DOWNLOADED)
		return holds(w, false, "installed",
			     "it was to be downloaded only, and that has been done");
	return holds(w, s == MUE_ACTION_FINISHED, "installed",
		     s == MUE_ACTION_FINISHED
			     ? ""
			     : SAY(w, "under way, state %s; the device said last: %s",
				   mue_action_name(s), words));
}

/* What it reports to run must be what it was given. */
static int proved(struct mue_db *db, struct why *w, bool *ret, struct mue_error *e)
{
	const char *given = "", *runs = "";
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e,
			     "SELECT a.manifest, (SELECT value FROM target_attribute WHERE"
			     " target_id = ?2 AND key = 'mue.manifest') FROM artifact a"
			     " JOIN set_module s ON s.module_id = a.module_id"
			     " WHERE s.set_id = ?1 AND a.manifest <> '' LIMIT 1",
			     "ii", w->set_id, w->target_id);

	*ret = true;
	if (r == 0 && (r = mue_rows_next(&rows, e)) > 0) {
		given = mue_rows_text(&rows, 0);
		runs = mue_rows_text(&rows, 1);
		*ret = holds(w, !*runs || !strcmp(given, runs), "proved",
			     !*runs ? "the device does not report what it runs"
				    : SAY(w, "given %.16s, the device reports to run %.16s", given,
					  runs));
	}
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

static int walk(struct mue_db *db, struct why *w, struct mue_error *e)
{
	bool on = w->set_id && w->set_id == w->installed_set;
	int r = 0;

	holds(w, true, "known", SAY(w, "since %s", when(w, w->created_at)));
	if (on) {
		holds(w, true, "installed", "");
		return proved(db, w, &on, e);
	}
	if (!assigned(w))
		return w->set_id ? fits(db, w, &on) : 0;
	if (w->rollout_id)
		r = gate(db, w, &on, e);
	else
		on = true;
	if (r < 0 || !on || !not_cancelled(w))
		return r;
	if (w->action.state != MUE_ACTION_ERROR && w->action.state != MUE_ACTION_FINISHED) {
		r = fits(db, w, &on);
		if (r < 0 || !on || !seen(w) || !confirmed(w) || !window_open(w))
			return r;
	}
	if (!progressed(db, w))
		return 0;
	return proved(db, w, &on, e);
}

static int read_why(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct why *w = arg;
	int r = read_target(db, w, e);

	if (r == 0)
		r = read_action(db, w, e);
	if (r == 0)
		r = walk(db, w, e);
	if (r < 0)
		return r;
	w->answer = json_pack("{s:s, s:o, s:o, s:b, s:s, s:O}", "target", w->controller_id,
			      "wanted", set_json(db, w->set_id), "installed",
			      set_json(db, w->installed_set), "reached", w->because == NULL, "why",
			      w->because ? w->because : "the device is on this version",
			      "conditions", w->conditions);
	return w->answer ? 0 : mue_fail(e, MUE_ENOMEM, "out of memory");
}

int mue_api_why(struct mue_request *r, struct mue_error *e)
{
	struct why w = { .r = r, .controller_id = mue_request_param(r, "id") };
	int v = mue_request_query_int(r, "set", 1, INT64_MAX, 0, &w.set_id, e);

	if (v < 0)
		return v;
	w.conditions = json_array();
	v = mue_store_read(r->server->store, read_why, &w, e);
	json_decref(w.conditions);
	return v < 0 ? v : mue_respond_json(r, 200, w.answer);
}
