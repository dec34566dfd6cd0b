/* /rest/v1/system/configs and /rest/v1/userinfo. */
#include "server/api/mgmt_config.h"

#include "host/hash.h"
#include "server/auth.h"
#include "server/presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* hawkBit's settings.  Kinds: b true or false, i number, t text, d duration HH:MM:SS, s a secret of
 * which only the digest is kept. */
static const struct setting {
	const char *key;
	char kind;
	const char *otherwise;
} settings[] = {
	{ "action.cleanup.actionExpiry", 'i', "2592000000" },
	{ "action.cleanup.actionStatus", 't', "CANCELED,ERROR" },
	{ "action.cleanup.enabled", 'b', "false" },
	{ "anonymous.download.enabled", 'b', "false" },
	{ "authentication.gatewaytoken.enabled", 'b', "false" },
	{ "authentication.gatewaytoken.key", 's', "" },
	{ "authentication.header.authority", 't', "" },
	{ "authentication.header.enabled", 'b', "false" },
	{ "authentication.targettoken.enabled", 'b', "true" },
	{ "batch.assignments.enabled", 'b', "false" },
	{ "implicit.lock.enabled", 'b', "true" },
	{ "maintenanceWindowPollCount", 'i', "3" },
	{ "multi.assignments.enabled", 'b', "false" },
	{ "pollingOverdueTime", 'd', "00:05:00" },
	{ "pollingTime", 'd', NULL }, /* the server's option */
	{ "repository.actions.autoclose.enabled", 'b', "false" },
	{ "rollout.approval.enabled", 'b', "false" },
	{ "user.confirmation.flow.enabled", 'b', "false" },
};

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

static const struct setting *find(const char *key)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (strcmp(settings[i].key, key) == 0)
			return &settings[i];
	return NULL;
}

/* The stored value in the arena, NULL when there is none. */
static int stored(struct mgmt_op *op, const char *key, const char **ret, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r = mue_db_query(op->db, &rows, e, "SELECT value FROM config WHERE key = ?", "t", key);

	*ret = NULL;
	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r > 0)
		*ret = mue_arena_str(&op->r->arena, mue_rows_text(&rows, 0));
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

static const char *otherwise(struct mgmt_op *op, const struct setting *s)
{
	unsigned poll = op->r->server->config.poll_s;

	return s->otherwise ? s->otherwise
			    : mue_arena_printf(&op->r->arena, "%02u:%02u:%02u", poll / 3600,
					       poll / 60 % 60, poll % 60);
}

int mgmt_config_bool(struct mgmt_op *op, const char *key, bool *ret, struct mue_error *e)
{
	const struct setting *s = find(key);
	const char *text;
	int r = s ? stored(op, key, &text, e) : mue_fail(e, MUE_ENOTFOUND, "no setting %s", key);

	if (r == 0)
		*ret = strcmp(text ? text : otherwise(op, s), "true") == 0;
	return r;
}

static json_t *value_json(const struct setting *s, const char *text)
{
	if (s->kind == 'b')
		return json_boolean(strcmp(text, "true") == 0);
	if (s->kind == 'i')
		return json_integer(strtoll(text, NULL, 10));
	return json_string(text);
}

static int setting_json(struct mgmt_op *op, const struct setting *s, json_t **ret,
			struct mue_error *e)
{
	const char *text;
	int r = stored(op, s->key, &text, e);

	if (r < 0)
		return r;
	*ret = json_pack("{s:o, s:b}", "value", value_json(s, text ? text : otherwise(op, s)),
			 "global", text == NULL);
	return mgmt_link(op, *ret, "self", "/rest/v1/system/configs/%s", s->key);
}

static int do_get_all(struct mgmt_op *op, struct mue_error *e)
{
	op->out = json_object();
	for (size_t i = 0; i < SETTINGS; i++) {
		json_t *json = NULL;
		int r = setting_json(op, &settings[i], &json, e);

		if (r < 0)
			return r;
		json_object_set_new(op->out, settings[i].key, json);
	}
	return 0;
}

int mgmt_configs_get(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, NULL, e);

	return v ? mgmt_over(v) : mgmt_read(&op, do_get_all, 200, e);
}

static int check(struct mgmt_op *op, const struct setting **ret, struct mue_error *e)
{
	*ret = find(op->text);
	return *ret ? 0 : mue_fail(e, MUE_ENOTFOUND, "setting %.64s does not exist", op->text);
}

static int do_get(struct mgmt_op *op, struct mue_error *e)
{
	const struct setting *s;
	int r = check(op, &s, e);

	return r < 0 ? r : setting_json(op, s, &op->out, e);
}

int mgmt_config_get(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, NULL, e);

	op.text = mue_request_param(r, "keyName");
	return v ? mgmt_over(v) : mgmt_read(&op, do_get, 200, e);
}

/* ---- setting ---- */

static int wrong(const struct setting *s, const char *wanted, struct mue_error *e)
{
	return mue_fail(e, MUE_EINVAL, "setting %s must be %s", s->key, wanted);
}

static bool is_duration(const char *text)
{
	unsigned h, m, s;
	char rest;

	return text && strlen(text) == 8 && sscanf(text, "%2u:%2u:%2u%c", &h, &m, &s, &rest) == 3 &&
	       m < 60 && s < 60;
}

/* The value as the store keeps it. */
static int text_of(struct mgmt_op *op, const struct setting *s, const json_t *value,
		   const char **ret, struct mue_error *e)
{
	const char *text = json_string_value(value);

	if (s->kind == 'b' && json_is_boolean(value))
		text = json_is_true(value) ? "true" : "false";
	if (s->kind == 'i' && json_is_integer(value))
		text = mue_arena_printf(&op->r->arena, "%lld",
					(long long)json_integer_value(value));
	if (s->kind == 'b' && (!text || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)))
		return wrong(s, "true or false", e);
	if (s->kind == 'i' && !json_is_integer(value))
		return wrong(s, "a whole number", e);
	if (s->kind == 'd' && !is_duration(text))
		return wrong(s, "a duration HH:MM:SS", e);
	if (!text || strlen(text) > 512)
		return wrong(s, "a text of at most 512 bytes", e);
	*ret = text;
	return 0;
}

static int put_row(struct mgmt_op *op, const char *key, const char *value, struct mue_error *e)
{
	return mue_db_exec(op->db, e, "INSERT OR REPLACE INTO config (key, value) VALUES (?, ?)",
			   "tt", key, value);
}

/* Of the gateway's token only the digest is used; the setting then reads as stars. */
static int put_secret(struct mgmt_op *op, const struct setting *s, const char *text,
		      struct mue_error *e)
{
	uint8_t digest[32];
	char hex[65];
	int r;

	mue_hash_sha256(text, strlen(text), digest);
	r = put_row(op, "gateway.token.sha256", mue_hex(digest, sizeof(digest), hex), e);
	return r < 0 ? r : put_row(op, s->key, "********", e);
}

static int put_one(struct mgmt_op *op, const struct setting *s, const json_t *value,
		   struct mue_error *e)
{
	const char *text = NULL;
	int r = text_of(op, s, value, &text, e);

	if (r < 0)
		return r;
	return s->kind == 's' ? put_secret(op, s, text, e) : put_row(op, s->key, text, e);
}

/* What lives in RAM is read again, inside the transaction. */
static int reload(struct mgmt_op *op, struct mue_error *e)
{
	int r = mue_auth_reload(op->r->server->auth, op->db, e);

	return r < 0 ? r : mue_presence_reload_settings(op->r->server->presence, op->db, e);
}

static int do_put(struct mgmt_op *op, struct mue_error *e)
{
	const struct setting *s;
	const json_t *value = json_object_get(op->in, "value");
	int r = check(op, &s, e);

	if (r == 0 && !value)
		r = mue_fail(e, MUE_EINVAL, "property \"value\" is missing");
	if (r == 0)
		r = put_one(op, s, value, e);
	if (r == 0)
		r = reload(op, e);
	return r < 0 ? r : setting_json(op, s, &op->out, e);
}

int mgmt_config_put(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, NULL, e);

	op.text = mue_request_param(r, "keyName");
	return v ? mgmt_over(v) : mgmt_write(&op, do_put, 200, e);
}

static int do_put_all(struct mgmt_op *op, struct mue_error *e)
{
	const struct setting *s;
	const char *key;
	json_t *value;
	int r = json_is_object(op->in) ? 0 : mue_fail(e, MUE_EINVAL, "the body must be an object");

	json_object_foreach(op->in, key, value)
	{
		if (r < 0)
			break;
		op->text = key;
		r = check(op, &s, e);
		if (r == 0)
			r = put_one(op, s, value, e);
	}
	return r < 0 ? r : reload(op, e);
}

int mgmt_configs_put(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, NULL, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_put_all, 200, e);
}

static int do_delete(struct mgmt_op *op, struct mue_error *e)
{
	const struct setting *s;
	int r = check(op, &s, e);

	if (r == 0)
		r = mue_db_exec(op->db, e, "DELETE FROM config WHERE key = ?", "t", s->key);
	if (r == 0 && s->kind == 's')
		r = mue_db_exec(op->db, e, "DELETE FROM config WHERE key = 'gateway.token.sha256'",
				NULL);
	return r < 0 ? r : reload(op, e);
}

int mgmt_config_delete(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, NULL, e);

	op.text = mue_request_param(r, "keyName");
	return v ? mgmt_over(v) : mgmt_write(&op, do_delete, 200, e);
}

int mgmt_userinfo(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, NULL, e);

	if (v)
		return mgmt_over(v);
	op.out = json_pack("{s:s, s:s}", "tenant", "DEFAULT", "username", r->who.name);
	return mgmt_answer(&op, 200, op.out ? 0 : mue_fail(e, MUE_ENOMEM, "out of memory"), e);
}
