/* publish.c - `mue publish`: a signed release becomes modules, artifacts and a distribution set. */
#include "cli/api.h"
#include "cli/envelope.h"
#include "cli/term.h"
#include "host/hash.h"
#include "host/release.h"

#include <inttypes.h>
#include <string.h>

struct publish_opts {
	const char *trust;
	struct mue_strings keys;
	const char *type;
};

static const struct mue_opt table[] = {
	{ .name = "trust",
	  .letter = 't',
	  .kind = MUE_OPT_DIR,
	  .at = offsetof(struct publish_opts, trust),
	  .value = "FOLDER",
	  .help = "verify under the .pub files of this folder first; else under the server's "
		  "keys" },
	{ .name = "key",
	  .letter = 'k',
	  .kind = MUE_OPT_LIST,
	  .at = offsetof(struct publish_opts, keys),
	  .value = "FILE.pub",
	  .help = "or under this key; several may be given" },
	{ .name = "type",
	  .kind = MUE_OPT_TEXT,
	  .at = offsetof(struct publish_opts, type),
	  .value = "TYPE",
	  .help = "type of the distribution set (default: the server's)" },
	{ .name = NULL },
};

struct publish {
	struct mue_cli *cli;
	const struct publish_opts *o;
	struct mue_api api;
	struct mue_envelope env;
	char name[64], version[64];
	json_t *modules; /* [{"id": n}, ...] */
	unsigned uploaded, there;
};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The keys that the server trusts, so that a refusal comes before a byte is sent. */
static int server_trust(struct publish *p, struct mue_trust *ret, struct mue_error *e)
{
	json_t *list = NULL, *content;
	int r = mue_api_get(&p->api, &list, e, "/api/v1/trust");

	if (r < 0)
		return r;
	content = json_is_array(list) ? list : json_object_get(list, "content");
	for (size_t i = 0; i < json_array_size(content); i++) {
		const json_t *entry = json_array_get(content, i);
		const char *pem = mue_json_str(entry, "pem", "");
		char name[32];

		snprintf(name, sizeof(name), "server-%zu", i + 1);
		r = mue_trust_add(ret, mue_json_str(entry, "name", name), pem, strlen(pem), e);
		if (r < 0 && r != MUE_EEXIST)
			break;
	}
	json_decref(list);
	if (r < 0 && r != MUE_EEXIST)
		return mue_prefix(e, "the server's keys");
	if (ret->count == 0)
		return mue_fail(e, MUE_ESIGNATURE,
				"the server trusts no key yet; see: mue trust add");
	return MUE_OK;
}

static int verify(struct publish *p, struct mue_error *e)
{
	struct mue_view view = { p->env.bytes.data, p->env.bytes.len };
	struct mue_trust trust = { .entries = NULL };
	struct mue_suit suit;
	int r;

	r = mue_envelope_check_payloads(&p->env, e);
	if (r < 0)
		return r;
	if (p->o->trust || p->o->keys.n)
		r = mue_cli_trust(p->cli, p->o->trust, &p->o->keys, &trust, e);
	else
		r = server_trust(p, &trust, e);
	if (r == MUE_OK) {
		r = mue_release_verify(view, &trust, &suit, NULL, e);
		if (r < 0)
			mue_prefix(e, "%s", p->env.path);
	}
	mue_trust_free(&trust);
	return r;
}

static int progress(void *ctx, uint64_t done, uint64_t total)
{
	struct mue_progress *bar = ctx;

	(void)total;
	mue_progress_update(bar, done);
	return 0;
}

/* What the server holds under this file name in the module; NULL: nothing. */
static json_t *find_artifact(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *entry = json_array_get(list, i);

		if (strcmp(mue_json_str(entry, "providedFilename", ""), name) == 0)
			return entry;
	}
	return NULL;
}

static int compare(const json_t *artifact, const char *name, const char *hex, struct mue_error *e)
{
	const char *theirs = mue_json_str(json_object_get(artifact, "hashes"), "sha256", "");

	if (strcmp(theirs, hex) == 0)
		return MUE_OK;
	return mue_fail(e, MUE_ECONFLICT,
			"the server holds another %s (sha256 %.16s..., yours %.16s...); a release "
			"never changes: raise --version",
			name, theirs, hex);
}

static int put_file(struct publish *p, int64_t module, const json_t *list, const char *path,
		    struct mue_error *e)
{
	const char *name = base_of(path);
	json_t *artifact = find_artifact(list, name), *made = NULL;
	char url[128], hex[65], size[16];
	struct mue_progress bar;
	uint8_t digest[32];
	uint64_t bytes = 0;
	int r = mue_hash_file(path, MUE_HASH_SHA256, digest, &bytes, e);

	if (r < 0)
		return r;
	mue_hex(digest, 32, hex);
	if (artifact) {
		p->there++;
		return compare(artifact, name, hex, e);
	}
	snprintf(url, sizeof(url), "/rest/v1/softwaremodules/%" PRId64 "/artifacts", module);
	mue_progress_begin(&bar, p->cli, bytes, "%s", name);
	r = mue_api_upload(&p->api, url, path, name, progress, &bar, &made, e);
	if (r == MUE_OK)
		r = compare(made, name, hex, e);
	json_decref(made);
	if (r < 0) {
		mue_progress_drop(&bar);
		return r;
	}
	mue_progress_end(&bar, "uploaded %s  %s", name, mue_term_size(bytes, size));
	p->uploaded++;
	return MUE_OK;
}

/* A module of its own for each component of each release: the envelope lies in it, and that is
 * another one in each release even where the component did not change. */
static int find_or_make_module(struct publish *p, const struct mue_suit_component *c, int64_t *ret,
			       struct mue_error *e)
{
	char kind[32], part[80], version[80], name[200], query[400];
	json_t *module = NULL, *entity;
	int r;

	mue_view_str(c->kind, kind, sizeof(kind));
	mue_view_str(c->name, part, sizeof(part));
	mue_view_str(c->version, version, sizeof(version));
	snprintf(name, sizeof(name), "%s.%s", p->name, part);
	snprintf(query, sizeof(query), "name==\"%s\";version==\"%s\";type==\"%s\"", name,
		 p->version, kind);
	r = mue_api_find(&p->api, "/rest/v1/softwaremodules", query, &module, e);
	if (r == MUE_ENOTFOUND) {
		entity = json_pack("{s:s, s:s, s:s, s:o}", "name", name, "version", p->version,
				   "type", kind, "description",
				   json_sprintf("%s %s", part, *version ? version : p->version));
		r = mue_api_create(&p->api, "/rest/v1/softwaremodules", entity, &module, e);
		json_decref(entity);
	}
	if (r < 0)
		return r;
	*ret = mue_json_int(module, "id", 0);
	json_decref(module);
	return MUE_OK;
}

static int put_component(struct publish *p, uint8_t i, struct mue_error *e)
{
	const struct mue_suit_component *c = &p->env.info.component[i];
	struct mue_payload payload;
	json_t *list = NULL;
	int64_t module = 0;
	int r = find_or_make_module(p, c, &module, e);

	if (r < 0)
		return r;
	r = mue_api_get(&p->api, &list, e, "/rest/v1/softwaremodules/%" PRId64 "/artifacts",
			module);
	/* The envelope goes first: what the server refuses, it refuses before the long part. */
	if (r == MUE_OK)
		r = put_file(p, module, list, p->env.path, e);
	if (r == MUE_OK)
		r = mue_envelope_payload(&p->env, i, &payload, e);
	if (r == MUE_OK &&
	    (payload.state == MUE_PAYLOAD_OK || payload.state == MUE_PAYLOAD_DELTA) &&
	    payload.path[0] != '#')
		r = put_file(p, module, list, payload.path, e);
	json_decref(list);
	if (r == MUE_OK)
		json_array_append_new(p->modules, json_pack("{s:I}", "id", (json_int_t)module));
	return r;
}

/* A set that was made by a run that was cut short may lack modules. */
static int complete_set(struct publish *p, int64_t id, struct mue_error *e)
{
	char path[100];

	snprintf(path, sizeof(path), "/rest/v1/distributionsets/%" PRId64 "/assignedSM", id);
	return mue_api_call(&p->api, "POST", path, p->modules, NULL, e);
}

static bool has(const json_t *list, int64_t id)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (mue_json_int(json_array_get(list, i), "id", -1) == id)
			return true;
	return false;
}

static int reuse_set(struct publish *p, int64_t id, struct mue_error *e)
{
	json_t *assigned = NULL;
	bool whole = true;
	char path[100];
	int r;

	snprintf(path, sizeof(path), "/rest/v1/distributionsets/%" PRId64 "/assignedSM", id);
	r = mue_api_list(&p->api, path, NULL, &assigned, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_array_size(p->modules); i++)
		if (!has(assigned, mue_json_int(json_array_get(p->modules, i), "id", -2)))
			whole = false;
	if (!whole)
		r = complete_set(p, id, e);
	json_decref(assigned);
	return r;
}

static int put_set(struct publish *p, int64_t *ret_id, struct mue_error *e)
{
	char query[300], notes[512];
	json_t *set = NULL, *entity;
	int r;

	snprintf(query, sizeof(query), "name==\"%s\";version==\"%s\"", p->name, p->version);
	r = mue_api_find(&p->api, "/rest/v1/distributionsets", query, &set, e);
	if (r == MUE_OK) {
		*ret_id = mue_json_int(set, "id", 0);
		json_decref(set);
		return reuse_set(p, *ret_id, e);
	}
	if (r != MUE_ENOTFOUND)
		return r;
	entity = json_pack("{s:s, s:s, s:O}", "name", p->name, "version", p->version, "modules",
			   p->modules);
	mue_view_str(p->env.info.notes, notes, sizeof(notes));
	if (*notes)
		json_object_set_new(entity, "description", json_string(notes));
	if (p->o->type)
		json_object_set_new(entity, "type", json_string(p->o->type));
	r = mue_api_create(&p->api, "/rest/v1/distributionsets", entity, &set, e);
	json_decref(entity);
	if (r < 0)
		return r;
	*ret_id = mue_json_int(set, "id", 0);
	json_decref(set);
	return MUE_OK;
}

static int publish(struct publish *p, struct mue_error *e)
{
	const struct mue_suit_info *in = &p->env.info;
	int64_t id = 0;
	int r;

	mue_view_str(in->name, p->name, sizeof(p->name));
	mue_view_str(in->version, p->version, sizeof(p->version));
	if (!p->name[0] || !p->version[0])
		return mue_fail(e, MUE_EFORMAT,
				"%s names no release and version: it was not made by "
				"mue pack, or its texts were severed",
				p->env.path);
	r = verify(p, e);
	for (uint8_t i = 0; r == MUE_OK && i < in->component_count; i++)
		r = put_component(p, i, e);
	if (r == MUE_OK)
		r = put_set(p, &id, e);
	if (r == MUE_OK)
		fprintf(p->cli->out,
			"published %s:%s as distribution set %" PRId64
			" (%u uploaded, %u there already)\n",
			p->name, p->version, id, p->uploaded, p->there);
	return r;
}

static int run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
	       struct mue_error *e)
{
	struct publish p = { .cli = cli, .o = opts, .modules = json_array() };
	int r = mue_envelope_load(args->v[0], &p.env, e);

	if (r == MUE_OK)
		r = mue_api_open(cli, &p.api, e);
	if (r == MUE_OK) {
		r = publish(&p, e);
		mue_api_close(&p.api);
	}
	mue_envelope_close(&p.env);
	json_decref(p.modules);
	return r;
}

const struct mue_cmd mue_cmd_publish = {
	.name = "publish",
	.args = "ENVELOPE.suit",
	.summary = "bring a signed release with its payloads to the server",
	.more = "Signatures and digests are checked here first.  Run again after a failure, it "
		"goes on\n"
		"where it stopped; what the server has already is not sent twice.",
	.examples =
		"  $ mue publish out/app-2.1.0.suit\n"
		"  $ mue publish out/app-2.1.0.suit --trust keys --server https://updates.example",
	.arg_words = "@file",
	.opts = table,
	.opts_size = sizeof(struct publish_opts),
	.shared = MUE_SHARE_SERVER | MUE_SHARE_PASSPHRASE,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
