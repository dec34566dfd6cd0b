/* POST /rest/v1/rollouts: the rollout's properties and its groups, and the plan. */
#include "server/api/mgmt.h"
#include "server/api/mgmt_config.h"
#include "server/api/mgmt_rollouts.h"
#include "server/store/mgmt_action.h"
#include "server/store/mgmt_list.h"
#include "server/store/rollout.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* When a group lets through and when it trips; strings of the body or literals. */
struct conditions {
	const char *success, *error; /* percentages; error NULL: no error condition */
	const char *action;          /* pause or stop */
};

struct head {
	const char *name, *description, *filter;
	int64_t set_id, start_at, amount;
	struct mue_assignment how;
	struct conditions conditions;
};

static int check_percent(const char *text, const char *what, struct mue_error *e)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0 || n > 100)
		return mue_fail(e, MUE_EINVAL, "%s: the threshold must be a number in 0..100",
				what);
	return 0;
}

/* {"condition": "THRESHOLD", "expression": "50"} */
static int read_threshold(const json_t *object, const char *what, const char **ret,
			  struct mue_error *e)
{
	const json_t *json = json_object_get(object, what);
	const char *condition = "THRESHOLD", *expression = NULL;
	int r;

	if (!json || json_is_null(json))
		return 0;
	r = mgmt_text(json, "condition", 32, false, &condition, e);
	if (r == 0 && strcasecmp(condition, "THRESHOLD") != 0)
		return mue_fail(e, MUE_EINVAL, "%s: only THRESHOLD is known", what);
	if (r == 0)
		r = mgmt_text(json, "expression", 8, true, &expression, e);
	if (r == 0)
		r = check_percent(expression, what, e);
	if (r == 0)
		*ret = expression;
	return r;
}

static int read_conditions(const json_t *object, struct conditions *c, struct mue_error *e)
{
	const char *action = NULL, *next = "NEXTGROUP";
	int r = read_threshold(object, "successCondition", &c->success, e);

	if (r == 0)
		r = read_threshold(object, "errorCondition", &c->error, e);
	if (r == 0)
		r = mgmt_text(json_object_get(object, "errorAction"), "action", 16, false, &action,
			      e);
	if (r == 0)
		r = mgmt_text(json_object_get(object, "successAction"), "action", 16, false, &next,
			      e);
	if (r == 0 && strcasecmp(next, "NEXTGROUP") != 0)
		return mue_fail(e, MUE_EINVAL, "successAction: only NEXTGROUP is known");
	if (r < 0 || !action)
		return r;
	if (strcasecmp(action, "PAUSE") != 0 && strcasecmp(action, "STOP") != 0)
		return mue_fail(e, MUE_EINVAL, "errorAction: only PAUSE and STOP are known");
	c->action = strcasecmp(action, "STOP") == 0 ? "stop" : "pause";
	return 0;
}

static int check_filter(struct mgmt_op *op, const char *text, struct mue_error *e)
{
	struct mue_filter *f;
	int r = mue_filter_new(text, mue_fields_target, op->now, op->now, &f, e);

	if (r == 0)
		mue_filter_free(f);
	return r;
}

static int read_head(struct mgmt_op *op, struct head *h, struct mue_error *e)
{
	bool dynamic = false;
	int r = mgmt_read_assignment(op, op->in, &h->how, e);

	if (r == 0)
		r = mgmt_text(op->in, "name", MGMT_NAME, true, &h->name, e);
	if (r == 0)
		r = mgmt_text(op->in, "description", MGMT_DESCRIPTION, false, &h->description, e);
	if (r == 0)
		r = mgmt_text(op->in, "targetFilterQuery", 4096, true, &h->filter, e);
	if (r == 0)
		r = mgmt_int(op->in, "distributionSetId", 1, INT64_MAX, true, &h->set_id, e);
	if (r == 0)
		r = mgmt_int(op->in, "startAt", 0, INT64_MAX, false, &h->start_at, e);
	if (r == 0)
		r = mgmt_int(op->in, "amountGroups", 1, MUE_ROLLOUT_GROUPS, false, &h->amount, e);
	if (r == 0)
		r = mgmt_bool(op->in, "dynamic", &dynamic, e);
	if (r == 0 && dynamic)
		r = mue_fail(e, MUE_EINVAL, "dynamic rollouts are not offered by this server");
	if (r == 0)
		r = read_conditions(op->in, &h->conditions, e);
	if (r == 0)
		r = check_filter(op, h->filter, e);
	return r;
}

static int insert_head(struct mgmt_op *op, const struct head *h, struct mue_error *e)
{
	int r = mue_db_exec(
		op->db, e,
		"INSERT INTO rollout (name, description, set_id, filter, status, type, force_time,"
		" weight, start_at, confirmation, created_at, created_by, modified_at, modified_by)"
		" VALUES (?, ?, ?, ?, 'creating', ?, NULLIF(?, 0), NULLIF(?, -1), NULLIF(?, 0), ?,"
		" ?, ?, ?, ?)",
		"ttittiiiiitit", h->name, h->description, h->set_id, h->filter,
		mue_force_name(h->how.type), h->how.force_time, h->how.weight, h->start_at,
		(int64_t)h->how.confirmation, op->now, op->r->who.name, op->now, op->r->who.name);

	if (r == MUE_EEXIST)
		return mue_fail(e, r, "rollout %.64s exists already", h->name);
	if (r == 0)
		op->id = mue_db_last_id(op->db);
	return r;
}

struct group {
	const char *name, *description, *filter;
	double percentage;
	int64_t max_targets;
	bool confirmation;
	struct conditions conditions;
};

static int insert_group(struct mgmt_op *op, size_t position, const struct group *g,
			struct mue_error *e)
{
	char name[32];

	snprintf(name, sizeof(name), "group-%zu", position + 1);
	return mue_db_exec(
		op->db, e,
		"INSERT INTO rollout_group (rollout_id, position, name, description, filter,"
		" percentage, max_targets, status, success_threshold, error_threshold,"
		" error_action, confirmation, created_at, created_by, modified_at, modified_by)"
		" VALUES (?, ?, ?, ?, ?, ?, NULLIF(?, 0), 'creating', ?, ?, ?, ?, ?, ?, ?, ?)",
		"iitttditttiitit", op->id, (int64_t)position, g->name ? g->name : name,
		g->description ? g->description : (g->name ? g->name : name), g->filter,
		g->percentage, g->max_targets, g->conditions.success, g->conditions.error,
		g->conditions.action, (int64_t)g->confirmation, op->now, op->r->who.name, op->now,
		op->r->who.name);
}

static int read_percentage(const json_t *json, double *ret, struct mue_error *e)
{
	const json_t *value = json_object_get(json, "targetPercentage");

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_number(value) || !(json_number_value(value) > 0.0) ||
	    json_number_value(value) > 100.0)
		return mue_fail(e, MUE_EINVAL, "targetPercentage must be above 0 and at most 100");
	*ret = json_number_value(value);
	return 0;
}

static int create_group(struct mgmt_op *op, const struct head *h, size_t position,
			const json_t *json, struct mue_error *e)
{
	struct group g = { .percentage = 100,
			   .confirmation = h->how.confirmation,
			   .conditions = h->conditions };
	int r = mgmt_text(json, "name", MGMT_NAME, true, &g.name, e);

	if (r == 0)
		r = mgmt_text(json, "description", MGMT_DESCRIPTION, false, &g.description, e);
	if (r == 0)
		r = mgmt_text(json, "targetFilterQuery", 4096, false, &g.filter, e);
	if (r == 0)
		r = mgmt_int(json, "targetCount", 1, INT32_MAX, false, &g.max_targets, e);
	if (r == 0)
		r = mgmt_bool(json, "confirmationRequired", &g.confirmation, e);
	if (r == 0)
		r = read_percentage(json, &g.percentage, e);
	if (r == 0)
		r = read_conditions(json, &g.conditions, e);
	if (r == 0)
		r = check_filter(op, g.filter, e);
	if (r < 0)
		return mue_prefix(e, "group %zu", position + 1);
	return insert_group(op, position, &g, e);
}

static int create_groups(struct mgmt_op *op, const struct head *h, struct mue_error *e)
{
	const json_t *groups = json_object_get(op->in, "groups");
	size_t count = json_array_size(groups);
	int r = 0;

	if (count > MUE_ROLLOUT_GROUPS)
		return mue_fail(e, MUE_EINVAL, "a rollout has at most %d groups",
				MUE_ROLLOUT_GROUPS);
	if (count && h->amount)
		return mue_fail(e, MUE_EINVAL, "give either groups or amountGroups, not both");
	for (size_t i = 0; i < count && r == 0; i++)
		r = create_group(op, h, i, json_array_get(groups, i), e);
	for (int64_t i = 0; count == 0 && i < (h->amount ? h->amount : 1) && r == 0; i++) {
		struct group g = { .confirmation = h->how.confirmation,
				   .conditions = h->conditions };

		g.percentage = mue_plan_equal((unsigned)i, (unsigned)(h->amount ? h->amount : 1));
		r = insert_group(op, (size_t)i, &g, e);
	}
	return r;
}

static int do_create(struct mgmt_op *op, struct mue_error *e)
{
	struct head h = { .conditions = { "50", "50", "pause" } };
	bool approval = false;
	int r = read_head(op, &h, e);

	if (r == 0)
		r = mgmt_check_set(op, h.set_id, e);
	if (r == 0)
		r = insert_head(op, &h, e);
	if (r == 0)
		r = create_groups(op, &h, e);
	if (r == 0)
		r = mue_rollout_plan(op->db, op->id,
				     op->now - 2000 * (int64_t)op->r->server->config.poll_s, e);
	if (r == 0)
		r = mgmt_config_bool(op, "rollout.approval.enabled", &approval, e);
	if (r == 0)
		r = mue_rollout_event(op->db, op->id,
				      approval ? MUE_ROLLOUT_EV_PLANNED_APPROVAL
					       : MUE_ROLLOUT_EV_PLANNED,
				      NULL, op->r->who.name, e);
	if (r == 0) /* what is rolled out stays as it is */
		r = mue_db_exec(op->db, e, "UPDATE dist_set SET locked = 1 WHERE id = ?", "i",
				h.set_id);
	return r < 0 ? r : mgmt_load(op, &mgmt_rollout, op->id, true, &op->out, e);
}

int mgmt_rollouts_create(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, NULL, e);

	op.kick = true;
	return v ? mgmt_over(v) : mgmt_write(&op, do_create, 201, e);
}
