/* Confirmation by a person at the device, and standing consent (auto-confirm). */
#include "server/api/ddi.h"

#include "server/store/mgmt_action.h"

#include <string.h>

struct consent {
	int64_t target_id;
	bool active;
	const char *initiator, *remark, *who;
	int64_t at;
	struct mue_arena *arena;
};

static int read_consent(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct consent *c = arg;
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e,
			     "SELECT auto_confirm, auto_confirm_initiator, auto_confirm_remark,"
			     " auto_confirm_at FROM target WHERE id = ?1",
			     "i", c->target_id);

	if (r == 0 && (r = mue_rows_next(&rows, e)) > 0) {
		c->active = mue_rows_int(&rows, 0) != 0;
		c->initiator = mue_arena_str(c->arena, mue_rows_text_or_null(&rows, 1));
		c->remark = mue_arena_str(c->arena, mue_rows_text_or_null(&rows, 2));
		c->at = mue_rows_int(&rows, 3);
	}
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

static json_t *consent_json(const struct consent *c)
{
	json_t *json = json_pack("{s:b}", "active", c->active);

	if (c->active && c->initiator)
		json_object_set_new(json, "initiator", json_string(c->initiator));
	if (c->active && c->remark)
		json_object_set_new(json, "remark", json_string(c->remark));
	if (c->active)
		json_object_set_new(json, "activatedAt", json_integer(c->at));
	return json;
}

int mue_ddi_confirmation(struct mue_request *r, struct mue_error *e)
{
	struct consent c = { .arena = &r->arena };
	const char *self = mue_ddi_self(r);
	struct mue_seen seen;
	json_t *links;
	int v = mue_ddi_begin(r, &seen, e);

	c.target_id = seen.target_id;
	if (v == 0)
		v = mue_store_read(r->server->store, read_consent, &c, e);
	if (v < 0)
		return v;
	links = json_object();
	json_object_set_new(links, c.active ? "deactivateAutoConfirm" : "activateAutoConfirm",
			    json_pack("{s:o}", "href",
				      json_sprintf("%s/confirmationBase/%s", self,
						   c.active ? "deactivateAutoConfirm"
							    : "activateAutoConfirm")));
	if (seen.offer == MUE_OFFER_CONFIRM)
		json_object_set_new(
			links, "confirmationBase",
			json_pack("{s:o}", "href",
				  json_sprintf("%s/confirmationBase/%lld?c=%d", self,
					       (long long)seen.action_id, (int)seen.c)));
	return mue_respond_json(
		r, 200, json_pack("{s:o, s:o}", "autoConfirm", consent_json(&c), "_links", links));
}

static int confirm_waiting(struct mue_db *db, const struct consent *c, struct mue_error *e)
{
	int64_t id;
	int r;

	/* One by one: confirming changes what is waiting. */
	while ((r = mue_db_int(db, &id, e,
			       "SELECT id FROM action WHERE target_id = ?1"
			       " AND status = 'wait_for_confirmation' ORDER BY id LIMIT 1",
			       "i", c->target_id)) == 0) {
		r = mue_action_say(db, id, MUE_EVENT_CONFIRM, "Confirmed by standing consent",
				   c->who, e);
		if (r < 0)
			return r;
	}
	return r == MUE_ENOTFOUND ? 0 : r;
}

static int write_consent(struct mue_db *db, void *arg, struct mue_error *e)
{
	const struct consent *c = arg;
	int r;

	if (!c->active)
		return mue_db_exec(db, e,
				   "UPDATE target SET auto_confirm = 0, auto_confirm_initiator ="
				   " NULL, auto_confirm_remark = NULL, auto_confirm_at = NULL"
				   " WHERE id = ?1",
				   "i", c->target_id);
	r = mue_db_exec(db, e,
			"UPDATE target SET auto_confirm = 1, auto_confirm_initiator = ?2,"
			" auto_confirm_remark = ?3, auto_confirm_at = ?4 WHERE id = ?1",
			"itti", c->target_id, c->initiator, c->remark, mue_now_ms());
	return r < 0 ? r : confirm_waiting(db, c, e);
}

static int set_consent(struct mue_request *r, struct consent *c, struct mue_error *e)
{
	struct mue_seen seen;
	int v = mue_ddi_begin(r, &seen, e);

	if (v < 0)
		return v;
	c->target_id = seen.target_id;
	c->who = mue_ddi_who(r);
	v = mue_store_write(r->server->store, write_consent, c, e);
	if (v < 0)
		return v;
	mue_jobs_kick(r->server);
	return mue_respond_empty(r, 200);
}

int mue_ddi_auto_confirm_on(struct mue_request *r, struct mue_error *e)
{
	struct consent c = { .active = true };
	json_t *body = NULL;
	int v = r->body_len ? mue_request_json(r, &body, e) : 0;

	if (v < 0)
		return v;
	c.initiator = json_string_value(json_object_get(body, "initiator"));
	c.remark = json_string_value(json_object_get(body, "remark"));
	if (!c.initiator)
		c.initiator = mue_ddi_who(r);
	return set_consent(r, &c, e);
}

int mue_ddi_auto_confirm_off(struct mue_request *r, struct mue_error *e)
{
	struct consent c = { .active = false };

	return set_consent(r, &c, e);
}
