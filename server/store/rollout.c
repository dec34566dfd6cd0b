#include "server/store/rollout.h"

#include "server/store/mgmt_action.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char engine[] = "rollout";

/* One rollout with its groups, read at the start of a step. */
struct view {
	struct mue_db *db;
	int64_t id, start_at;
	enum mue_rollout_state state;
	bool download_only;
	struct mue_group *groups;
	int64_t *group_ids;
	size_t count;
};

/* ---- counting ---- */

static void add(struct mue_group_counts *c, const char *status, uint32_t n, bool download_only)
{
	enum mue_action_state s;

	if (mue_action_parse(status, &s) < 0)
		return;
	if (s == MUE_ACTION_SCHEDULED)
		c->scheduled += n;
	else if (s == MUE_ACTION_ERROR)
		c->error += n;
	else if (s == MUE_ACTION_CANCELED)
		c->cancelled += n;
	else if (s == MUE_ACTION_FINISHED || (s == MUE_ACTION_DOWNLOADED && download_only))
		c->finished += n;
	else
		c->running += n;
}

static int count_group(struct mue_db *db, int64_t group, bool download_only,
		       struct mue_group_counts *ret, struct mue_error *e)
{
	struct mue_group_counts c = { 0 };
	struct mue_rows rows = { 0 };
	int64_t planned = 0;
	int r = mue_db_query(db, &rows, e,
			     "SELECT status, count(*) FROM action WHERE group_id = ?"
			     " GROUP BY status",
			     "i", group);

	while (r == 0) {
		r = mue_rows_next(&rows, e);
		if (r <= 0)
			break;
		add(&c, mue_rows_text(&rows, 0), (uint32_t)mue_rows_int(&rows, 1), download_only);
		r = 0;
	}
	mue_rows_end(&rows);
	if (r == 0)
		r = mue_db_int(db, &planned, e,
			       "SELECT count(*) FROM rollout_target WHERE group_id = ?", "i",
			       group);
	if (r < 0)
		return r;
	if (planned > mue_group_total(&c))
		c.notstarted = (uint32_t)planned - mue_group_total(&c);
	*ret = c;
	return 0;
}

static int percent(const char *text, uint8_t *ret)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0 || n > 100)
		return MUE_EFORMAT;
	*ret = (uint8_t)n;
	return 0;
}

/* A threshold that cannot be read (it was checked when it was stored) holds everything back. */
static void read_rule(const struct mue_rows *row, struct mue_group_rule *ret)
{
	ret->watches_errors = !mue_rows_null(row, 3);
	if (percent(mue_rows_text(row, 2), &ret->success_percent) < 0)
		ret->success_percent = 100;
	if (percent(mue_rows_text(row, 3), &ret->error_percent) < 0)
		ret->error_percent = 0;
	ret->error_stops = strcmp(mue_rows_text(row, 4), "stop") == 0;
}

static int load_groups(struct view *v, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r;

	v->groups = calloc(MUE_ROLLOUT_GROUPS, sizeof(*v->groups));
	v->group_ids = calloc(MUE_ROLLOUT_GROUPS, sizeof(*v->group_ids));
	if (!v->groups || !v->group_ids)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	r = mue_db_query(v->db, &rows, e,
			 "SELECT id, status, success_threshold, error_threshold, error_action"
			 " FROM rollout_group WHERE rollout_id = ? ORDER BY position",
			 "i", v->id);
	while (r == 0 && v->count < MUE_ROLLOUT_GROUPS) {
		struct mue_group *g = &v->groups[v->count];

		r = mue_rows_next(&rows, e);
		if (r <= 0)
			break;
		v->group_ids[v->count] = mue_rows_int(&rows, 0);
		read_rule(&rows, &g->rule);
		r = mue_group_parse(mue_rows_text(&rows, 1), &g->state);
		if (r == 0)
			r = count_group(v->db, v->group_ids[v->count], v->download_only, &g->counts,
					e);
		v->count++;
	}
	mue_rows_end(&rows);
	return r;
}

static void unload(struct view *v)
{
	free(v->groups);
	free(v->group_ids);
}

static int load_head(struct view *v, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r = mue_db_query(v->db, &rows, e,
			     "SELECT status, type, COALESCE(start_at, 0) FROM rollout WHERE id = ?",
			     "i", v->id);

	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r == 0)
		r = mue_fail(e, MUE_ENOTFOUND, "rollout %" PRId64 " does not exist", v->id);
	if (r > 0) {
		v->download_only = strcmp(mue_rows_text(&rows, 1), "downloadonly") == 0;
		v->start_at = mue_rows_int(&rows, 2);
		r = mue_rollout_parse(mue_rows_text(&rows, 0), &v->state);
		if (r < 0)
			r = mue_fail(e, r, "rollout %" PRId64 " has an unknown status", v->id);
	}
	mue_rows_end(&rows);
	return r;
}

/* Fills a view; unload it also after an error. */
static int load(struct view *v, struct mue_db *db, int64_t id, struct mue_error *e)
{
	int r;

	memset(v, 0, sizeof(*v));
	v->db = db;
	v->id = id;
	r = load_head(v, e);
	return r < 0 ? r : load_groups(v, e);
}

int mue_rollout_counts(struct mue_db *db, int64_t rollout_id, int64_t group_id,
		       struct mue_group_counts *ret, struct mue_error *e)
{
	struct mue_group_counts sum = { 0 };
	struct view v;
	int r = load(&v, db, rollout_id, e);

	for (size_t i = 0; i < v.count && r == 0; i++) {
		const struct mue_group_counts *c = &v.groups[i].counts;

		if (group_id && v.group_ids[i] != group_id)
			continue;
		sum.notstarted += c->notstarted;
		sum.scheduled += c->scheduled;
		sum.running += c->running;
		sum.finished += c->finished;
		sum.error += c->error;
		sum.cancelled += c->cancelled;
	}
	unload(&v);
	if (r == 0)
		*ret = sum;
	return r;
}

/* ---- events ---- */

int mue_rollout_event(struct mue_db *db, int64_t rollout_id, enum mue_rollout_event event,
		      const char *reason, const char *who, struct mue_error *e)
{
	struct view v = { .db = db, .id = rollout_id };
	enum mue_rollout_state next;
	int r = load_head(&v, e);

	if (r < 0)
		return r;
	if (mue_rollout_step(v.state, event, &next) < 0)
		return mue_fail(e, MUE_EPERM, "not possible while rollout %" PRId64 " is %s",
				rollout_id, mue_rollout_name(v.state));
	return mue_db_exec(db, e,
			   "UPDATE rollout SET status = ?, deleted = ?, stop_reason = ?,"
			   " modified_at = ?, modified_by = ? WHERE id = ?",
			   "tititi", mue_rollout_name(next), (int64_t)(next == MUE_ROLLOUT_DELETED),
			   reason, mue_now_ms(), who, rollout_id);
}

static int set_group(struct view *v, size_t i, enum mue_group_state state, const char *who,
		     struct mue_error *e)
{
	return mue_db_exec(v->db, e,
			   "UPDATE rollout_group SET status = ?, modified_at = ?, modified_by = ?,"
			   " opened_at = CASE ? WHEN 1 THEN ? ELSE opened_at END WHERE id = ?",
			   "titiii", mue_group_name(state), mue_now_ms(), who,
			   (int64_t)(state == MUE_GROUP_RUNNING), mue_now_ms(), v->group_ids[i]);
}

int mue_rollout_trigger(struct mue_db *db, int64_t rollout_id, const char *who, struct mue_error *e)
{
	struct view v;
	size_t next;
	int r = load(&v, db, rollout_id, e);

	if (r == 0) {
		r = mue_rollout_next_group(v.state, v.groups, v.count, &next);
		if (r == MUE_EPERM)
			mue_fail(e, r, "rollout %" PRId64 " is %s, not running", rollout_id,
				 mue_rollout_name(v.state));
		else if (r < 0)
			mue_fail(e, r, "rollout %" PRId64 " has no waiting group", rollout_id);
		else
			r = set_group(&v, next, MUE_GROUP_RUNNING, who, e);
	}
	unload(&v);
	return r;
}

/* ---- steps of the engine ---- */

/* One scheduled action for each planned target.  The unique index forbids a second one. */
static int schedule_all(struct view *v, struct mue_error *e)
{
	int64_t now = mue_now_ms();
	int r = mue_db_exec(
		v->db, e,
		"INSERT INTO action (target_id, set_id, type, force_time, status, active, weight,"
		" rollout_id, group_id, initiated_by, created_at, created_by, modified_at,"
		" modified_by) SELECT z.target_id, r.set_id, r.type, r.force_time, 'scheduled', 0,"
		" r.weight, r.id, g.id, r.created_by, ?, r.created_by, ?, r.created_by"
		" FROM rollout r JOIN rollout_group g ON g.rollout_id = r.id"
		" JOIN rollout_target z ON z.group_id = g.id WHERE r.id = ?"
		" AND NOT EXISTS (SELECT 1 FROM action x WHERE x.rollout_id = r.id"
		" AND x.target_id = z.target_id) ORDER BY g.position, z.target_id",
		"iii", now, now, v->id);

	if (r == 0)
		r = mue_db_exec(v->db, e,
				"UPDATE rollout_group SET status = 'scheduled' WHERE rollout_id = ?"
				" AND status = 'ready'",
				"i", v->id);
	if (r == 0)
		r = mue_rollout_event(v->db, v->id, MUE_ROLLOUT_EV_SCHEDULED, NULL, engine, e);
	return r < 0 ? r : 1;
}

static int first_id(struct view *v, const char *sql, int64_t *ret, struct mue_error *e)
{
	int r = mue_db_int(v->db, ret, e, sql, "i", v->id);

	if (r == MUE_ENOTFOUND) {
		*ret = 0;
		return 0;
	}
	return r;
}

#define UNOPENED                                                                  \
	"SELECT a.id FROM rollout_group g JOIN action a ON a.group_id = g.id AND" \
	" a.status = 'scheduled' WHERE g.rollout_id = ? AND g.status = 'running'" \
	" ORDER BY g.position, a.id LIMIT 1"
/* The states are listed so that the index on (rollout_id, status) finds one at once among a hundred
 * thousand that are being cancelled already. */
#define UNCANCELLED                                                                         \
	"SELECT id FROM action WHERE rollout_id = ? AND status IN ('scheduled', 'running'," \
	" 'retrieved', 'download', 'downloaded', 'warning', 'wait_for_confirmation',"       \
	" 'cancel_rejected') AND (active = 1 OR status = 'scheduled') LIMIT 1"

static int confirmation_of(struct view *v, int64_t action, bool *ret, struct mue_error *e)
{
	int64_t n = 0;
	int r = mue_db_int(v->db, &n, e,
			   "SELECT g.confirmation FROM action a JOIN rollout_group g"
			   " ON g.id = a.group_id WHERE a.id = ?",
			   "i", action);

	*ret = n != 0;
	return r;
}

/* Offers the scheduled actions of open groups.  1: did some. */
static int open_some(struct view *v, struct mue_error *e)
{
	bool confirmation = false;
	int64_t id;

	for (int i = 0; i < MUE_ROLLOUT_BATCH; i++) {
		int r = first_id(v, UNOPENED, &id, e);

		if (r < 0 || id == 0)
			return r < 0 ? r : i > 0;
		r = confirmation_of(v, id, &confirmation, e);
		if (r == 0)
			r = mue_action_open(v->db, id, confirmation, engine, e);
		if (r < 0)
			return r;
	}
	return 1;
}

static int cancel_some(struct view *v, struct mue_error *e)
{
	int64_t id;

	for (int i = 0; i < MUE_ROLLOUT_BATCH; i++) {
		int r = first_id(v, UNCANCELLED, &id, e);

		if (r < 0 || id == 0)
			return r < 0 ? r : i > 0;
		r = mue_action_say(v->db, id, MUE_EVENT_SUPERSEDE,
				   "cancelled: the rollout was stopped", engine, e);
		if (r < 0)
			return r;
	}
	return 1;
}

/* The group is in error, the rollout stands still, and says why. */
static int hold(struct view *v, size_t i, enum mue_rollout_event event, struct mue_error *e)
{
	const struct mue_group *g = &v->groups[i];
	char reason[200];
	uint32_t total = mue_group_total(&g->counts);
	int r = set_group(v, i, MUE_GROUP_ERROR, engine, e);

	if (event == MUE_ROLLOUT_EV_TRIP_PAUSE && !mue_group_tripped(g))
		snprintf(reason, sizeof(reason),
			 "group %zu ended with %" PRIu32 " of %" PRIu32
			 " targets finished, below its success threshold of %u %%",
			 i + 1, g->counts.finished, total, g->rule.success_percent);
	else
		snprintf(reason, sizeof(reason),
			 "group %zu has %" PRIu32 " of %" PRIu32
			 " targets in error, above its error threshold of %u %%",
			 i + 1, g->counts.error, total, g->rule.error_percent);
	return r < 0 ? r : mue_rollout_event(v->db, v->id, event, reason, engine, e);
}

static int advance(struct view *v, struct mue_error *e)
{
	struct mue_advance a = mue_rollout_advance(v->state, v->groups, v->count);
	int r = 0;

	switch (a.kind) {
	case MUE_ADVANCE_NOTHING:
		return open_some(v, e);
	case MUE_ADVANCE_OPEN:
		r = set_group(v, a.group, MUE_GROUP_RUNNING, engine, e);
		break;
	case MUE_ADVANCE_CLOSE:
		r = set_group(v, a.group, MUE_GROUP_FINISHED, engine, e);
		break;
	case MUE_ADVANCE_TRIP:
		r = hold(v, a.group,
			 v->groups[a.group].rule.error_stops ? MUE_ROLLOUT_EV_TRIP_STOP
							     : MUE_ROLLOUT_EV_TRIP_PAUSE,
			 e);
		break;
	case MUE_ADVANCE_SHORT:
		r = hold(v, a.group, MUE_ROLLOUT_EV_TRIP_PAUSE, e);
		break;
	case MUE_ADVANCE_COMPLETE:
		r = mue_rollout_event(v->db, v->id, MUE_ROLLOUT_EV_COMPLETE, NULL, engine, e);
		break;
	}
	return r < 0 ? r : 1;
}

static int stop(struct view *v, struct mue_error *e)
{
	int r = cancel_some(v, e);

	if (r != 0)
		return r;
	r = mue_db_exec(
		v->db, e,
		"UPDATE rollout SET status = 'stopped' WHERE id = ? AND status = 'stopping'", "i",
		v->id);
	return r < 0 ? r : 0;
}

static bool start_is_due(const struct view *v)
{
	return v->start_at && v->start_at <= mue_now_ms();
}

static int start_by_clock(struct view *v, struct mue_error *e)
{
	int r;

	if (!start_is_due(v))
		return 0;
	r = mue_rollout_event(v->db, v->id, MUE_ROLLOUT_EV_START, NULL, engine, e);
	return r < 0 ? r : 1;
}

/* What the engine does in each state; nothing where no line stands. */
static int (*const work[MUE_ROLLOUT_STATE_COUNT])(struct view *v, struct mue_error *e) = {
	[MUE_ROLLOUT_READY] = start_by_clock, [MUE_ROLLOUT_STARTING] = schedule_all,
	[MUE_ROLLOUT_RUNNING] = advance,      [MUE_ROLLOUT_STOPPING] = stop,
	[MUE_ROLLOUT_DELETED] = cancel_some,
};

int mue_rollout_tick(struct mue_db *db, int64_t rollout_id, struct mue_error *e)
{
	struct view v;
	int r = load(&v, db, rollout_id, e);

	if (r == 0 && work[v.state])
		r = work[v.state](&v, e);
	unload(&v);
	return r;
}

static int any(struct view *v, const char *sql, struct mue_error *e)
{
	int64_t id = 0;
	int r = first_id(v, sql, &id, e);

	return r < 0 ? r : id != 0;
}

static int asks(struct view *v, struct mue_error *e)
{
	if (v->state == MUE_ROLLOUT_READY)
		return start_is_due(v);
	if (v->state == MUE_ROLLOUT_DELETED)
		return any(v, UNCANCELLED, e);
	if (v->state != MUE_ROLLOUT_RUNNING)
		return work[v->state] != NULL;
	if (mue_rollout_advance(v->state, v->groups, v->count).kind != MUE_ADVANCE_NOTHING)
		return 1;
	return any(v, UNOPENED, e);
}

int mue_rollout_pending(struct mue_db *db, int64_t rollout_id, struct mue_error *e)
{
	struct view v;
	int r = load(&v, db, rollout_id, e);

	if (r == 0)
		r = asks(&v, e);
	unload(&v);
	return r;
}

int mue_rollout_open(struct mue_db *db, int64_t *ret, size_t room, size_t *ret_count,
		     struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	size_t n = 0;
	int r = mue_db_query(
		db, &rows, e,
		"SELECT r.id FROM rollout r WHERE r.status IN ('starting', 'running',"
		" 'stopping') OR (r.status = 'ready' AND r.start_at IS NOT NULL)"
		" OR (r.status = 'deleted' AND EXISTS (SELECT 1 FROM action a"
		" WHERE a.rollout_id = r.id AND a.status NOT IN ('canceling', 'canceled',"
		" 'finished', 'error'))) ORDER BY r.id",
		NULL);

	while (r == 0 && n < room) {
		r = mue_rows_next(&rows, e);
		if (r <= 0)
			break;
		ret[n++] = mue_rows_int(&rows, 0);
		r = 0;
	}
	mue_rows_end(&rows);
	*ret_count = n;
	return r < 0 ? r : 0;
}
