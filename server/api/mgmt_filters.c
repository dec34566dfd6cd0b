/* /rest/v1/targetfilters, and the job that assigns their sets. */
#include "server/api/mgmt.h"
#include "server/api/mgmt_rollouts.h"
#include "server/api/mgmt_sets.h"
#include "server/store/mgmt_action.h"
#include "server/store/mgmt_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct mgmt_column filter_columns[] = {
	{ "id", MGMT_INT, "f.id" },
	{ "name", MGMT_TEXT, "f.name" },
	{ "query", MGMT_TEXT, "f.query" },
	{ "autoAssignDistributionSet", MGMT_INT, "f.auto_set" },
	{ "autoAssignActionType", MGMT_TEXT, "CASE WHEN f.auto_set THEN f.auto_type END" },
	{ "autoAssignWeight", MGMT_INT, "CASE WHEN f.auto_set THEN f.auto_weight END" },
	{ "confirmationRequired", MGMT_BOOL, "f.auto_confirmation" },
	MGMT_TRACKED("f"),
	{ NULL, MGMT_TEXT, NULL },
};

static int finish_filter(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			 struct mue_error *e)
{
	(void)e;
	if (full)
		mgmt_link(op, json, "autoAssignDS",
			  "/rest/v1/targetfilters/%" PRId64 "/autoAssignDS", id);
	return mgmt_link(op, json, "self", "/rest/v1/targetfilters/%" PRId64, id);
}

const struct mgmt_entity mgmt_filter = {
	.what = "target filter",
	.from = "target_filter f",
	.id = "f.id",
	.order = "f.id",
	.fields = mue_fields_filter,
	.columns = filter_columns,
	.finish = finish_filter,
};

#define FILTER "filterId"

int mgmt_filters_list(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_page(r, &mgmt_filter, e);
}

int mgmt_filter_get(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_one(r, &mgmt_filter, FILTER, e);
}

static int read_body(struct mgmt_op *op, bool create, const char **name, const char **query,
		     struct mue_error *e)
{
	struct mue_filter *f;
	int r = mgmt_text(op->in, "name", MGMT_NAME, create, name, e);

	if (r == 0)
		r = mgmt_text(op->in, "query", 4096, create, query, e);
	if (r < 0 || !*query)
		return r;
	r = mue_filter_new(*query, mue_fields_target, op->now, op->now, &f, e);
	if (r == 0)
		mue_filter_free(f);
	return r;
}

static int do_create(struct mgmt_op *op, struct mue_error *e)
{
	const char *name = NULL, *query = NULL;
	int r = read_body(op, true, &name, &query, e);

	if (r == 0)
		r = mue_db_exec(op->db, e,
				"INSERT INTO target_filter (name, query, created_at, created_by,"
				" modified_at, modified_by) VALUES (?, ?, ?, ?, ?, ?)",
				"ttitit", name, query, op->now, op->r->who.name, op->now,
				op->r->who.name);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "target filter %.64s exists already", name);
	return r < 0 ? r : mgmt_load(op, &mgmt_filter, mue_db_last_id(op->db), true, &op->out, e);
}

int mgmt_filters_create(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, NULL, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_create, 201, e);
}

static int do_put(struct mgmt_op *op, struct mue_error *e)
{
	const char *name = NULL, *query = NULL;
	int r = mgmt_exists(op, &mgmt_filter, op->id, e);

	if (r == 0)
		r = read_body(op, false, &name, &query, e);
	if (r == 0)
		r = mue_db_exec(op->db, e,
				"UPDATE target_filter SET name = COALESCE(?, name),"
				" query = COALESCE(?, query) WHERE id = ?",
				"tti", name, query, op->id);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "target filter %.64s exists already", name);
	if (r == 0)
		r = mgmt_touch(op, "target_filter", op->id, e);
	return r < 0 ? r : mgmt_load(op, &mgmt_filter, op->id, true, &op->out, e);
}

int mgmt_filter_put(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, FILTER, e);

	op.kick = true;
	return v ? mgmt_over(v) : mgmt_write(&op, do_put, 200, e);
}

static int do_delete(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_filter, op->id, e);

	return r < 0 ? r
		     : mue_db_exec(op->db, e, "DELETE FROM target_filter WHERE id = ?", "i",
				   op->id);
}

int mgmt_filter_delete(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, FILTER, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_delete, 200, e);
}

/* ---- auto-assignment ---- */

static int do_set(struct mgmt_op *op, struct mue_error *e)
{
	int64_t set = 0;
	int r = mgmt_exists(op, &mgmt_filter, op->id, e);

	if (r == 0)
		r = mue_db_int(op->db, &set, e,
			       "SELECT COALESCE(auto_set, 0) FROM target_filter WHERE id = ?", "i",
			       op->id);
	return r < 0 || !set ? r : mgmt_load(op, &mgmt_set, set, true, &op->out, e);
}

int mgmt_filter_set(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, FILTER, e);

	if (v)
		return mgmt_over(v);
	v = mgmt_read(&op, do_set, 200, e);
	if (v == 0 && r->response.len == 0)
		r->response.status = 204;
	return v;
}

static int do_set_post(struct mgmt_op *op, struct mue_error *e)
{
	struct mue_assignment a;
	int r = mgmt_exists(op, &mgmt_filter, op->id, e);

	if (r == 0)
		r = mgmt_read_assignment(op, op->in, &a, e);
	if (r == 0 && a.type == MUE_FORCE_TIMEFORCED)
		r = mue_fail(e, MUE_EINVAL, "type must be soft, forced or downloadonly");
	if (r == 0)
		r = mgmt_int(op->in, "id", 1, INT64_MAX, true, &a.set_id, e);
	if (r == 0)
		r = mgmt_check_set(op, a.set_id, e);
	if (r == 0)
		r = mue_db_exec(op->db, e,
				"UPDATE target_filter SET auto_set = ?, auto_type = ?,"
				" auto_weight = NULLIF(?, -1), auto_confirmation = ?,"
				" auto_initiator = ? WHERE id = ?",
				"itiiti", a.set_id, mue_force_name(a.type), a.weight,
				(int64_t)a.confirmation, op->r->who.name, op->id);
	return r < 0 ? r : mgmt_load(op, &mgmt_filter, op->id, true, &op->out, e);
}

int mgmt_filter_set_post(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, FILTER, e);

	op.kick = true;
	return v ? mgmt_over(v) : mgmt_write(&op, do_set_post, 200, e);
}

static int do_set_delete(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_filter, op->id, e);

	return r < 0 ? r
		     : mue_db_exec(op->db, e,
				   "UPDATE target_filter SET auto_set = NULL WHERE id = ?", "i",
				   op->id);
}

int mgmt_filter_set_delete(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, FILTER, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_set_delete, 200, e);
}

/* ---- the job ---- */

enum { BATCH = 500, FILTERS_MAX = 1000 };

/* One pass over one filter: the targets that match and were never assigned the set. */
struct pass {
	int64_t filter_id, after; /* continues behind this target id */
	int64_t targets[BATCH];
	size_t count;
	struct mue_assignment a;
	char who[64];
	int64_t overdue_ms;
};

static int note_target(void *ctx, const struct mue_rows *row, struct mue_error *e)
{
	struct pass *p = ctx;

	(void)e;
	p->targets[p->count++] = mue_rows_int(row, 0);
	return 0;
}

static int find_targets(struct mue_db *db, struct pass *p, const char *query, struct mue_error *e)
{
	struct mue_fiql_bind binds[] = { { .number = p->after }, { .number = p->a.set_id } };
	struct mue_list list = {
		.columns = "t.id",
		.from = "target t",
		.where = "t.id > ? AND NOT EXISTS (SELECT 1 FROM action x WHERE x.target_id = t.id"
			 " AND x.set_id = ?)",
		.binds = binds,
		.bind_count = 2,
		.fields = mue_fields_target,
		.q = query,
		.order = "t.id",
		.limit = BATCH,
		.now_ms = mue_now_ms(),
		.overdue_ms = p->overdue_ms,
	};

	p->count = 0;
	return mue_list_run(db, &list, note_target, p, NULL, e);
}

static int find_pass(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct pass *p = arg;
	struct mue_rows rows = { 0 };
	int r = mue_db_query(db, &rows, e,
			     "SELECT query, auto_set, auto_type, COALESCE(auto_weight, -1),"
			     " auto_confirmation, COALESCE(auto_initiator, 'system')"
			     " FROM target_filter WHERE id = ? AND auto_set IS NOT NULL",
			     "i", p->filter_id);

	p->count = 0;
	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r > 0) {
		p->a.set_id = mue_rows_int(&rows, 1);
		p->a.weight = mue_rows_int(&rows, 3);
		p->a.confirmation = mue_rows_int(&rows, 4) != 0;
		snprintf(p->who, sizeof(p->who), "%s", mue_rows_text(&rows, 5));
		p->a.who = p->who;
		r = mue_force_parse(mue_rows_text(&rows, 2), &p->a.type);
		if (r == 0)
			r = find_targets(db, p, mue_rows_text(&rows, 0), e);
	}
	mue_rows_end(&rows);
	return r;
}

static int assign_pass(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct pass *p = arg;
	struct mue_error why;
	int64_t action;

	for (size_t i = 0; i < p->count; i++) {
		int r;

		p->a.target_id = p->targets[i];
		r = mue_action_assign(db, &p->a, &action, &why);
		if (r == MUE_EIO || r == MUE_ENOMEM || r == MUE_ENOSPC)
			return mue_fail(e, r, "%s", why.text);
		/* A target that the set does not fit is left alone. */
	}
	return 0;
}

struct filter_list {
	int64_t ids[FILTERS_MAX];
	size_t count;
};

static int list_filters(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct filter_list *l = arg;
	struct mue_rows rows = { 0 };
	int r = mue_db_query(db, &rows, e,
			     "SELECT id FROM target_filter WHERE auto_set IS NOT NULL ORDER BY id",
			     NULL);

	while (r == 0 && l->count < FILTERS_MAX) {
		r = mue_rows_next(&rows, e);
		if (r <= 0)
			break;
		l->ids[l->count++] = mue_rows_int(&rows, 0);
		r = 0;
	}
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

static int run_filter(struct mue_server *server, int64_t id, struct mue_error *e)
{
	struct pass *p = calloc(1, sizeof(*p));
	int r = p ? 0 : mue_fail(e, MUE_ENOMEM, "out of memory");

	while (r == 0) {
		p->filter_id = id;
		p->overdue_ms = mue_now_ms() - 2000 * (int64_t)server->config.poll_s;
		r = mue_store_read(server->store, find_pass, p, e);
		if (r < 0 || p->count == 0)
			break;
		p->after = p->targets[p->count - 1];
		r = mue_store_write(server->store, assign_pass, p, e);
	}
	free(p);
	return r;
}

int mgmt_filters_run(struct mue_server *server, struct mue_error *e)
{
	struct filter_list list = { .count = 0 };
	int r = mue_store_read(server->store, list_filters, &list, e);

	for (size_t i = 0; i < list.count && r == 0; i++)
		r = run_filter(server, list.ids[i], e);
	return r;
}
