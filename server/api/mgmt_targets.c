#include "server/api/mgmt_targets.h"

#include "server/api/mgmt.h"
#include "server/auth.h"
#include "server/presence.h"

#include <ctype.h>
#include <string.h>

static const struct mgmt_column target_columns[] = {
	{ "controllerId", MGMT_TEXT, "t.controller_id" },
	{ "name", MGMT_TEXT, "t.name" },
	{ "description", MGMT_TEXT, "t.description" },
	{ "updateStatus", MGMT_TEXT, "t.update_status" },
	{ "lastControllerRequestAt", MGMT_INT, "t.last_seen" },
	{ "installedAt", MGMT_INT, "t.installed_at" },
	{ "ipAddress", MGMT_TEXT, "t.address" },
	{ "address", MGMT_TEXT, "t.address" },
	{ "group", MGMT_TEXT, "t.target_group" },
	{ "securityToken", MGMT_TEXT, "t.security_token" },
	{ "requestAttributes", MGMT_BOOL, "t.request_attributes" },
	{ "targetType", MGMT_INT, "t.type_id" },
	{ "targetTypeName", MGMT_TEXT,
	  "(SELECT x.name FROM target_type x WHERE x.id = t.type_id)" },
	{ "autoConfirmActive", MGMT_BOOL, "t.auto_confirm" },
	{ "pollSeconds", MGMT_INT, "t.poll_s" }, /* ours: the target's own interval */
	MGMT_TRACKED("t"),
	{ NULL, MGMT_TEXT, NULL },
};

static int64_t last_seen(struct mgmt_op *op, const json_t *json, int64_t id)
{
	int64_t stored = json_integer_value(json_object_get(json, "lastControllerRequestAt"));
	int64_t newest = mue_presence_last_seen(op->r->server->presence, id);

	return newest > stored ? newest : stored;
}

/* What the presence in RAM knows better than the row. */
static int add_poll_status(struct mgmt_op *op, json_t *json, int64_t id)
{
	int64_t last = last_seen(op, json, id), period;
	const json_t *own = json_object_get(json, "pollSeconds");

	if (!last)
		return 0;
	period = 1000 * (own ? json_integer_value(own) : (int64_t)op->r->server->config.poll_s);
	json_object_set_new(json, "lastControllerRequestAt", json_integer(last));
	return json_object_set_new(json, "pollStatus",
				   json_pack("{s:I, s:I, s:b}", "lastRequestAt", (json_int_t)last,
					     "nextExpectedRequestAt", (json_int_t)(last + period),
					     "overdue", op->now > last + 2 * period));
}

static int finish_target(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			 struct mue_error *e)
{
	static const char *const parts[] = { "assignedDS", "installedDS", "attributes",
					     "actions",    "metadata",    "autoConfirm" };
	const char *name = json_string_value(json_object_get(json, "controllerId"));
	int r = add_poll_status(op, json, id);

	if (r == 0)
		r = mgmt_link(op, json, "self", "/rest/v1/targets/%s", name);
	for (size_t i = 0; full && i < sizeof(parts) / sizeof(parts[0]) && r == 0; i++)
		r = mgmt_link(op, json, parts[i], "/rest/v1/targets/%s/%s", name, parts[i]);
	return r < 0 ? mue_fail(e, MUE_ENOMEM, "out of memory") : 0;
}

const struct mgmt_entity mgmt_target = {
	.what = "target",
	.from = "target t",
	.id = "t.id",
	.order = "t.id",
	.fields = mue_fields_target,
	.columns = target_columns,
	.finish = finish_target,
};

int mgmt_targets_list(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_page(r, &mgmt_target, e);
}

/* ---- one target, by its controller id ---- */

static int begin(struct mgmt_op *op, struct mue_request *r, bool body, struct mue_error *e)
{
	int v = mgmt_begin(op, r, body, NULL, e);

	op->text = mue_request_param(r, "targetId");
	return v;
}

/* Runs fn with op->id set. */
static int find(struct mgmt_op *op, struct mue_error *e)
{
	return mgmt_target_id(op, op->text, &op->id, e);
}

static int do_get(struct mgmt_op *op, struct mue_error *e)
{
	int r = find(op, e);

	return r < 0 ? r : mgmt_load(op, &mgmt_target, op->id, true, &op->out, e);
}

int mgmt_target_get(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, false, e);

	return v ? mgmt_over(v) : mgmt_read(&op, do_get, 200, e);
}

/* ---- creating and changing ---- */

struct target_body {
	const char *controller_id, *name, *description, *address, *token, *group;
	int64_t type, poll_s;
	bool request_attributes;
};

static int check_controller_id(const char *id, struct mue_error *e)
{
	for (const char *p = id; *p; p++)
		if (isspace((unsigned char)*p) || *p == '/' || *p == '\\')
			return mue_fail(e, MUE_EINVAL,
					"controllerId must not hold blanks or slashes");
	if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return mue_fail(e, MUE_EINVAL, "controllerId must not be a path");
	return 0;
}

static int read_target(const json_t *json, bool create, struct target_body *b, struct mue_error *e)
{
	int r = mgmt_text(json, "controllerId", 256, create, &b->controller_id, e);

	if (r == 0 && b->controller_id)
		r = check_controller_id(b->controller_id, e);
	if (r == 0)
		r = mgmt_text(json, "name", MGMT_NAME, false, &b->name, e);
	if (r == 0)
		r = mgmt_text(json, "description", MGMT_DESCRIPTION, false, &b->description, e);
	if (r == 0)
		r = mgmt_text(json, "address", 512, false, &b->address, e);
	if (r == 0)
		r = mgmt_text(json, "group", 256, false, &b->group, e);
	if (r == 0)
		r = mgmt_text(json, "securityToken", 128, false, &b->token, e);
	if (r == 0)
		r = mgmt_bool(json, "requestAttributes", &b->request_attributes, e);
	if (r == 0)
		r = mgmt_int(json, "targetType", 1, INT64_MAX, false, &b->type, e);
	if (r == 0)
		r = mgmt_int(json, "pollSeconds", 1, 86400, false, &b->poll_s, e);
	return r;
}

static int create_one(struct mgmt_op *op, const json_t *json, int64_t *ret, struct mue_error *e)
{
	struct target_body b = { .request_attributes = true };
	char token[MUE_TOKEN_SIZE];
	int r = read_target(json, true, &b, e);

	if (r == 0 && !b.token) {
		r = mue_auth_random_token(token, e);
		b.token = token;
	}
	if (r == 0 && b.type)
		r = mgmt_exists(op, &mgmt_target_type, b.type, e);
	if (r < 0)
		return r;
	r = mue_db_exec(op->db, e,
			"INSERT INTO target (controller_id, name, description, address,"
			" target_group, security_token, type_id, request_attributes, poll_s,"
			" created_at, created_by, modified_at, modified_by)"
			" VALUES (?, ?, ?, ?, ?, ?, NULLIF(?, 0), ?, NULLIF(?, 0), ?, ?, ?, ?)",
			"ttttttiiiitit", b.controller_id, b.name ? b.name : b.controller_id,
			b.description, b.address, b.group, b.token, b.type,
			(int64_t)b.request_attributes, b.poll_s, op->now, op->r->who.name, op->now,
			op->r->who.name);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "target %.64s exists already", b.controller_id);
	if (r == 0)
		*ret = mue_db_last_id(op->db);
	return r;
}

static int do_create(struct mgmt_op *op, struct mue_error *e)
{
	return mgmt_create_each(op, &mgmt_target, create_one, e);
}

int mgmt_targets_create(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, NULL, e);

	op.kick = true; /* auto-assignment */
	return v ? mgmt_over(v) : mgmt_write(&op, do_create, 201, e);
}

static int do_put(struct mgmt_op *op, struct mue_error *e)
{
	struct target_body b = { 0 };
	int r = find(op, e);

	if (r == 0)
		r = read_target(op->in, false, &b, e);
	if (r == 0 && b.type)
		r = mgmt_exists(op, &mgmt_target_type, b.type, e);
	if (r == 0)
		r = mue_db_exec(op->db, e,
				"UPDATE target SET controller_id = COALESCE(?, controller_id),"
				" name = COALESCE(?, name),"
				" description = COALESCE(?, description),"
				" address = COALESCE(?, address),"
				" target_group = COALESCE(?, target_group),"
				" security_token = COALESCE(?, security_token),"
				" type_id = COALESCE(NULLIF(?, 0), type_id),"
				" poll_s = COALESCE(NULLIF(?, 0), poll_s) WHERE id = ?",
				"ttttttiii", b.controller_id, b.name, b.description, b.address,
				b.group, b.token, b.type, b.poll_s, op->id);
	if (r == 0 && json_object_get(op->in, "requestAttributes"))
		r = mue_db_exec(op->db, e, "UPDATE target SET request_attributes = ? WHERE id = ?",
				"ii", (int64_t)b.request_attributes, op->id);
	if (r == 0)
		r = mgmt_touch(op, "target", op->id, e);
	return r < 0 ? r : mgmt_load(op, &mgmt_target, op->id, true, &op->out, e);
}

int mgmt_target_put(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, true, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_put, 200, e);
}

static int do_delete(struct mgmt_op *op, struct mue_error *e)
{
	int r = find(op, e);

	if (r == 0) /* its certificates are revoked: a deleted device is nobody */
		r = mue_db_exec(op->db, e,
				"UPDATE certificate SET revoked_at = ? WHERE controller_id = ?"
				" AND revoked_at IS NULL",
				"it", op->now, op->text);
	if (r == 0)
		r = mue_db_exec(op->db, e, "DELETE FROM target WHERE id = ?", "i", op->id);
	return r == 0 ? mue_auth_reload(op->r->server->auth, op->db, e) : r;
}

int mgmt_target_delete(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, false, e);

	op.kick = true; /* a group may be complete without it */
	return v ? mgmt_over(v) : mgmt_write(&op, do_delete, 200, e);
}

/* ---- what the device said of itself, tags, type ---- */

static int do_attributes(struct mgmt_op *op, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r = find(op, e);

	op->out = json_object();
	if (r == 0)
		r = mue_db_query(op->db, &rows, e,
				 "SELECT key, value FROM target_attribute WHERE target_id = ?"
				 " ORDER BY key",
				 "i", op->id);
	while (r == 0) {
		r = mue_rows_next(&rows, e);
		if (r <= 0)
			break;
		r = json_object_set_new(op->out, mue_rows_text(&rows, 0),
					json_string(mue_rows_text(&rows, 1)));
	}
	mue_rows_end(&rows);
	return r;
}

int mgmt_target_attributes(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, false, e);

	return v ? mgmt_over(v) : mgmt_read(&op, do_attributes, 200, e);
}

static int do_tags(struct mgmt_op *op, struct mue_error *e)
{
	int r = find(op, e);

	return r < 0 ? r
		     : mgmt_array(op, &mgmt_target_tag,
				  "k.id IN (SELECT z.tag_id FROM target_tag z"
				  " WHERE z.target_id = ?)",
				  e, "i", op->id);
}

int mgmt_target_tags(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, false, e);

	return v ? mgmt_over(v) : mgmt_read(&op, do_tags, 200, e);
}

static int do_set_type(struct mgmt_op *op, struct mue_error *e)
{
	int64_t type = 0;
	int r = find(op, e);

	if (r == 0 && op->in)
		r = mgmt_int(op->in, "id", 1, INT64_MAX, true, &type, e);
	if (r == 0 && op->in)
		r = mgmt_exists(op, &mgmt_target_type, type, e);
	if (r == 0)
		r = mue_db_exec(op->db, e, "UPDATE target SET type_id = NULLIF(?, 0) WHERE id = ?",
				"ii", type, op->id);
	return r == 0 ? mgmt_touch(op, "target", op->id, e) : r;
}

int mgmt_target_set_type(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, true, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_set_type, 200, e);
}

int mgmt_target_unset_type(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, false, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_set_type, 200, e);
}
