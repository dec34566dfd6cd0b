#include "server/api/mgmt_actions.h"

#include "server/api/mgmt.h"
#include "server/store/mgmt_action.h"

#include <inttypes.h>
#include <string.h>

static const struct mgmt_column action_columns[] = {
	{ "id", MGMT_INT, "a.id" },
	{ "type", MGMT_TEXT,
	  "CASE WHEN a.status IN ('canceling', 'canceled') THEN 'cancel' ELSE 'update' END" },
	{ "status", MGMT_TEXT, "CASE a.active WHEN 1 THEN 'pending' ELSE 'finished' END" },
	{ "detailStatus", MGMT_TEXT, "a.status" },
	{ "forceType", MGMT_TEXT, "a.type" },
	{ "forceTime", MGMT_INT, "a.force_time" },
	{ "weight", MGMT_INT, "a.weight" },
	{ "rollout", MGMT_INT, "a.rollout_id" },
	{ "rolloutName", MGMT_TEXT, "(SELECT x.name FROM rollout x WHERE x.id = a.rollout_id)" },
	{ "lastStatusCode", MGMT_INT, "a.last_code" },
	{ "externalRef", MGMT_TEXT, "a.external_ref" },
	MGMT_TRACKED("a"),
	{ NULL, MGMT_TEXT, NULL },
};

static int add_window(struct mgmt_op *op, json_t *json, int64_t id, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r = mue_db_query(op->db, &rows, e,
			     "SELECT window_schedule, window_duration, window_timezone FROM action"
			     " WHERE id = ? AND window_schedule IS NOT NULL",
			     "i", id);

	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r > 0)
		r = json_object_set_new(json, "maintenanceWindow",
					json_pack("{s:s, s:s, s:s}", "schedule",
						  mue_rows_text(&rows, 0), "duration",
						  mue_rows_text(&rows, 1), "timezone",
						  mue_rows_text(&rows, 2)));
	mue_rows_end(&rows);
	return r;
}

static int add_links(struct mgmt_op *op, json_t *json, const struct mue_rows *rows, int64_t id)
{
	const char *target = mue_rows_text(rows, 0);
	int64_t rollout = mue_rows_int(rows, 2);

	mgmt_link(op, json, "target", "/rest/v1/targets/%s", target);
	mgmt_link(op, json, "distributionset", "/rest/v1/distributionsets/%" PRId64,
		  mue_rows_int(rows, 1));
	mgmt_link(op, json, "status", "/rest/v1/targets/%s/actions/%" PRId64 "/status", target, id);
	if (rollout)
		mgmt_link(op, json, "rollout", "/rest/v1/rollouts/%" PRId64, rollout);
	return mgmt_link(op, json, "self", "/rest/v1/targets/%s/actions/%" PRId64, target, id);
}

static int finish_action(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			 struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r = mue_db_query(op->db, &rows, e,
			     "SELECT t.controller_id, a.set_id, a.rollout_id FROM action a"
			     " JOIN target t ON t.id = a.target_id WHERE a.id = ?",
			     "i", id);

	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r > 0)
		r = add_links(op, json, &rows, id);
	mue_rows_end(&rows);
	return r < 0 || !full ? r : add_window(op, json, id, e);
}

const struct mgmt_entity mgmt_action = {
	.what = "action",
	.from = "action a",
	.id = "a.id",
	.order = "a.id",
	.fields = mue_fields_action,
	.columns = action_columns,
	.finish = finish_action,
};

int mgmt_actions_list(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_page(r, &mgmt_action, e);
}

int mgmt_action_get(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_one(r, &mgmt_action, "actionId", e);
}

/* ---- under their target ---- */

static int do_list(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_target_id(op, op->text, &op->id, e);

	return r < 0 ? r : mgmt_page(op, &mgmt_action, "a.target_id = ?", e, "i", op->id);
}

int mgmt_target_actions(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, NULL, e);

	op.text = mue_request_param(r, "targetId");
	return v ? mgmt_over(v) : mgmt_read(&op, do_list, 200, e);
}

/* op->text is the controller id, op->id the action: it must be the target's own. */
static int check(struct mgmt_op *op, struct mue_error *e)
{
	int64_t target = 0, n;
	int r = mgmt_target_id(op, op->text, &target, e);

	if (r == 0)
		r = mue_db_int(op->db, &n, e, "SELECT 1 FROM action WHERE id = ? AND target_id = ?",
			       "ii", op->id, target);
	if (r == MUE_ENOTFOUND && target)
		return mue_fail(e, r, "action %" PRId64 " does not exist for target %.64s", op->id,
				op->text);
	return r;
}

static int begin(struct mgmt_op *op, struct mue_request *r, bool body, struct mue_error *e)
{
	int v = mgmt_begin(op, r, body, "actionId", e);

	op->text = mue_request_param(r, "targetId");
	return v;
}

static int do_get(struct mgmt_op *op, struct mue_error *e)
{
	int r = check(op, e);

	return r < 0 ? r : mgmt_load(op, &mgmt_action, op->id, true, &op->out, e);
}

int mgmt_target_action_get(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, false, e);

	return v ? mgmt_over(v) : mgmt_read(&op, do_get, 200, e);
}

/* Soft becomes forced: the only change hawkBit allows. */
static int do_put(struct mgmt_op *op, struct mue_error *e)
{
	const char *type = NULL;
	enum mue_force_type force;
	int r = check(op, e);

	if (r == 0)
		r = mgmt_text(op->in, "forceType", 16, true, &type, e);
	if (r == 0 && (mue_force_parse(type, &force) < 0 || force != MUE_FORCE_FORCED))
		r = mue_fail(e, MUE_EINVAL, "an action can only be changed to forceType forced");
	if (r == 0)
		r = mue_db_exec(op->db, e,
				"UPDATE action SET type = 'forced' WHERE id = ? AND active = 1",
				"i", op->id);
	if (r == 0)
		r = mgmt_touch(op, "action", op->id, e);
	return r < 0 ? r : mgmt_load(op, &mgmt_action, op->id, true, &op->out, e);
}

int mgmt_target_action_put(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, true, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_put, 200, e);
}

static const struct mgmt_fault not_cancelable = {
	405, "hawkbit.server.error.action.notcancelable",
	"org.eclipse.hawkbit.repository.exception.CancelActionNotAllowedException"
};
static const struct mgmt_fault not_quittable = {
	405, "hawkbit.server.error.action.notforcequitallowed",
	"org.eclipse.hawkbit.repository.exception.ForceQuitActionNotAllowedException"
};

static int do_cancel(struct mgmt_op *op, struct mue_error *e)
{
	const char *force = mue_request_query(op->r, "force");
	bool quit = force && strcmp(force, "true") == 0;
	int r = check(op, e);

	if (r < 0)
		return r;
	r = mue_action_say(op->db, op->id, quit ? MUE_EVENT_FORCE_QUIT : MUE_EVENT_CANCEL,
			   quit ? "force quit by the operator" : "cancel requested by the operator",
			   op->r->who.name, e);
	if (r == MUE_EPERM || r == MUE_ECONFLICT)
		op->fault = quit ? &not_quittable : &not_cancelable;
	return r < 0 ? r : 0;
}

int mgmt_target_action_delete(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, false, e);

	op.kick = true;
	return v ? mgmt_over(v) : mgmt_write(&op, do_cancel, 200, e);
}

static int do_confirm(struct mgmt_op *op, struct mue_error *e)
{
	const char *word = NULL, *messages[16];
	struct mue_action_note note = { .code = -1, .messages = messages, .who = op->r->who.name };
	json_t *item;
	size_t i;
	int r = check(op, e);

	if (r == 0)
		r = mgmt_text(op->in, "confirmation", 16, true, &word, e);
	if (r == 0 && strcmp(word, "confirmed") && strcmp(word, "denied"))
		r = mue_fail(e, MUE_EINVAL, "confirmation must be confirmed or denied");
	if (r == 0)
		r = mgmt_int(op->in, "code", 0, INT32_MAX, false, &note.code, e);
	if (r < 0)
		return r;
	json_array_foreach(json_object_get(op->in, "details"), i,
			   item) if (json_is_string(item) && note.message_count < 16)
		messages[note.message_count++] = json_string_value(item);
	note.event = strcmp(word, "confirmed") == 0 ? MUE_EVENT_CONFIRM : MUE_EVENT_DENY;
	r = mue_action_apply(op->db, op->id, &note, e);
	if (r == MUE_ECONFLICT)
		return mue_fail(e, MUE_ECANCELLED, "action %" PRId64 " has ended", op->id);
	return r < 0 ? r : 0;
}

int mgmt_target_action_confirm(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, true, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_confirm, 200, e);
}

/* ---- the history ---- */

static const struct mgmt_column status_columns[] = {
	{ "id", MGMT_INT, "s.id" },
	{ "type", MGMT_TEXT, "s.status" },
	{ "reportedAt", MGMT_INT, "s.reported_at" },
	{ "timestamp", MGMT_INT, "COALESCE(s.occurred_at, s.reported_at)" },
	{ "code", MGMT_INT, "s.code" },
	{ NULL, MGMT_TEXT, NULL },
};

static int finish_status(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			 struct mue_error *e)
{
	json_t *messages = json_array();
	struct mue_rows rows = { 0 };
	int r = mue_db_query(
		op->db, &rows, e,
		"SELECT text FROM action_message WHERE status_id = ? ORDER BY position", "i", id);

	(void)full;
	while (r == 0) {
		r = mue_rows_next(&rows, e);
		if (r <= 0)
			break;
		r = json_array_append_new(messages, json_string(mue_rows_text(&rows, 0)));
	}
	mue_rows_end(&rows);
	json_object_set_new(json, "messages", messages);
	return r;
}

static const struct mgmt_entity action_status = {
	.what = "action status",
	.from = "action_status s",
	.id = "s.id",
	.order = "s.id",
	.fields = mue_fields_action_status,
	.columns = status_columns,
	.finish = finish_status,
};

static int do_status(struct mgmt_op *op, struct mue_error *e)
{
	int r = check(op, e);

	return r < 0 ? r : mgmt_page(op, &action_status, "s.action_id = ?", e, "i", op->id);
}

int mgmt_target_action_status(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, false, e);

	return v ? mgmt_over(v) : mgmt_read(&op, do_status, 200, e);
}
