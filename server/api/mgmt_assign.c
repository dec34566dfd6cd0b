/* Assigning a distribution set to a target: what sets, targets and filters have in common. */
#include "server/api/mgmt.h"
#include "server/api/mgmt_config.h"
#include "server/fleet/window.h"
#include "server/store/mgmt_action.h"

#include <inttypes.h>

static int read_window(struct mgmt_op *op, const json_t *object, struct mue_assignment *ret,
		       struct mue_error *e)
{
	const json_t *json = json_object_get(object, "maintenanceWindow");
	struct mue_window window;
	const char *why;
	int r;

	if (!json || json_is_null(json))
		return 0;
	r = mgmt_text(json, "schedule", 128, true, &ret->window_schedule, e);
	if (r == 0)
		r = mgmt_text(json, "duration", 32, true, &ret->window_duration, e);
	if (r == 0)
		r = mgmt_text(json, "timezone", 16, true, &ret->window_timezone, e);
	if (r < 0)
		return r;
	if (mue_window_parse(ret->window_schedule, ret->window_duration, ret->window_timezone,
			     &window, &why) < 0)
		return mue_fail(e, MUE_EINVAL, "maintenanceWindow: %s is not understood", why);
	if (!mue_window_has_future(&window, op->now))
		return mue_fail(e, MUE_EINVAL, "maintenanceWindow: no window lies in the future");
	return 0;
}

int mgmt_read_assignment(struct mgmt_op *op, const json_t *object, struct mue_assignment *ret,
			 struct mue_error *e)
{
	const char *type = "forced";
	int r;

	*ret = (struct mue_assignment){ .weight = -1, .who = op->r->who.name };
	r = mgmt_text(object, "type", 16, false, &type, e);
	if (r == 0 && mue_force_parse(type, &ret->type) < 0)
		r = mue_fail(e, MUE_EINVAL,
			     "type must be soft, forced, timeforced or downloadonly");
	if (r == 0)
		r = mgmt_int(object, "forcetime", 0, INT64_MAX, ret->type == MUE_FORCE_TIMEFORCED,
			     &ret->force_time, e);
	if (r == 0)
		r = mgmt_int(object, "weight", 0, 1000, false, &ret->weight, e);
	if (r == 0) /* with the flow on, confirmation is asked for unless said otherwise */
		r = mgmt_config_bool(op, "user.confirmation.flow.enabled", &ret->confirmation, e);
	if (r == 0)
		r = mgmt_bool(object, "confirmationRequired", &ret->confirmation, e);
	return r < 0 ? r : read_window(op, object, ret, e);
}

int mgmt_check_set(struct mgmt_op *op, int64_t id, struct mue_error *e)
{
	int64_t n;
	int r = mgmt_exists(op, &mgmt_set, id, e);

	if (r == 0)
		r = mue_db_int(op->db, &n, e, "SELECT valid FROM dist_set WHERE id = ?", "i", id);
	if (r == 0 && n == 0)
		r = mue_fail(e, MUE_EINVAL, "distribution set %" PRId64 " was invalidated", id);
	if (r == 0)
		r = mue_db_int(op->db, &n, e, "SELECT count(*) FROM set_module WHERE set_id = ?",
			       "i", id);
	if (r == 0 && n == 0)
		r = mue_fail(e, MUE_EINVAL,
			     "distribution set %" PRId64
			     " is incomplete: it has no software module",
			     id);
	if (r == 0)
		r = mue_db_int(op->db, &n, e,
			       "SELECT count(*) FROM dist_set d JOIN set_type_module y"
			       " ON y.set_type_id = d.type_id AND y.mandatory = 1 WHERE d.id = ?"
			       " AND NOT EXISTS (SELECT 1 FROM set_module x JOIN module m"
			       " ON m.id = x.module_id WHERE x.set_id = d.id"
			       " AND m.type_id = y.module_type_id)",
			       "i", id);
	if (r == 0 && n > 0)
		r = mue_fail(e, MUE_EINVAL,
			     "distribution set %" PRId64 " is incomplete: a module of a mandatory"
			     " type is missing",
			     id);
	return r;
}

static int bump(json_t *object, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(object, name));

	return json_object_set_new(object, name, json_integer(n + 1));
}

int mgmt_assign(struct mgmt_op *op, const struct mue_assignment *a, bool offline,
		struct mue_error *e)
{
	int64_t action = 0;
	json_t *entry;
	int r = mgmt_check_set(op, a->set_id, e);

	if (!op->out)
		op->out = json_pack("{s:i, s:i, s:i, s:[]}", "assigned", 0, "alreadyAssigned", 0,
				    "total", 0, "assignedActions");
	if (r < 0)
		return r;
	r = offline ? mue_action_assign_offline(op->db, a, &action, e)
		    : mue_action_assign(op->db, a, &action, e);
	if (r < 0)
		return r;
	/* What was handed out stays as it is. */
	r = mue_db_exec(op->db, e, "UPDATE dist_set SET locked = 1 WHERE id = ?", "i", a->set_id);
	if (r < 0)
		return r;
	bump(op->out, "total");
	bump(op->out, action ? "assigned" : "alreadyAssigned");
	if (!action)
		return 0;
	entry = json_pack("{s:I}", "id", (json_int_t)action);
	mgmt_link(op, entry, "self", "/rest/v1/actions/%" PRId64, action);
	return json_array_append_new(json_object_get(op->out, "assignedActions"), entry) < 0
		       ? mue_fail(e, MUE_ENOMEM, "out of memory")
		       : 0;
}
