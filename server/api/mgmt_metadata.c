/* .../metadata of targets, software modules and distribution sets. */
#include "server/api/mgmt.h"
#include "server/api/mgmt_tags.h"

#include <stdio.h>
#include <string.h>

/* What differs between the three owners. */
struct owner {
	const struct mgmt_entity *entity;
	const char *param, *table, *column;
	const char *path; /* of links, before the owner's id */
	bool visible;     /* has targetVisible */
};

static const struct owner target_owner = { &mgmt_target, "targetId", "target_metadata",
					   "target_id",  "targets",  false };
static const struct owner module_owner = { &mgmt_module, "softwareModuleId", "module_metadata",
					   "module_id",  "softwaremodules",  true };
static const struct owner set_owner = { &mgmt_set, "distributionSetId", "set_metadata",
					"set_id",  "distributionsets",  false };

#define PAIR                                  \
	{ "key", MGMT_TEXT, "x.key" },        \
	{                                     \
		"value", MGMT_TEXT, "x.value" \
	}
static const struct mgmt_column plain_columns[] = { PAIR, { NULL, MGMT_TEXT, NULL } };
static const struct mgmt_column visible_columns[] = {
	PAIR,
	{ "targetVisible", MGMT_BOOL, "x.target_visible" },
	{ NULL, MGMT_TEXT, NULL },
};

/* Lists of metadata: rows without an id of their own. */
#define LIST(name, table, cols)                  \
	static const struct mgmt_entity name = { \
		.what = "metadata",              \
		.from = table " x",              \
		.id = "0",                       \
		.order = "x.key",                \
		.fields = mue_fields_metadata,   \
		.columns = cols,                 \
	}
LIST(target_list, "target_metadata", plain_columns);
LIST(module_list, "module_metadata", visible_columns);
LIST(set_list, "set_metadata", plain_columns);

struct metadata_op {
	struct mgmt_op op;
	const struct owner *owner;
	const char *key;
};

static const struct mgmt_entity *list_of(const struct owner *o)
{
	if (o == &target_owner)
		return &target_list;
	return o == &module_owner ? &module_list : &set_list;
}

static int find_owner(struct metadata_op *m, struct mue_error *e)
{
	if (m->owner == &target_owner)
		return mgmt_target_id(&m->op, m->op.text, &m->op.id, e);
	return mgmt_exists(&m->op, m->owner->entity, m->op.id, e);
}

static int store_pair(struct metadata_op *m, const json_t *json, const char *key, bool create,
		      struct mue_error *e)
{
	const char *value = NULL;
	bool visible = false;
	const char *table = m->owner->table, *column = m->owner->column;
	char sql[256];
	int r = mgmt_text(json, "value", 4000, false, &value, e);

	if (r == 0)
		r = mgmt_bool(json, "targetVisible", &visible, e);
	if (r < 0)
		return r;
	if (create)
		snprintf(sql, sizeof(sql), "INSERT INTO %s (value, %s, key) VALUES (?, ?, ?)",
			 table, column);
	else
		snprintf(sql, sizeof(sql),
			 "UPDATE %s SET value = COALESCE(?, value) WHERE %s = ? AND key = ?", table,
			 column);
	r = mue_db_exec(m->op.db, e, sql, "tit", value || !create ? value : "", m->op.id, key);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "metadata %.64s exists already", key);
	if (r == 0 && mue_db_changes(m->op.db) == 0)
		return mue_fail(e, MUE_ENOTFOUND, "metadata %.64s does not exist", key);
	if (r == 0 && m->owner->visible && json_object_get(json, "targetVisible"))
		r = mue_db_exec(m->op.db, e,
				"UPDATE module_metadata SET target_visible = ? WHERE module_id = ?"
				" AND key = ?",
				"iit", (int64_t)visible, m->op.id, key);
	return r;
}

static int load_pair(struct metadata_op *m, const char *key, json_t **ret, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	char sql[160];
	int r;

	snprintf(sql, sizeof(sql), "SELECT key, value, %s FROM %s WHERE %s = ? AND key = ?",
		 m->owner->visible ? "target_visible" : "0", m->owner->table, m->owner->column);
	r = mue_db_query(m->op.db, &rows, e, sql, "it", m->op.id, key);
	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r == 0)
		r = mue_fail(e, MUE_ENOTFOUND, "metadata %.64s does not exist", key);
	if (r > 0)
		*ret = json_pack("{s:s, s:s}", "key", mue_rows_text(&rows, 0), "value",
				 mue_rows_text(&rows, 1));
	if (r > 0 && m->owner->visible)
		json_object_set_new(*ret, "targetVisible", json_boolean(mue_rows_int(&rows, 2)));
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

static int do_list(struct mgmt_op *op, struct mue_error *e)
{
	struct metadata_op *m = (struct metadata_op *)op;
	char where[64];
	int r = find_owner(m, e);

	snprintf(where, sizeof(where), "x.%s = ?", m->owner->column);
	return r < 0 ? r : mgmt_page(op, list_of(m->owner), where, e, "i", op->id);
}

static int do_create(struct mgmt_op *op, struct mue_error *e)
{
	struct metadata_op *m = (struct metadata_op *)op;
	const json_t *item;
	json_t *json = NULL;
	int r = find_owner(m, e);

	op->out = json_array();
	for (size_t i = 0; r == 0; i++) {
		const char *key = NULL;

		r = mgmt_item(op->in, i, &item, e);
		if (r < 0 || !item)
			break;
		r = mgmt_text(item, "key", 128, true, &key, e);
		if (r == 0)
			r = store_pair(m, item, key, true, e);
		if (r == 0)
			r = load_pair(m, key, &json, e);
		if (r == 0)
			json_array_append_new(op->out, json);
	}
	return r;
}

static int do_get(struct mgmt_op *op, struct mue_error *e)
{
	struct metadata_op *m = (struct metadata_op *)op;
	int r = find_owner(m, e);

	return r < 0 ? r : load_pair(m, m->key, &op->out, e);
}

static int do_put(struct mgmt_op *op, struct mue_error *e)
{
	struct metadata_op *m = (struct metadata_op *)op;
	int r = find_owner(m, e);

	if (r == 0)
		r = store_pair(m, op->in, m->key, false, e);
	return r < 0 ? r : load_pair(m, m->key, &op->out, e);
}

static int do_delete(struct mgmt_op *op, struct mue_error *e)
{
	struct metadata_op *m = (struct metadata_op *)op;
	const char *table = m->owner->table, *column = m->owner->column;
	char sql[256];
	int r = find_owner(m, e);

	snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE %s = ? AND key = ?", table, column);
	if (r == 0)
		r = mue_db_exec(op->db, e, sql, "it", op->id, m->key);
	if (r == 0 && mue_db_changes(op->db) == 0)
		return mue_fail(e, MUE_ENOTFOUND, "metadata %.64s does not exist", m->key);
	return r;
}

static int run(struct mue_request *r, const struct owner *owner, mgmt_fn *fn, struct mue_error *e)
{
	struct metadata_op m = { .owner = owner };
	bool body = fn == do_create || fn == do_put;
	int v = mgmt_begin(&m.op, r, body, owner == &target_owner ? NULL : owner->param, e);

	m.op.text = mue_request_param(r, owner->param);
	m.key = mue_request_param(r, "metadataKey");
	if (v)
		return mgmt_over(v);
	if (fn == do_list || fn == do_get)
		return mgmt_read(&m.op, fn, 200, e);
	return mgmt_write(&m.op, fn, fn == do_create ? 201 : 200, e);
}

/* clang-format off */
#define HANDLERS(entity, owner)                                                                    \
	int mgmt_##entity##_metadata_list(struct mue_request *r, struct mue_error *e)              \
	{ return run(r, &owner, do_list, e); }                                                     \
	int mgmt_##entity##_metadata_create(struct mue_request *r, struct mue_error *e)            \
	{ return run(r, &owner, do_create, e); }                                                   \
	int mgmt_##entity##_metadata_get(struct mue_request *r, struct mue_error *e)               \
	{ return run(r, &owner, do_get, e); }                                                      \
	int mgmt_##entity##_metadata_put(struct mue_request *r, struct mue_error *e)               \
	{ return run(r, &owner, do_put, e); }                                                      \
	int mgmt_##entity##_metadata_delete(struct mue_request *r, struct mue_error *e)            \
	{ return run(r, &owner, do_delete, e); }

HANDLERS(target, target_owner)
HANDLERS(module, module_owner)
HANDLERS(set, set_owner)
/* clang-format on */
