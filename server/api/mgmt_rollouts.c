/* /rest/v1/rollouts, except their creation. */
#include "server/api/mgmt_rollouts.h"

#include "host/log.h"
#include "server/api/mgmt.h"
#include "server/store/rollout.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* ---- as JSON ---- */

static const struct mgmt_column rollout_columns[] = {
	{ "id", MGMT_INT, "r.id" },
	{ "name", MGMT_TEXT, "r.name" },
	{ "description", MGMT_TEXT, "r.description" },
	{ "targetFilterQuery", MGMT_TEXT, "r.filter" },
	{ "distributionSetId", MGMT_INT, "r.set_id" },
	{ "status", MGMT_TEXT, "r.status" },
	{ "statusReason", MGMT_TEXT, "r.stop_reason" }, /* ours: why it stands still */
	{ "totalTargets", MGMT_INT, "r.total" },
	{ "totalGroups", MGMT_INT,
	  "(SELECT count(*) FROM rollout_group x WHERE x.rollout_id = r.id)" },
	{ "type", MGMT_TEXT, "r.type" },
	{ "forcetime", MGMT_INT, "r.force_time" },
	{ "startAt", MGMT_INT, "r.start_at" },
	{ "weight", MGMT_INT, "r.weight" },
	{ "dynamic", MGMT_BOOL, "r.dynamic" },
	{ "approvalRemark", MGMT_TEXT, "r.approval_remark" },
	{ "approveDecidedBy", MGMT_TEXT, "r.approved_by" },
	{ "deleted", MGMT_BOOL, "r.deleted" },
	MGMT_TRACKED("r"),
	{ NULL, MGMT_TEXT, NULL },
};

static int add_counts(struct mgmt_op *op, json_t *json, int64_t rollout, int64_t group,
		      struct mue_error *e)
{
	struct mue_group_counts c;
	int r = mue_rollout_counts(op->db, rollout, group, &c, e);

	if (r < 0)
		return r;
	return json_object_set_new(
		json, "totalTargetsPerStatus",
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "notstarted", (json_int_t)c.notstarted,
			  "scheduled", (json_int_t)c.scheduled, "running", (json_int_t)c.running,
			  "finished", (json_int_t)c.finished, "error", (json_int_t)c.error,
			  "cancelled", (json_int_t)c.cancelled));
}

static int finish_rollout(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			  struct mue_error *e)
{
	static const char *const verbs[] = { "start", "pause",   "resume", "triggerNextGroup",
					     "stop",  "approve", "deny" };
	int64_t set = json_integer_value(json_object_get(json, "distributionSetId"));
	int r = mgmt_link(op, json, "self", "/rest/v1/rollouts/%" PRId64, id);

	if (r < 0 || !full)
		return r;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		mgmt_link(op, json, verbs[i], "/rest/v1/rollouts/%" PRId64 "/%s", id, verbs[i]);
	mgmt_link(op, json, "groups", "/rest/v1/rollouts/%" PRId64 "/deploygroups", id);
	mgmt_link(op, json, "distributionset", "/rest/v1/distributionsets/%" PRId64, set);
	return add_counts(op, json, id, 0, e);
}

const struct mgmt_entity mgmt_rollout = {
	.what = "rollout",
	.from = "rollout r",
	.id = "r.id",
	.alive = "r.deleted = 0",
	.order = "r.id",
	.fields = mue_fields_rollout,
	.columns = rollout_columns,
	.finish = finish_rollout,
};

static const struct mgmt_column group_columns[] = {
	{ "id", MGMT_INT, "g.id" },
	{ "name", MGMT_TEXT, "g.name" },
	{ "description", MGMT_TEXT, "g.description" },
	{ "status", MGMT_TEXT, "g.status" },
	{ "targetFilterQuery", MGMT_TEXT, "COALESCE(g.filter, '')" },
	{ "targetPercentage", MGMT_REAL, "g.percentage" },
	{ "targetCount", MGMT_INT, "g.max_targets" },
	{ "confirmationRequired", MGMT_BOOL, "g.confirmation" },
	{ "totalTargets", MGMT_INT, "g.total" },
	{ "openedAt", MGMT_INT, "g.opened_at" },
	MGMT_TRACKED("g"),
	{ NULL, MGMT_TEXT, NULL },
};

static int add_conditions(const struct mue_rows *row, json_t *json)
{
	const char *action = mue_rows_text(row, 2);

	json_object_set_new(json, "dynamic", json_false());
	json_object_set_new(json, "successCondition",
			    json_pack("{s:s, s:s}", "condition", "THRESHOLD", "expression",
				      mue_rows_text(row, 0)));
	json_object_set_new(json, "successAction",
			    json_pack("{s:s, s:s}", "action", "NEXTGROUP", "expression", ""));
	if (mue_rows_null(row, 1))
		return 0;
	json_object_set_new(json, "errorCondition",
			    json_pack("{s:s, s:s}", "condition", "THRESHOLD", "expression",
				      mue_rows_text(row, 1)));
	return json_object_set_new(json, "errorAction",
				   json_pack("{s:s, s:s}", "action",
					     strcmp(action, "stop") == 0 ? "STOP" : "PAUSE",
					     "expression", ""));
}

static int finish_group(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int64_t rollout = 0;
	int r = mue_db_query(op->db, &rows, e,
			     "SELECT success_threshold, error_threshold, error_action, rollout_id"
			     " FROM rollout_group WHERE id = ?",
			     "i", id);

	(void)full;
	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r > 0) {
		rollout = mue_rows_int(&rows, 3);
		r = add_conditions(&rows, json);
	}
	mue_rows_end(&rows);
	if (r == 0)
		r = mgmt_link(op, json, "self",
			      "/rest/v1/rollouts/%" PRId64 "/deploygroups/%" PRId64, rollout, id);
	return r < 0 ? r : add_counts(op, json, rollout, id, e);
}

const struct mgmt_entity mgmt_group = {
	.what = "rollout group",
	.from = "rollout_group g",
	.id = "g.id",
	.order = "g.position",
	.fields = mue_fields_group,
	.columns = group_columns,
	.finish = finish_group,
};

/* ---- reading ---- */

#define ROLLOUT "rolloutId"

int mgmt_rollouts_list(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_page(r, &mgmt_rollout, e);
}

int mgmt_rollout_get(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_one(r, &mgmt_rollout, ROLLOUT, e);
}

static int do_groups(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_rollout, op->id, e);

	return r < 0 ? r : mgmt_page(op, &mgmt_group, "g.rollout_id = ?", e, "i", op->id);
}

int mgmt_rollout_groups(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, ROLLOUT, e);

	return v ? mgmt_over(v) : mgmt_read(&op, do_groups, 200, e);
}

static int check_group(struct mgmt_op *op, struct mue_error *e)
{
	int64_t n;
	int r = mue_db_int(op->db, &n, e,
			   "SELECT 1 FROM rollout_group WHERE id = ? AND rollout_id = ?", "ii",
			   op->id2, op->id);

	if (r == MUE_ENOTFOUND)
		return mue_fail(e, r,
				"rollout group %" PRId64 " does not exist in rollout %" PRId64,
				op->id2, op->id);
	return r;
}

static int do_group(struct mgmt_op *op, struct mue_error *e)
{
	int r = check_group(op, e);

	return r < 0 ? r : mgmt_load(op, &mgmt_group, op->id2, true, &op->out, e);
}

static int do_group_targets(struct mgmt_op *op, struct mue_error *e)
{
	int r = check_group(op, e);

	return r < 0 ? r
		     : mgmt_page(op, &mgmt_target,
				 "t.id IN (SELECT z.target_id FROM rollout_target z"
				 " WHERE z.group_id = ?)",
				 e, "i", op->id2);
}

static int read_group(struct mue_request *r, mgmt_fn *fn, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, ROLLOUT, e);

	if (v == 0)
		v = mue_request_id(r, "groupId", &op.id2, e);
	return v ? mgmt_over(v) : mgmt_read(&op, fn, 200, e);
}

int mgmt_rollout_group(struct mue_request *r, struct mue_error *e)
{
	return read_group(r, do_group, e);
}

int mgmt_rollout_group_targets(struct mue_request *r, struct mue_error *e)
{
	return read_group(r, do_group_targets, e);
}

/* ---- changing ---- */

static int do_put(struct mgmt_op *op, struct mue_error *e)
{
	const char *name = NULL, *description = NULL;
	int r = mgmt_exists(op, &mgmt_rollout, op->id, e);

	if (r == 0)
		r = mgmt_text(op->in, "name", MGMT_NAME, false, &name, e);
	if (r == 0)
		r = mgmt_text(op->in, "description", MGMT_DESCRIPTION, false, &description, e);
	if (r == 0)
		r = mue_db_exec(op->db, e,
				"UPDATE rollout SET name = COALESCE(?, name),"
				" description = COALESCE(?, description) WHERE id = ?",
				"tti", name, description, op->id);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "rollout %.64s exists already", name);
	if (r == 0)
		r = mgmt_touch(op, "rollout", op->id, e);
	return r < 0 ? r : mgmt_load(op, &mgmt_rollout, op->id, true, &op->out, e);
}

int mgmt_rollout_put(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, ROLLOUT, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_put, 200, e);
}

static const struct mgmt_fault illegal_state = {
	400, "hawkbit.server.error.rollout.illegalstate",
	"org.eclipse.hawkbit.repository.exception.RolloutIllegalStateException"
};

struct move {
	struct mgmt_op op;
	enum mue_rollout_event event;
	const char *said; /* "paused by" */
};

static int do_move(struct mgmt_op *op, struct mue_error *e)
{
	const struct move *m = (const struct move *)op;
	const char *reason = NULL;
	int r = mgmt_exists(op, &mgmt_rollout, op->id, e);

	if (m->said)
		reason = mue_arena_printf(&op->r->arena, "%s %s", m->said, op->r->who.name);
	if (r == 0)
		r = mue_rollout_event(op->db, op->id, m->event, reason, op->r->who.name, e);
	if (r == MUE_EPERM)
		op->fault = &illegal_state;
	return r;
}

static int move(struct mue_request *r, enum mue_rollout_event event, const char *said,
		struct mue_error *e)
{
	struct move m = { .event = event };
	int v = mgmt_begin(&m.op, r, false, ROLLOUT, e);

	m.said = said;
	m.op.kick = true;
	if (v)
		return mgmt_over(v);
	v = mgmt_write(&m.op, do_move, 200, e);
	if (v == 0 && r->response.status == 200)
		mue_log(MUE_LOG_INFO, "rollout.moved", "rollout", MUE_LOG_NUM(m.op.id), "by",
			r->who.name, "path", r->path, NULL);
	return v;
}

int mgmt_rollout_start(struct mue_request *r, struct mue_error *e)
{
	return move(r, MUE_ROLLOUT_EV_START, NULL, e);
}

int mgmt_rollout_pause(struct mue_request *r, struct mue_error *e)
{
	return move(r, MUE_ROLLOUT_EV_PAUSE, "paused by", e);
}

int mgmt_rollout_resume(struct mue_request *r, struct mue_error *e)
{
	return move(r, MUE_ROLLOUT_EV_RESUME, NULL, e);
}

int mgmt_rollout_stop(struct mue_request *r, struct mue_error *e)
{
	return move(r, MUE_ROLLOUT_EV_STOP, "stopped by", e);
}

/* Deleting again succeeds. */
static int do_delete(struct mgmt_op *op, struct mue_error *e)
{
	int r = mue_rollout_event(op->db, op->id, MUE_ROLLOUT_EV_DELETE, "deleted", op->r->who.name,
				  e);

	if (r == MUE_EPERM)
		op->fault = &illegal_state;
	return r;
}

int mgmt_rollout_delete(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, ROLLOUT, e);

	op.kick = true;
	return v ? mgmt_over(v) : mgmt_write(&op, do_delete, 200, e);
}

/* The author's own word does not count as another person's. */
static int do_decide(struct mgmt_op *op, struct mue_error *e)
{
	const char *remark = mue_request_query(op->r, "remark");
	int r = do_move(op, e);

	if (r == 0)
		r = mue_db_exec(op->db, e,
				"UPDATE rollout SET approval_remark = ?, approved_by = ?"
				" WHERE id = ?",
				"tti", remark, op->r->who.name, op->id);
	return r;
}

static int decide(struct mue_request *r, enum mue_rollout_event event, struct mue_error *e)
{
	struct move m = { .event = event };
	int v = mgmt_begin(&m.op, r, false, ROLLOUT, e);

	m.op.kick = true;
	return v ? mgmt_over(v) : mgmt_write(&m.op, do_decide, 200, e);
}

int mgmt_rollout_approve(struct mue_request *r, struct mue_error *e)
{
	return decide(r, MUE_ROLLOUT_EV_APPROVE, e);
}

int mgmt_rollout_deny(struct mue_request *r, struct mue_error *e)
{
	return decide(r, MUE_ROLLOUT_EV_DENY, e);
}

static int do_trigger(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_rollout, op->id, e);

	if (r < 0)
		return r;
	r = mue_rollout_trigger(op->db, op->id, op->r->who.name, e);
	if (r == MUE_EPERM || r == MUE_ENOTFOUND)
		op->fault = &illegal_state;
	return r;
}

int mgmt_rollout_trigger(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, ROLLOUT, e);

	op.kick = true;
	return v ? mgmt_over(v) : mgmt_write(&op, do_trigger, 200, e);
}

/* A new rollout, in one group, of the same set for the targets that failed. */
static int do_retry(struct mgmt_op *op, struct mue_error *e)
{
	int64_t old = op->id;
	int r = mgmt_exists(op, &mgmt_rollout, op->id, e);

	if (r == 0)
		r = mue_db_exec(op->db, e,
				"INSERT INTO rollout (name, description, set_id, filter, status,"
				" type, force_time, weight, confirmation, created_at, created_by,"
				" modified_at, modified_by) SELECT name || '_retry', description,"
				" set_id, 'failedrollout==' || id, 'creating', type, force_time,"
				" weight, confirmation, ?, ?, ?, ? FROM rollout WHERE id = ?",
				"ititi", op->now, op->r->who.name, op->now, op->r->who.name, old);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "a retry of this rollout exists already");
	if (r < 0)
		return r;
	op->id = mue_db_last_id(op->db);
	r = mue_db_exec(op->db, e,
			"INSERT INTO rollout_group (rollout_id, position, name, status,"
			" success_threshold, error_threshold, error_action, created_at, created_by,"
			" modified_at, modified_by) VALUES (?, 0, 'group-1', 'creating', '100',"
			" '50', 'pause', ?, ?, ?, ?)",
			"iitit", op->id, op->now, op->r->who.name, op->now, op->r->who.name);
	if (r == 0)
		r = mue_rollout_plan(op->db, op->id, op->now, e);
	if (r == 0)
		r = mue_rollout_event(op->db, op->id, MUE_ROLLOUT_EV_PLANNED, NULL, op->r->who.name,
				      e);
	return r < 0 ? r : mgmt_load(op, &mgmt_rollout, op->id, true, &op->out, e);
}

int mgmt_rollout_retry(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, ROLLOUT, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_retry, 201, e);
}

/* ---- the job ---- */

enum { OPEN_MAX = 1000, TICKS_MAX = 100000, REST_FACTOR = 3, REST_MIN_MS = 4 };

/* Counting a large fleet costs tens of milliseconds, and every report asks for it: rest in
 * proportion, so that the job never takes more than a quarter of one processor. */
static void rest_after(int64_t started_ms)
{
	int64_t ms = (mue_now_ms() - started_ms) * REST_FACTOR;
	struct timespec t = { 0, 0 };

	if (ms < REST_MIN_MS)
		return;
	ms = ms < 500 ? ms : 500;
	t.tv_nsec = ms * 1000000;
	nanosleep(&t, NULL);
}

struct open_list {
	int64_t ids[OPEN_MAX];
	size_t count, busy; /* ids[0..busy) have something to do */
};

static int find_busy(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct open_list *l = arg;
	int r = mue_rollout_open(db, l->ids, OPEN_MAX, &l->count, e);

	for (size_t i = 0; i < l->count && r >= 0; i++) {
		r = mue_rollout_pending(db, l->ids[i], e);
		if (r > 0)
			l->ids[l->busy++] = l->ids[i];
	}
	return r < 0 ? r : 0;
}

struct tick {
	int64_t id;
	int more;
};

static int do_tick(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct tick *t = arg;

	t->more = mue_rollout_tick(db, t->id, e);
	return t->more < 0 ? t->more : 0;
}

int mgmt_rollouts_run(struct mue_server *server, struct mue_error *e)
{
	struct open_list list = { .count = 0 };
	int64_t started = mue_now_ms();
	int r = mue_store_read(server->store, find_busy, &list, e);

	rest_after(started);
	for (size_t i = 0; i < list.busy && r == 0; i++) {
		struct tick t = { list.ids[i], 1 };

		for (int n = 0; n < TICKS_MAX && t.more > 0 && r == 0; n++)
			r = mue_store_write(server->store, do_tick, &t, e);
		if (r < 0)
			mue_prefix(e, "rollout %" PRId64, t.id);
	}
	return r;
}
