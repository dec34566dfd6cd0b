/* /rest/v1/softwaremoduletypes, /distributionsettypes, /targettypes. */
#include "server/api/mgmt_types.h"

#include "server/api/mgmt.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TYPE_COLUMNS                                                                            \
	{ "id", MGMT_INT, "y.id" }, { "key", MGMT_TEXT, "y.key" },                              \
		{ "name", MGMT_TEXT, "y.name" }, { "description", MGMT_TEXT, "y.description" }, \
		{ "colour", MGMT_TEXT, "y.colour" }, MGMT_TRACKED("y")
#define END                           \
	{                             \
		NULL, MGMT_TEXT, NULL \
	}

static const struct mgmt_column module_type_columns[] = {
	TYPE_COLUMNS,
	{ "maxAssignments", MGMT_INT, "y.max_assignments" },
	{ "deleted", MGMT_BOOL, "y.deleted" },
	END,
};
static const struct mgmt_column set_type_columns[] = {
	TYPE_COLUMNS,
	{ "deleted", MGMT_BOOL, "y.deleted" },
	END,
};
static const struct mgmt_column target_type_columns[] = { TYPE_COLUMNS, END };

static int finish_module_type(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			      struct mue_error *e)
{
	(void)full;
	(void)e;
	return mgmt_link(op, json, "self", "/rest/v1/softwaremoduletypes/%" PRId64, id);
}

static int finish_set_type(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			   struct mue_error *e)
{
	static const char path[] = "/rest/v1/distributionsettypes";

	(void)e;
	if (full) {
		mgmt_link(op, json, "mandatorymodules", "%s/%" PRId64 "/mandatorymoduletypes", path,
			  id);
		mgmt_link(op, json, "optionalmodules", "%s/%" PRId64 "/optionalmoduletypes", path,
			  id);
	}
	return mgmt_link(op, json, "self", "%s/%" PRId64, path, id);
}

static int finish_target_type(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			      struct mue_error *e)
{
	(void)e;
	if (full)
		mgmt_link(op, json, "compatibledistributionsettypes",
			  "/rest/v1/targettypes/%" PRId64 "/compatibledistributionsettypes", id);
	return mgmt_link(op, json, "self", "/rest/v1/targettypes/%" PRId64, id);
}

const struct mgmt_entity mgmt_module_type = {
	.what = "software module type",
	.from = "module_type y",
	.id = "y.id",
	.alive = "y.deleted = 0",
	.order = "y.id",
	.fields = mue_fields_type,
	.columns = module_type_columns,
	.finish = finish_module_type,
};
const struct mgmt_entity mgmt_set_type = {
	.what = "distribution set type",
	.from = "set_type y",
	.id = "y.id",
	.alive = "y.deleted = 0",
	.order = "y.id",
	.fields = mue_fields_type,
	.columns = set_type_columns,
	.finish = finish_set_type,
};
const struct mgmt_entity mgmt_target_type = {
	.what = "target type",
	.from = "target_type y",
	.id = "y.id",
	.order = "y.id",
	.fields = mue_fields_type,
	.columns = target_type_columns,
	.finish = finish_target_type,
};

/* ---- what the three have in common ---- */

/* Tables that hold types, by the entity. */
static const char *table_of(const struct mgmt_entity *entity, char *text, size_t room)
{
	snprintf(text, room, "%.*s", (int)strcspn(entity->from, " "), entity->from);
	return text;
}

int mgmt_create_type(struct mgmt_op *op, const struct mgmt_entity *entity, const json_t *json,
		     bool key_required, int64_t *ret, struct mue_error *e)
{
	const char *key = NULL, *name = NULL, *about = NULL, *colour = NULL;
	char table[32], sql[256];
	int r = mgmt_text(json, "name", MGMT_NAME, true, &name, e);

	if (r == 0)
		r = mgmt_text(json, "key", MGMT_KEY, key_required, &key, e);
	if (r == 0)
		r = mgmt_text(json, "description", MGMT_DESCRIPTION, false, &about, e);
	if (r == 0)
		r = mgmt_text(json, "colour", 32, false, &colour, e);
	if (r < 0)
		return r;
	snprintf(sql, sizeof(sql),
		 "INSERT INTO %s (key, name, description, colour, created_at, created_by,"
		 " modified_at, modified_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		 table_of(entity, table, sizeof(table)));
	r = mue_db_exec(op->db, e, sql, "ttttitit", key ? key : name, name, about, colour, op->now,
			op->r->who.name, op->now, op->r->who.name);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "a %s with the key %.64s or the name %.64s exists already",
				entity->what, key ? key : name, name);
	if (r == 0)
		*ret = mue_db_last_id(op->db);
	return r;
}

struct type_op {
	struct mgmt_op op;
	const struct mgmt_entity *entity;
};

static int do_put(struct mgmt_op *op, struct mue_error *e)
{
	const struct mgmt_entity *entity = ((const struct type_op *)op)->entity;
	const char *name = NULL, *about = NULL, *colour = NULL;
	char table[32], sql[256];
	int r = mgmt_exists(op, entity, op->id, e);

	if (r == 0)
		r = mgmt_text(op->in, "name", MGMT_NAME, false, &name, e);
	if (r == 0)
		r = mgmt_text(op->in, "description", MGMT_DESCRIPTION, false, &about, e);
	if (r == 0)
		r = mgmt_text(op->in, "colour", 32, false, &colour, e);
	if (r < 0)
		return r;
	/* Only target types may be renamed. */
	snprintf(sql, sizeof(sql),
		 "UPDATE %s SET name = COALESCE(?, name), description = COALESCE(?, description),"
		 " colour = COALESCE(?, colour) WHERE id = ?",
		 table_of(entity, table, sizeof(table)));
	r = mue_db_exec(op->db, e, sql, "ttti", entity == &mgmt_target_type ? name : NULL, about,
			colour, op->id);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "a %s named %.64s exists already", entity->what, name);
	if (r == 0)
		r = mgmt_touch(op, table, op->id, e);
	return r < 0 ? r : mgmt_load(op, entity, op->id, true, &op->out, e);
}

int mgmt_put_type(struct mue_request *r, const struct mgmt_entity *entity, const char *param,
		  struct mue_error *e)
{
	struct type_op t = { .entity = entity };
	int v = mgmt_begin(&t.op, r, true, param, e);

	return v ? mgmt_over(v) : mgmt_write(&t.op, do_put, 200, e);
}

/* Deleted when nothing uses it, else hidden. */
static int do_delete(struct mgmt_op *op, struct mue_error *e)
{
	const struct mgmt_entity *entity = ((const struct type_op *)op)->entity;
	struct mue_error used = { 0 };
	char table[32], sql[128];
	int r;

	table_of(entity, table, sizeof(table));
	snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE id = ?", table);
	r = mue_db_exec(op->db, &used, sql, "i", op->id);
	if (r == 0 && mue_db_changes(op->db) == 0)
		return mue_fail(e, MUE_ENOTFOUND, "%s %" PRId64 " does not exist", entity->what,
				op->id);
	if (r != MUE_ECONFLICT)
		return r < 0 ? mue_fail(e, r, "%s", used.text) : 0;
	if (!entity->alive)
		return mue_fail(e, r, "%s %" PRId64 " is in use", entity->what, op->id);
	return mgmt_soft_delete(op, table, entity->what, op->id, e);
}

int mgmt_delete_type(struct mue_request *r, const struct mgmt_entity *entity, const char *param,
		     struct mue_error *e)
{
	struct type_op t = { .entity = entity };
	int v = mgmt_begin(&t.op, r, false, param, e);

	return v ? mgmt_over(v) : mgmt_write(&t.op, do_delete, 200, e);
}

/* ---- software module types ---- */

#define MODULE_TYPE "softwareModuleTypeId"

int mgmt_module_types_list(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_page(r, &mgmt_module_type, e);
}

int mgmt_module_type_get(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_one(r, &mgmt_module_type, MODULE_TYPE, e);
}

static int create_module_type(struct mgmt_op *op, const json_t *json, int64_t *ret,
			      struct mue_error *e)
{
	int64_t most = 1;
	int r = mgmt_int(json, "maxAssignments", 1, INT32_MAX, false, &most, e);

	if (r == 0)
		r = mgmt_create_type(op, &mgmt_module_type, json, true, ret, e);
	if (r < 0)
		return r;
	return mue_db_exec(op->db, e, "UPDATE module_type SET max_assignments = ? WHERE id = ?",
			   "ii", most, *ret);
}

static int do_module_types_create(struct mgmt_op *op, struct mue_error *e)
{
	return mgmt_create_each(op, &mgmt_module_type, create_module_type, e);
}

int mgmt_module_types_create(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, NULL, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_module_types_create, 201, e);
}

int mgmt_module_type_put(struct mue_request *r, struct mue_error *e)
{
	return mgmt_put_type(r, &mgmt_module_type, MODULE_TYPE, e);
}

int mgmt_module_type_delete(struct mue_request *r, struct mue_error *e)
{
	return mgmt_delete_type(r, &mgmt_module_type, MODULE_TYPE, e);
}

/* ---- target types ---- */

#define TARGET_TYPE "targetTypeId"
#define SET_TYPE    "distributionSetTypeId"

int mgmt_target_types_list(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_page(r, &mgmt_target_type, e);
}

int mgmt_target_type_get(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_one(r, &mgmt_target_type, TARGET_TYPE, e);
}

static int link_set_types(struct mgmt_op *op, const json_t *list, int64_t target_type,
			  struct mue_error *e)
{
	const json_t *item;
	int64_t id = 0;

	for (size_t i = 0; list; i++) {
		int r = mgmt_item(list, i, &item, e);

		if (r < 0 || !item)
			return r;
		r = mgmt_int(item, "id", 1, INT64_MAX, true, &id, e);
		if (r == 0)
			r = mgmt_exists(op, &mgmt_set_type, id, e);
		if (r == 0)
			r = mue_db_exec(op->db, e,
					"INSERT OR IGNORE INTO target_type_set_type"
					" (target_type_id, set_type_id) VALUES (?, ?)",
					"ii", target_type, id);
		if (r < 0)
			return r;
	}
	return 0;
}

static int create_target_type(struct mgmt_op *op, const json_t *json, int64_t *ret,
			      struct mue_error *e)
{
	int r = mgmt_create_type(op, &mgmt_target_type, json, false, ret, e);

	return r < 0 ? r
		     : link_set_types(op, json_object_get(json, "compatibledistributionsettypes"),
				      *ret, e);
}

static int do_target_types_create(struct mgmt_op *op, struct mue_error *e)
{
	return mgmt_create_each(op, &mgmt_target_type, create_target_type, e);
}

int mgmt_target_types_create(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, NULL, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_target_types_create, 201, e);
}

int mgmt_target_type_put(struct mue_request *r, struct mue_error *e)
{
	return mgmt_put_type(r, &mgmt_target_type, TARGET_TYPE, e);
}

int mgmt_target_type_delete(struct mue_request *r, struct mue_error *e)
{
	return mgmt_delete_type(r, &mgmt_target_type, TARGET_TYPE, e);
}

static int do_compatible(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_target_type, op->id, e);

	return r < 0 ? r
		     : mgmt_array(op, &mgmt_set_type,
				  "y.id IN (SELECT z.set_type_id FROM target_type_set_type z"
				  " WHERE z.target_type_id = ?)",
				  e, "i", op->id);
}

int mgmt_target_type_sets(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, TARGET_TYPE, e);

	return v ? mgmt_over(v) : mgmt_read(&op, do_compatible, 200, e);
}

static int do_compatible_add(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_target_type, op->id, e);

	return r < 0 ? r : link_set_types(op, op->in, op->id, e);
}

int mgmt_target_type_sets_add(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, TARGET_TYPE, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_compatible_add, 200, e);
}

static int do_compatible_delete(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_target_type, op->id, e);

	if (r == 0)
		r = mue_db_exec(op->db, e,
				"DELETE FROM target_type_set_type WHERE target_type_id = ?"
				" AND set_type_id = ?",
				"ii", op->id, op->id2);
	if (r == 0 && mue_db_changes(op->db) == 0)
		return mue_fail(e, MUE_ENOTFOUND,
				"distribution set type %" PRId64
				" is not compatible with target type %" PRId64,
				op->id2, op->id);
	return r;
}

int mgmt_target_type_sets_delete(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, TARGET_TYPE, e);

	if (v == 0)
		v = mue_request_id(r, SET_TYPE, &op.id2, e);
	return v ? mgmt_over(v) : mgmt_write(&op, do_compatible_delete, 200, e);
}
