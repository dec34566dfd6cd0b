/* /rest/v1/distributionsets. */
#include "server/api/mgmt_sets.h"

#include "server/api/mgmt.h"
#include "server/store/mgmt_action.h"
#include "server/store/rollout.h"

#include <inttypes.h>
#include <string.h>

/* Complete: holds a module of every mandatory type, and at least one. */
#define COMPLETE                                                                                \
	"(EXISTS (SELECT 1 FROM set_module z WHERE z.set_id = d.id) AND NOT EXISTS"             \
	" (SELECT 1 FROM set_type_module y WHERE y.set_type_id = d.type_id AND y.mandatory = 1" \
	" AND NOT EXISTS (SELECT 1 FROM set_module z JOIN module x ON x.id = z.module_id"       \
	" WHERE z.set_id = d.id AND x.type_id = y.module_type_id)))"

static const struct mgmt_column set_columns[] = {
	{ "id", MGMT_INT, "d.id" },
	{ "name", MGMT_TEXT, "d.name" },
	{ "version", MGMT_TEXT, "d.version" },
	{ "description", MGMT_TEXT, "d.description" },
	{ "type", MGMT_TEXT, "(SELECT x.key FROM set_type x WHERE x.id = d.type_id)" },
	{ "typeName", MGMT_TEXT, "(SELECT x.name FROM set_type x WHERE x.id = d.type_id)" },
	{ "complete", MGMT_BOOL, COMPLETE },
	{ "locked", MGMT_BOOL, "d.locked" },
	{ "deleted", MGMT_BOOL, "d.deleted" },
	{ "valid", MGMT_BOOL, "d.valid" },
	{ "requiredMigrationStep", MGMT_BOOL, "d.required_migration_step" },
	MGMT_TRACKED("d"),
	{ NULL, MGMT_TEXT, NULL },
};

/* The modules, also deleted ones: the set still delivers them. */
static int add_modules(struct mgmt_op *op, json_t *json, int64_t id, struct mue_error *e)
{
	json_t *modules = json_array(), *module = NULL;
	struct mue_rows rows = { 0 };
	int r = mue_db_query(op->db, &rows, e,
			     "SELECT module_id FROM set_module WHERE set_id = ? ORDER BY module_id",
			     "i", id);

	while (r == 0) {
		r = mue_rows_next(&rows, e);
		if (r <= 0)
			break;
		r = mgmt_load(op, &mgmt_module, mue_rows_int(&rows, 0), false, &module, e);
		if (r == 0)
			json_array_append_new(modules, module);
	}
	mue_rows_end(&rows);
	json_object_set_new(json, "modules", modules);
	return r;
}

static int finish_set(struct mgmt_op *op, json_t *json, int64_t id, bool full, struct mue_error *e)
{
	static const char path[] = "/rest/v1/distributionsets";
	int64_t type;
	int r = add_modules(op, json, id, e);

	if (r == 0)
		r = mgmt_link(op, json, "self", "%s/%" PRId64, path, id);
	if (r == 0 && full)
		r = mue_db_int(op->db, &type, e, "SELECT type_id FROM dist_set WHERE id = ?", "i",
			       id);
	if (r < 0 || !full)
		return r;
	mgmt_link(op, json, "modules", "%s/%" PRId64 "/assignedSM", path, id);
	mgmt_link(op, json, "type", "/rest/v1/distributionsettypes/%" PRId64, type);
	return mgmt_link(op, json, "metadata", "%s/%" PRId64 "/metadata", path, id);
}

const struct mgmt_entity mgmt_set = {
	.what = "distribution set",
	.from = "dist_set d",
	.id = "d.id",
	.alive = "d.deleted = 0",
	.order = "d.id",
	.fields = mue_fields_set,
	.columns = set_columns,
	.finish = finish_set,
};

#define SET "distributionSetId"

int mgmt_sets_list(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_page(r, &mgmt_set, e);
}

int mgmt_set_get(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_one(r, &mgmt_set, SET, e);
}

/* ---- modules of a set ---- */

/* The type of the set must allow the module, and no more modules of its type than it says. */
static int add_module(struct mgmt_op *op, int64_t set, int64_t module, struct mue_error *e)
{
	int64_t n;
	int r = mgmt_exists(op, &mgmt_module, module, e);

	if (r == 0)
		r = mue_db_int(op->db, &n, e,
			       "SELECT count(*) FROM dist_set d JOIN set_type_module y"
			       " ON y.set_type_id = d.type_id JOIN module m"
			       " ON m.type_id = y.module_type_id WHERE d.id = ? AND m.id = ?",
			       "ii", set, module);
	if (r == 0 && n == 0)
		return mue_fail(e, MUE_EINVAL,
				"the type of distribution set %" PRId64
				" does not allow the type of software module %" PRId64,
				set, module);
	if (r == 0)
		r = mue_db_exec(
			op->db, e,
			"INSERT OR IGNORE INTO set_module (set_id, module_id) VALUES (?, ?)", "ii",
			set, module);
	if (r == 0)
		r = mue_db_int(op->db, &n, e,
			       "SELECT count(*) - max(y.max_assignments) FROM set_module z"
			       " JOIN module x ON x.id = z.module_id"
			       " JOIN module_type y ON y.id = x.type_id WHERE z.set_id = ?"
			       " AND x.type_id = (SELECT type_id FROM module WHERE id = ?)",
			       "ii", set, module);
	if (r == 0 && n > 0)
		return mue_fail(e, MUE_EINVAL,
				"distribution set %" PRId64
				" holds as many software modules of that type as it may",
				set);
	return r;
}

static int add_module_list(struct mgmt_op *op, const json_t *list, int64_t set, struct mue_error *e)
{
	const json_t *item;
	int64_t id = 0;

	for (size_t i = 0; list; i++) {
		int r = mgmt_item(list, i, &item, e);

		if (r < 0 || !item)
			return r;
		r = mgmt_int(item, "id", 1, INT64_MAX, true, &id, e);
		if (r == 0)
			r = add_module(op, set, id, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_unlocked(struct mgmt_op *op, struct mue_error *e)
{
	int64_t locked = 0;
	int r = mgmt_exists(op, &mgmt_set, op->id, e);

	if (r == 0)
		r = mue_db_int(op->db, &locked, e, "SELECT locked FROM dist_set WHERE id = ?", "i",
			       op->id);
	if (r == 0 && locked)
		return mgmt_fail(op, &mgmt_locked, e,
				 "distribution set %" PRId64
				 " is locked: it was assigned to devices",
				 op->id);
	return r;
}

static int do_modules(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_set, op->id, e);

	return r < 0 ? r
		     : mgmt_page(op, &mgmt_module,
				 "m.id IN (SELECT z.module_id FROM set_module z"
				 " WHERE z.set_id = ?)",
				 e, "i", op->id);
}

int mgmt_set_modules(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, SET, e);

	return v ? mgmt_over(v) : mgmt_read(&op, do_modules, 200, e);
}

static int do_modules_add(struct mgmt_op *op, struct mue_error *e)
{
	int r = check_unlocked(op, e);

	return r < 0 ? r : add_module_list(op, op->in, op->id, e);
}

int mgmt_set_modules_add(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, SET, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_modules_add, 200, e);
}

static int do_module_delete(struct mgmt_op *op, struct mue_error *e)
{
	int r = check_unlocked(op, e);

	if (r == 0)
		r = mue_db_exec(op->db, e,
				"DELETE FROM set_module WHERE set_id = ? AND module_id = ?", "ii",
				op->id, op->id2);
	if (r == 0 && mue_db_changes(op->db) == 0)
		return mue_fail(e, MUE_ENOTFOUND,
				"software module %" PRId64 " is not in distribution set %" PRId64,
				op->id2, op->id);
	return r;
}

int mgmt_set_module_delete(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, SET, e);

	if (v == 0)
		v = mue_request_id(r, "softwareModuleId", &op.id2, e);
	return v ? mgmt_over(v) : mgmt_write(&op, do_module_delete, 200, e);
}

/* ---- creating, changing, deleting ---- */

static int create_one(struct mgmt_op *op, const json_t *json, int64_t *ret, struct mue_error *e)
{
	const char *name = NULL, *version = NULL, *about = NULL, *type = "mue";
	bool migration = false;
	int64_t type_id = 0;
	int r = mgmt_text(json, "name", MGMT_NAME, true, &name, e);

	if (r == 0)
		r = mgmt_text(json, "version", MGMT_VERSION, true, &version, e);
	if (r == 0)
		r = mgmt_text(json, "description", MGMT_DESCRIPTION, false, &about, e);
	if (r == 0)
		r = mgmt_text(json, "type", MGMT_KEY, false, &type, e);
	if (r == 0)
		r = mgmt_bool(json, "requiredMigrationStep", &migration, e);
	if (r == 0)
		r = mue_db_int(op->db, &type_id, e,
			       "SELECT id FROM set_type WHERE key = ? AND deleted = 0", "t", type);
	if (r == MUE_ENOTFOUND)
		return mue_fail(e, r, "distribution set type %.64s does not exist", type);
	if (r == 0)
		r = mue_db_exec(op->db, e,
				"INSERT INTO dist_set (type_id, name, version, description,"
				" required_migration_step, created_at, created_by, modified_at,"
				" modified_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
				"itttiitit", type_id, name, version, about, (int64_t)migration,
				op->now, op->r->who.name, op->now, op->r->who.name);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "distribution set %.64s:%.32s exists already", name, version);
	if (r < 0)
		return r;
	*ret = mue_db_last_id(op->db);
	return add_module_list(op, json_object_get(json, "modules"), *ret, e);
}

static int do_create(struct mgmt_op *op, struct mue_error *e)
{
	return mgmt_create_each(op, &mgmt_set, create_one, e);
}

int mgmt_sets_create(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, NULL, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_create, 201, e);
}

static int put_flags(struct mgmt_op *op, struct mue_error *e)
{
	bool locked = false, migration = false;
	int r = mgmt_bool(op->in, "locked", &locked, e);

	if (r == 0)
		r = mgmt_bool(op->in, "requiredMigrationStep", &migration, e);
	if (r == 0 && json_is_boolean(json_object_get(op->in, "locked")))
		r = mue_db_exec(op->db, e, "UPDATE dist_set SET locked = ? WHERE id = ?", "ii",
				(int64_t)locked, op->id);
	if (r == 0 && json_is_boolean(json_object_get(op->in, "requiredMigrationStep")))
		r = mue_db_exec(op->db, e,
				"UPDATE dist_set SET required_migration_step = ? WHERE id = ?",
				"ii", (int64_t)migration, op->id);
	return r;
}

static int do_put(struct mgmt_op *op, struct mue_error *e)
{
	const char *name = NULL, *version = NULL, *about = NULL;
	int r = mgmt_exists(op, &mgmt_set, op->id, e);

	if (r == 0)
		r = mgmt_text(op->in, "name", MGMT_NAME, false, &name, e);
	if (r == 0)
		r = mgmt_text(op->in, "version", MGMT_VERSION, false, &version, e);
	if (r == 0)
		r = mgmt_text(op->in, "description", MGMT_DESCRIPTION, false, &about, e);
	if (r == 0)
		r = mue_db_exec(op->db, e,
				"UPDATE dist_set SET name = COALESCE(?, name),"
				" version = COALESCE(?, version),"
				" description = COALESCE(?, description) WHERE id = ?",
				"ttti", name, version, about, op->id);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "another distribution set has that name and version");
	if (r == 0)
		r = put_flags(op, e);
	if (r == 0)
		r = mgmt_touch(op, "dist_set", op->id, e);
	return r < 0 ? r : mgmt_load(op, &mgmt_set, op->id, true, &op->out, e);
}

int mgmt_set_put(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, SET, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_put, 200, e);
}

static int do_delete(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_soft_delete(op, "dist_set", mgmt_set.what, op->id, e);

	if (r == 0) /* nobody is assigned it from now on */
		r = mue_db_exec(op->db, e,
				"UPDATE target_filter SET auto_set = NULL WHERE auto_set = ?", "i",
				op->id);
	return r;
}

int mgmt_set_delete(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, SET, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_delete, 200, e);
}

/* ---- invalidation ---- */

static int cancel_actions(struct mgmt_op *op, bool force, struct mue_error *e)
{
	for (;;) {
		int64_t id;
		int r = mue_db_int(op->db, &id, e,
				   force ? "SELECT id FROM action WHERE set_id = ? AND"
					   " (active = 1 OR status = 'scheduled') LIMIT 1"
					 : "SELECT id FROM action WHERE set_id = ? AND"
					   " (active = 1 OR status = 'scheduled')"
					   " AND status <> 'canceling' LIMIT 1",
				   "i", op->id);

		if (r == MUE_ENOTFOUND)
			return 0;
		if (r == 0)
			r = mue_action_say(op->db, id, MUE_EVENT_SUPERSEDE,
					   "cancelled: the distribution set was invalidated",
					   op->r->who.name, e);
		if (r >= 0 && force)
			r = mue_action_say(op->db, id, MUE_EVENT_FORCE_QUIT, "forced",
					   op->r->who.name, NULL);
		if (r < 0 && r != MUE_ECONFLICT)
			return r;
	}
}

static int stop_rollouts(struct mgmt_op *op, struct mue_error *e)
{
	for (;;) {
		int64_t id;
		int r = mue_db_int(op->db, &id, e,
				   "SELECT id FROM rollout WHERE set_id = ? AND deleted = 0 AND"
				   " status IN ('ready', 'starting', 'running', 'paused') LIMIT 1",
				   "i", op->id);

		if (r == MUE_ENOTFOUND)
			return 0;
		if (r == 0)
			r = mue_rollout_event(op->db, id, MUE_ROLLOUT_EV_STOP,
					      "the distribution set was invalidated",
					      op->r->who.name, e);
		if (r < 0)
			return r;
	}
}

static int mark_invalid(struct mgmt_op *op, struct mue_error *e)
{
	int r = mue_db_exec(op->db, e, "UPDATE dist_set SET valid = 0 WHERE id = ?", "i", op->id);

	return r < 0 ? r
		     : mue_db_exec(op->db, e,
				   "UPDATE target_filter SET auto_set = NULL WHERE auto_set = ?",
				   "i", op->id);
}

static int do_invalidate(struct mgmt_op *op, struct mue_error *e)
{
	const char *how = NULL;
	bool rollouts = true;
	int r = mgmt_exists(op, &mgmt_set, op->id, e);

	if (r == 0)
		r = mgmt_text(op->in, "actionCancelationType", 16, true, &how, e);
	if (r == 0 && strcmp(how, "soft") && strcmp(how, "force") && strcmp(how, "none"))
		r = mue_fail(e, MUE_EINVAL, "actionCancelationType must be soft, force or none");
	if (r == 0)
		r = mgmt_bool(op->in, "cancelRollouts", &rollouts, e);
	if (r == 0)
		r = mark_invalid(op, e);
	if (r == 0 && rollouts)
		r = stop_rollouts(op, e);
	if (r == 0 && strcmp(how, "none") != 0)
		r = cancel_actions(op, strcmp(how, "force") == 0, e);
	return r == 0 ? mgmt_touch(op, "dist_set", op->id, e) : r;
}

int mgmt_set_invalidate(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, SET, e);

	op.kick = true;
	return v ? mgmt_over(v) : mgmt_write(&op, do_invalidate, 200, e);
}
