/* The poll, what a device tells about itself, and the table of routes. */
#include "server/api/ddi.h"

#include <stdio.h>
#include <string.h>

#define DDI "/{tenant}/controller/v1/{controllerId}"
#define DEV MUE_ACCESS_DEVICE
#define LOG MUE_FEEDBACK_BODY

/* clang-format off */
const struct mue_route mue_routes_ddi[] = {
	{ "GET",  DDI, mue_ddi_poll, DEV, 0, NULL },
	{ "PUT",  DDI "/configData", mue_ddi_config_data, DEV, 0, NULL },
	{ "GET",  DDI "/deploymentBase/{actionId}", mue_ddi_deployment, DEV, 0, NULL },
	{ "POST", DDI "/deploymentBase/{actionId}/feedback", mue_ddi_deployment_feedback, DEV, LOG, NULL },
	{ "GET",  DDI "/cancelAction/{actionId}", mue_ddi_cancel, DEV, 0, NULL },
	{ "POST", DDI "/cancelAction/{actionId}/feedback", mue_ddi_cancel_feedback, DEV, LOG, NULL },
	{ "GET",  DDI "/installedBase/{actionId}", mue_ddi_installed, DEV, 0, NULL },
	{ "PUT",  DDI "/installedBase", mue_ddi_installed_put, DEV, 0, NULL },
	{ "GET",  DDI "/confirmationBase", mue_ddi_confirmation, DEV, 0, NULL },
	{ "POST", DDI "/confirmationBase/activateAutoConfirm", mue_ddi_auto_confirm_on, DEV, 0, NULL },
	{ "POST", DDI "/confirmationBase/deactivateAutoConfirm", mue_ddi_auto_confirm_off, DEV, 0, NULL },
	{ "GET",  DDI "/confirmationBase/{actionId}", mue_ddi_confirmation_action, DEV, 0, NULL },
	{ "POST", DDI "/confirmationBase/{actionId}/feedback", mue_ddi_confirmation_feedback, DEV, LOG, NULL },
	{ "GET",  DDI "/softwaremodules/{moduleId}/artifacts", mue_ddi_artifacts, DEV, 0, NULL },
	{ "GET",  DDI "/softwaremodules/{moduleId}/artifacts/{fileName}.MD5SUM", mue_ddi_md5sum, DEV, 0, NULL },
	{ "GET",  DDI "/softwaremodules/{moduleId}/artifacts/{fileName}", mue_ddi_download, DEV, 0, NULL },
	{ 0 },
};
/* clang-format on */

const char *mue_ddi_self(struct mue_request *r)
{
	const char *url = mue_arena_printf(&r->arena, "%s/DEFAULT/controller/v1/%s",
					   mue_request_base(r),
					   mue_request_param(r, "controllerId"));

	return url ? url : "";
}

const char *mue_ddi_who(const struct mue_request *r)
{
	return r->who.kind == MUE_WHO_OPERATOR ? r->who.name : mue_request_param(r, "controllerId");
}

int mue_ddi_begin(struct mue_request *r, struct mue_seen *ret, struct mue_error *e)
{
	const char *id = mue_request_param(r, "controllerId");

	if (strcmp(mue_request_param(r, "tenant"), "DEFAULT"))
		return mue_fail(e, MUE_ENOTFOUND, "tenant %.40s does not exist",
				mue_request_param(r, "tenant"));
	if (mue_presence_get(r->server->presence, id, ret) < 0)
		return mue_fail(e, MUE_ENOTFOUND, "target %.80s does not exist", id);
	if (r->who.kind != MUE_WHO_OPERATOR)
		mue_presence_touch(r->server->presence, id, mue_now_ms());
	return 0;
}

/* ---- poll ---- */

struct newcomer {
	const char *id, *by;
};

static int add_newcomer(struct mue_db *db, void *arg, struct mue_error *e)
{
	const struct newcomer *n = arg;
	int64_t id;

	return mue_target_ensure(db, n->id, n->by, &id, e);
}

/* A device that holds a certificate, or that a gateway vouches for, is known from its first poll.
 */
static int begin_poll(struct mue_request *r, struct mue_seen *seen, struct mue_error *e)
{
	struct newcomer n = { mue_request_param(r, "controllerId"), r->who.name };
	int v = mue_ddi_begin(r, seen, e);

	if (v != MUE_ENOTFOUND || r->who.kind == MUE_WHO_OPERATOR ||
	    strcmp(mue_request_param(r, "tenant"), "DEFAULT"))
		return v;
	v = mue_store_write(r->server->store, add_newcomer, &n, e);
	return v < 0 ? v : mue_ddi_begin(r, seen, e);
}

/* A fifth around the mean, so that a fleet that was switched on together spreads. */
static uint32_t sleep_of(const struct mue_request *r, const struct mue_seen *seen)
{
	uint32_t mean = seen->poll_s ? seen->poll_s : mue_presence_poll_s(r->server->presence);
	uint64_t x = (uint64_t)seen->target_id * 0x9e3779b97f4a7c15u ^ (uint64_t)r->started_us;
	uint32_t spread;

	mean = mean ? mean : r->server->config.poll_s;
	spread = mean / 5;
	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 32;
	mean = mean - spread + (uint32_t)(x % (2 * spread + 1));
	return mean > 86399 ? 86399 : mean; /* HH:MM:SS has no days */
}

static const char *links_of(struct mue_request *r, const struct mue_seen *s)
{
	static const char *const names[] = { "", "deploymentBase", "confirmationBase",
					     "cancelAction" };
	const char *self = mue_ddi_self(r), *offer = "", *installed = "", *attributes = "";

	if (s->offer == MUE_OFFER_CANCEL)
		offer = mue_arena_printf(&r->arena, ",\"%s\":{\"href\":\"%s/%s/%lld\"}",
					 names[s->offer], self, names[s->offer],
					 (long long)s->action_id);
	else if (s->offer != MUE_OFFER_NONE)
		offer = mue_arena_printf(&r->arena, ",\"%s\":{\"href\":\"%s/%s/%lld?c=%d\"}",
					 names[s->offer], self, names[s->offer],
					 (long long)s->action_id, (int)s->c);
	if (s->installed_id)
		installed = mue_arena_printf(
			&r->arena, ",\"installedBase\":{\"href\":\"%s/installedBase/%lld\"}", self,
			(long long)s->installed_id);
	if (s->wants_attributes)
		attributes = mue_arena_printf(&r->arena,
					      ",\"configData\":{\"href\":\"%s/configData\"}", self);
	if (!offer || !installed || !attributes)
		return NULL;
	/* Without the comma of whichever comes first. */
	offer = mue_arena_printf(&r->arena, "%s%s%s", offer, installed, attributes);
	return offer && *offer ? offer + 1 : offer;
}

static const char *etag_of(struct mue_request *r, const char *links)
{
	uint64_t h = 14695981039346656037u;

	for (; *links; links++)
		h = (h ^ (unsigned char)*links) * 1099511628211u;
	return mue_arena_printf(&r->arena, "\"%016llx\"", (unsigned long long)h);
}

int mue_ddi_poll(struct mue_request *r, struct mue_error *e)
{
	const char *links, *etag, *known = mue_request_header(r, "If-None-Match");
	struct mue_seen seen;
	uint32_t s;
	int v = begin_poll(r, &seen, e);

	if (v < 0)
		return v;
	links = links_of(r, &seen);
	etag = links ? etag_of(r, links) : NULL;
	if (!etag)
		return MUE_ENOMEM;
	mue_respond_header(r, "ETag", etag);
	if (known && strstr(known, etag))
		return mue_respond_empty(r, 304);
	s = sleep_of(r, &seen);
	return mue_respond_text(
		r, 200, "application/json",
		mue_arena_printf(&r->arena,
				 "{\"config\":{\"polling\":{\"sleep\":\"%02u:%02u:%02u\"}},"
				 "\"_links\":{%s}}",
				 s / 3600, s / 60 % 60, s % 60, links));
}

/* ---- configData ---- */

struct config_data {
	int64_t target_id;
	json_t *data;
	enum mue_attributes_mode mode;
};

static int write_attributes(struct mue_db *db, void *arg, struct mue_error *e)
{
	const struct config_data *c = arg;

	return mue_attributes_set(db, c->target_id, c->data, c->mode, e);
}

static int parse_mode(json_t *json, enum mue_attributes_mode *ret, struct mue_error *e)
{
	static const char *const names[] = { "merge", "replace", "remove" };
	const char *mode = json_string_value(json);

	*ret = MUE_ATTRIBUTES_MERGE;
	if (!json || json_is_null(json))
		return 0;
	for (unsigned i = 0; mode && i < 3; i++)
		if (!strcmp(mode, names[i])) {
			*ret = (enum mue_attributes_mode)i;
			return 0;
		}
	return mue_fail(e, MUE_EINVAL, "mode must be merge, replace or remove");
}

int mue_ddi_config_data(struct mue_request *r, struct mue_error *e)
{
	struct config_data c;
	struct mue_seen seen;
	json_t *body;
	int v = mue_ddi_begin(r, &seen, e);

	if (v == 0)
		v = mue_request_json(r, &body, e);
	if (v == 0)
		v = parse_mode(json_object_get(body, "mode"), &c.mode, e);
	if (v < 0)
		return v;
	c.target_id = seen.target_id;
	c.data = json_object_get(body, "data");
	if (!json_is_object(c.data))
		return mue_fail(e, MUE_EINVAL, "data must be an object of texts");
	v = mue_store_write(r->server->store, write_attributes, &c, e);
	return v < 0 ? v : mue_respond_empty(r, 200);
}

/* ---- PUT installedBase ---- */

struct installed {
	int64_t target_id;
	const char *name, *version;
};

static int write_installed(struct mue_db *db, void *arg, struct mue_error *e)
{
	const struct installed *i = arg;
	int64_t set_id;
	int r = mue_db_int(db, &set_id, e,
			   "SELECT id FROM dist_set WHERE name = ?1 AND version = ?2"
			   " AND deleted = 0",
			   "tt", i->name, i->version);

	if (r == MUE_ENOTFOUND)
		return mue_fail(e, r, "distribution set %.80s:%.40s does not exist", i->name,
				i->version);
	if (r < 0)
		return r;
	return mue_db_exec(db, e,
			   "UPDATE target SET installed_set = ?2, installed_at = ?3,"
			   " assigned_set = coalesce(assigned_set, ?2), update_status = CASE WHEN"
			   " EXISTS (SELECT 1 FROM action WHERE target_id = ?1 AND active = 1)"
			   " THEN 'pending' ELSE 'in_sync' END WHERE id = ?1",
			   "iii", i->target_id, set_id, mue_now_ms());
}

int mue_ddi_installed_put(struct mue_request *r, struct mue_error *e)
{
	struct mue_seen seen;
	struct installed i;
	json_t *body;
	int v = mue_ddi_begin(r, &seen, e);

	if (v == 0)
		v = mue_request_json(r, &body, e);
	if (v < 0)
		return v;
	i.target_id = seen.target_id;
	i.name = json_string_value(json_object_get(body, "name"));
	i.version = json_string_value(json_object_get(body, "version"));
	if (!i.name || !i.version)
		return mue_fail(e, MUE_EINVAL, "name and version are needed, as texts");
	v = mue_store_write(r->server->store, write_installed, &i, e);
	return v < 0 ? v : mue_respond_empty(r, 200);
}
