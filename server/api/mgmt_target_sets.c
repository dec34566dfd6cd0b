/* /rest/v1/targets/{id}: its standing consent, and its distribution sets. */
#include "server/api/mgmt.h"
#include "server/api/mgmt_targets.h"
#include "server/store/mgmt_action.h"

#include <string.h>

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

/* ---- auto-confirm ---- */

static int do_confirm_get(struct mgmt_op *op, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r = find(op, e);

	if (r == 0)
		r = mue_db_query(op->db, &rows, e,
				 "SELECT auto_confirm, auto_confirm_initiator, auto_confirm_remark,"
				 " auto_confirm_at FROM target WHERE id = ?",
				 "i", op->id);
	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r > 0) {
		bool active = mue_rows_int(&rows, 0) != 0;

		op->out = json_pack("{s:b, s:s*, s:s*}", "active", active, "initiator",
				    active ? mue_rows_text_or_null(&rows, 1) : NULL, "remark",
				    active ? mue_rows_text_or_null(&rows, 2) : NULL);
		if (active)
			json_object_set_new(op->out, "activatedAt",
					    json_integer(mue_rows_int(&rows, 3)));
		mgmt_link(op, op->out, active ? "deactivate" : "activate",
			  "/rest/v1/targets/%s/autoConfirm/%s", op->text,
			  active ? "deactivate" : "activate");
	}
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

int mgmt_target_confirm_get(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, false, e);

	return v ? mgmt_over(v) : mgmt_read(&op, do_confirm_get, 200, e);
}

/* Actions that wait for this target's confirmation are confirmed. */
static int confirm_waiting(struct mgmt_op *op, struct mue_error *e)
{
	for (;;) {
		int64_t action;
		int r = mue_db_int(op->db, &action, e,
				   "SELECT id FROM action WHERE target_id = ? AND active = 1"
				   " AND status = 'wait_for_confirmation' LIMIT 1",
				   "i", op->id);

		if (r == MUE_ENOTFOUND)
			return 0;
		if (r == 0)
			r = mue_action_say(op->db, action, MUE_EVENT_CONFIRM,
					   "confirmed automatically", op->r->who.name, e);
		if (r < 0)
			return r;
	}
}

static int do_confirm_on(struct mgmt_op *op, struct mue_error *e)
{
	const char *initiator = op->r->who.name, *remark = NULL;
	int r = find(op, e);

	if (r == 0 && op->in)
		r = mgmt_text(op->in, "initiator", 64, false, &initiator, e);
	if (r == 0 && op->in)
		r = mgmt_text(op->in, "remark", 512, false, &remark, e);
	if (r == 0)
		r = mue_db_exec(op->db, e,
				"UPDATE target SET auto_confirm = 1, auto_confirm_initiator = ?,"
				" auto_confirm_remark = ?, auto_confirm_at = ? WHERE id = ?",
				"ttii", initiator, remark, op->now, op->id);
	return r < 0 ? r : confirm_waiting(op, e);
}

int mgmt_target_confirm_on(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, r->body_len > 0, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_confirm_on, 200, e);
}

static int do_confirm_off(struct mgmt_op *op, struct mue_error *e)
{
	int r = find(op, e);

	return r < 0 ? r
		     : mue_db_exec(op->db, e, "UPDATE target SET auto_confirm = 0 WHERE id = ?",
				   "i", op->id);
}

int mgmt_target_confirm_off(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, false, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_confirm_off, 200, e);
}

/* ---- its distribution sets ---- */

static int answer_set(struct mgmt_op *op, const char *sql, struct mue_error *e)
{
	int64_t set = 0;
	int r = find(op, e);

	if (r == 0)
		r = mue_db_int(op->db, &set, e, sql, "i", op->id);
	if (r < 0 || set == 0)
		return r;
	return mgmt_load(op, &mgmt_set, set, true, &op->out, e);
}

static int do_assigned(struct mgmt_op *op, struct mue_error *e)
{
	return answer_set(op, "SELECT assigned_set FROM target WHERE id = ?", e);
}

static int do_installed(struct mgmt_op *op, struct mue_error *e)
{
	return answer_set(op, "SELECT installed_set FROM target WHERE id = ?", e);
}

/* hawkBit answers 204 when there is none. */
static int get_set(struct mue_request *r, mgmt_fn *fn, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, false, e);

	if (v)
		return mgmt_over(v);
	v = mgmt_read(&op, fn, 200, e);
	if (v == 0 && r->response.len == 0)
		r->response.status = 204;
	return v;
}

int mgmt_target_assigned(struct mue_request *r, struct mue_error *e)
{
	return get_set(r, do_assigned, e);
}

int mgmt_target_installed(struct mue_request *r, struct mue_error *e)
{
	return get_set(r, do_installed, e);
}

static int do_assign(struct mgmt_op *op, struct mue_error *e)
{
	const char *offline = mue_request_query(op->r, "offline");
	struct mue_assignment a = { 0 };
	const json_t *item;
	int r = find(op, e);

	for (size_t i = 0; r == 0; i++) {
		r = mgmt_item(op->in, i, &item, e);
		if (r < 0 || !item)
			break;
		r = mgmt_read_assignment(op, item, &a, e);
		if (r == 0)
			r = mgmt_int(item, "id", 1, INT64_MAX, true, &a.set_id, e);
		a.target_id = op->id;
		if (r == 0)
			r = mgmt_assign(op, &a, offline && strcmp(offline, "true") == 0, e);
	}
	return r;
}

int mgmt_target_assign(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin(&op, r, true, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_assign, 200, e);
}
