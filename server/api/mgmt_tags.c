/* /rest/v1/targettags and /rest/v1/distributionsettags. */
#include "server/api/mgmt_tags.h"

#include "server/api/mgmt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct mgmt_column tag_columns[] = {
	{ "id", MGMT_INT, "k.id" },
	{ "name", MGMT_TEXT, "k.name" },
	{ "description", MGMT_TEXT, "k.description" },
	{ "colour", MGMT_TEXT, "k.colour" },
	MGMT_TRACKED("k"),
	{ NULL, MGMT_TEXT, NULL },
};

static int finish_target_tag(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			     struct mue_error *e)
{
	(void)e;
	if (full)
		mgmt_link(op, json, "assignedTargets", "/rest/v1/targettags/%" PRId64 "/assigned",
			  id);
	return mgmt_link(op, json, "self", "/rest/v1/targettags/%" PRId64, id);
}

static int finish_set_tag(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			  struct mue_error *e)
{
	(void)e;
	if (full)
		mgmt_link(op, json, "assignedDistributionSets",
			  "/rest/v1/distributionsettags/%" PRId64 "/assigned", id);
	return mgmt_link(op, json, "self", "/rest/v1/distributionsettags/%" PRId64, id);
}

const struct mgmt_entity mgmt_target_tag = {
	.what = "target tag",
	.from = "tag k",
	.id = "k.id",
	.alive = "k.kind = 'target'",
	.order = "k.id",
	.fields = mue_fields_tag,
	.columns = tag_columns,
	.finish = finish_target_tag,
};
const struct mgmt_entity mgmt_set_tag = {
	.what = "distribution set tag",
	.from = "tag k",
	.id = "k.id",
	.alive = "k.kind = 'set'",
	.order = "k.id",
	.fields = mue_fields_tag,
	.columns = tag_columns,
	.finish = finish_set_tag,
};

/* What differs between the two. */
struct side {
	const struct mgmt_entity *entity;
	const char *kind, *param;
	const char *add, *remove; /* SQL with tag id and member id */
	int (*member)(struct mgmt_op *op, const char *name, int64_t *ret, struct mue_error *e);
};

static int set_of(struct mgmt_op *op, const char *name, int64_t *ret, struct mue_error *e)
{
	char *end;
	long long id = strtoll(name, &end, 10);

	if (*end || id <= 0)
		return mue_fail(e, MUE_ENOTFOUND, "distribution set %.40s does not exist", name);
	*ret = id;
	return mgmt_exists(op, &mgmt_set, id, e);
}

static const struct side targets = {
	&mgmt_target_tag,
	"target",
	"targetTagId",
	"INSERT OR IGNORE INTO target_tag (tag_id, target_id) VALUES (?, ?)",
	"DELETE FROM target_tag WHERE tag_id = ? AND target_id = ?",
	mgmt_target_id,
};
static const struct side sets = {
	&mgmt_set_tag,
	"set",
	"distributionsetTagId",
	"INSERT OR IGNORE INTO set_tag (tag_id, set_id) VALUES (?, ?)",
	"DELETE FROM set_tag WHERE tag_id = ? AND set_id = ?",
	set_of,
};

struct tag_op {
	struct mgmt_op op;
	const struct side *side;
	const char *sql; /* add or remove */
	bool only_found; /* onNotFoundPolicy: leave out what does not exist */
};

static const struct side *side_of(const struct mgmt_op *op)
{
	return ((const struct tag_op *)op)->side;
}

static int check_tag(struct mgmt_op *op, struct mue_error *e)
{
	return mgmt_exists(op, side_of(op)->entity, op->id, e);
}

/* ---- the tags themselves ---- */

static int create_one(struct mgmt_op *op, const json_t *json, int64_t *ret, struct mue_error *e)
{
	const char *name = NULL, *about = NULL, *colour = NULL;
	int r = mgmt_text(json, "name", MGMT_NAME, true, &name, e);

	if (r == 0)
		r = mgmt_text(json, "description", MGMT_DESCRIPTION, false, &about, e);
	if (r == 0)
		r = mgmt_text(json, "colour", 32, false, &colour, e);
	if (r == 0)
		r = mue_db_exec(op->db, e,
				"INSERT INTO tag (kind, name, description, colour, created_at,"
				" created_by, modified_at, modified_by)"
				" VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
				"ttttitit", side_of(op)->kind, name, about, colour, op->now,
				op->r->who.name, op->now, op->r->who.name);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "%s %.64s exists already", side_of(op)->entity->what, name);
	if (r == 0)
		*ret = mue_db_last_id(op->db);
	return r;
}

static int do_create(struct mgmt_op *op, struct mue_error *e)
{
	return mgmt_create_each(op, side_of(op)->entity, create_one, e);
}

static int create(struct mue_request *r, const struct side *side, struct mue_error *e)
{
	struct tag_op t = { .side = side };
	int v = mgmt_begin(&t.op, r, true, NULL, e);

	return v ? mgmt_over(v) : mgmt_write(&t.op, do_create, 201, e);
}

static int do_put(struct mgmt_op *op, struct mue_error *e)
{
	const char *name = NULL, *about = NULL, *colour = NULL;
	int r = check_tag(op, e);

	if (r == 0)
		r = mgmt_text(op->in, "name", MGMT_NAME, false, &name, e);
	if (r == 0)
		r = mgmt_text(op->in, "description", MGMT_DESCRIPTION, false, &about, e);
	if (r == 0)
		r = mgmt_text(op->in, "colour", 32, false, &colour, e);
	if (r == 0)
		r = mue_db_exec(op->db, e,
				"UPDATE tag SET name = COALESCE(?, name),"
				" description = COALESCE(?, description),"
				" colour = COALESCE(?, colour) WHERE id = ?",
				"ttti", name, about, colour, op->id);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "a tag named %.64s exists already", name);
	if (r == 0)
		r = mgmt_touch(op, "tag", op->id, e);
	return r < 0 ? r : mgmt_load(op, side_of(op)->entity, op->id, true, &op->out, e);
}

static int do_delete(struct mgmt_op *op, struct mue_error *e)
{
	int r = check_tag(op, e);

	return r < 0 ? r : mue_db_exec(op->db, e, "DELETE FROM tag WHERE id = ?", "i", op->id);
}

static int do_get(struct mgmt_op *op, struct mue_error *e)
{
	int r = check_tag(op, e);

	return r < 0 ? r : mgmt_load(op, side_of(op)->entity, op->id, true, &op->out, e);
}

/* ---- who has them ---- */

static int do_assigned(struct mgmt_op *op, struct mue_error *e)
{
	int r = check_tag(op, e);

	if (r < 0)
		return r;
	if (side_of(op) == &targets)
		return mgmt_page(
			op, &mgmt_target,
			"t.id IN (SELECT z.target_id FROM target_tag z WHERE z.tag_id = ?)", e, "i",
			op->id);
	return mgmt_page(op, &mgmt_set,
			 "d.id IN (SELECT z.set_id FROM set_tag z WHERE z.tag_id = ?)", e, "i",
			 op->id);
}

static int change_one(struct mgmt_op *op, const char *name, struct mue_error *e)
{
	const struct tag_op *t = (const struct tag_op *)op;
	int64_t id = 0;
	int r = t->side->member(op, name, &id, e);

	if (r == MUE_ENOTFOUND && t->only_found)
		return 0;
	return r < 0 ? r : mue_db_exec(op->db, e, t->sql, "ii", op->id, id);
}

/* The body is an array of controller ids, or of set ids. */
static int do_change(struct mgmt_op *op, struct mue_error *e)
{
	size_t i;
	json_t *item;
	int r = check_tag(op, e);

	if (r == 0 && !json_is_array(op->in))
		r = mue_fail(e, MUE_EINVAL, "the body must be an array of ids");
	json_array_foreach(op->in, i, item)
	{
		char number[24];

		if (r < 0)
			break;
		if (json_is_string(item)) {
			r = change_one(op, json_string_value(item), e);
		} else if (json_is_integer(item)) {
			snprintf(number, sizeof(number), "%" PRId64,
				 (int64_t)json_integer_value(item));
			r = change_one(op, number, e);
		} else {
			r = mue_fail(e, MUE_EINVAL, "element %zu of the body is no id", i);
		}
	}
	return r;
}

static int do_change_one(struct mgmt_op *op, struct mue_error *e)
{
	int r = check_tag(op, e);

	return r < 0 ? r : change_one(op, op->text, e);
}

/* Everything below the tag's own path. */
static int run(struct mue_request *r, const struct side *side, mgmt_fn *fn, const char *sql,
	       struct mue_error *e)
{
	const char *policy = mue_request_query(r, "onNotFoundPolicy");
	struct tag_op t = { .side = side };
	int v = mgmt_begin(&t.op, r, fn == do_change || fn == do_put, side->param, e);

	t.sql = sql;
	t.only_found = policy && strncmp(policy, "ON_WHAT_FOUND", 13) == 0;
	t.op.text = mue_request_param(r, side == &targets ? "controllerId" : "distributionsetId");
	if (v)
		return mgmt_over(v);
	return fn == do_get || fn == do_assigned ? mgmt_read(&t.op, fn, 200, e)
						 : mgmt_write(&t.op, fn, 200, e);
}

int mgmt_target_tags_list(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_page(r, &mgmt_target_tag, e);
}

int mgmt_target_tags_create(struct mue_request *r, struct mue_error *e)
{
	return create(r, &targets, e);
}

int mgmt_target_tag_get(struct mue_request *r, struct mue_error *e)
{
	return run(r, &targets, do_get, NULL, e);
}

int mgmt_target_tag_put(struct mue_request *r, struct mue_error *e)
{
	return run(r, &targets, do_put, NULL, e);
}

int mgmt_target_tag_delete(struct mue_request *r, struct mue_error *e)
{
	return run(r, &targets, do_delete, NULL, e);
}

int mgmt_target_tag_assigned(struct mue_request *r, struct mue_error *e)
{
	return run(r, &targets, do_assigned, NULL, e);
}

int mgmt_target_tag_assign(struct mue_request *r, struct mue_error *e)
{
	return run(r, &targets, do_change, targets.add, e);
}

int mgmt_target_tag_unassign(struct mue_request *r, struct mue_error *e)
{
	return run(r, &targets, do_change, targets.remove, e);
}

int mgmt_target_tag_assign_one(struct mue_request *r, struct mue_error *e)
{
	return run(r, &targets, do_change_one, targets.add, e);
}

int mgmt_target_tag_unassign_one(struct mue_request *r, struct mue_error *e)
{
	return run(r, &targets, do_change_one, targets.remove, e);
}

int mgmt_set_tags_list(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_page(r, &mgmt_set_tag, e);
}

int mgmt_set_tags_create(struct mue_request *r, struct mue_error *e)
{
	return create(r, &sets, e);
}

int mgmt_set_tag_get(struct mue_request *r, struct mue_error *e)
{
	return run(r, &sets, do_get, NULL, e);
}

int mgmt_set_tag_put(struct mue_request *r, struct mue_error *e)
{
	return run(r, &sets, do_put, NULL, e);
}

int mgmt_set_tag_delete(struct mue_request *r, struct mue_error *e)
{
	return run(r, &sets, do_delete, NULL, e);
}

int mgmt_set_tag_assigned(struct mue_request *r, struct mue_error *e)
{
	return run(r, &sets, do_assigned, NULL, e);
}

int mgmt_set_tag_assign(struct mue_request *r, struct mue_error *e)
{
	return run(r, &sets, do_change, sets.add, e);
}

int mgmt_set_tag_unassign(struct mue_request *r, struct mue_error *e)
{
	return run(r, &sets, do_change, sets.remove, e);
}

int mgmt_set_tag_assign_one(struct mue_request *r, struct mue_error *e)
{
	return run(r, &sets, do_change_one, sets.add, e);
}

int mgmt_set_tag_unassign_one(struct mue_request *r, struct mue_error *e)
{
	return run(r, &sets, do_change_one, sets.remove, e);
}
