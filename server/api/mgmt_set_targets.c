/* /rest/v1/distributionsets/{id}: who is assigned it, who has it, and the counts. */
#include "server/api/mgmt.h"
#include "server/api/mgmt_sets.h"
#include "server/store/mgmt_action.h"

#include <string.h>

#define SET "distributionSetId"

static int targets(struct mgmt_op *op, const char *where, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_set, op->id, e);

	return r < 0 ? r : mgmt_page(op, &mgmt_target, where, e, "i", op->id);
}

static int do_assigned(struct mgmt_op *op, struct mue_error *e)
{
	return targets(op, "t.assigned_set = ?", e);
}

static int do_installed(struct mgmt_op *op, struct mue_error *e)
{
	return targets(op, "t.installed_set = ?", e);
}

static int do_filters(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_set, op->id, e);

	return r < 0 ? r : mgmt_page(op, &mgmt_filter, "f.auto_set = ?", e, "i", op->id);
}

static int read_set(struct mue_request *r, mgmt_fn *fn, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, SET, e);

	return v ? mgmt_over(v) : mgmt_read(&op, fn, 200, e);
}

int mgmt_set_assigned(struct mue_request *r, struct mue_error *e)
{
	return read_set(r, do_assigned, e);
}

int mgmt_set_installed(struct mue_request *r, struct mue_error *e)
{
	return read_set(r, do_installed, e);
}

int mgmt_set_filters(struct mue_request *r, struct mue_error *e)
{
	return read_set(r, do_filters, e);
}

static int do_assign(struct mgmt_op *op, struct mue_error *e)
{
	const char *offline = mue_request_query(op->r, "offline"), *name;
	struct mue_assignment a;
	const json_t *item;
	int r = mgmt_check_set(op, op->id, e);

	for (size_t i = 0; r == 0; i++) {
		name = NULL;
		r = mgmt_item(op->in, i, &item, e);
		if (r < 0 || !item)
			break;
		r = mgmt_read_assignment(op, item, &a, e);
		if (r == 0)
			r = mgmt_text(item, "id", 256, true, &name, e);
		if (r == 0)
			r = mgmt_target_id(op, name, &a.target_id, e);
		a.set_id = op->id;
		if (r == 0)
			r = mgmt_assign(op, &a, offline && strcmp(offline, "true") == 0, e);
	}
	return r;
}

int mgmt_set_assign(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, SET, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_assign, 200, e);
}

/* ---- statistics ---- */

/* {"RUNNING": 3, ..., "total": 5} of `table`. */
static int count_states(struct mgmt_op *op, const char *sql, const char *name, struct mue_error *e)
{
	json_t *counts = json_object();
	struct mue_rows rows = { 0 };
	json_int_t total = 0;
	int r = mue_db_query(op->db, &rows, e, sql, "i", op->id);

	while (r == 0) {
		r = mue_rows_next(&rows, e);
		if (r <= 0)
			break;
		total += mue_rows_int(&rows, 1);
		r = json_object_set_new(counts, mue_rows_text(&rows, 0),
					json_integer(mue_rows_int(&rows, 1)));
	}
	mue_rows_end(&rows);
	json_object_set_new(counts, "total", json_integer(total));
	json_object_set_new(op->out, name, counts);
	return r;
}

static int count_actions(struct mgmt_op *op, struct mue_error *e)
{
	return count_states(op,
			    "SELECT upper(status), count(*) FROM action WHERE set_id = ?"
			    " GROUP BY status",
			    "actions", e);
}

static int count_rollouts(struct mgmt_op *op, struct mue_error *e)
{
	return count_states(op,
			    "SELECT upper(status), count(*) FROM rollout WHERE set_id = ?"
			    " AND deleted = 0 GROUP BY status",
			    "rollouts", e);
}

static int count_filters(struct mgmt_op *op, struct mue_error *e)
{
	int64_t n;
	int r = mue_db_int(op->db, &n, e, "SELECT count(*) FROM target_filter WHERE auto_set = ?",
			   "i", op->id);

	if (r == 0)
		json_object_set_new(op->out, "totalAutoAssignments", json_integer(n));
	return r;
}

static int begin_counts(struct mgmt_op *op, struct mue_error *e)
{
	op->out = json_object();
	return mgmt_exists(op, &mgmt_set, op->id, e);
}

static int do_actions(struct mgmt_op *op, struct mue_error *e)
{
	int r = begin_counts(op, e);

	return r < 0 ? r : count_actions(op, e);
}

static int do_rollouts(struct mgmt_op *op, struct mue_error *e)
{
	int r = begin_counts(op, e);

	return r < 0 ? r : count_rollouts(op, e);
}

static int do_auto(struct mgmt_op *op, struct mue_error *e)
{
	int r = begin_counts(op, e);

	return r < 0 ? r : count_filters(op, e);
}

static int do_all(struct mgmt_op *op, struct mue_error *e)
{
	int r = do_actions(op, e);

	if (r == 0)
		r = count_rollouts(op, e);
	return r < 0 ? r : count_filters(op, e);
}

int mgmt_set_statistics(struct mue_request *r, struct mue_error *e)
{
	return read_set(r, do_all, e);
}

int mgmt_set_statistics_rollouts(struct mue_request *r, struct mue_error *e)
{
	return read_set(r, do_rollouts, e);
}

int mgmt_set_statistics_actions(struct mue_request *r, struct mue_error *e)
{
	return read_set(r, do_actions, e);
}

int mgmt_set_statistics_filters(struct mue_request *r, struct mue_error *e)
{
	return read_set(r, do_auto, e);
}
