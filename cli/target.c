/* target.c - `mue target list|show|tag|why`: the devices as the server knows them. */
#include "cli/api.h"
#include "cli/term.h"

#include <inttypes.h>
#include <string.h>

/* "/rest/v1/targets/ID" with ID encoded. */
static int target_path(const char *id, const char *prefix, char *ret, size_t ret_size,
		       struct mue_error *e)
{
	size_t n = (size_t)snprintf(ret, ret_size, "%s", prefix);

	if (mue_http_escape(id, ret + n, ret_size - n) < 0)
		return mue_fail(e, MUE_EINVAL, "the id \"%.40s...\" is too long", id);
	return MUE_OK;
}

static int print_json(struct mue_cli *cli, const json_t *j, struct mue_error *e)
{
	if (json_dumpf(j, cli->out, JSON_INDENT(2)) != 0)
		return mue_fail(e, MUE_EIO, "cannot write");
	fputc('\n', cli->out);
	return MUE_OK;
}

/* --- list --- */

struct list_opts {
	const char *filter;
};

static const struct mue_opt list_table[] = {
	{ .name = "filter",
	  .letter = 'f',
	  .kind = MUE_OPT_TEXT,
	  .at = offsetof(struct list_opts, filter),
	  .value = "FIQL",
	  .help = "only these, e.g. 'tag==bench', 'attribute.mue.version==2.1.0', 'id==gw-*'" },
	{ .name = NULL },
};

static void print_row(FILE *f, const json_t *t)
{
	char id[64], name[64], ago[24];
	const char *status = mue_json_str(t, "updateStatus", "unknown");

	mue_term_safe(mue_json_str(t, "controllerId", "?"), id, sizeof(id));
	mue_term_safe(mue_json_str(t, "name", ""), name, sizeof(name));
	fprintf(f, "%-24s %-10s %-14s %s\n", id, status,
		mue_term_ago(mue_json_int(t, "lastControllerRequestAt", 0), ago),
		strcmp(id, name) == 0 ? "" : name);
}

static int list_run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
		    struct mue_error *e)
{
	const struct list_opts *o = opts;
	struct mue_api api;
	json_t *list = NULL;
	int r = mue_api_open(cli, &api, e);

	(void)args;
	if (r < 0)
		return r;
	r = mue_api_list(&api, "/rest/v1/targets", o->filter, &list, e);
	mue_api_close(&api);
	if (r < 0)
		return r;
	if (cli->common.json) {
		r = print_json(cli, list, e);
	} else if (json_array_size(list) == 0) {
		fprintf(cli->out, "no target%s\n",
			o->filter ? " matches" : " yet; see: mue enroll");
	} else {
		fprintf(cli->out, "%-24s %-10s %s\n", "TARGET", "STATUS", "LAST SEEN");
		for (size_t i = 0; i < json_array_size(list); i++)
			print_row(cli->out, json_array_get(list, i));
	}
	json_decref(list);
	return r;
}

const struct mue_cmd mue_cmd_target_list = {
	.name = "target list",
	.args = "",
	.summary = "list devices",
	.examples = "  $ mue target list\n  $ mue target list --filter 'tag==bench'",
	.opts = list_table,
	.opts_size = sizeof(struct list_opts),
	.shared = MUE_SHARE_SERVER | MUE_SHARE_JSON,
	.run = list_run,
};

/* --- show --- */

/* The parts of a target that have an address of their own, in one object for --json. */
static const struct {
	const char *member, *path;
} parts[] = {
	{ "attributes", "/attributes" },
	{ "installedDS", "/installedDS" },
	{ "assignedDS", "/assignedDS" },
	{ "tags", "/tags" },
	{ "actions", "/actions?limit=10&sort=id:DESC" },
};

static int fetch(struct mue_api *api, const char *path, json_t **ret, struct mue_error *e)
{
	json_t *t = NULL;
	int r = mue_api_get(api, &t, e, "%s", path);

	for (size_t i = 0; r == MUE_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
		json_t *part = NULL;

		r = mue_api_get_maybe(api, &part, e, "%s%s", path, parts[i].path);
		if (part)
			json_object_set_new(t, parts[i].member, part);
	}
	if (r < 0) {
		json_decref(t);
		return r;
	}
	*ret = t;
	return MUE_OK;
}

static void line(FILE *f, const char *label, const char *text)
{
	char safe[400];

	fprintf(f, "%-16s %s\n", label, mue_term_safe(text, safe, sizeof(safe)));
}

static void print_set(FILE *f, const char *label, const json_t *set)
{
	char text[300];

	if (!json_object_get(set, "name"))
		return;
	snprintf(text, sizeof(text), "%s:%s", mue_json_str(set, "name", "?"),
		 mue_json_str(set, "version", "?"));
	line(f, label, text);
}

static void print_tags(FILE *f, const json_t *tags)
{
	for (size_t i = 0; i < json_array_size(tags); i++)
		line(f, i == 0 ? "tags" : "", mue_json_str(json_array_get(tags, i), "name", "?"));
}

static void print_actions(FILE *f, const json_t *page)
{
	const json_t *list = json_object_get(page, "content");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *a = json_array_get(list, i);
		char text[300], ago[24];

		snprintf(text, sizeof(text), "%" PRId64 "  %s (%s)  %s  %s",
			 mue_json_int(a, "id", 0), mue_json_str(a, "detailStatus", "?"),
			 mue_json_str(a, "forceType", "?"), mue_json_str(a, "rolloutName", ""),
			 mue_term_ago(mue_json_int(a, "createdAt", 0), ago));
		line(f, i == 0 ? "actions" : "", text);
	}
}

static void print_target(FILE *f, json_t *t)
{
	const char *key;
	json_t *value;
	char ago[24];

	line(f, "target", mue_json_str(t, "controllerId", "?"));
	line(f, "status", mue_json_str(t, "updateStatus", "unknown"));
	line(f, "last seen", mue_term_ago(mue_json_int(t, "lastControllerRequestAt", 0), ago));
	print_set(f, "installed", json_object_get(t, "installedDS"));
	print_set(f, "assigned", json_object_get(t, "assignedDS"));
	print_tags(f, json_object_get(t, "tags"));
	/* clang-format off */
	json_object_foreach(json_object_get(t, "attributes"), key, value)
		line(f, key, json_string_value(value));
	/* clang-format on */
	print_actions(f, json_object_get(t, "actions"));
}

static int show_run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
		    struct mue_error *e)
{
	struct mue_api api;
	json_t *t = NULL;
	char path[512];
	int r = target_path(args->v[0], "/rest/v1/targets/", path, sizeof(path), e);

	(void)opts;
	if (r == MUE_OK)
		r = mue_api_open(cli, &api, e);
	if (r < 0)
		return r;
	r = fetch(&api, path, &t, e);
	mue_api_close(&api);
	if (r < 0)
		return r;
	if (cli->common.json)
		r = print_json(cli, t, e);
	else
		print_target(cli->out, t);
	json_decref(t);
	return r;
}

const struct mue_cmd mue_cmd_target_show = {
	.name = "target show",
	.args = "ID",
	.summary = "everything about one device: what runs, attributes, actions",
	.examples = "  $ mue target show gw-0042",
	.shared = MUE_SHARE_SERVER | MUE_SHARE_JSON,
	.min_args = 1,
	.max_args = 1,
	.run = show_run,
};

/* --- tag --- */

struct tag_opts {
	bool remove;
};

static const struct mue_opt tag_table[] = {
	{ .name = "remove",
	  .letter = 'r',
	  .kind = MUE_OPT_FLAG,
	  .at = offsetof(struct tag_opts, remove),
	  .help = "take the tag off instead" },
	{ .name = NULL },
};

static int find_or_make_tag(struct mue_api *api, const char *name, bool make, int64_t *ret,
			    struct mue_error *e)
{
	json_t *tag = NULL, *entity;
	char query[300];
	int r;

	if (strlen(name) > 64 || strpbrk(name, "\"\\"))
		return mue_fail(e, MUE_EINVAL, "a tag is at most 64 bytes, without \" and \\");
	snprintf(query, sizeof(query), "name==\"%s\"", name);
	r = mue_api_find(api, "/rest/v1/targettags", query, &tag, e);
	if (r == MUE_ENOTFOUND && !make)
		return mue_fail(e, r, "there is no tag \"%s\"", name);
	if (r == MUE_ENOTFOUND) {
		entity = json_pack("{s:s}", "name", name);
		r = mue_api_create(api, "/rest/v1/targettags", entity, &tag, e);
		json_decref(entity);
	}
	if (r < 0)
		return r;
	*ret = mue_json_int(tag, "id", 0);
	json_decref(tag);
	return MUE_OK;
}

/* Before anything is made: words in the wrong order leave no tag behind. */
static int check_targets(struct mue_api *api, const struct mue_strings *args, struct mue_error *e)
{
	for (size_t i = 1; i < args->n; i++) {
		json_t *target = NULL;
		char path[512];
		int r = target_path(args->v[i], "/rest/v1/targets/", path, sizeof(path), e);

		if (r == MUE_OK)
			r = mue_api_get_maybe(api, &target, e, "%s", path);
		if (r < 0)
			return r;
		if (!target) {
			api->cli->exit = MUE_EXIT_SERVER;
			return mue_fail(
				e, MUE_ENOTFOUND,
				"there is no device \"%.100s\", nothing was changed; the tag "
				"comes first: mue target tag TAG ID...",
				args->v[i]);
		}
		json_decref(target);
	}
	return MUE_OK;
}

static int tag_all(struct mue_api *api, const struct tag_opts *o, const struct mue_strings *args,
		   struct mue_error *e)
{
	int64_t tag = 0;
	int r = check_targets(api, args, e);

	if (r == MUE_OK)
		r = find_or_make_tag(api, args->v[0], !o->remove, &tag, e);
	for (size_t i = 1; r == MUE_OK && i < args->n; i++) {
		char prefix[100], path[512];

		snprintf(prefix, sizeof(prefix), "/rest/v1/targettags/%" PRId64 "/assigned/", tag);
		r = target_path(args->v[i], prefix, path, sizeof(path), e);
		if (r == MUE_OK)
			r = mue_api_call(api, o->remove ? "DELETE" : "POST", path, NULL, NULL, e);
	}
	return r;
}

static int tag_run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
		   struct mue_error *e)
{
	const struct tag_opts *o = opts;
	struct mue_api api;
	int r = mue_api_open(cli, &api, e);

	if (r < 0)
		return r;
	r = tag_all(&api, o, args, e);
	mue_api_close(&api);
	if (r == MUE_OK)
		fprintf(cli->out, "%s: %s %zu target%s\n", args->v[0],
			o->remove ? "taken off" : "put on", args->n - 1, args->n == 2 ? "" : "s");
	return r;
}

const struct mue_cmd mue_cmd_target_tag = {
	.name = "target tag",
	.args = "TAG ID...",
	.summary = "put a tag on devices; it is made if it is new",
	.examples = "  $ mue target tag bench gw-0001\n"
		    "  $ mue target tag --remove bench gw-0001 gw-0002",
	.opts = tag_table,
	.opts_size = sizeof(struct tag_opts),
	.shared = MUE_SHARE_SERVER,
	.min_args = 2,
	.max_args = MUE_STRINGS_MAX,
	.run = tag_run,
};

/* --- why --- */

/* The road from "known" to "proved": each condition that was asked, the last one is the answer. */
static void print_why(FILE *f, const char *id, const json_t *why)
{
	const json_t *list = json_object_get(why, "conditions");
	char safe[1000];

	fprintf(f, "%s: %s\n", id,
		mue_term_safe(mue_json_str(why, "why", "the server does not say"), safe,
			      sizeof(safe)));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);

		fprintf(f, "  %-3s %s", json_is_true(json_object_get(c, "holds")) ? "yes" : "NO",
			mue_term_safe(mue_json_str(c, "condition", "?"), safe, sizeof(safe)));
		mue_term_safe(mue_json_str(c, "detail", ""), safe, sizeof(safe));
		fprintf(f, "%s%s\n", *safe ? ": " : "", safe);
	}
}

struct why_opts {
	const char *ds;
};

static const struct mue_opt why_table[] = {
	{ .name = "ds",
	  .letter = 'd',
	  .kind = MUE_OPT_TEXT,
	  .at = offsetof(struct why_opts, ds),
	  .value = "NAME:VERSION",
	  .help = "ask about this release instead of the one it was given last" },
	{ .name = NULL },
};

static int why(struct mue_api *api, const char *id, const char *ds, json_t **ret,
	       struct mue_error *e)
{
	char path[512];
	int64_t set;
	int r = target_path(id, "/api/v1/targets/", path, sizeof(path), e);

	if (r < 0 || !ds)
		return r < 0 ? r : mue_api_get(api, ret, e, "%s/why", path);
	r = mue_api_find_set(api, ds, &set, e);
	return r < 0 ? r : mue_api_get(api, ret, e, "%s/why?set=%" PRId64, path, set);
}

static int why_run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
		   struct mue_error *e)
{
	const struct why_opts *o = opts;
	struct mue_api api;
	json_t *answer = NULL;
	int r = mue_api_open(cli, &api, e);

	if (r < 0)
		return r;
	r = why(&api, args->v[0], o->ds, &answer, e);
	mue_api_close(&api);
	if (r < 0)
		return r;
	if (cli->common.json)
		r = print_json(cli, answer, e);
	else
		print_why(cli->out, args->v[0], answer);
	json_decref(answer);
	return r;
}

const struct mue_cmd mue_cmd_target_why = {
	.name = "target why",
	.args = "ID",
	.summary = "why this device is not on the version it should be on",
	.examples = "  $ mue target why gw-0042\n  $ mue target why gw-0042 --ds app-os:2.1.0",
	.opts = why_table,
	.opts_size = sizeof(struct why_opts),
	.shared = MUE_SHARE_SERVER | MUE_SHARE_JSON,
	.min_args = 1,
	.max_args = 1,
	.run = why_run,
};
