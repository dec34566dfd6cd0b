/*
 * What hawkBit's management API lacks, below /api/v1: enrolment, revocation, trusted release keys,
 * tokens, and why a device is not on a version (mue_why.c).
 */
#include "server/api/mue.h"

#include "host/file.h"
#include "host/hash.h"
#include "host/log.h"
#include "host/trust.h"
#include "server/auth.h"
#include "server/store/ddi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OP MUE_ACCESS_OPERATOR

static mue_handler enroll, revoke_one, trust_list, trust_add, trust_remove, ca_get, token_list,
	token_add, token_remove;

/* clang-format off */
const struct mue_route mue_routes_mue[] = {
	{ "POST",   "/api/v1/enroll", enroll, OP, 0, NULL },
	{ "GET",    "/api/v1/ca", ca_get, MUE_ACCESS_PUBLIC, 0, NULL },
	{ "DELETE", "/api/v1/targets/{id}/certificate", revoke_one, OP, 0, NULL },
	{ "POST",   "/api/v1/targets/{id}/certificate/revoke", revoke_one, OP, 0, NULL },
	{ "GET",    "/api/v1/targets/{id}/why", mue_api_why, OP, 0, NULL },
	{ "GET",    "/api/v1/trust", trust_list, OP, 0, NULL },
	{ "POST",   "/api/v1/trust", trust_add, OP, 0, NULL },
	{ "DELETE", "/api/v1/trust/{name}", trust_remove, OP, 0, NULL },
	{ "GET",    "/api/v1/tokens", token_list, OP, 0, NULL },
	{ "POST",   "/api/v1/tokens", token_add, OP, 0, NULL },
	{ "DELETE", "/api/v1/tokens/{name}", token_remove, OP, 0, NULL },
	{ 0 },
};
/* clang-format on */

/* ---- enrolment ---- */

struct enrolment {
	const char *id, *by;
	struct mue_issued issued;
};

static int write_enrolment(struct mue_db *db, void *arg, struct mue_error *e)
{
	const struct enrolment *n = arg;
	int64_t target;
	int r = mue_target_ensure(db, n->id, n->by, &target, e);

	if (r < 0)
		return r;
	return mue_db_exec(db, e,
			   "INSERT INTO certificate (serial, controller_id, issued_at, expires_at)"
			   " VALUES (?1, ?2, ?3, ?4)",
			   "ttii", n->issued.serial, n->id, mue_now_ms(), n->issued.expires_ms);
}

/* The certificate leaves only after its serial is on the disk: what is not known cannot be
 * revoked. */
static int enroll(struct mue_request *r, struct mue_error *e)
{
	struct enrolment n = { .by = r->who.name };
	const char *csr;
	json_t *body;
	int v = mue_request_json(r, &body, e);

	if (v < 0)
		return v;
	n.id = json_string_value(json_object_get(body, "controllerId"));
	csr = json_string_value(json_object_get(body, "csr"));
	if (!n.id || !csr)
		return mue_fail(e, MUE_EINVAL, "controllerId and csr are needed, as texts");
	if (!mue_controller_id_ok(n.id))
		return mue_fail(e, MUE_EINVAL, "%.80s is no controller id", n.id);
	v = mue_ca_issue(r->server->ca, csr, n.id, &n.issued, e);
	if (v == 0)
		v = mue_store_write(r->server->store, write_enrolment, &n, e);
	if (v == 0) {
		mue_log(MUE_LOG_INFO, "target.enrolled", "target", n.id, "serial", n.issued.serial,
			"by", n.by, NULL);
		v = mue_respond_json(r, 200,
				     json_pack("{s:s, s:s, s:s}", "certificate", n.issued.pem, "ca",
					       mue_ca_certificate(r->server->ca), "serial",
					       n.issued.serial));
	}
	free(n.issued.pem);
	return v;
}

static int ca_get(struct mue_request *r, struct mue_error *e)
{
	(void)e;
	return mue_respond_text(r, 200, "application/x-pem-file",
				mue_ca_certificate(r->server->ca));
}

static int find_target(struct mue_db *db, void *arg, struct mue_error *e)
{
	int64_t id;

	return mue_target_find(db, arg, &id, e);
}

static int revoke_one(struct mue_request *r, struct mue_error *e)
{
	char *id = mue_arena_str(&r->arena, mue_request_param(r, "id"));
	int64_t count;
	int v = id ? mue_auth_revoke(r->server->auth, id, &count, e) : MUE_ENOMEM;

	if (v == 0 && count == 0) /* revoking twice succeeds, revoking a stranger does not */
		v = mue_store_read(r->server->store, find_target, id, e);
	if (v < 0)
		return v;
	mue_log(MUE_LOG_INFO, "certificate.revoked", "target", id, "count", MUE_LOG_NUM(count),
		"by", r->who.name, NULL);
	return mue_respond_json(r, 200, json_pack("{s:I}", "revoked", (json_int_t)count));
}

/* ---- release keys ---- */

static const char *trust_folder(struct mue_request *r)
{
	return mue_arena_printf(&r->arena, "%s/trust", r->server->config.data);
}

static json_t *key_json(const char *name, const struct mue_pubkey *key)
{
	char kid[2 * MUE_KID_SIZE + 1];
	struct mue_buf pem = { .max = 4096 };
	json_t *json;

	mue_pubkey_pem(key, &pem);
	json = json_pack("{s:s, s:s, s:s, s:s}", "name", name, "kid",
			 mue_hex(key->kid, MUE_KID_SIZE, kid), "kind", mue_key_kind_name(key->kind),
			 "pem", mue_buf_str(&pem));
	mue_buf_free(&pem);
	return json;
}

static int trust_list(struct mue_request *r, struct mue_error *e)
{
	const char *folder = trust_folder(r);
	struct mue_trust trust;
	json_t *list;
	int v = folder ? mue_trust_load(folder, &trust, e) : MUE_ENOMEM;

	if (v < 0)
		return v;
	list = json_array();
	for (size_t i = 0; i < trust.count; i++)
		json_array_append_new(list, key_json(trust.entries[i].name, &trust.entries[i].key));
	mue_trust_free(&trust);
	return mue_respond_json(r, 200, list);
}

static bool key_name_ok(const char *name)
{
	return *name && *name != '.' && strlen(name) < 60 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       strlen(name);
}

/* The body is the PEM itself, or {"name", "pem"}. */
static int take_key(struct mue_request *r, const char **ret_name, const char **ret_pem,
		    struct mue_error *e)
{
	json_t *body;
	int v;

	*ret_name = mue_request_query(r, "name");
	*ret_pem = r->body;
	if (!r->body || r->body[strspn(r->body, " \r\n\t")] != '{')
		return r->body ? 0
			       : mue_fail(e, MUE_EFORMAT, "the body is empty, a PEM is expected");
	v = mue_request_json(r, &body, e);
	if (v < 0)
		return v;
	if (json_object_get(body, "name"))
		*ret_name = json_string_value(json_object_get(body, "name"));
	*ret_pem = json_string_value(json_object_get(body, "pem"));
	return *ret_pem ? 0 : mue_fail(e, MUE_EINVAL, "pem is needed, as a text");
}

static int store_key(struct mue_request *r, const char *name, const struct mue_pubkey *key,
		     struct mue_error *e)
{
	struct mue_buf pem = { .max = 4096 };
	const char *path = mue_arena_printf(&r->arena, "%s/%s.pub", trust_folder(r), name);
	int v = path ? mue_pubkey_pem(key, &pem) : MUE_ENOMEM;

	if (v == 0)
		v = mue_file_create(path, pem.data, pem.len, 0644, e);
	mue_buf_free(&pem);
	return v;
}

static int trust_add(struct mue_request *r, struct mue_error *e)
{
	char kid[2 * MUE_KID_SIZE + 1];
	const char *name, *pem;
	struct mue_pubkey key;
	struct mue_trust trust;
	bool known;
	int v = take_key(r, &name, &pem, e);

	if (v == 0)
		v = mue_pubkey_parse(pem, strlen(pem), &key, e);
	if (v == 0)
		v = mue_trust_load(trust_folder(r), &trust, e);
	if (v < 0)
		return v;
	mue_hex(key.kid, MUE_KID_SIZE, kid);
	known = mue_trust_find(&trust, key.kid, MUE_KID_SIZE) != NULL;
	mue_trust_free(&trust);
	if (!name)
		name = kid;
	if (!key_name_ok(name))
		return mue_fail(e, MUE_EINVAL, "%.60s is no name for a key", name);
	if (known) /* adding twice succeeds */
		return mue_respond_json(r, 200, key_json(name, &key));
	v = store_key(r, name, &key, e);
	if (v < 0)
		return v;
	mue_log(MUE_LOG_INFO, "trust.added", "name", name, "kid", kid, "by", r->who.name, NULL);
	return mue_respond_json(r, 201, key_json(name, &key));
}

static int trust_remove(struct mue_request *r, struct mue_error *e)
{
	const char *name = mue_request_param(r, "name"), *path;
	int v;

	if (!key_name_ok(name))
		return mue_fail(e, MUE_ENOTFOUND, "no key has the name %.60s", name);
	path = mue_arena_printf(&r->arena, "%s/%s.pub", trust_folder(r), name);
	v = path ? mue_file_remove(path, e) : MUE_ENOMEM;
	if (v < 0)
		return v;
	mue_log(MUE_LOG_INFO, "trust.removed", "name", name, "by", r->who.name, NULL);
	return mue_respond_empty(r, 200);
}

/* ---- tokens ---- */

static int read_tokens(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct mue_rows rows;
	json_t *list = arg;
	int r = mue_db_query(db, &rows, e, "SELECT name, kind, created_at FROM token ORDER BY name",
			     NULL);

	while (r == 0 && (r = mue_rows_next(&rows, e)) > 0)
		r = json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "name",
							  mue_rows_text(&rows, 0), "kind",
							  mue_rows_text(&rows, 1), "createdAt",
							  (json_int_t)mue_rows_int(&rows, 2)));
	mue_rows_end(&rows);
	return r;
}

static int token_list(struct mue_request *r, struct mue_error *e)
{
	json_t *list = json_array();
	int v = mue_store_read(r->server->store, read_tokens, list, e);

	if (v == 0)
		return mue_respond_json(r, 200, list);
	json_decref(list);
	return v;
}

static int token_add(struct mue_request *r, struct mue_error *e)
{
	const char *name, *kind;
	char token[MUE_TOKEN_SIZE];
	json_t *body;
	int v = mue_request_json(r, &body, e);

	if (v < 0)
		return v;
	name = json_string_value(json_object_get(body, "name"));
	kind = json_string_value(json_object_get(body, "kind"));
	if (!name || !key_name_ok(name) || !kind ||
	    (strcmp(kind, "operator") && strcmp(kind, "gateway")))
		return mue_fail(e, MUE_EINVAL,
				"name (letters, digits, - _) and kind (operator or "
				"gateway) are needed");
	v = mue_auth_add_token(r->server->auth, kind, name, token, e);
	if (v < 0)
		return v;
	mue_log(MUE_LOG_INFO, "token.added", "name", name, "kind", kind, "by", r->who.name, NULL);
	return mue_respond_json(
		r, 201, json_pack("{s:s, s:s, s:s}", "name", name, "kind", kind, "token", token));
}

static int token_remove(struct mue_request *r, struct mue_error *e)
{
	const char *name = mue_request_param(r, "name");
	int v;

	/* Nobody may saw off the branch that all sit on. */
	if (!strcmp(name, r->who.name))
		return mue_fail(e, MUE_ECONFLICT, "a token cannot remove itself");
	v = mue_auth_remove_token(r->server->auth, name, e);
	if (v < 0)
		return v;
	mue_log(MUE_LOG_INFO, "token.removed", "name", name, "by", r->who.name, NULL);
	return mue_respond_empty(r, 200);
}
