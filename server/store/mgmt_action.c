#include "server/store/mgmt_action.h"

#include "server/api/upload.h"

#include <string.h>

struct row {
	int64_t id, target_id, set_id;
	enum mue_action_state state;
	enum mue_force_type type;
};

static int load(struct mue_db *db, int64_t id, struct row *ret, struct mue_error *e)
{
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e,
			     "SELECT target_id, set_id, status, type FROM action WHERE id = ?", "i",
			     id);

	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r == 1) {
		ret->id = id;
		ret->target_id = mue_rows_int(&rows, 0);
		ret->set_id = mue_rows_int(&rows, 1);
		r = 0;
		if (mue_action_parse(mue_rows_text(&rows, 2), &ret->state) < 0 ||
		    mue_force_parse(mue_rows_text(&rows, 3), &ret->type) < 0)
			r = mue_fail(e, MUE_EFORMAT, "action %lld has an unknown status or type",
				     (long long)id);
	} else if (r == 0) {
		r = mue_fail(e, MUE_ENOTFOUND, "no action %lld", (long long)id);
	}
	mue_rows_end(&rows);
	return r;
}

int mue_action_remark(struct mue_db *db, int64_t action_id, const char *status,
		      const struct mue_action_note *note, struct mue_error *e)
{
	int64_t now = mue_now_ms(), line;
	int r = mue_db_exec(db, e,
			    "INSERT INTO action_status (action_id, status, reported_at,"
			    " occurred_at, code, mark) VALUES (?, ?, ?, ?, ?, ?)",
			    "itiiit", action_id, status, now,
			    note->occurred_at ? note->occurred_at : now, note->code, note->mark);

	line = mue_db_last_id(db);
	if (r == 0 && note->code < 0)
		r = mue_db_exec(db, e, "UPDATE action_status SET code = NULL WHERE id = ?", "i",
				line);
	if (r == 0 && note->code >= 0)
		r = mue_db_exec(db, e, "UPDATE action SET last_code = ? WHERE id = ?", "ii",
				note->code, action_id);
	for (size_t i = 0; i < note->message_count && r == 0; i++)
		r = mue_db_exec(db, e,
				"INSERT INTO action_message (status_id, position, text)"
				" VALUES (?, ?, ?)",
				"iit", line, (int64_t)i, note->messages[i]);
	return r;
}

/* ---- what the end of an action means for its target ---- */

/* Nothing more is under way: pending if another action is, else by what is installed. */
static int settle_target(struct mue_db *db, const struct row *a, struct mue_error *e)
{
	int r = mue_db_exec(
		db, e,
		"UPDATE target SET assigned_set = COALESCE((SELECT x.set_id FROM action x"
		" WHERE x.target_id = target.id AND x.active = 1 AND x.status <> 'canceling'"
		" ORDER BY x.id DESC LIMIT 1), installed_set) WHERE id = ?",
		"i", a->target_id);

	if (r < 0)
		return r;
	return mue_db_exec(
		db, e,
		"UPDATE target SET update_status = CASE"
		" WHEN EXISTS (SELECT 1 FROM action x WHERE x.target_id = target.id"
		" AND x.active = 1) THEN 'pending'"
		" WHEN installed_set IS NOT NULL THEN 'in_sync'"
		" WHEN last_seen IS NOT NULL THEN 'registered' ELSE 'unknown' END WHERE id = ?",
		"i", a->target_id);
}

static int end_target(struct mue_db *db, const struct row *a, enum mue_action_state ended,
		      struct mue_error *e)
{
	int r = 0;

	if (ended == MUE_ACTION_FINISHED)
		r = mue_db_exec(db, e,
				"UPDATE target SET installed_set = ?, installed_at = ?,"
				" request_attributes = 1 WHERE id = ?",
				"iii", a->set_id, mue_now_ms(), a->target_id);
	if (r == 0)
		r = settle_target(db, a, e);
	if (r == 0 && ended == MUE_ACTION_ERROR)
		r = mue_db_exec(db, e,
				"UPDATE target SET update_status = 'error' WHERE id = ?"
				" AND update_status <> 'pending'",
				"i", a->target_id);
	return r;
}

static int store_state(struct mue_db *db, const struct row *a, enum mue_action_state next,
		       const char *who, struct mue_error *e)
{
	int r = mue_db_exec(db, e,
			    "UPDATE action SET status = ?, active = ?, modified_at = ?,"
			    " modified_by = ? WHERE id = ?",
			    "tiiti", mue_action_name(next),
			    (int64_t)mue_action_active(next, a->type), mue_now_ms(), who, a->id);

	/* A scheduled action was never the target's business. */
	if (r < 0 || !mue_action_ended(next, a->type) || a->state == MUE_ACTION_SCHEDULED)
		return r;
	return end_target(db, a, next, e);
}

/* The word that the history keeps for an event that changed nothing. */
static const char *note_word(enum mue_action_event event, enum mue_action_state state)
{
	static const char *const words[MUE_EVENT_COUNT] = {
		[MUE_EVENT_PROCEED] = "running",
		[MUE_EVENT_DOWNLOAD] = "download",
		[MUE_EVENT_DOWNLOADED] = "downloaded",
		[MUE_EVENT_WARN] = "warning",
		[MUE_EVENT_RETRIEVE] = "retrieved",
		[MUE_EVENT_DENY] = "wait_for_confirmation",
		[MUE_EVENT_CANCEL_REFUSE] = "cancel_rejected",
	};

	return words[event] ? words[event] : mue_action_name(state);
}

int mue_action_apply(struct mue_db *db, int64_t action_id, const struct mue_action_note *note,
		     struct mue_error *e)
{
	struct row a;
	enum mue_action_state next;
	int step, r = load(db, action_id, &a, e);

	if (r < 0)
		return r;
	next = a.state;
	step = mue_action_step(a.state, a.type, note->event, &next);
	if (step == MUE_ECONFLICT)
		return mue_fail(e, step, "action %lld is %s already", (long long)action_id,
				mue_action_name(a.state));
	if (step < 0)
		return mue_fail(e, step, "not possible while action %lld is %s",
				(long long)action_id, mue_action_name(a.state));
	if (step == 1)
		r = store_state(db, &a, next, note->who, e);
	if (r == 0)
		r = mue_action_remark(
			db, action_id,
			step ? mue_action_name(next) : note_word(note->event, a.state), note, e);
	return r < 0 ? r : step;
}

int mue_action_say(struct mue_db *db, int64_t action_id, enum mue_action_event event,
		   const char *sentence, const char *who, struct mue_error *e)
{
	struct mue_action_note note = {
		.event = event,
		.code = -1,
		.messages = &sentence,
		.message_count = sentence ? 1 : 0,
		.who = who,
	};

	return mue_action_apply(db, action_id, &note, e);
}

/* ---- assigning ---- */

/* Asks every other open action of the target to stop. */
static int supersede(struct mue_db *db, int64_t target_id, int64_t action_id, const char *who,
		     struct mue_error *e)
{
	for (;;) {
		int64_t other;
		int r = mue_db_int(db, &other, e,
				   "SELECT id FROM action WHERE target_id = ? AND active = 1"
				   " AND id <> ? AND status <> 'canceling' LIMIT 1",
				   "ii", target_id, action_id);

		if (r == MUE_ENOTFOUND)
			return 0;
		if (r == 0)
			r = mue_action_say(db, other, MUE_EVENT_SUPERSEDE,
					   "cancelled: a newer update was assigned", who, e);
		if (r < 0)
			return r;
	}
}

static bool needs_confirmation(struct mue_db *db, int64_t target_id, bool wanted)
{
	int64_t automatic = 0;

	if (!wanted)
		return false;
	mue_db_int(db, &automatic, NULL, "SELECT auto_confirm FROM target WHERE id = ?", "i",
		   target_id);
	return automatic == 0;
}

static int make_current(struct mue_db *db, int64_t action_id, int64_t target_id, int64_t set_id,
			const char *who, struct mue_error *e)
{
	int r = supersede(db, target_id, action_id, who, e);

	if (r < 0)
		return r;
	return mue_db_exec(db, e,
			   "UPDATE target SET assigned_set = ?, update_status = 'pending'"
			   " WHERE id = ?",
			   "ii", set_id, target_id);
}

static int insert(struct mue_db *db, const struct mue_assignment *a, enum mue_action_state state,
		  int64_t *ret, struct mue_error *e)
{
	int64_t now = mue_now_ms();
	int r = mue_db_exec(
		db, e,
		"INSERT INTO action (target_id, set_id, type, force_time, status, active, weight,"
		" window_schedule, window_duration, window_timezone, initiated_by, created_at,"
		" created_by, modified_at, modified_by)"
		" VALUES (?, ?, ?, NULLIF(?, 0), ?, ?, NULLIF(?, -1), ?, ?, ?, ?, ?, ?, ?, ?)",
		"iititiittttitit", a->target_id, a->set_id, mue_force_name(a->type), a->force_time,
		mue_action_name(state), (int64_t)mue_action_active(state, a->type), a->weight,
		a->window_schedule, a->window_duration, a->window_timezone, a->who, now, a->who,
		now, a->who);

	if (r == 0)
		*ret = mue_db_last_id(db);
	return r;
}

/* Installed, or an action for it is open. */
static int has_already(struct mue_db *db, int64_t target_id, int64_t set_id, bool *ret,
		       struct mue_error *e)
{
	int64_t n;
	int r = mue_db_int(
		db, &n, e,
		"SELECT EXISTS (SELECT 1 FROM target WHERE id = ?1 AND installed_set = ?2"
		" AND assigned_set = ?2) OR EXISTS (SELECT 1 FROM action"
		" WHERE target_id = ?1 AND set_id = ?2 AND active = 1"
		" AND status <> 'canceling')",
		"ii", target_id, set_id);

	if (r == 0)
		*ret = n != 0;
	return r;
}

int mue_action_assign(struct mue_db *db, const struct mue_assignment *a, int64_t *ret_action,
		      struct mue_error *e)
{
	bool already = false, ask;
	int64_t id;
	int r = has_already(db, a->target_id, a->set_id, &already, e);

	if (r < 0)
		return r;
	if (already) {
		*ret_action = 0;
		return 0;
	}
	r = mue_assign_check(db, a->target_id, a->set_id, e);
	if (r < 0)
		return r;
	ask = needs_confirmation(db, a->target_id, a->confirmation);
	r = insert(db, a, ask ? MUE_ACTION_WAIT_FOR_CONFIRMATION : MUE_ACTION_RUNNING, &id, e);
	if (r == 0)
		r = mue_action_say(db, id, ask ? MUE_EVENT_START_CONFIRM : MUE_EVENT_START,
				   ask ? "assigned, waits for confirmation" : "assigned", a->who,
				   e);
	if (r >= 0)
		r = make_current(db, id, a->target_id, a->set_id, a->who, e);
	if (r == 0)
		*ret_action = id;
	return r;
}

int mue_action_assign_offline(struct mue_db *db, const struct mue_assignment *a,
			      int64_t *ret_action, struct mue_error *e)
{
	struct row row = { .target_id = a->target_id, .set_id = a->set_id };
	int r = insert(db, a, MUE_ACTION_FINISHED, &row.id, e);

	if (r == 0)
		r = mue_action_say(db, row.id, MUE_EVENT_SUCCEED,
				   "installed offline, reported by the operator", a->who, e);
	if (r >= 0)
		r = end_target(db, &row, MUE_ACTION_FINISHED, e);
	if (r == 0)
		*ret_action = row.id;
	return r;
}

int mue_action_open(struct mue_db *db, int64_t action_id, bool confirmation, const char *who,
		    struct mue_error *e)
{
	struct mue_error why = { 0 };
	int64_t installed = 0;
	struct row a;
	bool ask;
	int r = load(db, action_id, &a, e);

	if (r < 0)
		return r;
	r = mue_db_int(db, &installed, e,
		       "SELECT COALESCE(installed_set, 0) FROM target WHERE id = ?", "i",
		       a.target_id);
	if (r < 0)
		return r;
	r = installed == a.set_id ? 0 : mue_assign_check(db, a.target_id, a.set_id, &why);
	if (r == MUE_EIO || r == MUE_ENOMEM)
		return mue_fail(e, r, "%s", why.text);
	if (installed == a.set_id || r < 0) {
		struct mue_action_note note = { .code = -1, .message_count = 1, .who = who };
		enum mue_action_state end = r < 0 ? MUE_ACTION_ERROR : MUE_ACTION_FINISHED;
		const char *sentence = r < 0 ? why.text : "installed already";

		/* Never offered: the target does not hear of it. */
		note.messages = &sentence;
		r = store_state(db, &a, end, who, e);
		return r < 0 ? r : mue_action_remark(db, action_id, mue_action_name(end), &note, e);
	}
	ask = needs_confirmation(db, a.target_id, confirmation);
	r = mue_action_say(db, action_id, ask ? MUE_EVENT_START_CONFIRM : MUE_EVENT_START,
			   ask ? "offered, waits for confirmation" : "offered", who, e);
	return r < 0 ? r : make_current(db, action_id, a.target_id, a.set_id, who, e);
}
